package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

const (
	ours   = "login.example.org"
	others = "old.example.org"
)

// passkeyOf is a passkey that somebody has just made.
func passkeyOf(u auth.User) store.NewPasskey {
	id := secret.NewID()
	return store.NewPasskey{
		User: u.ID, Generation: u.Generation, Handle: []byte("handle of " + u.ID), Domain: ours, Name: "Phone", Codes: setOf(1), Limit: 3,
		Ceremony: store.CeremonyOf(auth.Challenge(id), now.Add(5*time.Minute)),
		Key: auth.PasskeyKey{Credential: []byte(id), Public: []byte("public key"), Format: "none", Transports: []string{"internal"},
			AAGUID: [16]byte{1}, Eligible: true, Synced: true, Count: 4},
	}
}

// withoutCodes is one more for an account that has recovery codes.
func withoutCodes(n store.NewPasskey) store.NewPasskey {
	n.Codes = recovery.Set{}
	return n
}

// addPasskey adds one, and gives it as it is kept.
func addPasskey(t *testing.T, s *store.Store, by *auth.Actor) store.Passkey {
	t.Helper()
	n := passkeyOf(by.User)
	if _, err := s.RecoverySet(t.Context(), by.User.ID); err == nil {
		n = withoutCodes(n)
	}
	return add(t, s, by, n)
}

func add(t *testing.T, s *store.Store, by *auth.Actor, n store.NewPasskey) store.Passkey {
	t.Helper()
	token, err := s.AddPasskey(t.Context(), *by, n, now)
	must(t, err)
	*by = goesOn(t, s, *by, token)
	all, err := s.Passkeys(t.Context(), by.User.ID)
	must(t, err)
	i := slices.IndexFunc(all, func(k store.Passkey) bool { return bytes.Equal(k.Key.Credential, n.Key.Credential) })
	if i < 0 {
		t.Fatalf("it is not among %+v", all)
	}
	return all[i]
}

func removalOf(k store.Passkey) store.PasskeyRemoval {
	return store.PasskeyRemoval{Passkey: k.ID, Domain: ours}
}

// byCode is a removal of the last one, by the first recovery code.
func byCode(k store.Passkey) store.PasskeyRemoval {
	r := removalOf(k)
	r.Code = store.CodeClaim{Recovery: true}
	return r
}

func TestPasskeysAreKeptSealedAndListed(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		n := passkeyOf(by.User)
		k := add(t, w.Store, &by, n)
		if k.User != by.User.ID || k.Domain != ours || k.Name != "Phone" || !k.Created.Equal(now) || !k.LastUsed.IsZero() || !k.Readable() {
			t.Errorf("kept as %+v", k)
		}
		if k.Key.By() != auth.BySyncedPasskey || !slices.Equal(k.Key.Public, n.Key.Public) || k.Key.Format != "none" || k.Key.Count != 4 ||
			!k.Key.Eligible || k.Key.AAGUID != n.Key.AAGUID || !slices.Equal(k.Key.Transports, n.Key.Transports) {
			t.Errorf("its key is %+v", k.Key)
		}
		if handle, err := w.PasskeyHandle(t.Context(), by.User.ID); err != nil || !bytes.Equal(handle, n.Handle) {
			t.Errorf("handle %q, %v", handle, err)
		}
		for _, row := range w.dump("passkeys") {
			if strings.Contains(row, strings.Trim(fmt.Sprint(n.Key.Public), "[]")) {
				t.Errorf("the key is not sealed: %s", row)
			}
		}
	})
}

