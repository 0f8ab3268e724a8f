package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
)

// Refusal is an error that a visitor may read.
type Refusal struct {
	Status  int
	Heading ui.Text
	Text    ui.Text
	Action  *ui.Button    // where to go from here; nil leads to the start
	Wait    time.Duration // when to come back; zero for no time
	Allow   string        // the methods that the address knows

	reason string // where the status does not tell it
}

// because says in a word why the request was refused.
func (r *Refusal) because() string {
	if r.reason != "" {
		return r.reason
	}
	return reasonOf[r.Status]
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused with %d", r.Status) }

// NotFound is the answer for what is not there, and for what is not there for
// this visitor.
func NotFound() error {
	return &Refusal{Status: http.StatusNotFound, Heading: ui.T("errors.notFoundHeading"), Text: ui.T("errors.notFound")}
}

// Forbidden is the answer for what this person may not.
func Forbidden() error {
	return &Refusal{Status: http.StatusForbidden, Heading: ui.T("errors.forbiddenHeading"), Text: ui.T("errors.forbidden")}
}

// BadRequest is the answer for what no page of ours sends.
func BadRequest() error {
	return &Refusal{Status: http.StatusBadRequest, Heading: ui.T("errors.badRequestHeading"), Text: ui.T("errors.badRequest")}
}

func foreignForm(publicURL string) error {
	return &Refusal{Status: http.StatusForbidden, Heading: ui.T("errors.originHeading"), reason: reasonForeignForm,
		Text: ui.T("errors.origin", "URL", publicURL)}
}

func tooLargeOrBad(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Refusal{Status: http.StatusRequestEntityTooLarge,
			Heading: ui.T("errors.tooLargeHeading"), Text: ui.T("errors.tooLarge")}
	}
	return BadRequest()
}

// Busy is the answer when as many passwords are being hashed as this machine
// can, and as many wait.
func Busy(wait time.Duration) error {
	return &Refusal{Status: http.StatusServiceUnavailable, Wait: wait,
		Heading: ui.T("errors.busyHeading"), Text: ui.T("errors.busy")}
}

// NotNow tells a form why what was typed was not looked at for now, and says
// when to come back: 429 during a wait, in the form's own words for it, and 503
// when too many passwords are being hashed. A key that cannot be read is 500, and
// has no such time. The form is shown again as it was typed. Any other error has
// the status 0, and is not for the form.
func NotNow(w http.ResponseWriter, r *http.Request, err error, words func(*store.WaitError, *Visitor) ui.Text) (status int, why ui.Text) {
	var wait *store.WaitError
	var busy *slots.BusyError
	n := noteOf(r)
	switch v := Asking(r); {
	case errors.As(err, &wait):
		n.refused = reasonOf[http.StatusTooManyRequests]
		RetryAfter(w, wait.Until.Sub(v.Now))
		return http.StatusTooManyRequests, words(wait, v)
	case errors.As(err, &busy):
		n.refused = reasonOf[http.StatusServiceUnavailable]
		n.failed(err)
		RetryAfter(w, busy.RetryAfter)
		return http.StatusServiceUnavailable, ui.T("errors.busy")
	case errors.Is(err, store.ErrFactorUnreadable):
		n.refused = reasonUnreadableKey
		n.failed(err)
		return http.StatusInternalServerError, ui.T("errors.unreadableKey")
	}
	return 0, ui.Text{}
}

// DeadLink is the one answer for a mailed link that does not work: whether it
// is too old, was used, was replaced or was never made, nobody is told.
func DeadLink(action *ui.Button) error {
	return &Refusal{Status: http.StatusGone, Action: action,
		Heading: ui.T("errors.deadLinkHeading"), Text: ui.T("errors.deadLink")}
}

// RetryAfter says when to come back (RFC 9110 §10.2.3). A door that is closed
// until somebody opens it has no such time, and says none.
func RetryAfter(w http.ResponseWriter, wait time.Duration) {
	if wait <= 0 {
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(Seconds(wait)))
}

// Seconds is a wait in whole seconds, never too short.
func Seconds(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }

// fail is the one place where an error becomes an answer. What was not meant
// for visitors stays in the log, under a number that the page shows.
func (f *Floor) fail(w http.ResponseWriter, r *http.Request, err error) {
	over := r.Context().Err()
	refusal := refusalFor(errors.Join(err, over)) // what fails after our own deadline fails by it
	note := noteOf(r)
	note.known = Asking(r).SignedIn()
	if note.left = note.left || errors.Is(over, context.Canceled); note.left {
		note.err = errors.Join(note.err, err) // it may be why they left, and no page would reach them
		if !note.begun {
			w.WriteHeader(http.StatusServiceUnavailable) // net/http would say 200, which lets pass where a proxy asks
		}
		return
	}
	note.refused = refusal.because()
	if refusal.Status >= 500 {
		note.failed(err)
	}
	if refusal.Wait > 0 {
		RetryAfter(w, refusal.Wait)
	}
	if refusal.Allow != "" {
		w.Header().Set("Allow", refusal.Allow)
	}
	if refusal.Heading.IsZero() {
		answerBare(w, refusal.Status)
		return
	}
	note.shown = true
	shell := f.Shell(r)
	shell.Failed = true
	if err := f.Pages.Render(w, refusal.Status, "ui/error", shell, errorPage(refusal, note.id)); err != nil {
		note.err = errors.Join(note.err, err)
	}
}

func errorPage(refusal *Refusal, request string) ui.ErrorPage {
	page := ui.ErrorPage{Heading: refusal.Heading, Text: refusal.Text, Action: startAgain, Reference: request}
	if refusal.Action != nil {
		page.Action = *refusal.Action
	}
	return page
}

var startAgain = ui.Button{Label: ui.T("errors.start"), Href: "/"}

// unavailableWait is when to ask again for what the database did not do.
const unavailableWait = 5 * time.Second

func refusalFor(err error) *Refusal {
	var refusal *Refusal
	var busy *slots.BusyError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &busy):
		return Busy(busy.RetryAfter).(*Refusal)
	case errors.Is(err, store.ErrNotFound):
		return NotFound().(*Refusal)
	case store.IsUnavailable(err):
		return &Refusal{Status: http.StatusServiceUnavailable, Wait: unavailableWait, reason: reasonUnavailable,
			Heading: ui.T("errors.unavailableHeading"), Text: ui.T("errors.unavailable")}
	}
	return &Refusal{Status: http.StatusInternalServerError,
		Heading: ui.T("errors.internalHeading"), Text: ui.T("errors.internal")}
}

// answerBare answers a script, which needs the status and nothing to read.
func answerBare(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("{}"))
}

// JSON answers a script of our own pages.
func JSON(w http.ResponseWriter, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}
