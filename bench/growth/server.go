package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func serverFolder() string { return filepath.Join(*folder, "postgres") }

func postgresURL(database string) string {
	return "postgres://twinlock@/" + database + "?" + url.Values{"host": {serverFolder()}}.Encode()
}

// startServer starts a PostgreSQL in the folder, where one is wanted, as its own
// user and on a socket there. It is tuned as for a machine of its size, and for
// nothing else.
func startServer() (end func(), err error) {
	if *engine != "postgres" {
		return func() {}, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		return nil, errors.New("PostgreSQL is missing: apt install postgresql")
	}
	slices.Sort(found)
	programs, data := found[len(found)-1], filepath.Join(serverFolder(), "data")
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(programs, name), args...)
		c.Dir, c.SysProcAttr = "/", &syscall.SysProcAttr{Credential: as}
		return c
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
		out, err := command("initdb", "--auth=trust", "--username=twinlock", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata="+data).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	server := command("postgres", "-D", data, "-k", serverFolder(), "-c", "listen_addresses=", "-c", "shared_buffers=2GB",
		"-c", "effective_cache_size=8GB", "-c", "max_wal_size=8GB", "-c", "maintenance_work_mem=1GB", "-c", "random_page_cost=1.1")
	log, err := os.Create(filepath.Join(*folder, "postgres.log"))
	if err != nil {
		return nil, err
	}
	server.Stderr = log
	if err := server.Start(); err != nil {
		return nil, err
	}
	end = func() {
		_ = server.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = server.Wait()
	}
	if err := awaitServer(); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

func awaitServer() error {
	db, err := sql.Open("pgx", postgresURL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for until := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if err = db.Ping(); err == nil || time.Now().After(until) {
			return err
		}
	}
}

// unprivileged is who runs PostgreSQL, which refuses to be root.
func unprivileged() (*syscall.Credential, error) {
	if err := os.MkdirAll(serverFolder(), 0o755); err != nil || os.Getuid() != 0 {
		return nil, err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(serverFolder(), uid, gid)
}
