package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// together are servers on one PostgreSQL database.
type together struct {
	*testing.T
	url, folder string
}

func newTogether(t *testing.T) together {
	t.Helper()
	return together{t, storetest.Migrated["PostgreSQL"](t), t.TempDir()}
}

// started is a server that answers.
type started struct {
	address string
	link    string // to its set-up
	stop    context.CancelFunc
	ended   <-chan error
}

// start starts a server; the one that is called first makes the keys.
func (s together) start(name string) started {
	s.Helper()
	address := freeAddress(s.T)
	given := map[string]string{"data": filepath.Join(s.folder, name), "listen": address, "database_url": s.url, "public_url": "http://localhost:8080"}
	if name != "first" {
		given["sealing_key_file"] = filepath.Join(s.folder, "first", "keys", "sealing.key")
	}
	c, err := config.Load(given, nil, "")
	must(s.T, err)
	server, err := app.NewServer(s.Context(), c, app.Options{HashCost: apptest.HashCost})
	must(s.T, err)
	ctx, cancel := context.WithCancel(context.Background())
	said, done := &announcement{said: make(chan struct{})}, make(chan error, 1)
	go func() { done <- server.Serve(ctx, said, nil) }()
	<-said.said
	s.Cleanup(func() { cancel(); must(s.T, server.Release()) })
	return started{address, said.link, cancel, done}
}

// Whoever starts two servers may read what either of them printed.
func TestEachServerPrintsALinkThatWorks(t *testing.T) {
	servers := newTogether(t)
	first := servers.start("first")
	second := servers.start("second")
	for _, s := range []started{first, second} {
		for _, at := range []string{first.address, second.address} {
			answer, err := http.Get("http://" + at + s.link)
			must(t, err)
			must(t, answer.Body.Close())
			if answer.StatusCode != http.StatusOK {
				t.Errorf("the link of %s leads to %d at %s", s.address, answer.StatusCode, at)
			}
		}
	}
}

// A server that stops beside others says so for a while before it does, and
// answers until then: no request is lost on its way to the next.
func TestAServerThatStopsBesideOthersSaysSoFirst(t *testing.T) {
	servers := newTogether(t)
	first, second := servers.start("first"), servers.start("second")
	first.stop()
	told := ""
	for told != "stopping" {
		told = becauseOf(t, first.address)
	}
	answer, err := http.Get("http://" + first.address + "/login")
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK || !answer.Close {
		t.Errorf("status %d, connection closed: %v", answer.StatusCode, answer.Close)
	}
	must(t, <-first.ended)
	if told := becauseOf(t, second.address); told != "" {
		t.Errorf("the other server is not ready: %q", told)
	}
	began := time.Now()
	second.stop()
	must(t, <-second.ended)
	if took := time.Since(began); took >= 2*time.Second {
		t.Errorf("the last server waited %v for others", took)
	}
}

// A load balancer keeps connections, and may send on them until it has heard that
// the server stops.
func TestWhatIsSentOnKeptConnectionsAtTheStopIsAnswered(t *testing.T) {
	servers := newTogether(t)
	first := servers.start("first")
	servers.start("second")
	var kept [200]*line
	for i := range kept {
		kept[i] = dial(t, first.address)
		if kept[i].asks("/healthz").Close {
			t.Fatal("the connection is not kept")
		}
	}
	first.stop()
	for told := ""; told != "stopping"; told = becauseOf(t, first.address) {
	}
	for _, l := range kept {
		if answer := l.asks("/healthz"); answer.StatusCode != http.StatusOK || !answer.Close {
			t.Fatalf("status %d, connection closed: %v", answer.StatusCode, answer.Close)
		}
	}
	must(t, <-first.ended)
}

// line is one connection, on which nothing is sent again.
type line struct {
	*testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *line {
	t.Helper()
	c, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &line{t, c, bufio.NewReader(c)}
}

func (l *line) asks(path string) *http.Response {
	l.Helper()
	_, err := fmt.Fprintf(l, "GET %s HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", path)
	must(l.T, err)
	answer, err := http.ReadResponse(l.in, nil)
	must(l.T, err)
	_, err = io.Copy(io.Discard, answer.Body)
	must(l.T, err)
	return answer
}

// becauseOf asks a server why it is not ready; "" where it is.
func becauseOf(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/readyz")
	must(t, err)
	defer answer.Body.Close()
	var said struct{ Because string }
	must(t, json.NewDecoder(answer.Body).Decode(&said))
	return said.Because
}
