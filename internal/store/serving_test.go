package store_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Servers on other machines have no lock in the data folder.
func TestADatabaseThatServersUseIsNobodysAlone(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	one, two := storetest.Open(t, url, keys.New()), storetest.Open(t, url, nil)
	first, err := one.Serve(t.Context())
	must(t, err)
	second, err := two.Serve(t.Context())
	must(t, err)
	must(t, first.Close())
	if _, err := one.Alone(t.Context()); !errors.Is(err, store.ErrServing) {
		t.Errorf("alone beside a server: %v", err)
	}
	must(t, second.Close())
	alone, err := one.Alone(t.Context())
	must(t, err)
	if _, err := two.Serve(t.Context()); !errors.Is(err, store.ErrRestoring) {
		t.Errorf("a server beside a restore: %v", err)
	}
	must(t, alone.Close())
	third, err := two.Serve(t.Context())
	must(t, err)
	must(t, third.Keep(t.Context()))
	must(t, third.Close())
}

func TestAServerWhoseConnectionBrokeSaysAnewThatItServes(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	one, two := storetest.Open(t, url, keys.New()), storetest.Open(t, url, nil)
	use, err := one.Serve(t.Context())
	must(t, err)
	w := watched{Store: two, t: t, db: rawPostgres(t, url)}
	w.words(`SELECT pg_terminate_backend(pid)::text FROM pg_locks WHERE locktype = 'advisory'`)
	must(t, use.Keep(t.Context()))
	if _, err := two.Alone(t.Context()); !errors.Is(err, store.ErrServing) {
		t.Errorf("alone beside a server: %v", err)
	}
	must(t, use.Close())
}

// Others are counted without oneself, also by a server whose own word was lost
// with its connection: it gives it anew first.
func TestAServerDoesNotTakeAnotherForItself(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	one, two := storetest.Open(t, url, keys.New()), storetest.Open(t, url, nil)
	first, err := one.Serve(t.Context())
	must(t, err)
	wantOthers := func(when string, want bool) {
		t.Helper()
		if others, err := first.Others(t.Context()); err != nil || others != want {
			t.Errorf("%s: others %v, %v", when, others, err)
		}
	}
	wantOthers("alone", false)
	w := watched{Store: two, t: t, db: rawPostgres(t, url)}
	const breaks = `SELECT pg_terminate_backend(pid, 10000)::text FROM pg_locks WHERE locktype = 'advisory'`
	w.words(breaks)
	wantOthers("alone, after the connection broke", false)
	w.words(breaks)
	second, err := two.Serve(t.Context())
	must(t, err)
	wantOthers("after the connection broke and another began", true)
	if n, err := two.Servers(t.Context()); err != nil || n != 2 {
		t.Errorf("%d servers, %v", n, err)
	}
	must(t, second.Close())
	wantOthers("after the other ended", false)
	must(t, first.Close())
}

func rawPostgres(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
