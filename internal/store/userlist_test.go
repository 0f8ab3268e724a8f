package store_test

import (
	"testing"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestPeopleAreFoundWhateverTheCapitalsOfWhateverScript(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.Person(t, s, "ada@example.org")
		a, err := address.Parse("ö.100%@bücher.example")
		must(t, err)
		_, err = s.AddUser(t.Context(), command, store.NewUser{Address: a, Name: "Özlem Γεωργίου-Groß", Hash: "the hash"}, now)
		must(t, err)
		for _, search := range []string{"Özlem", "özlem", "ÖZLEM", "O\u0308zlem", "ΓΕΩΡΓΊΟΥ", "γεωργίου", "groß", "bücher", "BÜCHER.example", "Ö.100%@", "xn--bcher", "XN--BCHER"} {
			people, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now)
			if err != nil || found != 1 || len(people) != 1 || people[0].Address != a.Spelling {
				t.Errorf("%q finds %d (%v)", search, found, err)
			}
		}
		for _, search := range []string{"ozlem", "ö_100", `ö.100\%`, "%%"} {
			if _, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now); err != nil || found != 0 {
				t.Errorf("%q finds %d (%v), want nobody", search, found, err)
			}
		}
	})
}