// Whoever can only write the database puts no key of their own into an account, not
// even one that is sealed for another row.
func TestAKeyOfAnotherRowDoesNotOpen(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		ada, eve := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org")), inSession(t, w.Store, storetest.Person(t, w.Store, "eve@example.org"))
		hers, evil := addPasskey(t, w.Store, &ada), addPasskey(t, w.Store, &eve)
		sealed := `(SELECT sealed_key FROM passkeys WHERE id = $1)`
		for what, change := range map[string]func(){
			"the sealed key of another account": func() {
				w.alter(`UPDATE passkeys SET sealed_key = `+sealed+` WHERE id = $2`, evil.ID, hers.ID)
			},
			"another credential": func() {
				w.alter(`UPDATE passkeys SET credential_id = $1 WHERE id = $2`, []byte("another"), hers.ID)
			},
			"another owner": func() { w.alter(`UPDATE passkeys SET user_id = $1 WHERE id = $2`, ada.User.ID, evil.ID) },
		} {
			change()
			all, err := w.Passkeys(t.Context(), ada.User.ID)
			must(t, err)
			for _, k := range all {
				if what == "another owner" && k.ID != evil.ID {
					continue
				}
				if k.Readable() {
					t.Errorf("%s: it opens", what)
				}
			}
		}
	})
}

func TestTheFirstPasskeyTurnsThemOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		elsewhere, by := storetest.Session(t, s, u, now), inSession(t, s, u)
		addPasskey(t, s, &by)
		if !by.User.HasPasskeys() || by.User.HasAuthenticator() || !by.Session.CodeAt.Equal(now) || by.Session.CodeBy != auth.BySyncedPasskey {
			t.Errorf("after the first: %+v", by)
		}
		if set, err := s.RecoverySet(t.Context(), u.ID); err != nil || set.Left() != 10 {
			t.Errorf("%d recovery codes, %v", set.Left(), err)
		}
		wantEnded(t, s, elsewhere.Token, true)

		if letters := told(t, s, auth.LetterPasskeyAdded); len(letters) != 1 || letters[0].Values.Factor != "Phone" {
			t.Errorf("letters %+v", letters)
		}
		later := now.Add(time.Minute)
		n := withoutCodes(passkeyOf(by.User))
		token, err := s.AddPasskey(t.Context(), by, n, later)
		must(t, err)
		if after := goesOn(t, s, by, token); !after.Session.CodeAt.Equal(now) || !after.User.PasskeysSince.Equal(now) {
			t.Errorf("after the second: %+v", after)
		}
	})
}

func TestAddingRaisesTheGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		stale := passkeyOf(by.User)
		addPasskey(t, s, &by)
		for what, n := range map[string]store.NewPasskey{
			"begun before the account changed": stale,
			"another handle": func() store.NewPasskey {
				n := withoutCodes(passkeyOf(by.User))
				n.Handle = []byte("another")
				return n
			}(),
			"too late": func() store.NewPasskey {
				n := withoutCodes(passkeyOf(by.User))
				n.Ceremony.Expires = now
				return n
			}(),
		} {
			if _, err := s.AddPasskey(t.Context(), by, n, now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestNoSecondFactorIsWithoutRecoveryCodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		if _, err := s.AddPasskey(t.Context(), by, withoutCodes(passkeyOf(by.User)), now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("added: %v", err)
		}
		e := enrolmentOf(by.User)
		e.Codes = recovery.Set{}
		if _, err := s.EnableTwoFactor(t.Context(), by, e, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("enabled: %v", err)
		}
		if reread(t, s, by.User.ID).TwoFactor() {
			t.Error("a second factor is on")
		}
	})
}

func TestSoManyPasskeysAndNoneTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, bob := inSession(t, s, storetest.Person(t, s, "ada@example.org")), inSession(t, s, storetest.Person(t, s, "bob@example.org"))
		first := addPasskey(t, s, &by)
		same := passkeyOf(bob.User)
		same.Key.Credential = first.Key.Credential
		if _, err := s.AddPasskey(t.Context(), bob, same, now); !errors.Is(err, store.ErrTaken) {
			t.Errorf("one that is kept: %v", err)
		}
		addPasskey(t, s, &by)
		addPasskey(t, s, &by)
		if _, err := s.AddPasskey(t.Context(), by, withoutCodes(passkeyOf(by.User)), now); !errors.Is(err, store.ErrTooMany) {
			t.Errorf("a fourth of three: %v", err)
		}
		if reread(t, s, bob.User.ID).HasPasskeys() {
			t.Error("Bob has passkeys")
		}
	})
}

