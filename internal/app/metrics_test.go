package app_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/web"
)

// scraped is one scrape, as Prometheus itself reads it.
type scraped struct {
	t        *testing.T
	text     string
	families map[string]*dto.MetricFamily
}

func scrape(t *testing.T, site *apptest.Site) scraped {
	t.Helper()
	answer := httptest.NewRecorder()
	site.MetricsHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text := answer.Body.String()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil || answer.Code != http.StatusOK {
		t.Fatalf("status %d, %v\n%s", answer.Code, err, text)
	}
	return scraped{t, text, families}
}

// value finds a number by its name and the values of its labels.
func (s scraped) value(name string, labels ...string) float64 {
	s.t.Helper()
	for _, m := range s.families[name].GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			has = append(has, l.GetValue())
		}
		if slices.Sort(has); slices.Equal(has, slices.Sorted(slices.Values(labels))) {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	s.t.Fatalf("no %s of %q in\n%s", name, labels, s.text)
	return 0
}

func (s scraped) want(value float64, name string, labels ...string) {
	s.t.Helper()
	if got := s.value(name, labels...); got != value {
		s.t.Errorf("%s of %q is %v, want %v", name, labels, got, value)
	}
}

func TestAScrapeTellsWhatHappenedAndToNobody(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	b, ada := signedInAs(site, "ada@example.org")
	b.EnableTwoFactor(ada)
	code := ada.RecoveryCodes[0]
	before := scrape(t, site)

	other := site.Browser()
	login := func(typed string) *apptest.Page {
		return other.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", typed).Press()
	}
	login("nine wrong lapwings 4411")
	page := login(ada.Password).Form("Send code").Fill("Login code", ada.CodeAt(site.Clock.Now().Add(-24*time.Hour))).Press()
	page.Form("Send code").Fill("Login code", code).Press().WantPath("/apps")
	site.Browser().Get("/kestrel-of-a-stranger?token=kestrel").WantStatus(http.StatusNotFound)
	foreign := other.Request(http.MethodPost, "/logout", nil)
	foreign.Header.Set("Origin", "https://kestrel.example.net")
	other.Ask(foreign).WantStatus(http.StatusForbidden)

	after := scrape(t, site)
	for _, tt := range []struct {
		name   string
		labels []string
		more   float64
	}{
		{"twinlock_logins_total", []string{"recovery_code", "done"}, 1},
		{"twinlock_logins_total", []string{"authenticator", "done"}, 0},
		{"twinlock_logins_total", []string{"password", "refused"}, 1},
		{"twinlock_logins_total", []string{"code", "refused"}, 1},
		{"twinlock_events_total", []string{string(auth.EventRecoveryCodeUsed)}, 1},
		{"twinlock_refusals_total", []string{"not_found"}, 1},
		{"twinlock_http_requests_total", []string{"pages", "4xx"}, 4},
		{"twinlock_http_requests_total", []string{"assets", "2xx"}, 0},
		{"twinlock_refusals_total", []string{"form_of_another_site"}, 1},
	} {
		after.want(before.value(tt.name, tt.labels...)+tt.more, tt.name, tt.labels...)
	}
	for _, grown := range []string{"twinlock_database_statements_total", "twinlock_database_transactions_total"} {
		if after.value(grown) <= before.value(grown) {
			t.Errorf("%s did not grow", grown)
		}
	}
	if after.value("twinlock_queue_begun_total", "hash") <= before.value("twinlock_queue_begun_total", "hash") {
		t.Error("no hash was counted")
	}
	after.want(1, "twinlock_ready")
	after.want(0, "twinlock_database_errors_total")
	lower := strings.ToLower(after.text)
	for _, hidden := range []string{"ada@", "example.org", "kestrel", "lapwing", "localhost", strings.ToLower(code)} {
		if strings.Contains(lower, hidden) {
			t.Errorf("the scrape holds %q:\n%s", hidden, after.text)
		}
	}
	if extra := len(after.families) - len(before.families); extra != 0 || strings.Count(after.text, "\n") != strings.Count(before.text, "\n") {
		t.Errorf("the scrape grew by %d metrics: what visitors do must not make it longer", extra)
	}
}

