package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/totp"
)

// setOf stands for hashed recovery codes: the store does not look inside.
func setOf(first byte) recovery.Set {
	set := recovery.Set{Salt: []byte{first}}
	for i := range byte(10) {
		set.Hashes = append(set.Hashes, []byte{first, i})
	}
	return set
}

// inSession is a person in a session, as an actor.
func inSession(t *testing.T, s *store.Store, u auth.User) auth.Actor {
	t.Helper()
	return auth.Actor{User: u, Session: storetest.Session(t, s, u, now).Session}
}

func enrolmentOf(u auth.User) store.Enrolment {
	return store.Enrolment{User: u.ID, Generation: u.Generation, Key: totp.NewKey(), Step: 100, Codes: setOf(1)}
}

// protect enables two-factor authentication of the actor, who goes on under
// the session's new token.
func protect(t *testing.T, s *store.Store, by *auth.Actor) (store.Authenticator, secret.Token) {
	t.Helper()
	token, err := s.EnableTwoFactor(t.Context(), *by, enrolmentOf(by.User), now)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Holder(t.Context(), token.Hash())
	if err != nil {
		t.Fatal(err)
	}
	by.User, by.Session = h.User, h.Session
	return onlyAuthenticator(t, s, by.User.ID), token
}

func onlyAuthenticator(t *testing.T, s *store.Store, id auth.UserID) store.Authenticator {
	t.Helper()
	all, err := s.Authenticators(t.Context(), id)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d authenticators, %v", len(all), err)
	}
	return all[0]
}

func reread(t *testing.T, s *store.Store, id auth.UserID) auth.User {
	t.Helper()
	u, err := s.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantEnded(t *testing.T, s *store.Store, token secret.Token, ended bool) {
	t.Helper()
	h, err := s.Holder(t.Context(), token.Hash())
	if err != nil {
		t.Fatal(err)
	}
	if got := !h.Session.Ended.IsZero(); got != ended {
		t.Errorf("session ended: %v, want %v", got, ended)
	}
}

func TestEnablingTwoFactorAuthenticationKeepsTheKeyAndTheSpentStep(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		other := storetest.Session(t, s, u, now)
		acting := storetest.Session(t, s, u, now)
		e := enrolmentOf(u)
		token, err := s.EnableTwoFactor(t.Context(), auth.Actor{User: u, Session: acting.Session}, e, now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}

		a := onlyAuthenticator(t, s, u.ID)
		if a.Key.Text() != e.Key.Text() || a.LastStep != 100 {
			t.Errorf("another key, or last step %d", a.LastStep)
		}
		after := reread(t, s, u.ID)
		if !after.TwoFactorSince.Equal(now.Add(time.Minute)) || after.Generation != u.Generation+1 {
			t.Errorf("since %v, generation %d", after.TwoFactorSince, after.Generation)
		}
		set, err := s.RecoverySet(t.Context(), u.ID)
		if err != nil || set.Left() != 10 {
			t.Errorf("%d codes left, %v", set.Left(), err)
		}
		wantEnded(t, s, other.Token, true)
		wantEnded(t, s, token, false)
		if _, err := s.Holder(t.Context(), acting.Token.Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the old token still opens the session: %v", err)
		}
		h, err := s.Holder(t.Context(), token.Hash())
		if err != nil || h.Session.Generation != after.Generation || !h.Session.CodeAt.Equal(now.Add(time.Minute)) {
			t.Errorf("the renewed session: %+v, %v", h.Session, err)
		}
	})
}

func TestOfTwoActivationsAtOnceOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		won := together(t, store.ErrSpent, func() error {
			_, err := s.EnableTwoFactor(t.Context(), by, enrolmentOf(u), now)
			return err
		})
		if won != 1 {
			t.Errorf("%d activations succeeded", won)
		}
		onlyAuthenticator(t, s, u.ID)
	})
}

func TestWhatIsOnIsNotActivatedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		before, _ := protect(t, s, &by)
		if _, err := s.EnableTwoFactor(t.Context(), by, enrolmentOf(reread(t, s, u.ID)), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("activated again: %v", err)
		}
		if after := onlyAuthenticator(t, s, u.ID); after.Key.Text() != before.Key.Text() {
			t.Error("the key was replaced")
		}
	})
}

func TestAnOutdatedSetUpActivatesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		if err := s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, u.ID, true, now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.EnableTwoFactor(t.Context(), by, enrolmentOf(u), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("activated: %v", err)
		}
		if reread(t, s, u.ID).TwoFactor() {
			t.Error("two-factor authentication is on")
		}
		if _, err := s.RecoverySet(t.Context(), u.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("recovery codes are left behind: %v", err)
		}
	})
}

func TestADisabledAccountActivatesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		if err := s.DisableUser(t.Context(), auth.Actor{Command: true}, u.ID, now); err != nil {
			t.Fatal(err)
		}
		e := enrolmentOf(u)
		e.Generation = reread(t, s, u.ID).Generation
		if _, err := s.EnableTwoFactor(t.Context(), by, e, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("activated: %v", err)
		}
	})
}

