package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

const notices = "https://wiki.example.org/logged-out"

// begun is a grant whose code waits, and the session that gave it.
type begun struct {
	auth.Grant
	Code    secret.Token
	Session store.NewSession
}

// beginGrant signs somebody in to a new application, which may come back while
// they are away and is told of logouts.
func beginGrant(t *testing.T, s *store.Store, now time.Time) begun {
	t.Helper()
	u := storetest.Person(t, s, "ada@example.org")
	return grantOf(t, s, u, storetest.Session(t, s, u, now), auth.AllScopes, now)
}

func grantOf(t *testing.T, s *store.Store, u auth.User, made store.NewSession, scopes auth.Scopes, now time.Time) begun {
	t.Helper()
	a, _, err := s.AddClient(t.Context(), auth.Actor{Command: true},
		auth.Application{Name: "Wiki", URL: "https://wiki.example.org/", Everyone: true},
		auth.Client{RedirectURIs: []string{"https://wiki.example.org/signed-in"}, LogoutNotice: notices}, now)
	must(t, err)
	g := auth.Grant{
		Application: a.ID, User: u.ID, Session: made.Session.ID, Generation: made.Session.Generation, Scopes: scopes,
		Redirect: "https://wiki.example.org/signed-in", CodeExpires: now.Add(time.Minute), Expires: now.Add(30 * 24 * time.Hour),
	}
	code, err := s.BeginGrant(t.Context(), auth.Actor{User: u, Session: made.Session}, g, a.Name, nil, now)
	must(t, err)
	g, err = s.GrantOfCode(t.Context(), code.Hash())
	must(t, err)
	return begun{Grant: g, Code: code, Session: made}
}

// rounds is how often calls that race are sent off together.
const rounds = 100

// Of an ending and a sign-in at the same moment either is first; in neither
// order does something stay open.
func TestNothingIsGivenThatOutlivesAnEndingAtTheSameMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		for range rounds / 4 {
			made := storetest.Session(t, s, u, now)
			g := grantOf(t, s, u, made, auth.AllScopes, now)
			tokens := make(chan secret.Token, 8)
			ended := make(chan error, 1)
			go func() {
				_, err := s.EndSessions(t.Context(), auth.Actor{}, u.ID, "", "test", now)
				ended <- err
			}()
			together(t, store.ErrSpent, func() error {
				next := secret.New()
				err := s.Exchange(t.Context(), g.Grant, store.Issue{Access: next.Hash(), AccessExpires: now.Add(time.Minute)}, now)
				if err == nil {
					tokens <- next
				}
				return err
			})
			must(t, <-ended)
			close(tokens)
			for token := range tokens {
				if _, err := s.Access(t.Context(), token.Hash(), now); !errors.Is(err, store.ErrNotFound) {
					t.Fatalf("a token opens something after the ending: %v", err)
				}
			}
		}
	})
}

