package storetest

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
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/store"
)

// postgres is one temporary server for all tests of a process: as its own
// user, on a socket in a temporary folder, and gone with the process.
type postgres struct {
	folder string
	admin  *sql.DB
	server *exec.Cmd
	made   atomic.Int64

	migrated func() error // makes the database with the tables, once
	idle     chan string  // the addresses of empty copies of it
}

var startPostgres = sync.OnceValues(newPostgres)

// PostgreSQL gives the address of a fresh database. Where the programs of
// PostgreSQL are missing the test fails and says so; it is never skipped.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	return begun(t).fresh(t, "template1")
}

func migratedPostgreSQL(t testing.TB) string {
	t.Helper()
	server := begun(t)
	if err := server.migrated(); err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return server.fresh(t, tables)
}

// lentPostgreSQL is a migrated database for a test that changes rows alone. It
// is taken back when the test ends: emptying one takes a tenth of the time of
// making another.
func lentPostgreSQL(t testing.TB) string {
	t.Helper()
	server := begun(t)
	var url string
	select {
	case url = <-server.idle:
	default:
		url = migratedPostgreSQL(t)
	}
	t.Cleanup(func() {
		if !t.Failed() && empty(url) == nil {
			server.takeBack(url)
		}
	})
	return url
}

func (p *postgres) takeBack(url string) {
	select {
	case p.idle <- url:
	default:
	}
}

// empty leaves a database as its migrations do: every row is deleted, children
// before their parents, but for the clock's one row.
func empty(url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	var all strings.Builder
	for _, table := range slices.Backward(store.Tables) {
		switch table.Name {
		case "goose_db_version":
		case "clock":
			all.WriteString("UPDATE clock SET furthest_at = 0, set_backs = 0; ")
		default:
			fmt.Fprintf(&all, "DELETE FROM %s; ", table.Name)
		}
	}
	_, err = db.Exec("DO $$ BEGIN " + all.String() + "END $$")
	return err
}

func begun(t testing.TB) *postgres {
	t.Helper()
	server, err := startPostgres()
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return server
}

// fresh makes a copy of a database to which nobody is connected.
func (p *postgres) fresh(t testing.TB, of string) string {
	t.Helper()
	name := fmt.Sprintf("twinlock_%d", p.made.Add(1))
	if _, err := p.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + of); err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	return p.address(name)
}

// tables is the database with every table in it.
const tables = "twinlock_tables"

func (p *postgres) makeTables() error {
	if _, err := p.admin.Exec("CREATE DATABASE " + tables); err != nil {
		return err
	}
	return migrate(p.address(tables))
}

func (p *postgres) address(database string) string {
	return "postgres://twinlock@/" + database + "?" + url.Values{"host": {p.folder}}.Encode()
}

// Stop ends the server, where one was started. TestMain calls it.
func Stop() {
	server := running.Load()
	if server == nil {
		return
	}
	_ = server.admin.Close()
	_ = server.server.Process.Signal(syscall.SIGINT) // fast shutdown
	_ = server.server.Wait()
	_ = os.RemoveAll(server.folder)
}

var running atomic.Pointer[postgres]

func newPostgres() (*postgres, error) {
	programs, err := programFolder()
	if err != nil {
		return nil, err
	}
	p := &postgres{idle: make(chan string, 16)}
	p.migrated = sync.OnceValue(p.makeTables)
	if p.folder, err = os.MkdirTemp("", "twinlock-postgres-"); err != nil {
		return nil, err
	}
	credential, err := unprivileged(p.folder)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(p.folder, "data")
	initdb := command(credential, filepath.Join(programs, "initdb"), "--auth=trust", "--username=twinlock",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata="+data)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p.server = command(credential, filepath.Join(programs, "postgres"), "-D", data, "-k", p.folder,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	if err := child.Start(p.server); err != nil {
		return nil, err
	}
	if p.admin, err = sql.Open("pgx", p.address("postgres")); err != nil {
		return nil, err
	}
	running.Store(p)
	return p, p.wait()
}

// wait asks until the server answers: it tells nobody when it is ready.
func (p *postgres) wait() error {
	end := time.After(startPatience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := p.admin.Ping()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-end:
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// programFolder is where the newest PostgreSQL of this machine is.
func programFolder() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("its programs are missing; tools/prepare installs them")
	}
	return filepath.Dir(path), nil
}

// unprivileged is who runs the server: it refuses to be root.
func unprivileged(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(os.Chown(folder, uid, gid), os.Chmod(folder, 0o755))
}

func command(as *syscall.Credential, program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	return c
}
