package store_test

import (
	"slices"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestTheFirstApplicationOfAKindActivatesItsPlugin(t *testing.T) {
	for name, tt := range map[string]struct {
		active, forEli bool // before
		everyone       bool // after
	}{
		"as it comes":                          {false, false, true},
		"activated by hand, for nobody yet":    {true, false, true},
		"activated by hand, for a single user": {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				eli := storetest.Person(t, s, "eli@example.org")
				must(t, s.ChangeActivation(t.Context(), command, auth.ForwardAuthPlugin, store.NoLoss, now, func(a *auth.Activation) {
					a.Active = tt.active
					if tt.forEli {
						a.Users = []auth.UserID{eli.ID}
					}
				}))
				addWiki(t, s)
				if a := activationOf(t, s, auth.ForwardAuthPlugin); !a.Active || a.Everyone != tt.everyone {
					t.Errorf("active %v, for everyone %v, want active, %v", a.Active, a.Everyone, tt.everyone)
				}
			})
		})
	}
}

func TestWhatWasDeactivatedStaysSoWithFurtherApplications(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addWiki(t, s)
		must(t, s.ChangeActivation(t.Context(), command, auth.ForwardAuthPlugin, store.NoLoss, now, func(a *auth.Activation) { a.Active = false }))
		_, err := s.AddApplication(t.Context(), command, auth.Application{Kind: auth.BehindProxy, Name: "Shop", URL: "https://shop.example.org/"}, now)
		must(t, err)
		if activationOf(t, s, auth.ForwardAuthPlugin).Active {
			t.Error("the second application activated it again")
		}
	})
}

func activationOf(t *testing.T, s *store.Store, id auth.PluginID) auth.Activation {
	t.Helper()
	all, err := s.Activations(t.Context())
	must(t, err)
	i := slices.IndexFunc(all, func(a auth.Activation) bool { return a.Plugin == id })
	if i < 0 {
		t.Fatalf("no plug-in %s", id)
	}
	return all[i]
}
