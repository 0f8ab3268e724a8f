package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/throttle"
)

func TestAProofUnderWayWhileThePasswordIsChangedGetsNoSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		by := inSession(t, s, u) // both the owner and whoever copied the cookie
		kept, err := s.ChangePassword(t.Context(), by, store.NewPassword{Checked: "the hash", Hash: "another hash"}, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Confirm(t.Context(), by, store.Confirmation{Password: true}, nil, now); !errors.Is(err, store.ErrSpent) {
			t.Errorf("a proof of the old password = %v, want ErrSpent", err)
		}
		wantEnded(t, s, kept, false)
	})
}

func TestAConfirmationDoesNotForgetTheMonthsWrongCodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := inSession(t, s, storetest.Person(t, s, "ada@example.org"))
		month := throttle.CodesThisMonth(string(by.User.ID))
		rule := throttle.Rule{Free: 2, CloseAfter: 2, Window: 30 * 24 * time.Hour}
		if _, err := s.Pay(t.Context(), month, rule, now); err != nil { // a wrong code
			t.Fatal(err)
		}
		paid, err := s.Pay(t.Context(), month, rule, now) // the right one
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Confirm(t.Context(), by, store.Confirmation{Password: true}, []store.Payment{paid}, now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Pay(t.Context(), month, rule, now); err != nil {
			t.Errorf("the second wrong code: %v", err)
		}
		if err := s.Waits(t.Context(), month, rule, now); err == nil {
			t.Error("the first wrong code was forgotten")
		}
	})
}

// Two proofs on their way under one token: the second would give the browser's
// token away, and write back what the first had made newer.
func TestOfTwoConfirmationsUnderOneTokenOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := storetest.Person(t, s, "ada@example.org")
		made := storetest.Session(t, s, u, storetest.Now)
		by := auth.Actor{User: u, Session: made.Session}
		later := storetest.Now.Add(time.Minute)
		token, err := s.Confirm(t.Context(), by, store.Confirmation{Password: true}, nil, later)
		must(t, err)
		if _, err := s.Confirm(t.Context(), by, store.Confirmation{Password: true}, nil, later.Add(time.Second)); !errors.Is(err, store.ErrSpent) {
			t.Errorf("the second: %v, want %v", err, store.ErrSpent)
		}
		if _, err := s.Holder(t.Context(), token.Hash()); err != nil {
			t.Errorf("the first one's token: %v", err)
		}
	})
}
