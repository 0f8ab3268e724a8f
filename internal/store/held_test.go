package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

// ear keeps what was told to leave memory.
type ear struct {
	sync.Mutex
	users   []auth.UserID
	plugins bool
}

func (e *ear) UserChanged(u auth.UserID) {
	e.Lock()
	defer e.Unlock()
	e.users = append(e.users, u)
}
func (e *ear) PluginsChanged()   { e.plugins = true }
func (e *ear) EverybodyChanged() {}

func (e *ear) ApplicationsChanged() {}

func TestASessionReplacedByAnotherPersonsIsForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "bob@example.org")
		hers := storetest.Session(t, s, ada, now)
		a := storetest.Attempt(t, s, bob, now)
		var e ear
		s.Listen(&e)
		_, _, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID,
			store.Finish{Policy: storetest.Policy, Replaces: hers.Session.ID}, now)
		if err != nil {
			t.Fatal(err)
		}
		wantEnded(t, s, hers.Token, true)
		if !slices.Contains(e.users, ada.ID) {
			t.Error("nobody was told that her session ended")
		}
	})
}

func TestAnotherPersonsRightPasswordEndsAnOpenWindow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "bob@example.org")
		for name, tt := range map[string]struct {
			proves auth.User
			ended  bool
		}{"hers": {ada, false}, "another's": {bob, true}} {
			hers := storetest.Session(t, s, ada, now)
			if _, _, err := s.ProvePassword(t.Context(), auth.Actor{}, store.ProvedPassword{
				User: tt.proves, Hash: "the hash", Browser: storetest.Browser.Hash(),
				Held: hers.Session.ID, Timeout: time.Minute}, now); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantEnded(t, s, hers.Token, tt.ended)
		}
	})
}

// The operator's settings may enable a plug-in for an address.
func TestAChangeOfAddressAsksAnewWhomPluginsAreFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		var link secret.Token
		m := store.Mailed{Life: time.Hour, Path: func(made secret.Token) string { link = made; return "/" }}
		wanted := address.Address{Spelling: "ada@example.com", Canonical: "ada@example.com"}
		if err := s.AskNewAddress(t.Context(), by, wanted, m, now); err != nil {
			t.Fatal(err)
		}
		var e ear
		s.Listen(&e)
		if _, err := s.ChangeAddress(t.Context(), by, link.Hash(), now); err != nil {
			t.Fatal(err)
		}
		if !e.plugins {
			t.Error("nobody was told to ask anew")
		}
	})
}

func TestAPasswordThatIsOwedAnewBringsNoSessionBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		made := storetest.Session(t, s, u, now)
		later := now.Add(61 * time.Minute)
		for range storetest.Rules.CodesThisMonth.CloseAfter {
			if _, err := s.Pay(t.Context(), throttle.CodesThisMonth(string(u.ID)), storetest.Rules.CodesThisMonth, now); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.ReturnThroughWindow(t.Context(), auth.Actor{}, made.Session, made.Token.Hash(), store.Payment{}, later)
		if !errors.Is(err, store.ErrSpent) {
			t.Errorf("it came back: %v", err)
		}
	})
}
