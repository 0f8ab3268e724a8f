package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// A machine begins with a wrong clock, years ahead, and is put right: what was
// to be kept is there.
func TestAClockThatLeaptRemovesNothingBeforeItHasGoneOnForADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
		purged := func(at time.Time) bool {
			t.Helper()
			must(t, s.Purge(t.Context(), store.Kept{Events: 400 * day, Sessions: month, Throttle: month}, at))
			return len(recorded(t, s, auth.EventLogin)) == 0
		}
		for hour := range 48 {
			purged(now.Add(time.Duration(hour) * time.Hour))
		}
		leapt := now.Add(5 * 365 * day)
		for name, at := range map[string]time.Time{
			"at once": leapt, "while it goes on": leapt.Add(23 * time.Hour), "put right": now.Add(48 * time.Hour),
		} {
			if purged(at) {
				t.Fatalf("%s: the event of the login is gone", name)
			}
		}
		// Where it stays there, it is the time.
		purged(leapt)
		purged(leapt.Add(12 * time.Hour))
		if !purged(leapt.Add(day)) {
			t.Error("nothing is removed any more")
		}
	})
}

// A server that is off at night removes what is over all the same.
func TestAPauseIsNoLeap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s.Record(t.Context(), auth.Actor{}, auth.EventLoginRefused, "", "", now.Add(-day)))
		for evening := range 3 {
			must(t, s.Purge(t.Context(), store.Kept{Events: day}, now.Add(time.Duration(evening)*day)))
		}
		if len(recorded(t, s, auth.EventLoginRefused)) > 0 {
			t.Error("nothing is removed")
		}
	})
}

// Whoever wants to write waits for no more than a few rows, however many are over.
func TestNoTransactionOfAPurgeRemovesManyRows(t *testing.T) {
	const many, few = 730, 25
	s, wire, _ := storetest.Wired(t)
	for range many {
		must(t, s.Record(t.Context(), auth.Actor{}, auth.EventLoginRefused, "", "", now.Add(-month)))
	}
	kept := store.Kept{Events: day, Sessions: month, Throttle: month}
	must(t, s.Purge(t.Context(), kept, now))
	var mu sync.Mutex
	var removed, inOne, transactions int
	wire.Break(func(_ context.Context, c storetest.Call) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Commit:
			inOne = 0
		case strings.HasPrefix(c.Statement, "DELETE"):
			if strings.Contains(c.Statement, "SELECT") && !strings.Contains(c.Statement, "FROM throttle") {
				t.Errorf("the writer looks for what is over: %s", c.Statement)
			}
			rows := len(c.Args) - 1
			removed, inOne, transactions = removed+rows, inOne+rows, transactions+1
			if inOne > few || inOne < 1 {
				t.Errorf("%d rows at once: %s", inOne, c.Statement)
			}
		}
		return nil
	}, nil)
	must(t, s.Purge(t.Context(), kept, now.Add(day)))
	if left := recorded(t, s, auth.EventLoginRefused); removed < many || len(left) > 0 {
		t.Errorf("%d rows removed in %d transactions, %d left", removed, transactions, len(left))
	}
}
