package store_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var command = auth.Actor{Command: true}

func at(t *testing.T, address string) origin.Origin {
	t.Helper()
	o, ok := origin.Parse(address)
	if !ok {
		t.Fatalf("%s has no origin", address)
	}
	return o
}

// What opens our own pages would reach an application at our own host.
func TestNoApplicationBehindAProxyIsAtOurOwnHost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s)
		for _, a := range []auth.Application{
			{URL: "https://id.example.org/"}, {URL: "https://ID.example.org:8443/"}, {URL: "http://id.example.org/"},
			{URL: "https://shop.example.org/", Hosts: []string{"id.example.org:8443"}},
		} {
			a.Kind, a.Name = auth.BehindProxy, "Shop"
			if _, err := s.AddApplication(t.Context(), command, a, now); !errors.Is(err, store.ErrOurHost) {
				t.Errorf("added at %s %v: %v, want ErrOurHost", a.URL, a.Hosts, err)
			}
			a.ID = wiki.ID
			if err := s.ChangeApplication(t.Context(), command, wiki.ID, now, into(a)); !errors.Is(err, store.ErrOurHost) {
				t.Errorf("moved to %s %v: %v, want ErrOurHost", a.URL, a.Hosts, err)
			}
		}
		link := auth.Application{Name: "only a link", URL: "https://id.example.org/account"}
		if _, err := s.AddApplication(t.Context(), command, link, now); err != nil {
			t.Errorf("a link to our own page: %v", err)
		}
	})
}

func addWiki(t *testing.T, s *store.Store, hosts ...string) auth.Application {
	t.Helper()
	a, err := s.AddApplication(t.Context(), command, auth.Application{Kind: auth.BehindProxy, Name: "Wiki",
		URL: "https://wiki.example.org/start", Hosts: hosts, Everyone: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// into puts an application in the place of what it was.
func into(a auth.Application) func(*auth.Application) error {
	return func(is *auth.Application) error { *is = a; return nil }
}

func TestAnOriginIsOneApplications(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s, "docs.example.org")
		for name, a := range map[string]auth.Application{
			"the same address": {URL: "https://WIKI.example.org:443/other"},
			"a further host":   {URL: "https://docs.example.org/"},
			"one as a further": {URL: "https://shop.example.org/", Hosts: []string{"wiki.example.org"}},
		} {
			a.Kind, a.Name = auth.BehindProxy, name
			if _, err := s.AddApplication(t.Context(), command, a, now); !errors.Is(err, store.ErrTaken) {
				t.Errorf("%s: %v, want ErrTaken", name, err)
			}
		}
		twice := auth.Application{Kind: auth.BehindProxy, Name: "Shop", URL: "https://shop.example.org/", Hosts: []string{"SHOP.example.org:443", "bücher.example.org", "xn--bcher-kva.example.org"}}
		made, err := s.AddApplication(t.Context(), command, twice, now)
		if err != nil {
			t.Fatalf("its own hosts in other spellings: %v", err)
		}
		if kept, err := s.Application(t.Context(), made.ID); err != nil || !slices.Equal(kept.Hosts, []string{"xn--bcher-kva.example.org"}) {
			t.Errorf("its own hosts in other spellings: %q, %v; want each once", kept.Hosts, err)
		}
		for _, url := range []string{"wiki.example.org", "https:///", "https://ada@shop.example.org/"} {
			_, err := s.AddApplication(t.Context(), command, auth.Application{Kind: auth.BehindProxy, Name: "x", URL: url}, now)
			if !errors.Is(err, store.ErrMalformedHost) {
				t.Errorf("%s: %v, want ErrMalformedHost", url, err)
			}
		}
		if _, err := s.AddApplication(t.Context(), command, auth.Application{Name: "only a link", URL: "https://wiki.example.org/"}, now); err != nil {
			t.Errorf("a link to the same address: %v", err)
		}

		wiki.URL, wiki.Hosts = "https://moved.example.org/", nil
		if err := s.ChangeApplication(t.Context(), command, wiki.ID, now, into(wiki)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.GateAt(t.Context(), at(t, "https://wiki.example.org")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("where it was: %v, want ErrNotFound", err)
		}
		if gate, err := s.GateAt(t.Context(), at(t, "https://moved.example.org")); err != nil || gate.ID != wiki.ID {
			t.Errorf("where it is: %v, %v", gate.ID, err)
		}
	})
}

func TestRulesAreReplacedOnlyByWhoeverHasSeenThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s)
		first := []auth.Rule{{Path: "/admin", Access: auth.TwoFactor}}
		second := append(first, auth.Rule{Path: "/assets", Access: auth.Public})
		must(t, s.ReplaceApplicationRules(t.Context(), command, wiki.ID, nil, first, now))
		must(t, s.ReplaceApplicationRules(t.Context(), command, wiki.ID, first, second, now))
		for name, seen := range map[string][]auth.Rule{"none": nil, "those before": first, "in another order": {second[1], second[0]}} {
			if err := s.ReplaceApplicationRules(t.Context(), command, wiki.ID, seen, nil, now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("who saw %s: %v, want ErrSpent", name, err)
			}
		}
		if err := s.ReplaceApplicationRules(t.Context(), command, "nothing", nil, first, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("rules of no application: %v", err)
		}
		if kept, err := s.ApplicationRules(t.Context(), wiki.ID); err != nil || !reflect.DeepEqual(kept, second) {
			t.Errorf("kept: %+v, %v", kept, err)
		}
	})
}

func TestRulesAreKeptInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s, "docs.example.org:8443")
		rules := []auth.Rule{
			{Host: "docs.example.org:8443", Path: "/", Access: auth.Public},
			{Path: "/admin", Access: auth.InGroup, Group: "a group that is gone"},
			{Path: "/money", Access: auth.RecentCode, Within: 5 * time.Minute},
		}
		if err := s.SetApplicationRules(t.Context(), command, wiki.ID, rules, now); err != nil {
			t.Fatal(err)
		}
		gates, err := s.Gates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"https://wiki.example.org", "https://docs.example.org:8443"} {
			one, err := s.GateAt(t.Context(), at(t, address))
			if err != nil || !reflect.DeepEqual(one, gates[at(t, address)]) || !reflect.DeepEqual(one.Rules, rules) {
				t.Errorf("%s: %+v, %v", address, one, err)
			}
		}
		wrong := append(rules, auth.Rule{Path: "/x/../y", Access: auth.Public})
		if err := s.SetApplicationRules(t.Context(), command, wiki.ID, wrong, now); !errors.Is(err, store.ErrMalformedRule) {
			t.Errorf("a malformed rule: %v", err)
		}
		if err := s.SetApplicationRules(t.Context(), command, "nothing", rules, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("rules of no application: %v", err)
		}
		if kept, err := s.ApplicationRules(t.Context(), wiki.ID); err != nil || !reflect.DeepEqual(kept, rules) {
			t.Errorf("after refusals: %+v, %v", kept, err)
		}
		foreign := append(rules, auth.Rule{Host: "dosc.example.org:8443", Path: "/admin", Access: auth.InGroup, Group: "Staff"})
		if err := s.SetApplicationRules(t.Context(), command, wiki.ID, foreign, now); !errors.Is(err, store.ErrForeignRule) {
			t.Errorf("a rule for a host of nobody's: %v", err)
		}
		moved := wiki
		moved.Hosts = []string{"manual.example.org"}
		if err := s.ChangeApplication(t.Context(), command, wiki.ID, now, into(moved)); !errors.Is(err, store.ErrForeignRule) {
			t.Errorf("taking away the host that a rule stands for: %v", err)
		}
		moved.URL, moved.Hosts = "https://new.example.org/", wiki.Hosts
		if err := s.ChangeApplication(t.Context(), command, wiki.ID, now, into(moved)); err != nil {
			t.Errorf("another address, which no rule stands for: %v", err)
		}
		if kept, err := s.ApplicationRules(t.Context(), wiki.ID); err != nil || !reflect.DeepEqual(kept, rules) {
			t.Errorf("after the hosts changed: %+v, %v", kept, err)
		}
		wiki.Name = "Renamed"
		if err := s.ChangeApplication(t.Context(), command, wiki.ID, now, into(wiki)); err != nil {
			t.Fatal(err)
		}
		if kept, _ := s.ApplicationRules(t.Context(), wiki.ID); len(kept) != len(rules) {
			t.Error("renaming an application opened it")
		}
	})
}

func TestAnApplicationAndItsRulesAreMadeTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := auth.Gate{Application: auth.Application{Name: "Wiki", URL: "https://wiki.example.org/"}}
		wiki.Rules = []auth.Rule{{Path: "/admin", Access: auth.TwoFactor}, {Host: "wiki.example.org", Path: "/", Access: auth.Signed}}
		made, err := s.AddGate(t.Context(), command, wiki, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.GateAt(t.Context(), at(t, "https://wiki.example.org")); err != nil || got.ID != made.ID || !reflect.DeepEqual(got.Rules, wiki.Rules) {
			t.Errorf("%+v, %v", got, err)
		}
		wiki.URL, wiki.Rules[1].Host = "https://other.example.org/", "wrong.example.org"
		if _, err := s.AddGate(t.Context(), command, wiki, now); !errors.Is(err, store.ErrForeignRule) {
			t.Errorf("with a rule for another host: %v", err)
		}
		if _, err := s.GateAt(t.Context(), at(t, "https://other.example.org")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the application was made without its rules: %v", err)
		}
	})
}