func TestAnAttemptThatOwedTheSetUpGoesOnToASession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		before := storetest.Session(t, s, u, now)
		if err := s.SetMustUseTwoFactor(t.Context(), auth.Actor{Command: true}, u.ID, true, now); err != nil {
			t.Fatal(err)
		}
		u = reread(t, s, u.ID)
		a, other := storetest.Attempt(t, s, u, now), storetest.Attempt(t, s, u, now)
		finish := func(id auth.AttemptID) (store.NewSession, error) {
			made, _, err := s.FinishLogin(t.Context(), auth.Actor{}, id, store.Finish{Policy: storetest.Policy}, now)
			return made, err
		}
		if _, err := finish(other.ID); !errors.Is(err, store.ErrSpent) {
			t.Errorf("an attempt became a session without the set-up it owes: %v", err)
		}
		other = storetest.Attempt(t, s, u, now)

		e := enrolmentOf(u)
		e.Attempt = a.ID
		if token, err := s.EnableTwoFactor(t.Context(), auth.Actor{User: u}, e, now); err != nil || !token.IsZero() {
			t.Fatal(token, err)
		}
		wantEnded(t, s, before.Token, true)
		made, err := finish(a.ID)
		if err != nil || !made.Session.CodeAt.Equal(now) {
			t.Errorf("%+v, %v", made.Session, err)
		}
		if _, err := finish(other.ID); !errors.Is(err, store.ErrSpent) {
			t.Errorf("an older attempt became a session: %v", err)
		}
	})
}

func TestAnAttemptThatIsOverOrAnothersActivatesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u, bob := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "bob@example.org")
		mine, his := storetest.Attempt(t, s, u, now), storetest.Attempt(t, s, bob, now)
		dropped := storetest.Attempt(t, s, u, now)
		if err := s.DropAttempt(t.Context(), auth.Actor{}, dropped, now); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			attempt auth.AttemptID
			at      time.Time
		}{
			"dropped":         {dropped.ID, now},
			"somebody else's": {his.ID, now},
			"too late":        {mine.ID, mine.Expires},
			"unknown":         {"x", now},
		} {
			e := enrolmentOf(u)
			e.Attempt = c.attempt
			if _, err := s.EnableTwoFactor(t.Context(), auth.Actor{User: u}, e, c.at); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if reread(t, s, u.ID).TwoFactor() {
			t.Error("two-factor authentication is on")
		}
	})
}

func TestOneCodeDisablesOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		a, token := protect(t, s, &by)
		won := together(t, store.ErrSpent, func() error {
			_, err := s.DisableTwoFactor(t.Context(), by, store.CodeClaim{Authenticator: a.ID, Step: 101}, nil, now)
			return err
		})
		if won != 1 {
			t.Errorf("%d calls disabled it", won)
		}
		if _, err := s.Authenticators(t.Context(), u.ID); !errors.Is(err, store.ErrFactorUnreadable) {
			t.Errorf("an authenticator is left: %v", err)
		}
		if _, err := s.RecoverySet(t.Context(), u.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("recovery codes are left: %v", err)
		}
		if after := reread(t, s, u.ID); after.TwoFactor() || after.Generation != u.Generation+2 {
			t.Errorf("%+v", after)
		}
		if _, err := s.Holder(t.Context(), token.Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the old token still opens the session: %v", err)
		}
	})
}

func TestASpentCodeDisablesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u, bob := storetest.Person(t, s, "ada@example.org"), storetest.Person(t, s, "bob@example.org")
		by := inSession(t, s, u)
		a, token := protect(t, s, &by)
		byBob := inSession(t, s, bob)
		his, _ := protect(t, s, &byBob)
		for name, c := range map[string]store.CodeClaim{
			"the activating step":         {Authenticator: a.ID, Step: 100},
			"an earlier step":             {Authenticator: a.ID, Step: 99},
			"somebody else's":             {Authenticator: his.ID, Step: 200},
			"no code at all":              {},
			"a recovery code beyond them": {Recovery: true, Position: 10},
		} {
			if _, err := s.DisableTwoFactor(t.Context(), by, c, nil, now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !reread(t, s, u.ID).TwoFactor() {
			t.Error("two-factor authentication is off")
		}
		wantEnded(t, s, token, false)
	})
}

func TestOneRecoveryCodeMakesOneNewSet(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		protect(t, s, &by)
		generation := reread(t, s, u.ID).Generation
		first := store.CodeClaim{Recovery: true, Position: 3}
		if _, err := s.MakeRecoveryCodes(t.Context(), by, setOf(2), first, nil, now); err != nil {
			t.Fatal(err)
		}
		set, err := s.RecoverySet(t.Context(), u.ID)
		if err != nil || set.Left() != 10 || set.Hashes.Hashes[3][0] != 2 {
			t.Errorf("%+v, %v", set, err)
		}
		if got := reread(t, s, u.ID).Generation; got != generation+1 {
			t.Errorf("generation %d, want %d", got, generation+1)
		}
	})
}

func TestNoRecoveryCodesAreMadeWhileTwoFactorAuthenticationIsOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		if _, err := s.MakeRecoveryCodes(t.Context(), by, setOf(2), store.CodeClaim{Authenticator: "a", Step: 1}, nil, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("made: %v", err)
		}
		if _, err := s.RecoverySet(t.Context(), u.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("there are codes: %v", err)
		}
	})
}

// A database that does not answer says nothing of the keys in it: an
// administrator would be told to clear factors that are well.
func TestAQuestionThatIsGivenUpMakesNoKeyUnreadable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		protect(t, s, &by)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := s.Authenticators(gone, by.User.ID); err == nil || errors.Is(err, store.ErrFactorUnreadable) {
			t.Errorf("given up: %v", err)
		}
	})
}

func TestASetOfRecoveryCodesKeepsWhatItsHashesCost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u)
		e := enrolmentOf(u)
		e.Codes.Cost = recovery.Cost{MemoryKiB: 64, Passes: 3}
		if _, err := s.EnableTwoFactor(t.Context(), by, e, now); err != nil {
			t.Fatal(err)
		}
		kept, err := s.RecoverySet(t.Context(), u.ID)
		if err != nil || kept.Hashes.Cost != e.Codes.Cost {
			t.Errorf("the cost is %+v, want %+v (%v)", kept.Hashes.Cost, e.Codes.Cost, err)
		}
	})
}