func TestAForcedSetUpByPasskeyGoesOnWithTheLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		must(t, s.SetMustUseTwoFactor(t.Context(), eli, u.ID, true, now))
		u = reread(t, s, u.ID)
		a := storetest.Attempt(t, s, u, now)
		n := passkeyOf(u)
		n.Attempt = a.ID
		token, err := s.AddPasskey(t.Context(), auth.Actor{User: u}, n, now)
		if err != nil || !token.IsZero() {
			t.Fatal(token, err)
		}
		policy := storetest.Policy
		policy.TwoFactor, policy.Passkeys = false, true
		made, _, err := s.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: policy}, now)
		if err != nil || made.Session.CodeBy != auth.BySyncedPasskey {
			t.Errorf("%+v, %v", made.Session, err)
		}
	})
}

func TestTheLastPasskeyTakesRecoveryCodesAlong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		first, second := addPasskey(t, s, &by), addPasskey(t, s, &by)
		for _, r := range []store.PasskeyRemoval{removalOf(first), byCode(second)} {
			token, err := s.RemovePasskey(t.Context(), by, r, now)
			must(t, err)
			by = goesOn(t, s, by, token)
			_, err = s.RecoverySet(t.Context(), by.User.ID)
			if last := r.Passkey == second.ID; by.User.HasPasskeys() == last || errors.Is(err, store.ErrNotFound) != last {
				t.Errorf("passkeys are on: %v; recovery codes: %v", by.User.HasPasskeys(), err)
			}
		}
		if handle, err := s.PasskeyHandle(t.Context(), by.User.ID); err != nil || len(handle) == 0 {
			t.Errorf("the handle is gone; %v", err)
		}
	})
}

// Without a second factor the password alone opens the account: that is disabling it,
// which asks for a code of its own, however fresh the session's is.
func TestTheLastSecondFactorGoesByACodeAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		k := addPasskey(t, s, &by)
		if _, err := s.RemovePasskey(t.Context(), by, removalOf(k), now); !errors.Is(err, store.ErrNeedsCode) {
			t.Errorf("without a code: %v", err)
		}
		another := byCode(k)
		another.Code.Position = 10
		if _, err := s.RemovePasskey(t.Context(), by, another, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("by a code that there is not: %v", err)
		}
		if u := reread(t, s, by.User.ID); !u.HasPasskeys() || u.Generation != by.User.Generation {
			t.Fatalf("something is changed: %+v", u)
		}
		_, err := s.RemovePasskey(t.Context(), by, byCode(k), now)
		must(t, err)
	})
}

// A code that was asked for when the passkey was the last one is spent where it is not
// any more: it must not make a session fresh and be there for another time.
func TestACodeThatComesWithARemovalIsSpent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		first := addPasskey(t, s, &by)
		addPasskey(t, s, &by)
		further := addPasskey(t, s, &by)
		later := now.Add(time.Minute)
		token, err := s.RemovePasskey(t.Context(), by, removalOf(first), later)
		must(t, err)
		if by = goesOn(t, s, by, token); by.Session.CodeAt.Equal(later) {
			t.Error("no code was given, and the session has shown one")
		}
		second := byCode(further)
		token, err = s.RemovePasskey(t.Context(), by, second, later)
		must(t, err)
		by = goesOn(t, s, by, token)
		if set, err := s.RecoverySet(t.Context(), by.User.ID); err != nil || set.Left() != 9 || !by.Session.CodeAt.Equal(later) {
			t.Errorf("%d codes are left, one was shown at %v; %v", set.Left(), by.Session.CodeAt, err)
		}
		all, err := s.Passkeys(t.Context(), by.User.ID)
		must(t, err)
		if _, err := s.RemovePasskey(t.Context(), by, byCode(all[0]), later); !errors.Is(err, store.ErrSpent) {
			t.Errorf("by the same code once more: %v", err)
		}
	})
}

