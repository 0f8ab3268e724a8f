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
	s := storetest.Open(t, storetest.Engines["SQLite"](t), keys.New())
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
