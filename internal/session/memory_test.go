package session

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestASessionThatEndedLeavesNothingInMemory(t *testing.T) {
	now := storetest.Now
	s := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New())
	live := New(s, storetest.Policy)
	u := storetest.Person(t, s, "ada@example.org")
	made := storetest.Session(t, s, u, now)
	if _, err := live.Who(t.Context(), made.Token.Hash(), now); err != nil {
		t.Fatal(err)
	}
	live.Seen(t.Context(), made.Session, now)
	err := s.EndSession(t.Context(), auth.Actor{}, u.ID, made.Session.ID, auth.EventLogout, "logout", now)
	if err != nil {
		t.Fatal(err)
	}
	if err := live.Flush(t.Context(), now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	live.byToken.Range(func(any, any) bool { t.Error("its row is kept"); return true })
	live.seen.Range(func(any, any) bool { t.Error("when it was last used is kept"); return true })
}

// tokensOf counts what is kept to be forgotten when accounts change.
func (l *Live) tokensOf() (count int) {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	for _, tokens := range l.byUser {
		count += len(tokens)
	}
	return count
}

// Whoever holds the cookie of a session that lapsed may ask with it as often as
// they like.
func TestALapsedSessionFillsNoMemory(t *testing.T) {
	for engine, migrated := range storetest.Migrated {
		t.Run(engine, func(t *testing.T) {
			now := storetest.Now
			s := storetest.Open(t, migrated(t), keys.New())
			live := New(s, storetest.Policy)
			if s.Shared() {
				if _, err := s.Serve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
			lapsed := now.Add(storetest.Policy.SessionIdle + time.Minute)
			for range 1000 {
				p, err := live.Who(t.Context(), made.Token.Hash(), lapsed)
				if err != nil || p.Standing != auth.Lapsed {
					t.Fatalf("%s (%v), want lapsed", p.Standing, err)
				}
			}
			if got := live.tokensOf(); got != 1 {
				t.Errorf("its token is kept %d times, want once", got)
			}
			live.forgetIdle(lapsed)
			live.byToken.Range(func(any, any) bool { t.Error("its row is kept"); return true })
			if got := live.tokensOf(); got != 0 || len(live.byUser) != 0 {
				t.Errorf("when it is forgotten its token is kept %d times, of %d people", got, len(live.byUser))
			}
		})
	}
}

// A row that was read for this very question is the newest there is.
func TestWhatWasJustReadIsNotReadAgain(t *testing.T) {
	now := storetest.Now
	s := storetest.Open(t, storetest.Migrated["PostgreSQL"](t), keys.New())
	live := New(s, storetest.Policy) // nobody tells it anything: nothing is kept
	made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
	if _, err := live.Who(t.Context(), made.Token.Hash(), now.Add(storetest.Policy.SessionIdle+time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, misses := live.Lookups(); misses != 1 {
		t.Errorf("read %d times, want once", misses)
	}
}

// A request that had read the clock before it was set back may be noted after
// that: what is written of it does not lie ahead.
func TestNoTimeAheadOfNowIsWritten(t *testing.T) {
	s, now := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New()), storetest.Now
	live := New(s, storetest.Policy)
	made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now.Add(-time.Minute))
	live.Seen(t.Context(), made.Session, now.Add(time.Hour))
	if err := live.Flush(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	holder, err := s.Holder(t.Context(), made.Token.Hash())
	if err != nil {
		t.Fatal(err)
	}
	if got := holder.Session.LastSeen; !got.Equal(now) {
		t.Errorf("last seen at %s, want %s", got, now)
	}
}
