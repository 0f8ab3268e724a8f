package web

import (
	"net/http"
	"strings"

	"github.com/twinlock/twinlock/internal/metrics"
)

// What a request is about, for those who watch from outside.
const (
	AboutPages  = "pages"
	AboutProxy  = "proxy" // whose session is this?
	AboutAssets = "assets"
)

// Abouts are all that a request may be about.
var Abouts = []string{AboutPages, AboutProxy, AboutAssets}

func aboutOf(path string) string {
	switch {
	case strings.HasPrefix(path, "/forward-auth/"):
		return AboutProxy
	case strings.HasPrefix(path, "/assets/"):
		return AboutAssets
	}
	return AboutPages
}

// Traffic counts requests. It is safe for concurrent use.
type Traffic struct {
	Refusals metrics.Tally // by reason

	answers map[string]metrics.Tally // by status
	took    map[string]*metrics.Histogram
}

// Reasons of refusals that no status tells apart.
const (
	reasonForeignForm   = "form of another site"
	reasonUnreadableKey = "unreadable key"
)

// reasonOf says in a word why a request was refused with a status.
var reasonOf = map[int]string{
	http.StatusBadRequest:            "unreadable",
	http.StatusUnauthorized:          "not signed in",
	http.StatusForbidden:             "not allowed",
	http.StatusNotFound:              "not found",
	http.StatusMethodNotAllowed:      "method",
	http.StatusGone:                  "dead link",
	http.StatusRequestEntityTooLarge: "too large",
	http.StatusTooManyRequests:       "wait",
	http.StatusInternalServerError:   "failure",
	http.StatusServiceUnavailable:    "busy",
}

// statuses are the kinds of answers, by their first digit, and those that nobody
// got.
var statuses = [...]string{"", "", "2xx", "3xx", "4xx", "5xx", "left"}

func newTraffic() *Traffic {
	reasons := []string{reasonForeignForm, reasonUnreadableKey}
	for status := range 600 {
		if reason, ok := reasonOf[status]; ok {
			reasons = append(reasons, reason)
		}
	}
	t := &Traffic{Refusals: metrics.NewTally(reasons...), answers: map[string]metrics.Tally{}, took: map[string]*metrics.Histogram{}}
	for _, about := range Abouts {
		t.answers[about], t.took[about] = metrics.NewTally(statuses[2:]...), new(metrics.Histogram)
	}
	return t
}

// Answers counts the answers to requests about something, by their status.
func (t *Traffic) Answers(about string) metrics.Tally { return t.answers[about] }

// Took tells how long they took.
func (t *Traffic) Took(about string) *metrics.Histogram { return t.took[about] }

// Traffic gives what was counted so far, and goes on counting.
func (f *Floor) Traffic() *Traffic { return f.traffic }

// count counts a request that is over.
func (t *Traffic) count(r *http.Request, n *note) {
	about, status := aboutOf(r.URL.Path), statuses[min(n.status/100, 5)]
	if n.status == statusLeft {
		status = "left"
	}
	t.answers[about].Add(status)
	t.took[about].Observe(n.took)
	t.Refusals.Add(n.refused)
}
