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
	live.Seen(made.Session.ID, now)
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

// A request that had read the clock before it was set back may be noted after
// that: what is written of it does not lie ahead.
func TestNoTimeAheadOfNowIsWritten(t *testing.T) {
	s, now := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New()), storetest.Now
	live := New(s, storetest.Policy)
	made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now.Add(-time.Minute))
	live.Seen(made.Session.ID, now.Add(time.Hour))
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
