package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
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
