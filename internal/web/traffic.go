package web

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twinlock/twinlock/internal/metrics"
)

// Abouts are what a request may be about, for those who watch from outside. The
// proxy's is the question whose session it is.
var Abouts = []string{aboutPages: "pages", aboutProxy: "proxy", aboutAssets: "assets"}

const (
	aboutPages = iota
	aboutProxy
	aboutAssets
)

func aboutOf(path string) int {
	switch {
	case strings.HasPrefix(path, "/forward-auth/"):
		return aboutProxy
	case strings.HasPrefix(path, "/assets/"):
		return aboutAssets
	}
	return aboutPages
}

// Traffic counts requests. It is safe for concurrent use.
type Traffic struct {
	Refusals metrics.Tally // by reason

	about [aboutAssets + 1]struct {
		answers [len(statuses)]atomic.Int64 // by status
		took    metrics.Histogram
	}
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
var statuses = [...]string{2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx", left: "left"}

const left = 6

func newTraffic() *Traffic {
	reasons := []string{reasonForeignForm, reasonUnreadableKey}
	for status := range 600 {
		if reason, ok := reasonOf[status]; ok {
			reasons = append(reasons, reason)
		}
	}
	return &Traffic{Refusals: metrics.NewTally(reasons...)}
}

// Answers are the counts of answers, by what they were about and by status.
func (t *Traffic) Answers() (all []metrics.Sample) {
	for i, about := range Abouts {
		for status, word := range statuses {
			if word != "" {
				all = append(all, metrics.Of(t.about[i].answers[status].Load()).With("status", word).With("about", about))
			}
		}
	}
	return all
}

// Took tells how long answers about something took.
func (t *Traffic) Took(about string) *metrics.Histogram {
	return &t.about[slices.Index(Abouts, about)].took
}

// Traffic gives what was counted so far, and goes on counting.
func (f *Floor) Traffic() *Traffic { return f.traffic }

// count counts a request that is over, by additions alone: the proxy waits.
func (t *Traffic) count(r *http.Request, n *note) {
	about, status := &t.about[aboutOf(r.URL.Path)], min(max(n.status/100, 2), 5)
	if n.status == statusLeft {
		status = left
	}
	about.answers[status].Add(1)
	about.took.Observe(n.took)
	if n.refused != "" {
		t.Refusals.Add(n.refused)
	}
}
