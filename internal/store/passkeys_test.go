package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// turnsPasskeysOn says so on an account, beside the program.
func (w watched) turnsPasskeysOn(u auth.User) auth.User {
	w.t.Helper()
	w.alter(`UPDATE users SET passkeys_since = $1 WHERE id = $2`, now.UnixMilli(), u.ID)
	return reread(w.t, w.Store, u.ID)
}

// hasPasskey gives an account a passkey with a counter, beside the program.
func (w watched) hasPasskey(u auth.User, count int64) auth.PasskeyID {
	w.t.Helper()
	id := auth.PasskeyID(secret.NewID())
	w.alter(`INSERT INTO passkeys (id, user_id, credential_id, sealed_key, domain, name, sign_count, synced, created_at, last_used_at)
		VALUES ($1, $2, $3, $3, 'login.example.org', 'Phone', $4, $5, $6, 0)`, id, u.ID, []byte(id), count, false, now.UnixMilli())
	return id
}

// answerOf is a right answer of a passkey to a challenge of its own.
func answerOf(id auth.PasskeyID, count int64) store.CodeClaim {
	return store.CodeClaim{Passkey: id, Count: count, Synced: true,
		Ceremony: store.CeremonyOf(auth.Challenge(secret.NewID()), now.Add(5*time.Minute))}
}

// verified is a right answer of a passkey that held its owner to be who they are, to
// one challenge.
func verified(id auth.PasskeyID) store.CodeClaim {
	return store.CodeClaim{Passkey: id, Count: 9, Verified: true, Ceremony: store.CeremonyOf(auth.Challenge(id), now.Add(5*time.Minute))}
}

// proves is the answer spent for a login of its own.
func (w watched) proves(u auth.User, c store.CodeClaim) error {
	w.t.Helper()
	_, err := w.ProveCode(w.t.Context(), auth.Actor{}, storetest.Attempt(w.t, w.Store, u, now), c, 5, nil, now)
	return err
}

func TestWhoLosesByEitherPlugin(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		app, keys := protectedPerson(t, w.Store, "ada@example.org"), w.turnsPasskeysOn(storetest.Person(t, w.Store, "bob@example.org"))
		both := w.turnsPasskeysOn(protectedPerson(t, w.Store, "cem@example.org"))
		change := func(id auth.PluginID, a store.Accepts, active bool) error {
			return w.ChangeActivation(t.Context(), eli, id, a, now, func(a *auth.Activation) { a.Active, a.Everyone = active, true })
		}
		loses := func(id auth.PluginID, want ...auth.User) {
			t.Helper()
			err := change(id, store.NoLoss, false)
			var loss *store.LossError
			if len(want) > 0 && (!errors.As(err, &loss) || store.LossOf(loss.People) != store.LossOf(want)) {
				t.Errorf("%s goes off: %v", id, err)
			} else if len(want) == 0 {
				must(t, err)
			}
		}
		for _, id := range []auth.PluginID{auth.TwoFactorPlugin, auth.PasskeysPlugin} {
			must(t, change(id, store.NoLoss, true))
		}
		for _, id := range []auth.PluginID{auth.TwoFactorPlugin, auth.PasskeysPlugin} {
			if n, err := w.AskedForCode(t.Context(), auth.Activation{Plugin: id, Active: true, Everyone: true}); n != 2 || err != nil {
				t.Errorf("%d people have the factor of %s; %v", n, id, err)
			}
		}
		for domain, want := range map[string]int{ours: 1, others: 0} { // both say that passkeys are on; one has some
			w.hasPasskey(keys, 0)
			if n, err := w.AskedForPasskey(t.Context(), auth.Activation{Plugin: auth.PasskeysPlugin, Active: true, Users: []auth.UserID{keys.ID, both.ID}}, domain); n != want || err != nil {
				t.Errorf("%d people have a passkey of %s, want %d; %v", n, domain, want, err)
			}
		}
		loses(auth.TwoFactorPlugin, app)
		loses(auth.PasskeysPlugin, keys)
		must(t, change(auth.TwoFactorPlugin, store.LossOf([]auth.User{app}), false))
		loses(auth.PasskeysPlugin, keys, both)
	})
}

func TestADemandRefusesNobodyWithPasskeys(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		storetest.Person(t, w.Store, "ada@example.org")
		w.turnsPasskeysOn(storetest.Person(t, w.Store, "bob@example.org"))
		wiki, err := w.AddApplication(t.Context(), eli, auth.Application{Name: "Wiki", URL: "https://wiki.example.org", Everyone: true}, now)
		must(t, err)
		for _, want := range []int{2, 1} {
			if people, all, err := w.Unasked(t.Context(), wiki.ID, 10); err != nil || all != want || len(people) != want || people[0].Address != "ada@example.org" {
				t.Errorf("%v of %d, want %d; %v", people, all, want, err)
			}
			must(t, w.ChangeActivation(t.Context(), eli, auth.PasskeysPlugin, store.NoLoss, now, func(a *auth.Activation) { a.Active, a.Everyone = true, true }))
		}
	})
}

