package store_test

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestSignInsAreCountedByApplicationAndDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, now := auth.Actor{Command: true}, storetest.Now
		midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		wiki, err := s.AddApplication(t.Context(), by, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"}, now)
		must(t, err)
		other, err := s.AddApplication(t.Context(), by, auth.Application{Name: "Other", URL: "https://other.example.org"}, now)
		must(t, err)
		for _, at := range []time.Time{midnight.AddDate(0, 0, -40), now, now, midnight.Add(-time.Millisecond), midnight} {
			must(t, s.CountSignIn(t.Context(), wiki.ID, at))
		}

		days, err := s.SignIns(t.Context(), wiki.ID, 3, midnight.Add(time.Hour))
		must(t, err)
		want := []store.Day{{Start: midnight.AddDate(0, 0, -2)}, {Start: midnight.AddDate(0, 0, -1), Logins: 3}, {Start: midnight, Logins: 1}}
		if len(days) != len(want) {
			t.Fatalf("%d days, want %d", len(days), len(want))
		}
		for i := range want {
			if days[i] != want[i] {
				t.Errorf("day %d: %+v, want %+v", i, days[i], want[i])
			}
		}
		none, err := s.SignIns(t.Context(), other.ID, 1, midnight)
		must(t, err)
		if none[0].Logins != 0 {
			t.Error("another application's sign-ins are counted here")
		}
		must(t, s.DeleteApplication(t.Context(), by, wiki, now))
	})
}