// A passkey beside an app leaves the login as it is: there the fresh proofs do, unless
// the app's codes do not count.
func TestAPasskeyBesideAnAppGoesWithoutACode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		protect(t, s, &by)
		k := addPasskey(t, s, &by)
		if _, err := s.RemovePasskey(t.Context(), by, removalOf(k), now); !errors.Is(err, store.ErrNeedsCode) {
			t.Errorf("while the app does not count: %v", err)
		}
		activate(t, s, auth.TwoFactorPlugin, true)
		_, err := s.RemovePasskey(t.Context(), by, removalOf(k), now)
		must(t, err)
		if set, err := s.RecoverySet(t.Context(), by.User.ID); err != nil || set.Left() != 10 {
			t.Errorf("%d recovery codes, %v", set.Left(), err)
		}
	})
}

func TestThePasskeyThatIsTheLastWayIsKept(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		demanded := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		k := addPasskey(t, w.Store, &demanded)
		must(t, w.SetMustUseTwoFactor(t.Context(), eli, demanded.User.ID, true, now))
		unreadable := inSession(t, w.Store, storetest.Person(t, w.Store, "bob@example.org"))
		protect(t, w.Store, &unreadable)
		his := addPasskey(t, w.Store, &unreadable)
		w.alter(`UPDATE authenticators SET sealed_key = $1 WHERE user_id = $2`, []byte("no key"), unreadable.User.ID)
		activate(t, w.Store, auth.TwoFactorPlugin, true)
		for _, c := range []struct {
			by   auth.Actor
			k    store.Passkey
			want auth.Kept
		}{{demanded, k, auth.LastForDemand}, {unreadable, his, auth.LastReadable}} {
			_, err := w.RemovePasskey(t.Context(), c.by, removalOf(c.k), now)
			var kept *store.KeptError
			if !errors.As(err, &kept) || kept.Why != c.want {
				t.Errorf("%s: %v", c.want, err)
			}
			if u := reread(t, w.Store, c.by.User.ID); !u.HasPasskeys() {
				t.Errorf("%s: passkeys are off", c.want)
			}
		}
	})
}

// An app that does not count keeps nothing, whether or not its key can be read: the
// passkey is the last factor, and goes as such.
func TestAnAppThatDoesNotCountKeepsNoPasskey(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		protect(t, w.Store, &by)
		k := addPasskey(t, w.Store, &by)
		w.alter(`UPDATE authenticators SET sealed_key = $1`, []byte("no key"))
		if _, err := w.RemovePasskey(t.Context(), by, removalOf(k), now); !errors.Is(err, store.ErrNeedsCode) {
			t.Errorf("without a code: %v", err)
		}
		_, err := w.RemovePasskey(t.Context(), by, byCode(k), now)
		must(t, err)
	})
}

// Nobody loses the code when the app's plug-in goes while passkeys stay, so nobody is
// asked: whoever then removes the last passkey must not do so by what worked before.
func TestARemovalIsDecidedByWhatWorksInItsMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		must(t, s.SetAdministrator(t.Context(), eli, u.ID, true, now))
		by := inSession(t, s, reread(t, s, u.ID))
		protect(t, s, &by)
		k := addPasskey(t, s, &by)
		for _, id := range []auth.PluginID{auth.TwoFactorPlugin, auth.PasskeysPlugin} {
			activate(t, s, id, true)
		}
		activate(t, s, auth.TwoFactorPlugin, false)
		_, err := s.RemovePasskey(t.Context(), by, removalOf(k), now)
		var kept *store.KeptError
		if !errors.As(err, &kept) || kept.Why != auth.LastForDemand {
			t.Errorf("while the app does not count: %v", err)
		}
		activate(t, s, auth.TwoFactorPlugin, true)
		_, err = s.RemovePasskey(t.Context(), by, removalOf(k), now)
		must(t, err)
	})
}

// activate switches a plug-in on or off for everyone.
func activate(t *testing.T, s *store.Store, id auth.PluginID, active bool) {
	t.Helper()
	must(t, s.ChangeActivation(t.Context(), eli, id, store.AnyLoss, now, func(a *auth.Activation) { a.Active, a.Everyone = active, true }))
}