func TestAnAnswerOfAPasskeyIsTakenOnce(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		u := w.turnsPasskeysOn(storetest.Person(t, w.Store, "ada@example.org"))
		bob := storetest.Person(t, w.Store, "bob@example.org")
		counts, none, bobs := w.hasPasskey(u, 5), w.hasPasskey(u, 0), w.hasPasskey(bob, 0)
		first := answerOf(counts, 6)
		must(t, w.proves(u, first))
		again, late := answerOf(none, 0), answerOf(none, 0)
		again.Ceremony, late.Ceremony.Expires = first.Ceremony, now
		for what, c := range map[string]store.CodeClaim{
			"the same answer":                             first,
			"a challenge that was answered":               again,
			"a challenge that is over":                    late,
			"a counter that stands still":                 answerOf(counts, 6),
			"a counter that went back":                    answerOf(counts, 5),
			"a counter that is none any more":             answerOf(counts, 0),
			"somebody else's":                             answerOf(bobs, 0),
			"a passkey that there is not":                 answerOf("nobody's", 0),
			"a challenge that expired before it began":    {Passkey: none},
			"a code of an authenticator that is not hers": {Step: 100},
		} {
			if err := w.proves(u, c); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v, want ErrSpent", what, err)
			}
		}
		for _, c := range []store.CodeClaim{answerOf(counts, 7), answerOf(none, 0), answerOf(none, 0), answerOf(none, 3)} {
			if err := w.proves(u, c); err != nil {
				t.Errorf("count %d: %v", c.Count, err)
			}
		}
		if synced := w.words(`SELECT id FROM passkeys WHERE synced AND last_used_at > 0 ORDER BY id`); len(synced) != 2 || slices.Contains(synced, string(bobs)) {
			t.Errorf("used, and synced: %v", synced)
		}
	})
}

// What stood in the password's and the code's place goes with the proof, to the
// session and to what the session gives.
func TestASessionKeepsWhatStoodForPasswordAndCode(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		u := w.turnsPasskeysOn(storetest.Person(t, w.Store, "ada@example.org"))
		id := w.hasPasskey(u, 0)
		a, err := w.ProveCode(t.Context(), auth.Actor{}, storetest.Attempt(t, w.Store, u, now), answerOf(id, 0), 5, nil, now)
		must(t, err)
		made, _, err := w.FinishLogin(t.Context(), auth.Actor{}, a.ID, store.Finish{Policy: storetest.Policy}, now)
		must(t, err)
		wantProofs(t, w.Store, made.Token, "", auth.BySyncedPasskey)

		by := auth.Actor{User: u, Session: made.Session}
		verified := answerOf(id, 0)
		verified.Synced, verified.Verified = false, true
		token, err := w.Confirm(t.Context(), by, store.Confirmation{Code: verified}, nil, now.Add(time.Minute))
		must(t, err)
		by.Session = wantProofs(t, w.Store, token, auth.PasswordByPasskey, auth.ByPasskey)
		if !by.Session.PasswordAt.Equal(now.Add(time.Minute)) {
			t.Error("the password was proved at", by.Session.PasswordAt)
		}

		proofs := auth.AuthenticationOf(by.Session, u, auth.Policy{Passkeys: true})
		g := grantOf(t, w.Store, u, store.NewSession{Session: by.Session, Token: token}, auth.AllScopes, now)
		given := g.Grant
		given.Authentication = proofs
		code, err := w.BeginGrant(t.Context(), by, given, "Wiki", nil, now)
		must(t, err)
		if kept, err := w.GrantOfCode(t.Context(), code.Hash()); err != nil || kept.Authentication != proofs {
			t.Errorf("the application is told %+v, want %+v; %v", kept.Authentication, proofs, err)
		}

		token, err = w.Confirm(t.Context(), by, store.Confirmation{Password: true}, nil, now.Add(2*time.Minute))
		must(t, err)
		wantProofs(t, w.Store, token, "", auth.ByPasskey)
	})
}

func wantProofs(t *testing.T, s *store.Store, token secret.Token, password auth.PasswordBy, code auth.CodeBy) auth.Session {
	t.Helper()
	h, err := s.Holder(t.Context(), token.Hash())
	must(t, err)
	if h.Session.PasswordBy != password || h.Session.CodeBy != code {
		t.Errorf("for the password stood %q, for the code %q; want %q, %q", h.Session.PasswordBy, h.Session.CodeBy, password, code)
	}
	return h.Session
}

// A verified passkey signs in once, whoever is as they were read and no other.
func TestAVerifiedPasskeyBeginsALogin(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		by := inSession(t, w.Store, storetest.Person(t, w.Store, "ada@example.org"))
		k := addPasskey(t, w.Store, &by)
		u := reread(t, w.Store, by.User.ID)
		prove := func(u auth.User, c store.CodeClaim) (auth.Attempt, error) {
			return w.ProvePasskey(t.Context(), auth.Actor{}, store.ProvedPasskey{User: u, Claim: c, Browser: storetest.Browser.Hash(), Timeout: time.Minute}, now)
		}
		older := u
		older.Generation--
		unverified := verified(k.ID)
		unverified.Verified = false
		if _, err := prove(older, verified(k.ID)); !errors.Is(err, store.ErrSpent) {
			t.Errorf("an older account: %v", err)
		}
		if _, err := prove(u, unverified); err == nil {
			t.Error("it signs in without its owner")
		}
		a, err := prove(u, verified(k.ID))
		must(t, err)
		if a.PasswordBy != auth.PasswordByPasskey || a.CodeBy != auth.ByPasskey || !a.PasswordAt.Equal(now) || !a.CodeAt.Equal(now) {
			t.Errorf("proved is %+v", a)
		}
		if _, err := prove(u, verified(k.ID)); !errors.Is(err, store.ErrSpent) {
			t.Errorf("once more: %v", err)
		}
		must(t, w.RefusePasskey(t.Context(), auth.Actor{}, store.RefusedPasskey{Owner: u, Name: "Phone", Ceremony: answerOf(k.ID, 0).Ceremony, CountedBack: true}, now))
		must(t, w.DisableUser(t.Context(), eli, u.ID, now))
		c := verified(k.ID)
		c.Count, c.Ceremony = 20, answerOf(k.ID, 20).Ceremony
		if _, err := prove(reread(t, w.Store, u.ID), c); !errors.Is(err, store.ErrSpent) {
			t.Errorf("disabled: %v", err)
		}
	})
}
