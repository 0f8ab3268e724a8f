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
		want(store.Belongings{Secret: true}, now) // a code that nobody exchanged
		must(t, s.Exchange(t.Context(), g.Grant, store.Issue{Access: access.Hash(), AccessExpires: now.Add(time.Minute)}, now))
		must(t, s.SetApplicationRules(t.Context(), command, g.Application, []auth.Rule{{Path: "/a", Access: auth.Public}, {Path: "/b", Access: auth.Public}}, now))
		want(store.Belongings{SignedIn: 1, Rules: 2, SignIns: 1, Secret: true}, now)
		want(store.Belongings{Rules: 2, SignIns: 1, Secret: true}, g.Expires)
	})
}

// A session that is over by its own times is nobody's sign-in, though nothing has
// taken it away yet.
func TestASignInThatIsOverByItselfDoesNotGoWithAnApplication(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g, err := s.AddGate(t.Context(), command, auth.Gate{Application: auth.Application{Name: "Wiki", URL: "https://wiki.example.org", Everyone: true}}, now)
		must(t, err)
		made := storetest.Session(t, s, storetest.Person(t, s, "ada@example.org"), now)
		_, err = s.FinishHandOver(t.Context(), auth.Actor{}, handOver(t, s, made.Session, g.Application).Hash(), storetest.Browser.Hash(), at(t, g.URL), now)
		must(t, err)
		for after, want := range map[time.Duration]int{time.Hour: 1, 25 * time.Hour: 0} {
			if goes, err := s.Belongings(t.Context(), g.ID, now.Add(after)); err != nil || goes.SignedIn != want {
				t.Errorf("after %s: %+v, %v, want %d", after, goes, err, want)
			}
		}
	})
}