func TestWhatEndsASessionEndsWhatItGave(t *testing.T) {
	command := auth.Actor{Command: true}
	for name, test := range map[string]struct {
		end       func(*testing.T, *store.Store, begun) error
		offline   bool // it goes on while the person is away
		protected bool // the person has second factors
	}{
		"logout": {end: func(t *testing.T, s *store.Store, g begun) error {
			return s.EndSession(t.Context(), auth.Actor{}, g.User, g.Session.Session.ID, auth.EventLogout, "logout", now)
		}},
		"end of all sessions": {end: func(t *testing.T, s *store.Store, g begun) error {
			_, err := s.EndSessions(t.Context(), command, g.User, "", "test", now)
			return err
		}},
		"disabled": {end: func(t *testing.T, s *store.Store, g begun) error {
			return s.DisableUser(t.Context(), command, g.User, now)
		}},
		"second factors cleared": {protected: true, end: func(t *testing.T, s *store.Store, g begun) error {
			return s.ClearFactors(t.Context(), command, g.User, "lost", now)
		}},
		"password changed": {end: func(t *testing.T, s *store.Store, g begun) error {
			u, err := s.User(t.Context(), g.User)
			must(t, err)
			_, err = s.ChangePassword(t.Context(), auth.Actor{User: u, Session: g.Session.Session},
				store.NewPassword{Checked: "the hash", Hash: "another"}, now)
			return err
		}},
		"another person's login": {end: func(t *testing.T, s *store.Store, g begun) error {
			_, _, err := s.ProvePassword(t.Context(), auth.Actor{}, store.ProvedPassword{
				User: storetest.Person(t, s, "bea@example.org"), Hash: "the hash", Purpose: auth.ByLogin,
				Browser: storetest.Browser.Hash(), Held: g.Session.Session.ID, Timeout: time.Minute}, now)
			return err
		}},
		"the person's next login in that browser": {offline: true, end: func(t *testing.T, s *store.Store, g begun) error {
			u, err := s.User(t.Context(), g.User)
			must(t, err)
			_, _, err = s.FinishLogin(t.Context(), auth.Actor{}, storetest.Attempt(t, s, u, now).ID,
				store.Finish{Policy: storetest.Policy, Replaces: g.Session.Session.ID}, now)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				u := storetest.Person(t, s, "ada@example.org")
				made := storetest.Session(t, s, u, now)
				if test.protected {
					by := auth.Actor{User: u, Session: made.Session}
					_, made.Token = protect(t, s, &by)
					u, made.Session = by.User, by.Session
				}
				online := grantOf(t, s, u, made, auth.Scopes{auth.ScopeOpenID}, now)
				offline := grantOf(t, s, u, made, auth.AllScopes, now)
				waiting := grantOf(t, s, u, made, auth.AllScopes, now)
				access, refresh, away := secret.New(), secret.New(), secret.New()
				must(t, s.Exchange(t.Context(), online.Grant, store.Issue{Access: access.Hash(), AccessExpires: now.Add(time.Minute)}, now))
				must(t, s.Exchange(t.Context(), offline.Grant, store.Issue{Access: away.Hash(), AccessExpires: now.Add(time.Minute),
					Refresh: refresh.Hash(), Scopes: offline.Scopes}, now))

				must(t, test.end(t, s, offline))

				if _, err := s.Access(t.Context(), access.Hash(), now); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("an access token of the session: %v, want ErrNotFound", err)
				}
				if err := s.Exchange(t.Context(), waiting.Grant, store.Issue{}, now); !errors.Is(err, store.ErrSpent) {
					t.Errorf("a code of the session: %v, want ErrSpent", err)
				}
				_, err := s.Access(t.Context(), away.Hash(), now)
				if opens := err == nil; opens != test.offline {
					t.Errorf("an offline access token opens: %v", opens)
				}
				err = s.Refresh(t.Context(), offline.Grant, refresh.Hash(), store.Issue{}, now)
				if goesOn := err == nil; goesOn != test.offline {
					t.Errorf("a refresh token goes on: %v (%v)", goesOn, err)
				}
			})
		})
	}
}

func TestApplicationsThatGotTokensAreToldOfTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := beginGrant(t, s, now)
		other := grantOf(t, s, auth.User{ID: g.User}, g.Session, auth.AllScopes, now) // its code was never exchanged
		must(t, s.Exchange(t.Context(), g.Grant, store.Issue{}, now))
		must(t, s.EndSession(t.Context(), auth.Actor{}, g.User, g.Session.Session.ID, auth.EventLogout, "logout", now))
		told, err := s.ApplicationsToTell(t.Context(), now)
		must(t, err)
		if !slices.Equal(told, []auth.ApplicationID{g.Application}) {
			t.Errorf("told are %v, want %s and not %s", told, g.Application, other.Application)
		}
		n, err := s.ClaimLogoutNotice(t.Context(), g.Application, now.Add(time.Minute), now)
		must(t, err)
		if n.Application != g.Application || n.Session != g.Session.Session.ID || n.User != g.User || n.Address != notices || n.Algorithm != auth.ES256 {
			t.Errorf("the notice is %+v", n)
		}
	})
}

// A notice is one server's at a time. One that died with it in hand gives it to
// the next after a while.
func TestALogoutNoticeIsClaimedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := beginGrant(t, s, now)
		must(t, s.Exchange(t.Context(), g.Grant, store.Issue{}, now))
		must(t, s.EndSession(t.Context(), auth.Actor{}, g.User, g.Session.Session.ID, auth.EventLogout, "logout", now))
		at := now
		for range rounds {
			won := together(t, store.ErrSpent, func() error {
				_, err := s.ClaimLogoutNotice(t.Context(), g.Application, at.Add(time.Minute), at)
				return err
			})
			if won != 1 {
				t.Fatalf("%d of the calls got the notice, want 1", won)
			}
			at = at.Add(time.Minute)
		}
	})
}

