package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// logged is a site that writes its log down, and a browser signed in there.
func logged(t *testing.T) (*apptest.Site, *apptest.Browser, *bytes.Buffer) {
	t.Helper()
	var lines bytes.Buffer
	site := apptest.NewWith(t, app.Options{Log: slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	browser := site.Browser()
	browser.SignIn(site.Person("ada@example.org"))
	lines.Reset()
	return site, browser, &lines
}

func wantLeft(t *testing.T, lines *bytes.Buffer) {
	t.Helper()
	if said := lines.String(); strings.Contains(said, "level=ERROR") || strings.Contains(said, "status=500") ||
		!strings.Contains(said, "level=INFO") || !strings.Contains(said, "status=499") {
		t.Errorf("the log says %s", said)
	}
}

func TestWhoeverLeavesBeforeTheAnswerIsNoFailureOfOurs(t *testing.T) {
	_, browser, lines := logged(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	form := browser.Get("/account").Form("Save").Fill("Name", "Ada")
	browser.Ask(browser.Request(http.MethodPost, "/account/name", form.Values).WithContext(gone))
	wantLeft(t, lines)
}

// deaf is a connection whose other end is gone.
type deaf struct{ http.ResponseWriter }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWhoeverLeavesAmidTheAnswerIsNoFailureOfOurs(t *testing.T) {
	site, browser, lines := logged(t)
	site.Handler.ServeHTTP(deaf{httptest.NewRecorder()}, browser.Request(http.MethodGet, "/login", nil))
	wantLeft(t, lines)
}

func TestAFailureOfOursIsAnError(t *testing.T) {
	site, browser, lines := logged(t)
	site.Floor.AskAgain = func(http.ResponseWriter, *http.Request, auth.Answer) error { return errors.New("disk full") }
	site.Clock.Turn(site.Config.Fresh)
	browser.Post("/account/sessions/end-others", nil).WantStatus(http.StatusInternalServerError)
	if said := lines.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "status=500") {
		t.Errorf("the log says %s", said)
	}
}

func TestAFailureOfOursIsAnErrorThoughItsPageReachesNobody(t *testing.T) {
	site, browser, lines := logged(t)
	site.Floor.AskAgain = func(http.ResponseWriter, *http.Request, auth.Answer) error { return errors.New("disk full") }
	site.Clock.Turn(site.Config.Fresh)
	whole := site.Handler
	site.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { whole.ServeHTTP(deaf{w}, r) })
	browser.Ask(browser.Request(http.MethodPost, "/account/sessions/end-others", nil))
	if said := lines.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "status=500") || !strings.Contains(said, "disk full") {
		t.Errorf("the log says %s", said)
	}
}

var number = regexp.MustCompile(`<code>([a-z2-7]{12})</code>`)

// Whoever tells the operator the number on the page is found in the log as it is
// by default.
func TestTheNumberOnAnErrorPageFindsItsLine(t *testing.T) {
	for _, tt := range []struct {
		path, level string
		status      int
	}{
		{"/nothing-here", "INFO", http.StatusNotFound},
		{"/admin", "INFO", http.StatusForbidden},
		{"/account/sessions/end-others", "ERROR", http.StatusInternalServerError},
	} {
		t.Run(tt.path, func(t *testing.T) {
			site, browser, lines := logged(t)
			site.Floor.AskAgain = func(http.ResponseWriter, *http.Request, auth.Answer) error { return errors.New("disk full") }
			site.Clock.Turn(site.Config.Fresh)
			method := http.MethodGet
			if tt.level == "ERROR" {
				method = http.MethodPost
			}
			r := browser.Request(method, tt.path, nil)
			r.Header.Set("X-Request-Id", "mine-and-not-yours")
			page := browser.Ask(r)
			page.WantStatus(tt.status)
			shown := number.FindStringSubmatch(page.Body)
			if shown == nil {
				t.Fatalf("the page shows no number: %s", page.Body)
			}
			if told := page.Header.Get("X-Request-Id"); told != shown[1] {
				t.Errorf("the header says %q, the page %q", told, shown[1])
			}
			line := regexp.MustCompile(`level=` + tt.level + ` .*request=` + shown[1] + ` `)
			if !line.MatchString(lines.String()) || strings.Contains(lines.String(), "mine-and-not-yours") {
				t.Errorf("the log says %s", lines)
			}
		})
	}
}

// Whoever asks for what is not there, and however long they make its name, fills
// no disk. What failed is told nevertheless, and so is what people with a session
// may ask about.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	var lines bytes.Buffer
	site := apptest.NewWith(t, app.Options{Log: slog.New(slog.NewJSONHandler(&lines, nil))})
	ada, stranger := site.Browser(), site.Browser()
	ada.SignIn(site.Person("ada@example.org"))
	lines.Reset()
	endless := "/" + strings.Repeat("x", 20_000)
	for range 1000 {
		stranger.Ask(stranger.Request(http.MethodGet, endless, nil)).WantStatus(http.StatusNotFound)
	}
	if size := lines.Len(); size == 0 || size > 100_000 {
		t.Errorf("the log has %d bytes", size)
	}
	lines.Reset()
	stranger.Ask(stranger.Request(strings.Repeat("X", 20_000), "/login", nil)).WantStatus(http.StatusMethodNotAllowed)
	ada.Get("/nothing-here").WantStatus(http.StatusNotFound)
	if told := lines.String(); len(told) > 1000 || !strings.Contains(told, "/nothing-here") {
		t.Errorf("the log says %s", told)
	}
}
