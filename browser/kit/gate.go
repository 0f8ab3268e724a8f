package kit

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
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

// Hold keeps one request, or its answer.
type Hold struct {
	path     string
	answer   bool
	arrived  chan struct{}
	released chan struct{}
	release  func()
}

// StartBehind starts a server that browsers reach through a gate only.
func StartBehind(t testing.TB, flags ...string) (*Server, *Gate) {
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
	return start(t, behind, "http://localhost:"+port, flags), g
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
		proxy.ServeHTTP(w, r)
	})
}

// pass waits where something is held on this path, and counts what goes on.
func (g *Gate) pass(ctx context.Context, path string, answer bool) error {
	if h := g.claim(path, answer); h != nil {
		close(h.arrived)
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

func (g *Gate) claim(path string, answer bool) *Hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, h := range g.holds {
		if h.path == path && h.answer == answer {
			g.holds = append(g.holds[:i:i], g.holds[i+1:]...)
			return h
		}
	}
	return nil
}

// Request keeps the next request to a path from the server.
func (g *Gate) Request(path string) *Hold { return g.hold(path, false) }

// Answer keeps the answer to the next request to a path from the browser; what
// the request changes is then done.
func (g *Gate) Answer(path string) *Hold { return g.hold(path, true) }

func (g *Gate) hold(path string, answer bool) *Hold {
	h := &Hold{path: path, answer: answer, arrived: make(chan struct{}), released: make(chan struct{})}
	h.release = sync.OnceFunc(func() { close(h.released) })
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

// Arrived waits until there is something held.
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

// Release lets it go on.
func (h *Hold) Release() { h.release() }