// What cannot be read proves nothing, so the one beside it is the last way.
func TestAPasskeyThatCannotBeReadIsNoWayThatIsLeft(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		u := storetest.Person(t, w.Store, "ada@example.org")
		must(t, w.SetAdministrator(t.Context(), eli, u.ID, true, now))
		by := inSession(t, w.Store, reread(t, w.Store, u.ID))
		dead, k := addPasskey(t, w.Store, &by), addPasskey(t, w.Store, &by)
		w.alter(`UPDATE passkeys SET sealed_key = $1 WHERE id = $2`, []byte("no key"), dead.ID)
		_, err := w.RemovePasskey(t.Context(), by, removalOf(k), now)
		var kept *store.KeptError
		if !errors.As(err, &kept) || kept.Why != auth.LastForDemand {
			t.Errorf("the only one that can be read: %v", err)
		}
		_, err = w.RemovePasskey(t.Context(), by, removalOf(dead), now)
		must(t, err)
		if !reread(t, w.Store, by.User.ID).HasPasskeys() {
			t.Error("passkeys are off")
		}
	})
}

// A passkey of another host name opens nothing, so it keeps no door open either.
func TestPasskeysOfAnotherDomainDoNotCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		old := passkeyOf(by.User)
		old.Domain = others
		add(t, s, &by, old)
		k := addPasskey(t, s, &by)
		token, err := s.RemovePasskey(t.Context(), by, byCode(k), now)
		must(t, err)
		if by = goesOn(t, s, by, token); by.User.HasPasskeys() {
			t.Error("passkeys are on, and none works")
		}
		if all, err := s.Passkeys(t.Context(), by.User.ID); err != nil || len(all) > 0 {
			t.Errorf("%d are left, and count again with the next one; %v", len(all), err)
		}
	})
}

// What goes along with the last passkey goes by its name, in the record and in the
// letter.
func TestWhatGoesWithTheLastPasskeyIsTold(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		old, dead := passkeyOf(by.User), store.NewPasskey{}
		old.Domain, old.Name = others, "Old phone"
		add(t, w.Store, &by, old)
		dead = withoutCodes(passkeyOf(by.User))
		dead.Name = "Key that cannot be read"
		w.alter(`UPDATE passkeys SET sealed_key = $1 WHERE id = $2`, []byte("no key"), add(t, w.Store, &by, dead).ID)
		_, err := w.RemovePasskey(t.Context(), by, byCode(addPasskey(t, w.Store, &by)), now)
		must(t, err)
		wantRemovals(t, w.Store, "Key that cannot be read", "Old phone", "Phone")
		letters := told(t, w.Store, auth.LetterPasskeyRemoved)
		if len(letters) != 1 || letters[0].Values.Factor != "Phone" {
			t.Fatalf("letters %+v", letters)
		}
		if along := slices.Sorted(slices.Values(letters[0].Values.Along)); !slices.Equal(along, []string{"Key that cannot be read", "Old phone"}) {
			t.Errorf("along with it went %q", along)
		}
	})
}

// wantRemovals ends the test unless passkeys of these names, in their order, are
// recorded as removed.
func wantRemovals(t *testing.T, s *store.Store, names ...string) {
	t.Helper()
	events, err := s.Events(t.Context(), store.EventFilter{Kind: auth.EventPasskeyRemoved, Limit: 10})
	must(t, err)
	var removed []string
	for _, e := range events {
		removed = append(removed, e.Detail)
	}
	if slices.Sort(removed); !slices.Equal(removed, names) {
		t.Errorf("recorded as removed are %q, want %q", removed, names)
	}
}

