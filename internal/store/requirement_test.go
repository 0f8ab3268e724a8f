package store_test

import (
	"slices"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Whom a demand would refuse follows the operator's settings where they decide.
func TestWhomADemandWouldRefuseFollowsWhatDecides(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, now := auth.Actor{Command: true}, storetest.Now
		ada, bob := protectedPerson(t, s, "ada@example.org"), storetest.Person(t, s, "bob@example.org")
		wiki, err := s.AddApplication(t.Context(), by, auth.Application{Name: "Wiki", URL: "https://wiki.example.org", Everyone: true}, now)
		must(t, err)
		want := func(when string, addresses ...string) {
			t.Helper()
			people, all, err := s.Unasked(t.Context(), wiki.ID, 10)
			must(t, err)
			var got []string
			for _, p := range people {
				got = append(got, p.Address)
			}
			if !slices.Equal(got, addresses) || all != len(addresses) {
				t.Errorf("%s: %v of %d, want %v", when, got, all, addresses)
			}
		}
		want("the plug-in is inactive", "ada@example.org", "bob@example.org")
		activate := func(change func(*auth.Activation)) {
			t.Helper()
			must(t, s.ChangeActivation(t.Context(), by, auth.TwoFactorPlugin, store.AnyLoss, now, change))
		}
		activate(func(a *auth.Activation) { a.Active, a.Everyone = true, true })
		want("for everyone", "bob@example.org")
		activate(func(a *auth.Activation) { a.Everyone, a.Users = false, []auth.UserID{bob.ID} })
		want("for Bob alone", "ada@example.org", "bob@example.org")
		staff := group(t, s, "staff", ada)
		activate(func(a *auth.Activation) { a.Groups = []auth.GroupID{staff.ID} })
		want("for a group of Ada's too", "bob@example.org")
		activate(func(a *auth.Activation) { a.Active = false })
		obey(t, s, auth.Enablement{Plugin: auth.TwoFactorPlugin})
		want("by the operator's settings, for everyone", "bob@example.org")
	})
}

// Whoever an application does not open for anyway, is not refused by a demand.
func TestADemandRefusesNobodyForWhomTheApplicationsPluginIsOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, now := auth.Actor{Command: true}, storetest.Now
		bob := storetest.Person(t, s, "bob@example.org")
		storetest.Person(t, s, "cem@example.org")
		wiki, err := s.AddApplication(t.Context(), by, auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org", Everyone: true}, now)
		must(t, err)
		for when, tt := range map[string]struct {
			change func(*auth.Activation)
			want   int
		}{
			"for everyone":  {func(a *auth.Activation) { a.Active, a.Everyone = true, true }, 2},
			"for Bob alone": {func(a *auth.Activation) { a.Active, a.Everyone, a.Users = true, false, []auth.UserID{bob.ID} }, 1},
			"inactive":      {func(a *auth.Activation) { a.Active = false }, 0},
		} {
			must(t, s.ChangeActivation(t.Context(), by, auth.ForwardAuthPlugin, store.AnyLoss, now, tt.change))
			people, all, err := s.Unasked(t.Context(), wiki.ID, 10)
			must(t, err)
			if all != tt.want || len(people) != tt.want {
				t.Errorf("%s: %d of %d, want %d", when, len(people), all, tt.want)
			}
		}
	})
}
