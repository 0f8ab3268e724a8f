package serving

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

	_ "github.com/jackc/pgx/v5/stdlib"
)

// Postgres is a server of its own, with Debian's programs, on a socket in its
// folder.
type Postgres struct {
	folder string
	server *exec.Cmd
}

// StartPostgres starts one in a folder, on what is there already. It is tuned as
// for a machine of its size, and for nothing else: what is committed is on the disk.
func StartPostgres(folder string) (*Postgres, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		return nil, errors.New("PostgreSQL is missing: apt install postgresql")
	}
	slices.Sort(found)
	p := &Postgres{folder: folder}
	programs, data := found[len(found)-1], filepath.Join(folder, "data")
	as, err := p.unprivileged()
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
	p.server = command("postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "shared_buffers=2GB",
		"-c", "effective_cache_size=8GB", "-c", "max_wal_size=8GB", "-c", "maintenance_work_mem=1GB", "-c", "random_page_cost=1.1")
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	p.server.Stderr = log
	if err := p.server.Start(); err != nil {
		return nil, err
	}
	if err := p.await(); err != nil {
		p.End()
		return nil, err
	}
	return p, nil
}

// unprivileged is who runs PostgreSQL, which refuses to be root.
func (p *Postgres) unprivileged() (*syscall.Credential, error) {
	if err := os.MkdirAll(p.folder, 0o755); err != nil || os.Getuid() != 0 {
		return nil, err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(p.folder, uid, gid)
}

func (p *Postgres) await() error {
	db, err := sql.Open("pgx", p.URL("postgres"))
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

// URL is a database of it, as the setting database_url takes it.
func (p *Postgres) URL(database string) string {
	return "postgres://twinlock@/" + database + "?" + url.Values{"host": {p.folder}}.Encode()
}

// Make makes an empty database, in the place of one that there was.
func (p *Postgres) Make(database string) error {
	db, err := sql.Open("pgx", p.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + database, "CREATE DATABASE " + database} {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// End lets it write what it has and ends it.
func (p *Postgres) End() {
	_ = p.server.Process.Signal(syscall.SIGINT) // fast shutdown
	_ = p.server.Wait()
}
