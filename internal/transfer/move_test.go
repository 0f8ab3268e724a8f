package transfer_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/transfer"
)

// moving is a sample on SQLite that nobody serves, and an empty database to move it to.
type moving struct {
	sample
	path, from, to string
}

func newMoving(t *testing.T) *moving {
	t.Helper()
	path := filepath.Join(t.TempDir(), "twinlock.db")
	m := &moving{path: path, from: "sqlite:" + path, to: storetest.PostgreSQL(t)}
	m.sample = sampleOn(t, m.from)
	must(t, m.Close())
	return m
}

// move moves it, and tells progress of each step.
func (m *moving) move(t *testing.T, ctx context.Context, progress transfer.Progress) (transfer.Moved, error) {
	t.Helper()
	from, err := store.OpenSource(ctx, m.path, m.ring)
	must(t, err)
	defer from.Close()
	return transfer.Move(ctx, from, storetest.Open(t, m.to, m.ring), command, progress, now)
}

func (m *moving) hash(t *testing.T) [32]byte {
	t.Helper()
	whole, err := os.ReadFile(m.path)
	must(t, err)
	return sha256.Sum256(whole)
}

// wantSame compares both sides row by row; the target has one event more.
func (m *moving) wantSame(t *testing.T) {
	t.Helper()
	before, after := contents(t, storetest.Open(t, m.from, m.ring)), contents(t, storetest.Open(t, m.to, m.ring))
	for table, rows := range before {
		if table == "events" {
			after[table] = slices.DeleteFunc(after[table], func(row string) bool { return strings.Contains(row, string(auth.EventMoved)) })
		}
		if !slices.Equal(rows, after[table]) {
			t.Errorf("%s: before %q, after %q", table, rows, after[table])
		}
	}
}

// A move is no travel in time: everything is there, sessions and links too, and
// the source is as it was.
func TestAMovedDatabaseIsTheSame(t *testing.T) {
	m := newMoving(t)
	before := m.hash(t)
	done, err := m.move(t, t.Context(), silent)
	must(t, err)
	if m.hash(t) != before {
		t.Error("the source changed")
	}
	if done.Resumed || done.Rows["users"] != 3 || done.Rows["sessions"] != 1 {
		t.Errorf("told %+v", done)
	}
	m.wantSame(t)
	to := storetest.Open(t, m.to, m.ring)
	if moved := events(t, to, auth.EventMoved); len(moved) != 1 {
		t.Errorf("events %v", moved)
	}
	if live, err := to.Sessions(t.Context(), m.ada.ID); err != nil || len(live) != 1 {
		t.Errorf("sessions %v, %v", live, err)
	}
	use, err := to.Serve(t.Context())
	must(t, err)
	must(t, use.Close())
}

// Wherever a move is broken off, the next goes on there, and no server takes the
// half for the whole.
func TestAMoveThatIsBrokenOffGoesOn(t *testing.T) {
	for _, at := range []string{"settings", "users", "applications", "events", "letters", "compare users"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			m := newMoving(t)
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := m.move(t, ctx, func(what string, _, _ int64) {
				if what == at {
					cancel()
				}
			}); err == nil {
				t.Fatal("it was not broken off")
			}
			if _, err := storetest.Open(t, m.to, m.ring).Serve(t.Context()); !errors.Is(err, store.ErrHalfMoved) {
				t.Errorf("a server on the half: %v", err)
			}
			done, err := m.move(t, t.Context(), silent)
			must(t, err)
			if !done.Resumed {
				t.Error("it began anew")
			}
			m.wantSame(t)
		})
	}
}

func TestAMoveDoesNotGoOnWithAnotherSource(t *testing.T) {
	m := newMoving(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := m.move(t, ctx, func(what string, _, _ int64) {
		if what == "users" {
			cancel()
		}
	})
	if err == nil {
		t.Fatal("it was not broken off")
	}
	s := storetest.Open(t, m.from, m.ring)
	storetest.Person(t, s, "late@example.org")
	must(t, s.Close())
	if _, err := m.move(t, t.Context(), silent); !errors.Is(err, transfer.ErrSourceChanged) {
		t.Errorf("%v, want ErrSourceChanged", err)
	}
}

// Whatever differs after the move is found, though as many rows are there.
func TestAMoveThatLostSomethingIsNoMove(t *testing.T) {
	m := newMoving(t)
	_, err := m.move(t, t.Context(), func(what string, _, _ int64) {
		if what == "letters" {
			m.alter(t, m.to, `UPDATE users SET name = 'Eve' WHERE canonical = 'ada@example.org'`)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "users differs") {
		t.Errorf("%v", err)
	}
	if _, err := storetest.Open(t, m.to, m.ring).Serve(t.Context()); !errors.Is(err, store.ErrHalfMoved) {
		t.Errorf("a server on it: %v", err)
	}
}

func TestWhatAMoveCannotTakeIsSaidBeforeIt(t *testing.T) {
	t.Run("people are there", func(t *testing.T) {
		m := newMoving(t)
		storetest.Person(t, storetest.Open(t, m.to, m.ring), "eve@example.org")
		if _, err := m.move(t, t.Context(), silent); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("%v, want ErrNotEmpty", err)
		}
	})
	t.Run("a zero byte", func(t *testing.T) {
		m := newMoving(t)
		m.alter(t, m.from, `UPDATE users SET name = 'A' || char(0) || 'da' WHERE canonical = 'ada@example.org'`)
		if _, err := m.move(t, t.Context(), silent); err == nil || !strings.Contains(err.Error(), "users.name") {
			t.Errorf("%v", err)
		}
	})
	t.Run("an older schema", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "twinlock.db")
		m := &moving{path: path, from: "sqlite:" + path}
		m.sample = sampleOn(t, m.from)
		must(t, m.Close())
		m.alter(t, m.from, `DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)`)
		if _, err := store.OpenSource(t.Context(), path, m.ring); !errors.Is(err, store.ErrOlderSchema) {
			t.Errorf("%v, want ErrOlderSchema", err)
		}
	})
}
