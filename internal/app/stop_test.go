package app_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
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
func (s together) start(name string) started { return s.startWith(name, 0, nil) }

// startWith has commands answered, which have so long after the order to stop; 0 is
// what a server gives them.
func (s together) startWith(name string, drain time.Duration, run app.Command) started {
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
	if drain > 0 {
		server.SetDrain(drain)
	}
	ctx, cancel := context.WithCancel(context.Background())
	said, done := &announcement{said: make(chan struct{})}, make(chan error, 1)
	go func() { done <- server.Serve(ctx, said, run) }()
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

// A server is gone ten seconds after the order to stop. Until then what is on its way
// is answered if it ends within eight of them, the notice to others included, and is
// cut off otherwise; what the database does not let it write holds it up no longer.
func TestAServerIsGoneTenSecondsAfterTheOrderToStop(t *testing.T) {
	t.Parallel()
	if app.Gone >= 10*time.Second {
		t.Errorf("it has %s to write what is left, and no time to go", app.Gone)
	}
	const soon, never = 5 * time.Second, time.Minute
	servers := newTogether(t)
	first := servers.start("first")
	servers.start("second")
	freeLinks, freeSignups := servers.locks("clock", "links"), servers.locks("signups")
	lines := map[string]struct {
		status  <-chan int
		answers bool
	}{
		"a body that comes slowly":            {dial(t, first.address).posts(soon), true},
		"a body that never comes":             {dial(t, first.address).posts(never), false},
		"an answer that takes long":           {dial(t, first.address).gets("/register/confirm?token=" + strings.Repeat("A", 43)), true},
		"an answer that takes longer than it": {dial(t, first.address).gets("/forgot-password/new?token=" + strings.Repeat("A", 43)), false},
	}
	servers.awaitWaiting(2)
	told := time.Now()
	first.stop()
	time.AfterFunc(soon, freeSignups)
	for about, l := range lines {
		if status := <-l.status; l.answers != (status >= 200 && status < 500) {
			t.Errorf("%s: status %d after %s", about, status, time.Since(told))
		}
	}
	err := <-first.ended
	if took := time.Since(told); took > 12*time.Second { // two of them for a machine with other things to do
		t.Errorf("the server was gone after %s", took)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its clock could be kept (%v): this shows nothing", err)
	}
	freeLinks()
}

// A command that is on its way at the order to stop has its time from then on, and not
// from when the last request was answered: so it ends before one that comes slowly.
func TestACommandEndsByTheOrderToStop(t *testing.T) {
	s := newTogether(t)
	begun := make(chan struct{})
	first := s.startWith("first", 50*time.Millisecond, func(ctx context.Context, _ *app.App, _ app.Line) int {
		close(begun)
		<-ctx.Done()
		return 3
	})
	body := dial(t, first.address)
	_, err := io.WriteString(body, "POST /login HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\n")
	must(t, err)
	begins := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n")) // when it is being answered
	if _, err := io.ReadFull(body.in, begins); err != nil || !strings.Contains(string(begins), " 100 ") {
		t.Fatalf("%q, %v", begins, err)
	}
	ended := make(chan int, 1)
	go func() {
		status, _, _ := app.Ask(context.Background(), filepath.Join(s.folder, "first"), app.Line{Args: []string{"long"}, Out: io.Discard, Errors: io.Discard})
		ended <- status
	}()
	select {
	case <-begun:
	case status := <-ended:
		t.Fatalf("the command was not taken: %d", status)
	}
	first.stop()
	select {
	case status := <-ended:
		if status != 3 {
			t.Errorf("the command ended with %d", status)
		}
	case <-body.answered():
		t.Error("the request was cut off first")
	}
	must(t, body.Close())
	must(t, <-first.ended)
}

// posts sends a login whose body comes a byte at a time for so long, and gives the
// status of the answer, 0 where none came.
func (l *line) posts(d time.Duration) <-chan int {
	const pause = 100 * time.Millisecond
	body := "email=nobody&password=" + strings.Repeat("x", int(d/pause))
	go func() {
		_, err := fmt.Fprintf(l, "POST /login HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", len(body))
		for i := 0; i < len(body) && err == nil; i++ {
			_, err = io.WriteString(l, body[i:i+1])
			time.Sleep(pause)
		}
	}()
	return l.answered()
}

// gets asks for a page, and gives the status of the answer, 0 where none came.
func (l *line) gets(path string) <-chan int {
	_, err := fmt.Fprintf(l, "GET %s HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", path)
	must(l.T, err)
	return l.answered()
}

func (l *line) answered() <-chan int {
	status := make(chan int, 1)
	go func() {
		answer, err := http.ReadResponse(l.in, nil)
		if err != nil {
			status <- 0
			return
		}
		status <- answer.StatusCode
	}()
	return status
}

// locks keeps everybody from some tables until they are freed.
func (s together) locks(tables ...string) (free func()) {
	s.Helper()
	held, err := s.database().BeginTx(s.Context(), nil)
	must(s.T, err)
	_, err = held.ExecContext(s.Context(), `LOCK TABLE `+strings.Join(tables, ", "))
	must(s.T, err)
	return func() { _ = held.Rollback() }
}

func (s together) database() *sql.DB {
	s.Helper()
	db, err := sql.Open("pgx", s.url)
	must(s.T, err)
	s.Cleanup(func() { _ = db.Close() })
	return db
}

// awaitWaiting waits until so many who read wait for a table.
func (s together) awaitWaiting(n int) {
	s.Helper()
	db := s.database()
	for waiting := 0; waiting < n; time.Sleep(5 * time.Millisecond) {
		must(s.T, db.QueryRowContext(s.Context(), `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ 'SELECT' AND query !~ 'DELETE'`).Scan(&waiting))
	}
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
