package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Whatever an administrator chooses holds at every server as soon as it is chosen,
// though each answers from memory.
func TestAChoiceHoldsAtEveryServerAtOnce(t *testing.T) {
	all, beside, _ := nodes(t, 3)
	for round := range 20 {
		for _, n := range all {
			n.remembersChoice("registration")
		}
		chooser, value := []*store.Store{all[0].store, all[1].store, beside}[round%3], fmt.Sprint("choice ", round)
		must(t, chooser.SetSetting(t.Context(), byCommand, "registration", value, storetest.Now))
		for i, n := range all {
			if got, err := n.Setting(t.Context(), "registration"); err != nil || got != value {
				t.Fatalf("round %d: server %d says %q (%v), want %q", round, i, got, err, value)
			}
		}
	}
}

// remembersChoice asks until a choice, or that nobody made one, is told without
// the database.
func (n node) remembersChoice(name string) {
	n.t.Helper()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		before := n.store.Work().Queries
		if _, err := n.Setting(n.t.Context(), name); err != nil && !errors.Is(err, store.ErrNotFound) {
			n.t.Fatal(err)
		}
		if n.store.Work().Queries == before {
			return
		}
	}
	n.t.Fatal("each question asks the database")
}

// Once somebody administers, nobody asks the database whether somebody does.
func TestThatItIsSetUpIsRemembered(t *testing.T) {
	all, beside, _ := nodes(t, 1)
	n := all[0]
	is := func(want bool, queries int64) {
		t.Helper()
		before := n.store.Work().Queries
		if got, err := n.SetUp(t.Context()); err != nil || got != want {
			t.Errorf("set up = %v (%v), want %v", got, err, want)
		}
		if asked := n.store.Work().Queries - before; asked != queries {
			t.Errorf("it asked %d times, want %d", asked, queries)
		}
	}
	is(false, 1)
	is(false, 1)
	u := storetest.Person(t, beside, "eli@example.org")
	must(t, beside.SetAdministrator(t.Context(), byCommand, u.ID, true, storetest.Now))
	is(true, 1)
	is(true, 0)
}