func TestAScrapeTellsWhichLettersWaitAndHowOldKeysAre(t *testing.T) {
	site := apptest.New(t)
	key, err := keys.NewSigning(auth.ES256)
	must(t, err)
	must(t, site.Store.AddSigningKey(t.Context(), auth.Actor{Command: true}, key, site.Now(), site.Now()))
	site.Person("ada@example.org")
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", "ada@example.org").Press()
	before := scrape(t, site)
	waiting := before.value("twinlock_letters_waiting")
	if waiting < 1 {
		t.Fatalf("%v letters wait", waiting)
	}
	site.Clock.Turn(time.Hour)
	after := scrape(t, site)
	after.want(before.value("twinlock_letters_oldest_seconds")+3600, "twinlock_letters_oldest_seconds")
	must(t, site.SendLetters(t.Context()))
	sent := scrape(t, site)
	sent.want(0, "twinlock_letters_waiting")
	sent.want(0, "twinlock_letters_oldest_seconds")
	sent.want(waiting, "twinlock_letters_total", "sent")
	after.want(3600, "twinlock_key_age_seconds", "signing")
	if age := after.value("twinlock_key_age_seconds", "sealing"); age < 0 || age > 600 {
		t.Errorf("the sealing key, just made, is %v s old", age)
	}
}

// A scrape goes on while the database does not answer: then it is needed most.
func TestAScrapeNeedsNoDatabase(t *testing.T) {
	site := apptest.New(t)
	for _, table := range []string{"settings", "letters", "signing_keys"} {
		tamper(t, site, `ALTER TABLE `+table+` RENAME TO gone_`+table)
		defer tamper(t, site, `ALTER TABLE gone_`+table+` RENAME TO `+table)
	}
	s := scrape(t, site)
	s.want(0, "twinlock_ready")
	if s.families["twinlock_letters_waiting"] != nil || s.value("twinlock_database_errors_total") == 0 {
		t.Errorf("it says %s", s.text)
	}
}

// Prometheus waits ten seconds for all of it, and not for one wait after another.
func TestAScrapeWaitsForTheDatabaseOnce(t *testing.T) {
	s := newScene(t, "SQLite")
	ends := map[time.Time]bool{}
	s.wire.Break(func(ctx context.Context, _ storetest.Call) error {
		end, _ := ctx.Deadline()
		ends[end] = true
		return nil
	}, nil)
	began := time.Now()
	scrape(t, s.Site)
	s.wire.Break(nil, nil)
	for end := range ends {
		if len(ends) != 1 || end.IsZero() || end.Sub(began) > 9*time.Second {
			t.Errorf("it waits until %v", ends)
		}
	}
}

// Names follow Prometheus' own rules: seconds and bytes, counters that end in
// _total, and few enough lines for any server.
func TestMetricsAreNamedAsPrometheusAsks(t *testing.T) {
	s := scrape(t, apptest.New(t))
	for _, name := range slices.Sorted(maps.Keys(s.families)) {
		f := s.families[name]
		if counts := f.GetType() == dto.MetricType_COUNTER; counts != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, f.GetType())
		}
		if f.GetHelp() == "" || !strings.HasSuffix(f.GetHelp(), ".") {
			t.Errorf("%s is explained by %q", name, f.GetHelp())
		}
	}
	if lines := strings.Count(s.text, "\n"); lines > 400 {
		t.Errorf("a scrape has %d lines", lines)
	}
}

