// Package storetest opens a store on each engine, for the one suite that both
// pass.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// startPatience is how long a database server may take to start.
const startPatience = 30 * time.Second

// Now is the moment at which tests begin.
var Now = time.Date(2026, 11, 23, 12, 0, 12, 0, time.UTC)

// Rules are the decided numbers, of a site at id.example.org.
var Rules = store.Rules{
	Ours:             origin.Origin{Scheme: "https", Host: "id.example.org"},
	Letters:          throttle.Rule{Free: 3, CloseAfter: 3, Window: time.Hour},
	CodesThisMonth:   throttle.Rule{Free: 50, CloseAfter: 50, Window: 30 * 24 * time.Hour},
	Tries:            throttle.Rule{Free: 5, FirstWait: time.Second, LongestWait: 15 * time.Minute, CloseAfter: 100},
	Network:          throttle.Rule{Free: 20, FirstWait: time.Second, LongestWait: 15 * time.Minute, Window: 15 * time.Minute},
	Requests:         throttle.Rule{Free: 200, FirstWait: time.Second, LongestWait: 15 * time.Minute, Window: 15 * time.Minute},
	Policy:           Policy,
	RecoveryCodesFew: 3,
	SessionsAtOnce:   48,
	WindowTries:      5,
}

// Policy asks a code of everybody who has a second factor on.
var Policy = auth.Policy{
	TwoFactor: true, Passkeys: true, SessionIdle: time.Hour, SessionOverall: 24 * time.Hour, OpenWindow: 24 * time.Hour,
	Fresh: 15 * time.Minute, WrongCodes: 5, WindowTries: 5,
}

// Address is where a test's database is.
type Address func(testing.TB) string

// Engines are SQLite and PostgreSQL, with nothing in them.
var Engines = map[string]Address{
	"SQLite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "twinlock.db") },
	"PostgreSQL": PostgreSQL,
}

// Migrated are databases of each engine with every table in it, and no rows:
// copies of one, since a test of a few milliseconds would migrate for a hundred.
var Migrated = map[string]Address{
	"SQLite":     migratedSQLite,
	"PostgreSQL": migratedPostgreSQL,
}

func migratedSQLite(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "twinlock.db")
	WriteSQLite(t, file)
	return "sqlite:" + file
}

// WriteSQLite writes an SQLite database with every table in it to a file.
func WriteSQLite(t testing.TB, file string) {
	t.Helper()
	whole, err := sqlite()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}

var sqlite = sync.OnceValues(func() (whole []byte, err error) {
	folder, err := os.MkdirTemp("", "twinlock-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "twinlock.db")
	if err := migrate("sqlite:" + file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// migrate makes the tables, without claiming the database for any keys.
func migrate(url string) error {
	s, err := store.Open(context.Background(), url, nil, Rules)
	if err != nil {
		return err
	}
	return s.Close()
}

// Lent are as Migrated, for a test that changes rows alone: it may get a database
// that was another's, which was emptied, and gives it back when it ends.
var Lent = map[string]Address{
	"SQLite":     migratedSQLite,
	"PostgreSQL": lentPostgreSQL,
}

// Each runs a test on a fresh store of each engine.
func Each(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Helper()
	for name, address := range Lent {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, Open(t, address(t), keys.New()))
		})
	}
}

// Open opens a store that is closed with the test.
func Open(t testing.TB, url string, ring *keys.Ring) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, ring, Rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Person adds an account with a hash that stands for a password.
func Person(t testing.TB, s *store.Store, email string) auth.User {
	t.Helper()
	a, err := address.Parse(email)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.AddUser(t.Context(), auth.Actor{Command: true}, store.NewUser{Address: a, Hash: "the hash"}, Now)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Browser is the token of a browser that logs in.
var Browser = secret.New()

// Attempt proves a password.
func Attempt(t testing.TB, s *store.Store, u auth.User, now time.Time) auth.Attempt {
	t.Helper()
	a, _, err := s.ProvePassword(t.Context(), auth.Actor{}, store.ProvedPassword{
		User: u, Hash: "the hash", Purpose: auth.ByLogin, Browser: Browser.Hash(), Timeout: 10 * time.Minute}, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Session logs a person without two-factor authentication in.
func Session(t testing.TB, s *store.Store, u auth.User, now time.Time) store.NewSession {
	t.Helper()
	made, _, err := s.FinishLogin(t.Context(), auth.Actor{}, Attempt(t, s, u, now).ID, store.Finish{Policy: Policy}, now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
