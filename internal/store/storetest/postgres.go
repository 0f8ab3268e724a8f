package storetest

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/twinlock/twinlock/internal/store"
)

// postgres is one server for all tests of a process, and gone with it.
type postgres struct {
	*Cluster
	admin *sql.DB
	made  atomic.Int64

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
	return p.Address(name)
}

// tables is the database with every table in it.
const tables = "twinlock_tables"

func (p *postgres) makeTables() error {
	if _, err := p.admin.Exec("CREATE DATABASE " + tables); err != nil {
		return err
	}
	return migrate(p.Address(tables))
}

// Stop ends the server, where one was started. TestMain calls it.
func Stop() {
	server := running.Load()
	if server == nil {
		return
	}
	_ = server.admin.Close()
	server.End(syscall.SIGINT)
	_ = os.RemoveAll(server.Folder)
}

var running atomic.Pointer[postgres]

func newPostgres() (*postgres, error) {
	c, err := newCluster("fsync=off", "full_page_writes=off", "max_connections=200")
	if err != nil {
		return nil, err
	}
	p := &postgres{Cluster: c, idle: make(chan string, 16)}
	p.migrated = sync.OnceValue(p.makeTables)
	if p.admin, err = sql.Open("pgx", p.Address("postgres")); err != nil {
		return nil, err
	}
	running.Store(p)
	return p, p.Start()
}
