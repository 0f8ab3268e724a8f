package store_test

import (
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
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
