package web

import (
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/twinlock/twinlock/internal/metrics"
)

// About is what a route is about, for those who watch from outside.
type About int

const (
	AboutPages  About = iota // whatever says nothing else
	AboutProxy               // a proxy's question whose session it is
	AboutHealth              // the questions of those who watch; while a server stops it refuses them
	aboutAssets
)

// Abouts are the words for them.
var Abouts = []string{AboutPages: "pages", AboutProxy: "proxy", AboutHealth: "health", aboutAssets: "assets"}

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
	reasonUnavailable   = "unavailable" // the database does not answer
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
	reasons := []string{reasonForeignForm, reasonUnreadableKey, reasonUnavailable}
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
func (t *Traffic) count(n *note) {
	about, status := &t.about[n.about], min(max(n.status/100, 2), 5)
	if n.status == statusLeft {
		status = left
	}
	about.answers[status].Add(1)
	about.took.Observe(n.took)
	if n.refused != "" {
		t.Refusals.Add(n.refused)
	}
}
