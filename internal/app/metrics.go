package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/metrics"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// serveMetrics answers Prometheus on a listener of its own, until the background
// work is to end. Without the setting there is none.
func (a *App) serveMetrics() error {
	if a.Config.MetricsListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", string(a.Config.MetricsListen))
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("metrics: another program has %s already; choose another address with --metrics-listen", a.Config.MetricsListen)
	} else if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	if !a.Config.MetricsListen.Loopback() {
		a.log.Warn("metrics_listen is not on loopback: whoever reaches it reads how many people log in, and when; let only Prometheus")
	}
	server := &http.Server{
		Handler: a.MetricsHandler(), ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 8 << 10,
	}
	context.AfterFunc(a.work.ctx, func() { _ = server.Close() })
	a.work.group.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("metrics", "error", err)
		}
	})
	return nil
}

// MetricsHandler answers GET /metrics, and nothing else. On loopback it is for
// those who ask for loopback: a page of another site may name itself after this
// machine, and a browser here would read for it.
func (a *App) MetricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		asked := url.URL{Host: r.Host}
		if a.Config.MetricsListen.Loopback() && !config.IsLoopback(asked.Hostname()) {
			http.Error(w, "metrics_listen is on loopback: ask for 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Content-Type", metrics.ContentType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(a.scrape(r.Context()))
	})
	return mux
}

// scrape is how the program is now. What only the database knows is left out
// where it does not answer.
func (a *App) scrape(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, readyPatience) // for all that the database is asked
	defer cancel()
	var t metrics.Text
	why, _ := a.readiness(ctx)
	t.Gauge("twinlock_ready", "1 while the server can do its work, as /readyz tells.", of(why == isReady))
	t.Gauge("twinlock_build_info", "The version of the program.",
		metrics.Of(1).With("version", Version()).With("go", runtime.Version()))
	a.logins(&t)
	a.traffic(&t)
	a.queues(&t)
	a.memory(&t)
	a.database(&t)
	a.letters(ctx, &t)
	a.keyAges(ctx, &t)
	process(&t)
	return t.Bytes()
}

func of(so bool) metrics.Sample {
	if so {
		return metrics.Of(1)
	}
	return metrics.Of(0)
}

// refusedLogins are the events of tries that opened nothing, and what was tried.
var refusedLogins = []struct {
	factor string
	kinds  []auth.EventKind
}{
	{store.PasswordAlone, []auth.EventKind{auth.EventLoginRefused}},
	{"code", []auth.EventKind{auth.EventCodeRefused}},
	{"passkey", []auth.EventKind{auth.EventPasskeyRefused, auth.EventPasskeyCounterBack}},
	{store.OpenWindow, []auth.EventKind{auth.EventReturnRefused}},
}

func (a *App) logins(t *metrics.Text) {
	counts := a.Store.Counts()
	var all []metrics.Sample
	for _, s := range counts.Logins.Samples("factor") {
		all = append(all, s.With("result", "done"))
	}
	for _, r := range refusedLogins {
		var refused int64
		for _, kind := range r.kinds {
			refused += counts.Events.Count(string(kind))
		}
		all = append(all, metrics.Of(refused).With("factor", r.factor).With("result", "refused"))
	}
	t.Counter("twinlock_logins_total", "Logins that were finished, and passwords, codes, passkeys and returns that were refused, by what proved the person.", all...)
	t.Counter("twinlock_events_total", "Events of the record, by kind.", counts.Events.Samples("kind")...)
}

func (a *App) traffic(t *metrics.Text) {
	traffic := a.Floor.Traffic()
	t.Counter("twinlock_refusals_total", "Requests that were refused, by reason; wrong passwords and codes are told by twinlock_logins_total.",
		traffic.Refusals.Samples("reason")...)
	t.Counter("twinlock_http_requests_total", "Requests by what they are about, and the kind of the answer's status.", traffic.Answers()...)
	t.Times("twinlock_http_request_seconds", "How long answers took.", "about", web.Abouts, traffic.Took)
}

