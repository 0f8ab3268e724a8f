package session_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var byCommand = auth.Actor{Command: true}

// node is a server on a PostgreSQL that others use too.
type node struct {
	*session.Live
	store *store.Store
	use   *store.Use
	t     *testing.T
}

// nodes are so many servers on one database, and a process beside them that
// serves nobody, as a command does.
func nodes(t *testing.T, count int) (all []node, beside *store.Store, url string) {
	t.Helper()
	url = storetest.Migrated["PostgreSQL"](t)
	ring := keys.New()
	for range count {
		n := node{store: storetest.Open(t, url, ring), t: t}
		n.Live = session.New(n.store, storetest.Policy)
		use, err := n.store.Serve(t.Context())
		must(t, err)
		n.use = use
		all = append(all, n)
	}
	return all, storetest.Open(t, url, ring), url
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// standing asks whose session a token opens; a minute later, so that no limit is near.
func (n node) standing(token secret.Token) auth.Standing {
	n.t.Helper()
	p, err := n.Who(n.t.Context(), token.Hash(), storetest.Now.Add(time.Minute))
	must(n.t, err)
	return p.Standing
}

// remembers asks until a session is answered without the database.
func (n node) remembers(token secret.Token) {
	n.t.Helper()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		before := n.store.Work().Queries
		if got := n.standing(token); got != auth.SignedIn {
			n.t.Fatalf("%s, want signed in", got)
		}
		if n.store.Work().Queries == before {
			return
		}
	}
	n.t.Fatal("each question asks the database")
}

// Whoever ends sessions returns when no server answers for them any more, be it
// a server or a command. Every server remembers them until then.
func TestAnEndingReturnsWhenEveryServerHasHeardOfIt(t *testing.T) {
	all, beside, _ := nodes(t, 3)
	enders := []*store.Store{all[0].store, all[1].store, beside}
	u := storetest.Person(t, beside, "ada@example.org")
	for round := range 60 {
		made := storetest.Session(t, beside, u, storetest.Now)
		for _, n := range all {
			n.remembers(made.Token)
		}
		_, err := enders[round%len(enders)].EndSessions(t.Context(), byCommand, u.ID, "", "why", storetest.Now)
		must(t, err)
		for i, n := range all {
			if got := n.standing(made.Token); got != auth.Over {
				t.Fatalf("round %d: server %d answers %s after the ending", round, i, got)
			}
		}
	}
}

// stalled stops listening at one change, as a process does that is not run.
type stalled struct {
	store.Listener
	at              auth.UserID
	reaches, goesOn chan struct{}
	once            sync.Once
}

func (s *stalled) UserChanged(u auth.UserID) {
	if u == s.at {
		s.once.Do(func() { close(s.reaches); <-s.goesOn })
	}
	s.Listener.UserChanged(u)
}

// A server that does not get to forgetting believes nothing that it remembers by
// the time at which the ending returns.
func TestAServerThatDoesNotAnswerBelievesNothingThatItRemembers(t *testing.T) {
	url, ring := storetest.Migrated["PostgreSQL"](t), keys.New()
	beside := storetest.Open(t, url, ring)
	u := storetest.Person(t, beside, "ada@example.org")
	made := storetest.Session(t, beside, u, storetest.Now)
	n := node{store: storetest.Open(t, url, ring), t: t}
	n.Live = session.New(n.store, storetest.Policy)
	s := &stalled{Listener: n.Live, at: u.ID, reaches: make(chan struct{}), goesOn: make(chan struct{})}
	goOn := sync.OnceFunc(func() { close(s.goesOn) })
	t.Cleanup(goOn) // before the store is closed, which waits for what is heard
	n.store.Listen(s)
	_, err := n.store.Serve(t.Context())
	must(t, err)
	n.remembers(made.Token)
	ended := make(chan error, 1)
	go func() {
		_, err := beside.EndSessions(context.Background(), byCommand, u.ID, "", "why", storetest.Now)
		ended <- err
	}()
	<-s.reaches
	must(t, <-ended)
	if got := n.standing(made.Token); got != auth.Over {
		t.Errorf("%s, want over", got)
	}
	goOn()
	again := storetest.Session(t, beside, u, storetest.Now)
	n.remembers(again.Token)
}