// A page that a browser on this machine shows may name itself after the machine
// (DNS rebinding): it is told nothing.
func TestMetricsOnLoopbackAreForNoPageUnderAnotherName(t *testing.T) {
	for _, tt := range []struct {
		listen, host string
		want         int
	}{
		{"127.0.0.1:9090", "127.0.0.1:9090", http.StatusOK},
		{"127.0.0.1:9090", "localhost:9190", http.StatusOK}, // through a tunnel
		{"[::1]:9090", "[::1]:9090", http.StatusOK},
		{"127.0.0.1:9090", "evil.example:9090", http.StatusMisdirectedRequest},
		{"127.0.0.1:9090", "127.0.0.1.evil.example:9090", http.StatusMisdirectedRequest},
		{"10.0.0.7:9090", "twinlock.internal:9090", http.StatusOK},
	} {
		r, answer := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
		r.Host = tt.host
		apptest.New(t, "metrics_listen="+tt.listen).MetricsHandler().ServeHTTP(answer, r)
		if answer.Code != tt.want {
			t.Errorf("at %s for %s: %d, want %d", tt.listen, tt.host, answer.Code, tt.want)
		}
	}
}

// What Prometheus asks is on a listener of its own: the public one has no such
// address.
func TestNoMetricsArePublic(t *testing.T) {
	site := apptest.New(t, "metrics_listen=127.0.0.1:9090")
	site.Browser().Get("/metrics").WantStatus(http.StatusNotFound)
	for _, path := range []string{"/", "/login", "/metrics/"} {
		answer := httptest.NewRecorder()
		site.MetricsHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != http.StatusNotFound {
			t.Errorf("the listener for metrics answers %s by %d", path, answer.Code)
		}
	}
}

// A database that does not answer is not taken for passwords that wait: one is
// mended at the database, the other by more cores.
func TestASilentDatabaseIsNotCountedAsABusyServer(t *testing.T) {
	s := newScene(t, "SQLite")
	form := s.logInPage(s.browser)
	s.wire.Break(func(context.Context, storetest.Call) error { return errBrokeOff }, nil)
	form.Press().WantStatus(http.StatusServiceUnavailable)
	s.wire.Break(nil, nil)
	told := scrape(t, s.Site)
	told.want(1, "twinlock_refusals_total", "unavailable")
	told.want(0, "twinlock_refusals_total", "busy")
}

// What balancers ask twice a second is neither a page nor a proxy's question, and
// neither is the way of a visitor to an application.
func TestARequestIsCountedByTheRouteThatAnswersIt(t *testing.T) {
	site := apptest.New(t)
	for path, about := range map[string]string{
		"/healthz": "health", "/readyz": "health", "/forward-auth/nginx": "proxy", "/forward-auth/caddy": "proxy", "/forward-auth/traefik": "proxy",
		"/forward-auth/hand-over?t=nothing": "pages", "/forward-auth/nowhere": "pages", "/login": "pages", "/assets/nothing.css": "assets",
	} {
		before := scrape(t, site)
		b := site.Browser()
		b.Ask(b.Request(http.MethodGet, path, nil))
		after := scrape(t, site)
		for _, of := range web.Abouts {
			more := 0.0
			if of == about {
				more = 1
			}
			if got := after.value("twinlock_http_request_seconds", of) - before.value("twinlock_http_request_seconds", of); got != more {
				t.Errorf("%s: %v more of %s", path, got, of)
			}
		}
	}
}

// Whoever lets more than Prometheus read them is told, in the log.
func TestMetricsThatOthersMayReadAreSaidInTheLog(t *testing.T) {
	for host, warned := range map[string]bool{"127.0.0.1": false, "0.0.0.0": true, "": false} {
		listen := ""
		if host != "" {
			_, port, _ := strings.Cut(freeAddress(t), ":")
			listen = host + ":" + port
		}
		folder, log := t.TempDir(), &diary{}
		storetest.WriteSQLite(t, filepath.Join(folder, "twinlock.db"))
		c, err := config.Load(map[string]string{"data": folder, "listen": freeAddress(t), "metrics_listen": listen}, nil, "")
		must(t, err)
		serve(t, c, app.Options{Log: slog.New(slog.NewTextHandler(log, nil)), HashCost: apptest.HashCost})
		if said := log.has("metrics_listen is not on loopback"); said != warned {
			t.Errorf("at %q it warns: %v, want %v", listen, said, warned)
		}
	}
}
