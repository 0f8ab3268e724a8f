package session_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// What memory alone says is said while it may be believed, and by a server that
// is out of touch never.
func TestAServerOutOfTouchKnowsNothingByItself(t *testing.T) {
	all, beside, url := nodes(t, 1)
	n, at := all[0], origin.Origin{Scheme: "https", Host: "wiki.example.org"}
	must(t, beside.ChangeActivation(t.Context(), byCommand, auth.ForwardAuthPlugin, store.AnyLoss, storetest.Now,
		func(a *auth.Activation) { a.Active, a.Everyone = true, true }))
	gate, err := beside.AddGate(t.Context(), byCommand, auth.Gate{Application: auth.Application{Name: "Wiki", URL: at.String() + "/", Everyone: true}}, storetest.Now)
	must(t, err)
	token := child(t, beside, gate, at)
	knows := func() (application, person bool) {
		_, application = n.KnownGate(at)
		_, person = n.KnownAt(token.Hash(), at, gate.ID, storetest.Now.Add(time.Minute))
		return application, person
	}
	for until := time.Now().Add(10 * time.Second); ; {
		_, err := n.GateAt(t.Context(), at)
		must(t, err)
		_, err = n.WhoAt(t.Context(), token.Hash(), at, gate.ID, storetest.Now.Add(time.Minute))
		must(t, err)
		if application, person := knows(); application && person {
			break
		}
		if time.Now().After(until) {
			t.Fatal("it remembers nothing")
		}
	}
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	_, err = tx.Exec(`LOCK TABLE nodes IN EXCLUSIVE MODE`) // beats wait
	must(t, err)
	for until := time.Now().Add(10 * time.Second); n.store.Hears(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it hears without a beat")
		}
	}
	if application, person := knows(); application || person {
		t.Errorf("out of touch it believes its memory: of the application %v, of the person %v", application, person)
	}
}

// child is what a browser holds at an application's host after the hand-over.
func child(t *testing.T, s *store.Store, gate auth.Gate, at origin.Origin) secret.Token {
	t.Helper()
	u := storetest.Person(t, s, "ada@example.org")
	made := storetest.Session(t, s, u, storetest.Now)
	held, err := s.Holder(t.Context(), made.Token.Hash())
	must(t, err)
	browser := secret.New()
	ticket, err := s.BeginHandOver(t.Context(), store.HandOver{Session: held.Session, Application: gate.ID, Origin: at, Browser: browser.Hash()},
		time.Minute, storetest.Now)
	must(t, err)
	token, err := s.FinishHandOver(t.Context(), auth.Actor{User: u}, ticket.Hash(), browser.Hash(), at, storetest.Now)
	must(t, err)
	return token
}
