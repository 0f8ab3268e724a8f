package store_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestSignUpsWithSomebodysAddressLeaveTheWayToANewPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		hers := address.Address{Spelling: u.Address, Canonical: u.Canonical}
		m := store.Mailed{Life: time.Hour, Path: func(secret.Token) string { return "/" }}
		for range 10 {
			if err := s.BeginSignup(t.Context(), auth.Actor{}, store.NewSignup{Address: hers, Hash: "a hash"}, m, now); err != nil {
				t.Fatal(err)
			}
		}
		reset(t, s, u, now)
		letters, err := s.DueLetters(t.Context(), 100, now)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[auth.LetterKind]int{}
		for _, l := range letters {
			kinds[l.Letter.Kind]++
		}
		if kinds[auth.LetterAccountExists] != 3 || kinds[auth.LetterReset] != 1 {
			t.Errorf("%v, want three that tell of the account and one with the link", kinds)
		}
	})
}
