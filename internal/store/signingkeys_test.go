package store_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Two servers may meet their first application at once.
func TestTheFirstApplicationsAtOnceShareOneKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		made := together(t, nil, func() error {
			_, _, err := s.AddClient(t.Context(), command, auth.Application{Name: secret.NewID(), URL: "https://wiki.example.org/"}, auth.Client{}, now)
			return err
		})
		all, err := s.SigningKeys(t.Context())
		must(t, err)
		if len(all) != 1 {
			t.Errorf("%d applications made %d keys", made, len(all))
		}
	})
}

// And two may think that it is theirs to make the next key.
func TestAKeyIsFollowedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first, err := keys.NewSigning(auth.ES256)
		must(t, err)
		must(t, s.FollowSigningKey(t.Context(), command, first, "", now, now))
		won := together(t, store.ErrSpent, func() error {
			next, err := keys.NewSigning(auth.ES256)
			must(t, err)
			return s.FollowSigningKey(t.Context(), command, next, first.ID, now.Add(time.Hour), now)
		})
		all, err := s.SigningKeys(t.Context())
		must(t, err)
		if won != 1 || len(all) != 2 {
			t.Errorf("%d followed, and there are %d keys; want 1 and 2", won, len(all))
		}
	})
}
