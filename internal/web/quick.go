package web

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// quickly lets a route answer before anything is looked up or set that pages
// need, and the log: none of its answers would have a line there. Whoever reads
// every line, by the level DEBUG, gets them all the long way.
func (f *Floor) quickly(longWay http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rt, ok := f.quick[r.URL.Path]
		if !ok || r.Method != rt.Method || f.Log.Enabled(r.Context(), slog.LevelDebug) || !f.answeredQuickly(rt, w, r) {
			longWay.ServeHTTP(w, r)
		}
	})
}

// answeredQuickly is false after a panic too: the long way is there, and says
// what is wrong to whoever asked.
func (f *Floor) answeredQuickly(rt Route, w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if cause := recover(); cause != nil {
			f.Log.Error("panic in a quick answer", "path", rt.Path, "cause", cause, "stack", string(debug.Stack()))
			answered = false
		}
	}()
	began := time.Now() // how long it took; no rule depends on it
	status := rt.Quick(w, r, f.Now())
	if status == 0 {
		return false
	}
	f.traffic.count(&note{about: rt.About, status: status, took: time.Since(began)})
	return true
}
