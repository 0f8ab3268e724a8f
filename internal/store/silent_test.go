package store_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// asked is a context as a request has it: with an end that is far away.
func asked(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// mostSilence is how long a request may stand before a database that says nothing.
const mostSilence = 5 * time.Second

// Nobody who asks waits long for a database that is gone without a word, and it
// is said to be the database's fault. It is asked again as soon as it is back.
func TestADatabaseThatIsGoneWithoutAWordIsNotWaitedFor(t *testing.T) {
	for what, ask := range map[string]func(context.Context, *store.Store) error{
		"a question": func(ctx context.Context, s *store.Store) error {
			_, err := s.SetUp(ctx)
			return err
		},
		"a list": func(ctx context.Context, s *store.Store) error {
			_, err := s.Activations(ctx)
			return err
		},
		"a change": func(ctx context.Context, s *store.Store) error {
			return s.OfferSetup(ctx, auth.Actor{Command: true}, secret.New().Hash(), storetest.Now)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			line, address := storetest.NewLine(t, storetest.Migrated["PostgreSQL"](t))
			s := storetest.Open(t, address, keys.New())
			use, err := s.Serve(t.Context())
			must(t, err)
			t.Cleanup(func() { _ = use.Close() })
			must(t, ask(asked(t), s))
			line.Cut()
			began := time.Now()
			err = ask(asked(t), s)
			if took := time.Since(began); took > mostSilence || !store.IsUnavailable(err) {
				t.Errorf("after %s: %v", took, err)
			}
			line.Mend()
			began = time.Now()
			for ask(asked(t), s) != nil && time.Since(began) < mostSilence {
				time.Sleep(20 * time.Millisecond)
			}
			if took := time.Since(began); took > mostSilence {
				t.Errorf("it is still not asked after %s", took)
			}
		})
	}
}

// A connection that ends while an answer is awaited is the database's fault too,
// and no mistake of ours.
func TestAConnectionThatEndsBeforeTheAnswerIsTheDatabasesFault(t *testing.T) {
	t.Parallel()
	database := storetest.Migrated["PostgreSQL"](t)
	line, address := storetest.NewLine(t, database)
	s := storetest.Open(t, address, keys.New())
	raw := rawPostgres(t, database)
	other, err := raw.Begin()
	must(t, err)
	defer other.Rollback()
	_, err = other.Exec(`LOCK TABLE users`)
	must(t, err)
	answer := make(chan error)
	go func() {
		_, err := s.SetUp(asked(t))
		answer <- err
	}()
	w := watched{Store: s, t: t, db: raw}
	for len(w.words(`SELECT pid::text FROM pg_locks WHERE NOT granted`)) == 0 {
		time.Sleep(time.Millisecond)
	}
	line.HangUp()
	if err := <-answer; !store.IsUnavailable(err) {
		t.Errorf("it says %v", err)
	}
}

// So is one that had ended before anything was asked.
func TestAConnectionThatHadEndedIsTheDatabasesFault(t *testing.T) {
	t.Parallel()
	c, err := pgx.Connect(t.Context(), storetest.PostgreSQL(t))
	must(t, err)
	must(t, c.Close(t.Context()))
	if _, err := c.Begin(t.Context()); !store.IsUnavailable(err) {
		t.Errorf("it says %v", err)
	}
}

// One of several hosts that is gone without a word holds up the first search for
// the primary, and then no other.
func TestAHostThatIsGoneWithoutAWordIsNotAskedFirstForEver(t *testing.T) {
	t.Parallel()
	database := storetest.Migrated["PostgreSQL"](t)
	gone, first := storetest.NewLine(t, database)
	_, second := storetest.NewLine(t, database)
	at, err := url.Parse(second)
	must(t, err)
	s := storetest.Open(t, strings.Replace(first, "/twinlock_", ","+at.Host+"/twinlock_", 1)+"&connect_timeout=3", keys.New())
	use, err := s.Serve(t.Context())
	must(t, err)
	defer use.Close()
	gone.Cut()
	for began := time.Now(); s.Hears(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > mostSilence {
			t.Fatal("it does not notice")
		}
	}
	for began := time.Now(); !s.Hears(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 2*mostSilence {
			t.Fatal("it is out of touch for good")
		}
	}
	var all sync.WaitGroup
	for range 20 { // more than the pool, which has connections of before
		all.Go(func() {
			began := time.Now()
			if _, err := s.SetUp(asked(t)); err != nil || time.Since(began) > time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		})
	}
	all.Wait()
}

// A server whose database answers others, and only not us because somebody has
// locked what we need, waits: the lock ends, and nobody needs to ask again.
func TestALockIsWaitedForLongerThanSilence(t *testing.T) {
	t.Parallel()
	address := storetest.Migrated["PostgreSQL"](t)
	s := storetest.Open(t, address, keys.New())
	use, err := s.Serve(t.Context())
	must(t, err)
	defer use.Close()
	other, err := rawPostgres(t, address).Begin()
	must(t, err)
	_, err = other.Exec(`LOCK TABLE users`)
	must(t, err)
	time.AfterFunc(mostSilence, func() { _ = other.Rollback() })
	began := time.Now()
	if _, err := s.SetUp(asked(t)); err != nil || time.Since(began) < mostSilence {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}