// handOver is a ticket on its way to the wiki.
func handOver(t *testing.T, s *store.Store, session auth.Session, wiki auth.Application) secret.Token {
	t.Helper()
	ticket, err := s.BeginHandOver(t.Context(), store.HandOver{Session: session, Application: wiki.ID,
		Origin: at(t, wiki.URL), Browser: storetest.Browser.Hash()}, time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func TestATicketIsGoodWhereItWasMadeFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s)
		shop, err := s.AddApplication(t.Context(), command, auth.Application{Kind: auth.BehindProxy, Name: "Shop", URL: "https://shop.example.org", Everyone: true}, now)
		if err != nil {
			t.Fatal(err)
		}
		ada := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
		ticket := handOver(t, s, ada.Session, wiki)
		mine, here := storetest.Browser.Hash(), at(t, wiki.URL)
		for name, try := range map[string]func() error{
			"another browser's": func() error { return finish(t, s, ticket, secret.New().Hash(), here, now) },
			"no browser's":      func() error { return finish(t, s, ticket, secret.Hash{}, here, now) },
			"another host's":    func() error { return finish(t, s, ticket, mine, at(t, shop.URL), now) },
			"plain http's":      func() error { return finish(t, s, ticket, mine, at(t, "http://wiki.example.org"), now) },
			"a minute later":    func() error { return finish(t, s, ticket, mine, here, now.Add(time.Minute)) },
			"a made-up one":     func() error { return finish(t, s, secret.New(), mine, here, now) },
		} {
			if err := try(); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: %v, want ErrSpent", name, err)
			}
		}
		if err := finish(t, s, ticket, mine, here, now.Add(time.Minute-time.Millisecond)); err != nil {
			t.Errorf("after all that, its own: %v", err)
		}
	})
}

func finish(t *testing.T, s *store.Store, ticket secret.Token, browser secret.Hash, at origin.Origin, when time.Time) error {
	_, err := s.FinishHandOver(t.Context(), auth.Actor{}, ticket.Hash(), browser, at, when)
	return err
}

func TestWhatASessionGaveToApplicationsEndsWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s)
		ada := storetest.Person(t, s, "ada@example.org")
		for name, end := range map[string]func(auth.Session) error{
			"logout": func(h auth.Session) error {
				return s.EndSession(t.Context(), auth.Actor{User: ada, Session: h}, ada.ID, h.ID, auth.EventLogout, "logout", now)
			},
			"all sessions ended": func(auth.Session) error {
				_, err := s.EndSessions(t.Context(), command, ada.ID, "", "by command", now)
				return err
			},
		} {
			made := storetest.Session(t, s, ada, now)
			child, err := s.FinishHandOver(t.Context(), auth.Actor{}, handOver(t, s, made.Session, wiki).Hash(), storetest.Browser.Hash(), at(t, wiki.URL), now)
			if err != nil {
				t.Fatal(err)
			}
			late := handOver(t, s, made.Session, wiki)
			if h, err := s.ApplicationHolder(t.Context(), child.Hash()); err != nil || h.Session.ID != made.Session.ID || h.Application != wiki.ID || h.User.ID != ada.ID {
				t.Fatalf("%s: before: %+v, %v", name, h, err)
			}
			if err := end(made.Session); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ApplicationHolder(t.Context(), child.Hash()); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: what it gave is still there: %v", name, err)
			}
			if err := finish(t, s, late, storetest.Browser.Hash(), at(t, wiki.URL), now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: a ticket on its way: %v", name, err)
			}
			if _, err := s.BeginHandOver(t.Context(), store.HandOver{Session: made.Session, Application: wiki.ID, Origin: at(t, wiki.URL)}, time.Minute, now); !errors.Is(err, store.ErrSpent) {
				t.Errorf("%s: a new ticket: %v", name, err)
			}
		}
	})
}

func TestASessionHasOneChildAtAHost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wiki := addWiki(t, s)
		ada := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
		var children []secret.Token
		for range 2 {
			child, err := s.FinishHandOver(t.Context(), auth.Actor{}, handOver(t, s, ada.Session, wiki).Hash(), storetest.Browser.Hash(), at(t, wiki.URL), now)
			if err != nil {
				t.Fatal(err)
			}
			children = append(children, child)
		}
		if _, err := s.ApplicationHolder(t.Context(), children[0].Hash()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first: %v, want ErrNotFound", err)
		}
		if _, err := s.ApplicationHolder(t.Context(), children[1].Hash()); err != nil {
			t.Errorf("the second: %v", err)
		}
	})
}
