package store_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestWhatGoesWithAnApplicationIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g, access := beginGrant(t, s, now), secret.New()
		want := func(want store.Belongings, at time.Time) {
			t.Helper()
			if got, err := s.Belongings(t.Context(), g.Application, at); err != nil || got != want {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
		want(store.Belongings{}, now) // a code that nobody exchanged
		must(t, s.Exchange(t.Context(), g.Grant, store.Issue{Access: access.Hash(), AccessExpires: now.Add(time.Minute)}, now))
		must(t, s.SetApplicationRules(t.Context(), command, g.Application, []auth.Rule{{Path: "/a", Access: auth.Public}, {Path: "/b", Access: auth.Public}}, now))
		want(store.Belongings{SignedIn: 1, Rules: 2, SignIns: 1}, now)
		want(store.Belongings{Rules: 2, SignIns: 1}, g.Expires)
	})
}