// A server that cannot give its beats asks the database each time, and forgets
// what it knew when it is in touch again.
func TestAServerOutOfTouchAsksTheDatabase(t *testing.T) {
	all, beside, url := nodes(t, 2)
	n := all[0]
	u := storetest.Person(t, beside, "ada@example.org")
	made := storetest.Session(t, beside, u, storetest.Now)
	n.remembers(made.Token)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.Exec(`LOCK TABLE nodes IN EXCLUSIVE MODE`) // beats wait, questions do not
	must(t, err)
	for until := time.Now().Add(10 * time.Second); n.store.Hears(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it hears without a beat")
		}
	}
	if does, err := n.use.Does(t.Context(), store.DutyLetters); err != nil || !does {
		t.Errorf("out of touch nobody sends letters: %v, %v", does, err)
	}
	_, err = beside.EndSessions(t.Context(), byCommand, u.ID, "", "why", storetest.Now)
	must(t, err)
	if got := n.standing(made.Token); got != auth.Over {
		t.Errorf("out of touch: %s, want over", got)
	}
	must(t, tx.Rollback())
	again := storetest.Session(t, beside, u, storetest.Now)
	n.remembers(again.Token)
	if got := n.standing(made.Token); got != auth.Over {
		t.Errorf("in touch again: %s, want over", got)
	}
}

// A server whose connections broke is in touch again by itself.
func TestAServerWhoseConnectionsBrokeIsInTouchAgain(t *testing.T) {
	all, beside, url := nodes(t, 2)
	u := storetest.Person(t, beside, "ada@example.org")
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	for range 3 {
		made := storetest.Session(t, beside, u, storetest.Now)
		all[0].remembers(made.Token)
		_, err := db.Exec(`
			SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			 WHERE datname = current_database() AND pid <> pg_backend_pid()
			   AND (query ILIKE 'LISTEN %' OR query LIKE '%UPDATE nodes%')`)
		must(t, err)
		_, err = all[1].store.EndSessions(t.Context(), byCommand, u.ID, "", "why", storetest.Now)
		must(t, err)
		if got := all[0].standing(made.Token); got != auth.Over {
			t.Errorf("%s, want over", got)
		}
	}
	made := storetest.Session(t, beside, u, storetest.Now)
	for _, n := range all {
		n.remembers(made.Token)
	}
}

// Plug-ins and applications are remembered as sessions are.
func TestWhatIsActivatedHoldsOnEveryServerAtOnce(t *testing.T) {
	all, beside, _ := nodes(t, 2)
	u := storetest.Person(t, beside, "ada@example.org")
	for _, enabled := range []bool{true, false, true} {
		for _, n := range all {
			_, err := n.Activations(t.Context())
			must(t, err)
		}
		must(t, beside.ChangeActivation(t.Context(), byCommand, auth.ForwardAuthPlugin, store.NoLoss, storetest.Now, func(a *auth.Activation) {
			a.Active, a.Everyone = enabled, enabled
		}))
		for i, n := range all {
			policy, err := n.PolicyFor(t.Context(), u.ID, nil)
			must(t, err)
			if policy.ForwardAuth != enabled {
				t.Errorf("server %d: enabled %v, want %v", i, policy.ForwardAuth, enabled)
			}
		}
	}
}

// A session that is used through one server does not lapse on another, which
// read it when it began.
func TestASessionThatIsUsedElsewhereDoesNotLapseHere(t *testing.T) {
	all, beside, _ := nodes(t, 2)
	here, elsewhere := all[0], all[1]
	u := storetest.Person(t, beside, "ada@example.org")
	made := storetest.Session(t, beside, u, storetest.Now)
	here.remembers(made.Token)
	later := storetest.Now.Add(storetest.Policy.SessionIdle - time.Minute)
	p, err := elsewhere.Who(t.Context(), made.Token.Hash(), later)
	must(t, err)
	elsewhere.Seen(t.Context(), p.Session, later)
	must(t, elsewhere.Flush(t.Context(), later))
	p, err = here.Who(t.Context(), made.Token.Hash(), later.Add(2*time.Minute))
	must(t, err)
	if p.Standing != auth.SignedIn {
		t.Errorf("%s, want signed in", p.Standing)
	}
}