// queues tells of the work that is done in slots.
func (a *App) queues(t *metrics.Text) {
	queues := []struct {
		name  string
		slots *slots.Slots
	}{{"hash", a.slots}, {"judge", a.judges}, {"judge linked", a.linked}, {"judge typed", a.bar}}
	each := func(of func(slots.Load) metrics.Sample) (all []metrics.Sample) {
		for _, q := range queues {
			all = append(all, of(q.slots.Load()).With("work", q.name))
		}
		return all
	}
	for _, m := range []struct {
		write      func(*metrics.Text, string, string, ...metrics.Sample)
		name, help string
		of         func(slots.Load) metrics.Sample
	}{
		{(*metrics.Text).Gauge, "twinlock_queue_slots", "How much of this work runs at once at most.", func(l slots.Load) metrics.Sample { return metrics.Of(l.Slots) }},
		{(*metrics.Text).Gauge, "twinlock_queue_running", "How much of it runs now.", func(l slots.Load) metrics.Sample { return metrics.Of(l.Running) }},
		{(*metrics.Text).Gauge, "twinlock_queue_waiting", "How much of it waits now.", func(l slots.Load) metrics.Sample { return metrics.Of(l.Waiting) }},
		{(*metrics.Text).Counter, "twinlock_queue_begun_total", "How much of it has begun.", func(l slots.Load) metrics.Sample { return metrics.Of(l.Begun) }},
		{(*metrics.Text).Counter, "twinlock_queue_refused_total", "How much of it was refused, because too much waited or because it had waited for too long.", func(l slots.Load) metrics.Sample { return metrics.Of(l.Refused) }},
		{(*metrics.Text).Counter, "twinlock_queue_waited_seconds_total", "How long what has begun had waited, together.", func(l slots.Load) metrics.Sample { return metrics.Seconds(l.Waited) }},
	} {
		m.write(t, m.name, m.help, each(m.of)...)
	}
}

func (a *App) memory(t *metrics.Text) {
	hits, misses := a.Live.Lookups()
	t.Counter("twinlock_session_lookups_total", "Questions whose session it is: hits were answered from memory, misses by the database.",
		metrics.Of(hits).With("result", "hit"), metrics.Of(misses).With("result", "miss"))
}

func (a *App) database(t *metrics.Text) {
	counts, work, pools := a.Store.Counts(), a.Store.Work(), a.Store.Pools()
	var connections, waits []metrics.Sample
	for _, name := range []string{"read", "write"} {
		if p, ok := pools[name]; ok {
			connections = append(connections, metrics.Of(p.InUse).With("pool", name).With("state", "used"),
				metrics.Of(p.Idle).With("pool", name).With("state", "idle"))
			waits = append(waits, metrics.Seconds(p.WaitDuration).With("pool", name))
		}
	}
	t.Gauge("twinlock_database_connections", "Connections to the database.", connections...)
	t.Counter("twinlock_database_waited_seconds_total", "How long it was waited for a connection.", waits...)
	t.Counter("twinlock_database_statements_total", "Statements, inside of transactions and outside.", metrics.Of(work.Queries+work.Statements))
	t.Counter("twinlock_database_transactions_total", "Writing transactions that were begun.", metrics.Of(work.Transactions))
	t.Counter("twinlock_database_errors_total", "What the database did not do, though nobody broke it off and no rule of the tables forbade it.", metrics.Of(counts.Errors()))
	t.Times("twinlock_database_seconds", "How long the database took: to let a transaction begin, for a statement, for a commit.",
		"span", store.Spans, counts.Took)
}

// The words of what became of a letter's try.
const (
	letterSent, letterFailed, letterGivenUp = "sent", "failed", "given up"
)

func (a *App) letters(ctx context.Context, t *metrics.Text) {
	t.Counter("twinlock_letters_total", "Tries to send a letter, by how they went.", a.work.letters.Samples("result")...)
	n, oldest, err := a.Store.LettersWaiting(ctx)
	if err != nil {
		return
	}
	t.Gauge("twinlock_letters_waiting", "Letters that are neither sent nor given up.", metrics.Of(n))
	t.Gauge("twinlock_letters_oldest_seconds", "How long the oldest of them has waited.", metrics.Seconds(a.since(oldest)))
}

// keyAges tells how old the keys are. The age of the sealing key is that of its
// file, by the machine's clock: whoever puts a file in its place makes it young.
func (a *App) keyAges(ctx context.Context, t *metrics.Text) {
	var ages []metrics.Sample
	if file, err := os.Stat(keyFile(a.Config)); err == nil {
		ages = append(ages, metrics.Seconds(max(0, time.Since(file.ModTime()))).With("key", "sealing"))
	}
	if made, err := a.Store.SigningKeyMade(ctx); err == nil && !made.IsZero() {
		ages = append(ages, metrics.Seconds(a.since(made)).With("key", "signing"))
	}
	t.Gauge("twinlock_key_age_seconds", "How old the newest key of each kind is.", ages...)
	var left []metrics.Sample
	if c := a.work.certificate; c != nil {
		held, _ := c.get(nil)
		left = append(left, metrics.Seconds(held.Leaf.NotAfter.Sub(a.Now())))
	}
	t.Gauge("twinlock_certificate_seconds", "How long the certificate of the server's own TLS is still good.", left...)
}

// since is zero for what never was.
func (a *App) since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(0, a.Now().Sub(at))
}