// A reset that keeps what counts says what of the rest went all the same.
func TestAResetTellsWhatWasLeftOfAnotherDomain(t *testing.T) {
	for name, app := range map[string]bool{"beside an app": true, "of nobody who has a second factor": false} {
		t.Run(name, func(t *testing.T) {
			eachWatched(t, func(t *testing.T, w watched) {
				by := leftovers(t, w)
				if app {
					protect(t, w.Store, &by)
				}
				p := play{t, w.Store}
				must(t, p.ResetPassword(t.Context(), auth.Actor{}, store.Reset{Link: p.resetLink(by.User), Hash: "another", KeepFactors: true}, now))
				letters := told(t, w.Store, auth.LetterPasswordResetDone)
				if len(letters) != 1 || !slices.Equal(letters[0].Values.Removed, []string{"passkeys"}) || letters[0].Values.Kept != app {
					t.Errorf("letters %+v", letters)
				}
				wantRemovals(t, w.Store, "Phone", "Phone")
				if cleared, err := w.Events(t.Context(), store.EventFilter{Kind: auth.EventTwoFactorCleared, Limit: 1}); err != nil || len(cleared) > 0 {
					t.Errorf("what counts is said to be cleared: %+v, %v", cleared, err)
				}
			})
		})
	}
}

// A host name that was given up must not keep anybody from a set-up that is demanded:
// nobody outside a session could remove its passkeys.
func TestPasskeysOfAnotherDomainTakeNoRoom(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := leftovers(t, w)
		must(t, w.SetMustUseTwoFactor(t.Context(), eli, by.User.ID, true, now))
		u := reread(t, w.Store, by.User.ID)
		n := passkeyOf(u)
		n.Attempt, n.Limit = storetest.Attempt(t, w.Store, u, now).ID, 1
		_, err := w.AddPasskey(t.Context(), auth.Actor{User: u}, n, now)
		must(t, err)
	})
}

// leftovers are two passkeys of another domain of somebody for whom passkeys are off.
func leftovers(t *testing.T, w watched) auth.Actor {
	t.Helper()
	by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
	for range 2 {
		addPasskey(t, w.Store, &by)
	}
	w.alter(`UPDATE passkeys SET domain = $1`, others)
	for _, statement := range []string{`UPDATE users SET passkeys_since = 0`, `DELETE FROM recovery_codes`, `DELETE FROM recovery_sets`} {
		w.alter(statement)
	}
	by.User = reread(t, w.Store, by.User.ID)
	return by
}

func TestWhatIsLeftOfAnotherDomainGoesWithAResetAndAClearing(t *testing.T) {
	for name, remove := range map[string]func(p play, u auth.User) error{
		"by a mailed link": func(p play, u auth.User) error {
			return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: p.resetLink(u), Hash: "another", KeepFactors: true}, now)
		},
		"by an administrator": func(p play, u auth.User) error { return p.ClearFactors(p.Context(), eli, u.ID, "lost", now) },
	} {
		t.Run(name, func(t *testing.T) {
			eachWatched(t, func(t *testing.T, w watched) {
				by := leftovers(t, w)
				must(t, remove(play{t, w.Store}, by.User))
				if all, err := w.Passkeys(t.Context(), by.User.ID); err != nil || len(all) > 0 {
					t.Errorf("%d passkeys are left, %v", len(all), err)
				}
				if err := w.ClearFactors(t.Context(), eli, by.User.ID, "lost", now); !errors.Is(err, store.ErrNoFactor) {
					t.Errorf("cleared once more: %v", err)
				}
			})
		})
	}
}