// Whoever comes back in the last seconds of the idle limit is known to the next
// server at once, also before what was seen is written by the way.
func TestWhoeverComesBackInTheLastSecondsIsKnownEverywhere(t *testing.T) {
	all, beside, _ := nodes(t, 2)
	here, elsewhere := all[0], all[1]
	u := storetest.Person(t, beside, "ada@example.org")
	for _, before := range []time.Duration{time.Millisecond, time.Second, 9 * time.Second, 19 * time.Second} {
		made := storetest.Session(t, beside, u, storetest.Now)
		here.remembers(made.Token)
		late := storetest.Now.Add(storetest.Policy.SessionIdle - before)
		p, err := elsewhere.Who(t.Context(), made.Token.Hash(), late)
		must(t, err)
		elsewhere.Seen(t.Context(), p.Session, late)
		if p, err = here.Who(t.Context(), made.Token.Hash(), late.Add(before)); err != nil || p.Standing != auth.SignedIn {
			t.Errorf("%v before the limit: %s, %v, want signed in", before, p.Standing, err)
		}
	}
	made := storetest.Session(t, beside, u, storetest.Now)
	p, err := elsewhere.Who(t.Context(), made.Token.Hash(), storetest.Now.Add(time.Minute))
	must(t, err)
	written := elsewhere.store.Work().Transactions
	elsewhere.Seen(t.Context(), p.Session, storetest.Now.Add(time.Minute))
	if elsewhere.store.Work().Transactions != written {
		t.Error("what lapses only in an hour is written at each request")
	}
}

// The answer to a server's own commit may be lost, and the commit come true after
// the server forgot. It obeys its own word when it hears it, as everybody does.
func TestWhatAnOwnCommitEndedLateIsOverHereToo(t *testing.T) {
	all, beside, url := nodes(t, 1)
	n := all[0]
	u := storetest.Person(t, beside, "ada@example.org")
	made := storetest.Session(t, beside, u, storetest.Now)
	n.remembers(made.Token)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	_, err = db.Exec(`
		WITH ended AS (UPDATE sessions SET ended_at = 1 RETURNING user_id)
		SELECT pg_notify('twinlock_news', json_build_object('from', (SELECT id FROM nodes), 'ending', 'late', 'users', json_agg(user_id))::text)
		  FROM ended`)
	must(t, err)
	n.forgets(made.Token)
}

// What a newer version says and this one has no word for ends what it remembers.
func TestWhatIsNotUnderstoodEndsEverythingThatIsRemembered(t *testing.T) {
	all, beside, url := nodes(t, 1)
	n := all[0]
	u := storetest.Person(t, beside, "ada@example.org")
	made := storetest.Session(t, beside, u, storetest.Now)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	for _, said := range []string{`{"from":"newer","ending":"one","places":["Ghent"]}`, `no news`} {
		n.remembers(made.Token)
		_, err = db.Exec(`UPDATE sessions SET ended_at = 1`)
		must(t, err)
		_, err = db.Exec(`SELECT pg_notify('twinlock_news', $1)`, said)
		must(t, err)
		n.forgets(made.Token)
		_, err = db.Exec(`UPDATE sessions SET ended_at = 0`)
		must(t, err)
	}
}

// forgets asks until a session is over.
func (n node) forgets(token secret.Token) {
	n.t.Helper()
	for until := time.Now().Add(10 * time.Second); n.standing(token) != auth.Over; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			n.t.Fatal("it is remembered for good")
		}
	}
}

// A server that was out of touch reads by new connections alone: the old ones may
// lead to a primary that another one has replaced.
func TestAServerInTouchAgainReadsByNewConnections(t *testing.T) {
	all, _, url := nodes(t, 1)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	must(t, all[0].store.Ready(t.Context()))
	var old int64
	must(t, db.QueryRow(`SELECT MAX(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%FROM settings%' AND pid <> pg_backend_pid()`).Scan(&old))
	_, err = db.Exec(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN %' AND pid <> pg_backend_pid()`)
	must(t, err)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		must(t, all[0].store.Ready(t.Context()))
		var there bool
		must(t, db.QueryRow(`SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%FROM settings%')`, old).Scan(&there))
		if !there {
			return
		}
		if time.Now().After(until) {
			t.Fatal("it goes on reading by an old connection")
		}
	}
}
