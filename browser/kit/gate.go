package kit

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// Gate stands between the browsers and the server, and keeps what a test wants
// to be late.
type Gate struct {
	t testing.TB

	mu       sync.Mutex
	holds    []*Hold
	passed   map[string]int
	underway map[string]int // by path
}

// Hold keeps the requests to a path, or their answers.
type Hold struct {
	path     string
	answer   bool
	one      bool
	arrive   func()
	arrived  chan struct{}
	release  func()
	released chan struct{}
}

// StartBehind starts a server that browsers reach through a gate only.
func StartBehind(t testing.TB, flags ...string) (*Server, *Gate) {
	t.Helper()
	return StartBehindFrom(t, "", flags...)
}

// StartBehindFrom is StartBehind on a copy of what another server left.
func StartBehindFrom(t testing.TB, from Data, flags ...string) (*Server, *Gate) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	behind := FreePort(t)
	g := &Gate{t: t, passed: map[string]int{}, underway: map[string]int{}}
	server := &http.Server{Handler: g.between(&url.URL{Scheme: "http", Host: "127.0.0.1:" + behind})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return start(t, from, behind, "http://localhost:"+port, flags), g
}

// between passes on everything that is not held.
func (g *Gate) between(server *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(server)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(answer *http.Response) error {
			return g.pass(answer.Request.Context(), answer.Request.URL.Path, true)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.count(r.URL.Path, 1)
		defer g.count(r.URL.Path, -1)
		if g.pass(r.Context(), r.URL.Path, false) != nil {
			return // nobody waits for it any more
		}
		if g.keepsAnswers(r.URL.Path) { // whoever gives up waiting undoes nothing
			ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
			defer end()
			r = r.WithContext(ctx)
		}
		proxy.ServeHTTP(w, r)
	})
}

// pass waits where something is held on this path, and counts what goes on.
func (g *Gate) pass(ctx context.Context, path string, answer bool) error {
	if h := g.holding(path, answer); h != nil {
		h.arrive()
		select {
		case <-h.released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !answer {
		g.mu.Lock()
		g.passed[path]++
		g.mu.Unlock()
	}
	return nil
}

func (g *Gate) keepsAnswers(path string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.holds, func(h *Hold) bool { return h.path == path && h.answer })
}

func (g *Gate) holding(path string, answer bool) *Hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.holds, func(h *Hold) bool { return h.path == path && h.answer == answer })
	if i < 0 {
		return nil
	}
	h := g.holds[i]
	if h.one {
		g.holds = slices.Delete(g.holds, i, i+1)
	}
	return h
}

// Request keeps requests to a path from the server, from now on until they are
// released. A page may ask by itself besides what a test makes it ask, so that
// one alone is not kept.
func (g *Gate) Request(path string) *Hold { return g.hold(Hold{path: path}) }

// OneRequest keeps the next request to a path from the server, and no other.
func (g *Gate) OneRequest(path string) *Hold { return g.hold(Hold{path: path, one: true}) }

// Answer keeps the answers to requests to a path from the browser; what the
// requests change is then done.
func (g *Gate) Answer(path string) *Hold { return g.hold(Hold{path: path, answer: true}) }

func (g *Gate) hold(what Hold) *Hold {
	h := &what
	h.arrived, h.released = make(chan struct{}), make(chan struct{})
	h.arrive = sync.OnceFunc(func() { close(h.arrived) })
	h.release = sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.holds = slices.DeleteFunc(g.holds, func(one *Hold) bool { return one == h })
		close(h.released)
	})
	g.t.Cleanup(h.release)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holds = append(g.holds, h)
	return h
}

// Passed tells how many requests to a path have reached the server.
func (g *Gate) Passed(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passed[path]
}

// Settled waits until every request to a path that has come has been answered.
func (g *Gate) Settled(path string) {
	g.t.Helper()
	Eventually(g.t, "nothing is asked at "+path, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.underway[path] == 0
	})
}

// count keeps how many requests to a path are on their way.
func (g *Gate) count(path string, by int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underway[path] += by
}

// Arrived waits until something is held.
func (h *Hold) Arrived(t testing.TB) {
	t.Helper()
	Eventually(t, "something at "+h.path+" is held", func() bool {
		select {
		case <-h.arrived:
			return true
		default:
			return false
		}
	})
}

// Release lets what is held go on, and all that comes.
func (h *Hold) Release() { h.release() }
