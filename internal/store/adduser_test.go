package store_test

import (
	"fmt"
	"testing"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// numbered are new people, in two groups by turns.
func numbered(t *testing.T, s *store.Store, many int) (people []store.NewUser) {
	t.Helper()
	groups := []auth.Group{{ID: group(t, s, "Staff").ID, Name: "Staff"}, {ID: group(t, s, "Board").ID, Name: "Board"}}
	for i := range many {
		a, err := address.Parse(fmt.Sprintf("person%d@example.org", i))
		must(t, err)
		people = append(people, store.NewUser{Address: a, Hash: "hash", Groups: groups[i%2 : i%2+1], Administrator: i%100 == 0})
	}
	return people
}

func TestManyPeopleAreAddedByAFewStatements(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		people := numbered(t, s, 1000)
		before := s.Work().Statements
		made, err := s.AddUsers(t.Context(), eli, people, now)
		must(t, err)
		if n := s.Work().Statements - before; n > 30 {
			t.Errorf("%d statements for %d people", n, len(people))
		}
		for i, yes := range made {
			if !yes {
				t.Fatalf("person %d was not made", i)
			}
		}
		if n := len(recorded(t, s, auth.EventUserAdded)); n == 0 {
			t.Error("no event tells of it")
		}
		members, err := s.Members(t.Context())
		must(t, err)
		for _, n := range people[:2] {
			if members[n.Groups[0].ID] != 500 {
				t.Errorf("%s has %d members, want 500", n.Groups[0].Name, members[n.Groups[0].ID])
			}
		}
	})
}

// Nobody can remember who was not there yet: other servers hear of new people only
// where the operator's settings name one of them.
func TestServersAreToldOfNewPeopleWhoAreNamedInTheSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s.ObeySettings(t.Context(), store.Given{Decides: true, Grants: []auth.Enablement{
			{Plugin: auth.TwoFactorPlugin, User: "person7@example.org"}}}, now))
		people := numbered(t, s, 10)
		for i, tt := range []struct {
			people []store.NewUser
			told   bool
		}{{people[:7], false}, {people[6:], true}, {people, false}} {
			var e ear
			s.Listen(&e)
			_, err := s.AddUsers(t.Context(), eli, tt.people, now)
			must(t, err)
			if e.plugins != tt.told || len(e.users) > 0 {
				t.Errorf("list %d: told of plug-ins %v, of %d people; want %v, 0", i, e.plugins, len(e.users), tt.told)
			}
		}
	})
}
