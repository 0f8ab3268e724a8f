package store_test

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var errBroken = errors.New("the database broke off")

// breakAt lets the call of a number fail before the database hears of it.
func breakAt(w *storetest.Wire, at int) {
	n := 0
	w.Break(func(context.Context, storetest.Call) error {
		if n++; n == at {
			return errBroken
		}
		return nil
	}, nil)
}

// loseCommit loses the answer to a commit that was done.
func loseCommit(w *storetest.Wire) {
	w.Break(nil, func(_ context.Context, c storetest.Call) error {
		if c.Commit {
			return errBroken
		}
		return nil
	})
}

// A change whose first call to the database fails, then its second, and so on, is
// refused each time, and nothing is written. Where the answer to its commit was
// lost it is refused, too, though it is written.
func TestAChangeThatBreaksOffIsRefusedWhole(t *testing.T) {
	for engine, address := range storetest.Lent {
		for name, m := range moments {
			if m.prepare == nil || piecemeal[name] != "" {
				continue
			}
			t.Run(name+" on "+engine, func(t *testing.T) {
				t.Parallel()
				most := 1
				for wantNothingWritten(t, address, m, most) {
					most++
				}
				before, after, err := broken(t, "lost commit", address, m, loseCommit)
				if !errors.Is(err, errBroken) || maps.Equal(before, after) {
					t.Errorf("the answer to the commit is lost: %v, %v rows before, %v after", err, before, after)
				}
				if most < 4 { // begin, a statement, an event
					t.Errorf("only %d calls were broken", most-1)
				}
			})
		}
	}
}

// piecemeal are moments of more than one transaction.
var piecemeal = map[string]string{
	"AddClient": "the key that signs for it is made before",
}

// wantNothingWritten breaks one call, and tells whether there was one of that number.
func wantNothingWritten(t *testing.T, address storetest.Address, m moment, at int) bool {
	t.Helper()
	before, after, err := broken(t, "call "+strconv.Itoa(at), address, m, func(w *storetest.Wire) { breakAt(w, at) })
	if err == nil {
		return false
	}
	if !errors.Is(err, errBroken) {
		t.Errorf("call %d: %v hides what broke", at, err)
	}
	if !maps.Equal(before, after) {
		t.Errorf("call %d: %v, and rows before are %v, after %v", at, err, before, after)
	}
	return true
}

// broken plays a moment on a database of its own that breaks, and counts the rows
// of each table before and after.
func broken(t *testing.T, how string, address storetest.Address, m moment, breakIt func(*storetest.Wire)) (before, after map[string]int, err error) {
	t.Helper()
	t.Run(how, func(t *testing.T) { // whose end gives the database back
		url := address(t)
		db := beside(t, url)
		s, wire := storetest.WiredTo(t, url)
		act := m.prepare(play{t, s})
		before = sizes(t, db)
		breakIt(wire)
		err = act()
		wire.Break(nil, nil)
		after = sizes(t, db)
	})
	return before, after, err
}

// beside looks at a database past the store.
func beside(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, at := "pgx", url
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, at = "sqlite", "file:"+file
	}
	db, err := sql.Open(driver, at)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// sizes are how many rows each table has.
func sizes(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, table := range store.Tables {
		var n int
		must(t, db.QueryRowContext(context.Background(), `SELECT COUNT(*) FROM `+table.Name).Scan(&n))
		all[table.Name] = n
	}
	return all
}

// A connection whose commit failed is not used again: SQLite leaves its
// transaction open, and nobody else could ever write.
func TestACommitThatFailsLeavesTheWriterFree(t *testing.T) {
	s, wire, _ := storetest.Wired(t)
	by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
	wire.Break(func(_ context.Context, c storetest.Call) error {
		if c.Commit {
			return errBroken
		}
		return nil
	}, nil)
	if err := s.SaveName(t.Context(), by, "Ada", now); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	wire.Break(nil, nil)
	must(t, s.SaveName(t.Context(), by, "Ada", now))
}