func TestASecretOfAnApplicationIsMadeAnew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		command := auth.Actor{Command: true}
		a, first, err := s.AddClient(t.Context(), command, auth.Application{Name: "Wiki"}, auth.Client{}, now)
		must(t, err)
		second, err := s.NewClientSecret(t.Context(), command, a.ID, now)
		must(t, err)
		r, err := s.Registered(t.Context(), a.ID)
		must(t, err)
		if !second.Hash().Equal(r.Secret) || first.Hash().Equal(r.Secret) {
			t.Error("the old secret still counts, or the new one does not")
		}
		public, none, err := s.AddClient(t.Context(), command, auth.Application{Name: "Phone"}, auth.Client{Public: true}, now)
		must(t, err)
		if _, err := s.NewClientSecret(t.Context(), command, public.ID, now); !none.IsZero() || !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a public client gets a secret: %v, %v", !none.IsZero(), err)
		}
	})
}

func TestAClientIsChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		command := auth.Actor{Command: true}
		a, _, err := s.AddClient(t.Context(), command, auth.Application{Name: "Wiki"}, auth.Client{RedirectURIs: []string{"https://a.example/"}}, now)
		must(t, err)
		want := auth.Client{Application: a.ID, WithoutPKCE: true, WithoutConsent: true, Algorithm: auth.RS256,
			Scopes: auth.Scopes{auth.ScopeOpenID}, RedirectURIs: []string{"https://b.example/", "https://c.example/"},
			LogoutURIs: []string{"https://d.example/"}, LogoutNotice: notices}
		must(t, s.ChangeClient(t.Context(), command, a.ID, now, registered(want)))
		got, err := s.Client(t.Context(), a.ID)
		must(t, err)
		if g, w := printed(got), printed(want); g != w {
			t.Errorf("%s, want %s", g, w)
		}
		keys, err := s.SigningKeys(t.Context())
		must(t, err)
		if len(keys) != 2 {
			t.Errorf("%d signing keys, want one for each algorithm", len(keys))
		}
		if err := s.ChangeClient(t.Context(), command, "nobody's", now, registered(want)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a client that is not there: %v", err)
		}
	})
}

// registered puts what an application is registered with in the place of what
// it was.
func registered(want auth.Client) func(*auth.Client) error {
	return func(is *auth.Client) error { *is = want; return nil }
}

// Two who change different parts at once do not undo each other, and whoever
// gives up changes nothing.
func TestChangesOfAClientKeepEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, _, err := s.AddClient(t.Context(), command, auth.Application{Name: "Wiki"}, auth.Client{RedirectURIs: []string{"https://a.example/"}}, now)
		must(t, err)
		var both sync.WaitGroup
		for range 8 {
			for _, change := range []func(*auth.Client) error{
				func(c *auth.Client) error { c.WithoutPKCE = true; return nil },
				func(c *auth.Client) error {
					c.RedirectURIs = append(c.RedirectURIs, fmt.Sprintf("https://a.example/%d", len(c.RedirectURIs)))
					return nil
				},
			} {
				both.Go(func() {
					if err := s.ChangeClient(t.Context(), command, a.ID, now, change); err != nil {
						t.Error(err)
					}
				})
			}
		}
		both.Wait()
		no := errors.New("no")
		if err := s.ChangeClient(t.Context(), command, a.ID, now, func(c *auth.Client) error { c.WithoutConsent = true; return no }); !errors.Is(err, no) {
			t.Errorf("who gives up hears %v", err)
		}
		c, err := s.Client(t.Context(), a.ID)
		must(t, err)
		if !c.WithoutPKCE || c.WithoutConsent || len(c.RedirectURIs) != 9 {
			t.Errorf("kept: %+v", c)
		}
	})
}

func printed(v any) string { return fmt.Sprintf("%+v", v) }

func TestAnAccessTokenThatAnApplicationGivesBackIsRecordedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g, access := beginGrant(t, s, now), secret.New()
		must(t, s.Exchange(t.Context(), g.Grant, store.Issue{Access: access.Hash(), AccessExpires: now.Add(time.Minute)}, now))
		for _, by := range []auth.ApplicationID{"another", g.Application, g.Application} {
			must(t, s.RevokeToken(t.Context(), by, access.Hash(), now))
		}
		events := recorded(t, s, auth.EventGrantRevoked)
		if len(events) != 1 || events[0].Subject != g.User {
			t.Errorf("events %+v", events)
		}
		if _, err := s.Access(t.Context(), access.Hash(), now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it still opens something: %v", err)
		}
	})
}
