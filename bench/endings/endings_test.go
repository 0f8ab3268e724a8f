// Package endings measures how soon what one server ends is refused by another
// one on the same PostgreSQL.
//
//	go test ./bench/endings -bench . -benchtime 1000x
package endings

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	storetest.Stop()
	os.Exit(status)
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAnEndingReachesTheOtherServer gives, in milliseconds, how long half of
// the endings took, and 99 of 100, from their beginning on one server to the first
// refusal on the other, and to their own return.
func BenchmarkAnEndingReachesTheOtherServer(b *testing.B) {
	ring, address := keys.New(), storetest.Migrated["PostgreSQL"](b)
	var servers [2]*session.Live
	var stores [2]*store.Store
	for i := range servers {
		s, err := store.Open(b.Context(), address, ring, storetest.Rules)
		must(b, err)
		defer s.Close()
		servers[i], stores[i] = session.New(s, storetest.Policy), s
		use, err := s.Serve(b.Context())
		must(b, err)
		defer use.Close()
	}
	u := storetest.Person(b, stores[0], "ada@example.org")
	var refused, returned []time.Duration
	for b.Loop() {
		b.StopTimer()
		made := storetest.Session(b, stores[0], u, storetest.Now)
		live := func() bool {
			p, err := servers[1].Who(b.Context(), made.Token.Hash(), storetest.Now.Add(time.Minute))
			must(b, err)
			return p.Standing == auth.SignedIn
		}
		live()
		b.StartTimer()
		began := time.Now()
		done := make(chan time.Duration)
		go func() {
			_, err := stores[0].EndSessions(b.Context(), auth.Actor{Command: true}, u.ID, "", "why", storetest.Now)
			if err != nil {
				b.Error(err)
			}
			done <- time.Since(began)
		}()
		for live() {
			time.Sleep(100 * time.Microsecond)
		}
		refused = append(refused, time.Since(began))
		returned = append(returned, <-done)
	}
	for what, all := range map[string][]time.Duration{"refused": refused, "returned": returned} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2])/1e6, what+"-half-ms")
		b.ReportMetric(float64(all[len(all)*99/100])/1e6, what+"-99-ms")
	}
}
