package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// large are walks through tables that grow with people and with time, by their
// names and by what statements call them.
var large = regexp.MustCompile(`^SCAN (u|users|s|sessions|e|events|attempts|letters|links|grants|tokens|t|devices|throttle|memberships|m|signups|hand_overs|h|application_sessions|logout_notices|recovery_codes|recovery_sets|authenticators)\b`)

// small are indexes of the few rows of such a table that matter.
var small = regexp.MustCompile(`users_administering|users_protected`)

// walksAllTheSame are moments that look at everything because it concerns everything.
var walksAllTheSame = map[string]string{
	"SetBack": "what was over stays over when the clock goes back",
}

// fewLive are indexes whose beginning most rows share: whoever looks there for the
// rows that have not ended looks at all of them.
var fewLive = regexp.MustCompile(`\w+_ended \(ended_at=\?\)`)

// No change walks a table that may hold millions of rows: everybody else who
// wants to write waits for it.
func TestNoChangeReadsAWholeTable(t *testing.T) {
	for name, m := range moments {
		if m.prepare == nil || walksAllTheSame[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "twinlock.db")
			storetest.WriteSQLite(t, file)
			var wire storetest.Wire
			s, err := store.OpenThrough(t.Context(), "sqlite:"+file, keys.New(), storetest.Rules, wire.Through)
			must(t, err)
			t.Cleanup(func() { _ = s.Close() })
			act := m.prepare(play{t, s})
			said := statementsOf(&wire)
			must(t, act())
			db, err := sql.Open("sqlite", "file:"+file)
			must(t, err)
			defer db.Close()
			for _, c := range said() {
				for _, step := range planOf(t, db, c) {
					if large.MatchString(step) && !small.MatchString(step) || fewLive.MatchString(step) {
						t.Errorf("%s\n%s", step, c.Statement)
					}
				}
			}
		})
	}
}

// statementsOf notes what is said from now on.
func statementsOf(w *storetest.Wire) (said func() []storetest.Call) {
	var mu sync.Mutex
	var all []storetest.Call
	w.Break(func(_ context.Context, c storetest.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Statement != "" {
			all = append(all, c)
		}
		return nil
	}, nil)
	return func() []storetest.Call {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func planOf(t *testing.T, db *sql.DB, c storetest.Call) (steps []string) {
	t.Helper()
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		args[i] = a.Value
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.Statement, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.Statement)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		steps = append(steps, strings.TrimSpace(detail))
	}
	must(t, rows.Err())
	return steps
}
