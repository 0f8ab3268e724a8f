package session_test

import (
	"os"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	storetest.Stop()
	os.Exit(status)
}

// What another server, or a command typed beside the database, ends is over at
// the next request here.
func TestWhatAnotherProcessEndsIsOverAtOnce(t *testing.T) {
	ring, address, now := keys.New(), storetest.Migrated["PostgreSQL"](t), storetest.Now
	here, elsewhere := storetest.Open(t, address, ring), storetest.Open(t, address, ring)
	live := session.New(here, storetest.Policy)
	u := storetest.Person(t, here, "ada@example.org")
	made := storetest.Session(t, here, u, now)
	standing := func() auth.Standing {
		t.Helper()
		p, err := live.Who(t.Context(), made.Token.Hash(), now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return p.Standing
	}
	if got := standing(); got != auth.SignedIn {
		t.Fatalf("%s, want signed in", got)
	}
	if err := elsewhere.DisableUser(t.Context(), auth.Actor{Command: true}, u.ID, now); err != nil {
		t.Fatal(err)
	}
	if got := standing(); got != auth.Over {
		t.Errorf("after the account was disabled elsewhere: %s, want over", got)
	}
}

// What an application demands holds at its proxy's next question, though what is
// known of applications is held in memory.
func TestADemandForTwoFactorAuthenticationHoldsAtOnce(t *testing.T) {
	s, by, now := storetest.Open(t, storetest.Migrated["SQLite"](t), keys.New()), auth.Actor{Command: true}, storetest.Now
	live := session.New(s, storetest.Policy)
	notes, err := s.AddApplication(t.Context(), by, auth.Application{Kind: auth.BehindProxy, Name: "Notes", URL: "https://notes.example.org", Everyone: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := origin.Parse("https://notes.example.org")
	if !ok {
		t.Fatal("no origin")
	}
	for _, demanded := range []bool{false, true, false} {
		if err := s.RequireTwoFactor(t.Context(), by, notes.ID, demanded, now); err != nil {
			t.Fatal(err)
		}
		gate, err := live.GateAt(t.Context(), at)
		if err != nil || gate.RequireTwoFactor != demanded {
			t.Fatalf("demanded: %v, want %v; %v", gate.RequireTwoFactor, demanded, err)
		}
	}
}