func TestNobodyTouchesAnothersPasskey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, eve := inSession(t, s, storetest.Person(t, s, "ada@example.org")), inSession(t, s, storetest.Person(t, s, "eve@example.org"))
		k := addPasskey(t, s, &by)
		addPasskey(t, s, &eve)
		if _, err := s.RemovePasskey(t.Context(), eve, removalOf(k), now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed: %v", err)
		}
		if err := s.RenamePasskey(t.Context(), eve, k.ID, "Mine", now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("renamed: %v", err)
		}
		if all, err := s.Passkeys(t.Context(), by.User.ID); err != nil || len(all) != 1 || all[0].Name != "Phone" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestDisablingTheAppKeepsPasskeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		a, _ := protect(t, s, &by)
		addPasskey(t, s, &by)
		token, err := s.DisableTwoFactor(t.Context(), by, store.CodeClaim{Authenticator: a.ID, Step: 200}, nil, now)
		must(t, err)
		by = goesOn(t, s, by, token)
		if by.User.HasAuthenticator() || !by.User.HasPasskeys() {
			t.Errorf("after disabling: %+v", by.User)
		}
		if set, err := s.RecoverySet(t.Context(), by.User.ID); err != nil || set.Left() != 10 {
			t.Errorf("%d recovery codes, %v", set.Left(), err)
		}
		e := enrolmentOf(by.User)
		e.Codes = recovery.Set{}
		_, err = s.EnableTwoFactor(t.Context(), by, e, now)
		must(t, err)
		if set, err := s.RecoverySet(t.Context(), by.User.ID); err != nil || set.Left() != 10 {
			t.Errorf("enabled again: %d recovery codes, %v", set.Left(), err)
		}
	})
}

func TestAResetRemovesPasskeys(t *testing.T) {
	for name, remove := range map[string]func(p play, u auth.User) error{
		"by a mailed link": func(p play, u auth.User) error {
			return p.ResetPassword(p.Context(), auth.Actor{}, store.Reset{Link: p.resetLink(u), Hash: "another"}, now)
		},
		"by an administrator": func(p play, u auth.User) error { return p.ClearFactors(p.Context(), eli, u.ID, "lost", now) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
				addPasskey(t, s, &by)
				must(t, remove(play{t, s}, by.User))
				if all, err := s.Passkeys(t.Context(), by.User.ID); err != nil || len(all) > 0 || reread(t, s, by.User.ID).TwoFactor() {
					t.Errorf("%d passkeys are left, %v", len(all), err)
				}
			})
		})
	}
}

func TestTheOfferComesOnceInThirtyDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const month = 30 * 24 * time.Hour
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		a, _ := protect(t, s, &by)
		step := a.LastStep
		logsIn := func(at time.Time, f store.Finish, code store.CodeClaim) bool {
			t.Helper()
			attempt, err := s.ProveCode(t.Context(), auth.Actor{}, storetest.Attempt(t, s, reread(t, s, by.User.ID), at), code, 5, nil, at)
			must(t, err)
			made, _, err := s.FinishLogin(t.Context(), auth.Actor{}, attempt.ID, f, at)
			must(t, err)
			return made.OffersPasskey
		}
		code := func() store.CodeClaim { step++; return store.CodeClaim{Authenticator: a.ID, Step: step} }
		with := store.Finish{Policy: storetest.Policy, PasskeyOffer: month}
		with.Policy.Passkeys = true
		off, never := with, with
		off.Policy.Passkeys, never.PasskeyOffer = false, 0
		for _, c := range []struct {
			about string
			at    time.Duration
			f     store.Finish
			code  store.CodeClaim
			want  bool
		}{
			{"the plug-in off", 0, off, code(), false},
			{"never offered", 0, never, code(), false},
			{"by a recovery code", 0, with, store.CodeClaim{Recovery: true, Position: 1}, false},
			{"the first time", 0, with, code(), true},
			{"at once", 0, with, code(), false},
			{"a moment before thirty days", month - time.Millisecond, with, code(), false},
			{"after thirty days", month, with, code(), true},
			{"the clock was set back", 0, with, code(), true},
		} {
			if got := logsIn(now.Add(c.at), c.f, c.code); got != c.want {
				t.Errorf("%s: offered %v", c.about, got)
			}
		}
	})
}

// Its owner can remove it.
func TestAPasskeyThatCannotBeReadIsListed(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		addPasskey(t, w.Store, &by)
		w.alter(`UPDATE passkeys SET sealed_key = $1`, []byte("no key"))
		all, err := w.Passkeys(t.Context(), by.User.ID)
		if err != nil || len(all) != 1 || all[0].Readable() || all[0].Name != "Phone" {
			t.Fatalf("%+v, %v", all, err)
		}
		_, err = w.RemovePasskey(t.Context(), by, byCode(all[0]), now)
		must(t, err)
	})
}
