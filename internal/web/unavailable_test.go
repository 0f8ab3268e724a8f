package web_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/web"
)

// A database that does not answer is said to be that, and when to come back; any
// other failure is none that passes by itself.
func TestADatabaseThatDoesNotAnswerIsNoFailureOfTheProgram(t *testing.T) {
	for _, tt := range []struct {
		failure error
		want    int
	}{
		{fmt.Errorf("read: %w", context.DeadlineExceeded), http.StatusServiceUnavailable},
		{errors.New("a mistake of ours"), http.StatusInternalServerError},
	} {
		site := apptest.New(t)
		browser := site.Browser()
		browser.SignIn(site.Person("ada@example.org"))
		site.Clock.Turn(site.Config.Fresh)
		site.Floor.AskAgain = func(http.ResponseWriter, *http.Request, auth.Answer) error { return tt.failure }
		page := browser.Post("/account/sessions/end-others", nil).WantStatus(tt.want)
		if again := page.Header.Get("Retry-After"); (again != "") != (tt.want == http.StatusServiceUnavailable) {
			t.Errorf("%v: Retry-After %q", tt.failure, again)
		}
	}
}

// No answer waits for ever.
func TestEveryRequestHasAnEnd(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	browser.SignIn(site.Person("ada@example.org"))
	site.Clock.Turn(site.Config.Fresh)
	ends := false
	site.Floor.AskAgain = func(w http.ResponseWriter, r *http.Request, _ auth.Answer) error {
		_, ends = r.Context().Deadline()
		return errors.New("no page")
	}
	browser.Post("/account/sessions/end-others", nil)
	if !ends {
		t.Error("it has none")
	}
}

// A form that went on after a fresh proof ends soon after the request that it was
// sent with would have.
func TestAHeldFormHasAnEndToo(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	browser.SignIn(site.Person("ada@example.org"))
	site.Clock.Turn(site.Config.Fresh)
	var ends []time.Time
	site.Floor.Patience = time.Minute
	site.Floor.AskAgain = func(w http.ResponseWriter, r *http.Request, _ auth.Answer) error {
		end, _ := r.Context().Deadline()
		if ends = append(ends, end); len(ends) == 2 {
			return web.NotFound()
		}
		sealed, err := site.Floor.Hold(r)
		if err != nil {
			return err
		}
		site.Floor.Patience = time.Hour
		return site.Floor.Continue(w, r, sealed, web.Asking(r).Token)
	}
	browser.Post("/account/sessions/end-others", nil)
	if len(ends) != 2 || ends[0].IsZero() || ends[1].Sub(ends[0]) > 10*time.Second {
		t.Errorf("they end at %v", ends)
	}
}

// Whoever waits for an answer until our own patience ends is still there.
func TestWhatTakesTooLongIsAnsweredWithAPage(t *testing.T) {
	site, browser, lines := logged(t)
	site.Clock.Turn(site.Config.Fresh)
	site.Floor.Patience = 20 * time.Millisecond
	site.Floor.AskAgain = func(_ http.ResponseWriter, r *http.Request, _ auth.Answer) error {
		<-r.Context().Done()
		return r.Context().Err()
	}
	page := browser.Post("/account/sessions/end-others", nil).WantStatus(http.StatusServiceUnavailable)
	if page.Header.Get("Retry-After") == "" || !number.MatchString(page.Body) {
		t.Errorf("Retry-After %q, page %q", page.Header.Get("Retry-After"), page.Body)
	}
	if said := lines.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "status=503") {
		t.Errorf("the log says %s", said)
	}
}

// A transaction that our patience ended says that it is over, not why.
func TestWhatFailsAfterOurPatienceFailsForWantOfIt(t *testing.T) {
	site, browser, _ := logged(t)
	site.Clock.Turn(site.Config.Fresh)
	site.Floor.Patience = 20 * time.Millisecond
	site.Floor.AskAgain = func(_ http.ResponseWriter, r *http.Request, _ auth.Answer) error {
		<-r.Context().Done()
		return sql.ErrTxDone
	}
	page := browser.Post("/account/sessions/end-others", nil).WantStatus(http.StatusServiceUnavailable)
	if page.Header.Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
}
