package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// goesOn is the actor under the session's new token.
func goesOn(t *testing.T, s *store.Store, by auth.Actor, token secret.Token) auth.Actor {
	t.Helper()
	h, err := s.Holder(t.Context(), token.Hash())
	must(t, err)
	by.User, by.Session = h.User, h.Session
	return by
}

// named is an authenticator app on its way that has a name.
func named(u auth.User, name string) store.Enrolment {
	e := enrolmentOf(u)
	e.Name = name
	return e
}

// more adds an authenticator app.
func more(t *testing.T, s *store.Store, by *auth.Actor, name string) {
	t.Helper()
	token, err := s.AddAuthenticator(t.Context(), *by, named(by.User, name), now)
	must(t, err)
	*by = goesOn(t, s, *by, token)
}

func namesOf(t *testing.T, s *store.Store, u auth.UserID) (names []string) {
	t.Helper()
	all, err := s.ListedAuthenticators(t.Context(), u)
	must(t, err)
	for _, a := range all {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

func TestFiveAuthenticators(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		protect(t, s, &by)
		for _, name := range []string{"a", "b", "c", "d"} {
			more(t, s, &by, name)
		}
		if _, err := s.AddAuthenticator(t.Context(), by, named(by.User, "e"), now); !errors.Is(err, store.ErrTooMany) {
			t.Errorf("a sixth: %v", err)
		}
		if got := namesOf(t, s, by.User.ID); !slices.Equal(got, []string{"", "a", "b", "c", "d"}) {
			t.Errorf("authenticators %q", got)
		}
	})
}

func TestAFurtherAuthenticatorKeepsTheRecoveryCodesAndEndsOtherSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		first, _ := protect(t, s, &by)
		proved, err := s.ProveCode(t.Context(), auth.Actor{}, storetest.Attempt(t, s, by.User, now), store.CodeClaim{Recovery: true}, 5, nil, now)
		must(t, err)
		elsewhere, _, err := s.FinishLogin(t.Context(), auth.Actor{}, proved.ID, store.Finish{Policy: storetest.Policy}, now)
		must(t, err)
		before, err := s.RecoverySet(t.Context(), by.User.ID)
		must(t, err)
		stale := by
		more(t, s, &by, "Tablet")
		after, err := s.RecoverySet(t.Context(), by.User.ID)
		must(t, err)
		if !slices.EqualFunc(before.Hashes.Hashes, after.Hashes.Hashes, slices.Equal) {
			t.Error("the recovery codes are others")
		}
		wantEnded(t, s, elsewhere.Token, true)
		if _, err := s.AddAuthenticator(t.Context(), stale, enrolmentOf(stale.User), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("a set-up of before the change: %v", err)
		}
		if by.Session.CodeAt != stale.Session.CodeAt {
			t.Error("adding one counts as a code")
		}
		if letters := told(t, s, auth.LetterAuthenticatorAdded); len(letters) != 1 || letters[0].Values.Factor != "Tablet" {
			t.Errorf("letters %+v", letters)
		}
		// Each has spent steps of its own: the same step of both is good once.
		all, err := s.Authenticators(t.Context(), by.User.ID)
		must(t, err)
		for _, a := range all {
			claim := store.CodeClaim{Authenticator: a.ID, Step: first.LastStep + 5}
			for _, want := range []error{nil, store.ErrSpent} {
				_, err := s.ProveCode(t.Context(), auth.Actor{}, storetest.Attempt(t, s, by.User, now), claim, 5, nil, now)
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", a.ID, err, want)
				}
			}
		}
	})
}

func TestNobodyAddsAnAuthenticatorWhoHasNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		if _, err := s.AddAuthenticator(t.Context(), by, enrolmentOf(by.User), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("added: %v", err)
		}
		if reread(t, s, by.User.ID).TwoFactor() {
			t.Error("two-factor authentication is on")
		}
	})
}

func TestReplacingPutsTheNewOneInTheOldOnesPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, bob := inSession(t, s, storetest.Person(t, s, "ada@example.org")), inSession(t, s, storetest.Person(t, s, "bob@example.org"))
		old, _ := protect(t, s, &by)
		his, _ := protect(t, s, &bob)
		must(t, s.RenameAuthenticator(t.Context(), by, old.ID, "Phone", now))
		e := enrolmentOf(by.User)
		if _, err := s.ReplaceAuthenticator(t.Context(), by, his.ID, e, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("somebody else's: %v", err)
		}
		if got := onlyAuthenticator(t, s, by.User.ID); got.ID != old.ID {
			t.Error("a replacement that was refused changed something")
		}
		token, err := s.ReplaceAuthenticator(t.Context(), by, old.ID, e, now)
		must(t, err)
		fresh := onlyAuthenticator(t, s, by.User.ID)
		if fresh.Key.Text() != e.Key.Text() || fresh.LastStep != e.Step {
			t.Error("the new key is not kept, or its step not spent")
		}
		if got := namesOf(t, s, by.User.ID); !slices.Equal(got, []string{"Phone"}) {
			t.Errorf("names %q", got)
		}
		by = goesOn(t, s, by, token)
		for _, gone := range []string{old.ID, "nothing"} {
			if _, err := s.ReplaceAuthenticator(t.Context(), by, gone, enrolmentOf(by.User), now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v", gone, err)
			}
		}
		if set, err := s.RecoverySet(t.Context(), by.User.ID); err != nil || set.Left() != 10 {
			t.Errorf("%d recovery codes, %v", set.Left(), err)
		}
	})
}

func TestTheLastAuthenticatorIsNotRemovedAsOneOfSeveral(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, bob := inSession(t, s, storetest.Person(t, s, "ada@example.org")), inSession(t, s, storetest.Person(t, s, "bob@example.org"))
		first, _ := protect(t, s, &by)
		his, _ := protect(t, s, &bob)
		if _, err := s.RemoveAuthenticator(t.Context(), by, first.ID, now); !errors.Is(err, store.ErrLastFactor) {
			t.Errorf("the last one: %v", err)
		}
		more(t, s, &by, "Tablet")
		for _, other := range []string{his.ID, "nothing"} {
			if _, err := s.RemoveAuthenticator(t.Context(), by, other, now); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("remove %s: %v", other, err)
			}
			if err := s.RenameAuthenticator(t.Context(), by, other, "Mine", now); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("rename %s: %v", other, err)
			}
		}
		_, err := s.RemoveAuthenticator(t.Context(), by, first.ID, now)
		must(t, err)
		if got := namesOf(t, s, by.User.ID); !slices.Equal(got, []string{"Tablet"}) {
			t.Errorf("left %q", got)
		}
		if got := namesOf(t, s, bob.User.ID); !slices.Equal(got, []string{""}) {
			t.Errorf("Bob has %q", got)
		}
	})
}

func TestANameThatItHasIsNoNews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		a, _ := protect(t, s, &by)
		for range 2 {
			must(t, s.RenameAuthenticator(t.Context(), by, a.ID, "Phone", now))
		}
		if got := len(recorded(t, s, auth.EventAuthenticatorRenamed)); got != 1 {
			t.Errorf("%d events", got)
		}
	})
}
