package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
)

// note is what the log will say of a request.
type note struct {
	id     string
	status int
	err    error
	left   bool // whoever asked hung up before the answer
	ours   bool // the request failed while somebody was there, as far as we knew
	shown  bool // a page shows the id
	known  bool // whoever asked is signed in

	about   About
	refused string // why; "" where it was not
	took    time.Duration
	begun   bool // the status is out
}

// Note puts an error of ours into the line that the log has for a request, where
// the visitor is answered by a page that says when to come back.
func Note(r *http.Request, err error) { noteOf(r).failed(err) }

// failed notes an error of ours. That the answer then reaches nobody does not
// make it theirs.
func (n *note) failed(err error) { n.err, n.ours = errors.Join(n.err, err), true }

// statusLeft is what the log says in place of a status that nobody got. Other
// servers write the same number.
const statusLeft = 499

type noteKey struct{}

func noteOf(r *http.Request) *note { return r.Context().Value(noteKey{}).(*note) }

// LogOf is the log for what is to be said while a request is answered: its lines
// carry the id that the request's own line has.
func (f *Floor) LogOf(r *http.Request) *slog.Logger { return f.Log.With("request", noteOf(r).id) }

// logged writes one line for each request: never the query, which may hold a
// mailed token, never a body or a cookie. The id is always one of ours: whoever
// could choose it could make two requests one.
func (f *Floor) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &note{id: secret.NewID()[:12], status: http.StatusOK}
		w.Header().Set("X-Request-Id", n.id)
		began := time.Now() // how long it took; no rule depends on it
		next.ServeHTTP(&noted{w, n}, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
		n.took = time.Since(began)
		if n.gone() {
			n.status = statusLeft
		}
		f.traffic.count(n)
		f.tell(r, n, began.Add(n.took))
	})
}

// tell writes the line of a request that ended then.
func (f *Floor) tell(r *http.Request, n *note, now time.Time) {
	if without := f.strangers.leftOut(now); without > 0 {
		f.Log.Info("requests of strangers without a line", "requests", without)
	}
	level := n.level()
	if (level == slog.LevelInfo || n.busy()) && !n.known && !f.strangers.takes(now) {
		level = slog.LevelDebug
	}
	attributes := []any{"request", n.id, "method", cut(r.Method, longestMethod), "path", cut(r.URL.Path, longestPath), "status", n.status,
		"took", n.took.Round(10 * time.Microsecond)}
	if n.err != nil {
		attributes = append(attributes, "error", n.err)
	}
	f.Log.Log(r.Context(), level, "request", attributes...)
}

// How much of what a visitor chose stands in a line, in bytes.
const (
	longestMethod = 20
	longestPath   = 200
)

func cut(word string, most int) string {
	if len(word) <= most {
		return word
	}
	return strings.ToValidUTF8(word[:most], "") + "…"
}

// linesOfStrangers is how many lines strangers may cause in a minute by what they
// ask, be it not there or more than the machine can do: enough to find somebody by
// the number on a page, and no disk is filled by asking.
const linesOfStrangers = 60

// ration counts out those lines. The zero ration is ready, and it is safe for
// concurrent use.
type ration struct {
	due atomic.Int64 // when to tell how many got none, in Unix nanoseconds; 0 where none did

	mu             sync.Mutex
	began          time.Time // the minute
	taken, without int
}

// takes takes a line of this minute; false where none is left.
func (r *ration) takes(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.began) >= time.Minute {
		r.began, r.taken = now, 0
	}
	if r.taken == linesOfStrangers {
		r.without++
		r.due.Store(r.began.Add(time.Minute).UnixNano())
		return false
	}
	r.taken++
	return true
}

// leftOut tells, once the minute is over, how many got no line, and tells it
// once. Every request asks: whoever filled the minute may have left.
func (r *ration) leftOut(now time.Time) (without int) {
	if due := r.due.Load(); due == 0 || now.UnixNano() < due {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	without, r.without = r.without, 0
	r.due.Store(0)
	return without
}

// level is that of the line. Whoever was shown the id may tell it, and is then
// found.
func (n *note) level() slog.Level {
	switch {
	case n.gone(), n.err == nil && n.shown:
		return slog.LevelInfo
	case n.err != nil:
		return slog.LevelError
	}
	return slog.LevelDebug
}

// busy tells that there was more to do than this machine can.
func (n *note) busy() bool {
	var busy *slots.BusyError
	return errors.As(n.err, &busy)
}

// gone tells that nobody got an answer, and that it was not our fault.
func (n *note) gone() bool { return n.left && n.err != nil && !n.ours }

// noted remembers the status for the log.
type noted struct {
	http.ResponseWriter
	note *note
}

func (n *noted) WriteHeader(status int) {
	n.note.status, n.note.begun = status, n.note.begun || status >= 200
	n.ResponseWriter.WriteHeader(status)
}

// Write notes that nobody is there any more to take the answer.
func (n *noted) Write(answer []byte) (int, error) {
	n.note.begun = true
	written, err := n.ResponseWriter.Write(answer)
	n.note.left = n.note.left || err != nil
	return written, err
}

func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// recovered answers a panic with 500; the process lives on.
func (f *Floor) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				noteOf(r).refused = reasonOf[http.StatusInternalServerError]
				noteOf(r).failed(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
