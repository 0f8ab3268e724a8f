package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

func (s *server) printsSetUp() (link string) {
	s.o.t.Helper()
	eventually(s.o.t, "the link to the set-up", func() bool {
		link = s.setUp()
		return link != ""
	})
	return link
}

func TestServePrintsTheSetUpUntilItIsDone(t *testing.T) {
	o := newOperator(t)
	s := o.serves()
	first := s.printsSetUp()
	if !strings.HasPrefix(first, s.url+"/setup?token=") {
		t.Fatalf("printed %q\n%s", first, s.said)
	}
	if err := s.stops(); err != nil {
		t.Fatal(err)
	}
	s = o.serves()
	if again := s.printsSetUp(); again == first {
		t.Errorf("the next start printed %q after %q", again, first)
	}
	o.person(ada, "--admin")
	if err := s.stops(); err != nil {
		t.Fatal(err)
	}
	s = o.serves()
	if link := s.setUp(); link != "" {
		t.Errorf("printed %q where somebody administers", link)
	}
}

func TestServeEndsCleanlyWithinSeconds(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			o := newOperator(t)
			s := o.serves()
			idle, err := net.Dial("unix", o.data()+"/control.sock") // somebody who never asks
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			if !s.answers() { // and a browser that keeps its connection
				t.Fatal("the server does not answer")
			}
			begun := time.Now()
			if err := s.gets(signal); err != nil {
				t.Errorf("ended with %v\n%s", err, s.said)
			}
			if took := time.Since(begun); took > 8*time.Second {
				t.Errorf("the end took %s", took)
			}
			if _, err := net.Dial("unix", o.data()+"/control.sock"); err == nil {
				t.Error("the socket still answers")
			}
		})
	}
}

// Whoever stops a server that is still starting did not fail.
func TestServeThatIsStoppedWhileItStartsEndsQuietly(t *testing.T) {
	data := t.TempDir()
	for _, tt := range []struct {
		about string
		stop  func(*testing.T) context.Context
	}{
		{"at once", func(t *testing.T) context.Context {
			ctx, stop := context.WithCancel(t.Context())
			stop()
			return ctx
		}},
		{"while it says where it is", func(t *testing.T) context.Context { return t.Context() }},
	} {
		t.Run(tt.about, func(t *testing.T) {
			ctx, stop := context.WithCancel(tt.stop(t))
			defer stop()
			var errs bytes.Buffer
			args := []string{"serve", "--data", data, "--listen", freeAddress(t), "--public-url", "http://localhost:8080"}
			if status := run(ctx, args, strings.NewReader(""), stopper{stop}, &errs); status != done || errs.Len() > 0 {
				t.Errorf("status %d, %q", status, errs.String())
			}
		})
	}
}

// stopper stops the server at the first word that it says.
type stopper struct{ stop func() }

func (s stopper) Write(said []byte) (int, error) {
	s.stop()
	return len(said), nil
}

func TestServeTellsWhoHasItsAddress(t *testing.T) {
	o := newOperator(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	why := o.fails(failed, "serve", "--listen", l.Addr().String())
	if !strings.Contains(why, "another program has "+l.Addr().String()) || !strings.Contains(why, "--listen") {
		t.Error(why)
	}
}

func TestServeLeadsTheFirstVisitorToTheSetUp(t *testing.T) {
	o := newOperator(t)
	s := o.serves()
	page, err := http.Get(s.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if page.Request.URL.Path != "/setup" {
		t.Errorf("came to %s", page.Request.URL.Path)
	}
}

// Every line of the log is one JSON object, with the number of its request.
func TestTheLogIsReadByMachines(t *testing.T) {
	o := newOperator(t)
	s := o.serves("--log-level", "debug")
	answer, err := http.Get(s.url + "/nothing-here?token=kestrel")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := s.stops(); err != nil {
		t.Fatal(err)
	}
	said := s.said.String()
	if strings.Contains(said, "kestrel") {
		t.Errorf("the log holds a query: %s", said)
	}
	if line := lineOf(t, said, answer.Header.Get("X-Request-Id")); line.Level != "INFO" || line.Path != "/nothing-here" || line.Status != http.StatusNotFound {
		t.Errorf("the line says %+v", line)
	}
}

type logLine struct {
	Time, Level, Msg, Request, Path string
	Status                          int
}

// lineOf finds the line of a request, and demands that all lines are read.
func lineOf(t *testing.T, said, request string) (found logLine) {
	t.Helper()
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "Twinlock is at ") || strings.HasPrefix(line, "Set up: ") {
			continue
		}
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Time == "" || l.Level == "" || l.Msg == "" {
			t.Errorf("%v: %s", err, line)
		}
		if l.Request == request {
			found = l
		}
	}
	return found
}

func TestServeAnswersPrometheusWhereTheSettingSaysAndNowhereElse(t *testing.T) {
	o := newOperator(t)
	address := freeAddress(t)
	s := o.serves("--metrics-listen", address)
	for url, want := range map[string]int{"http://" + address + "/metrics": http.StatusOK, "http://" + address + "/login": http.StatusNotFound,
		s.url + "/metrics": http.StatusNotFound} {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d", url, answer.StatusCode, want)
		}
	}
	other := &operator{t: t, folder: t.TempDir(), said: &child.Output{}, env: os.Environ()}
	if why := other.fails(failed, "serve", "--listen", freeAddress(t), "--metrics-listen", address); !strings.Contains(why, "another program has "+address) || !strings.Contains(why, "--metrics-listen") {
		t.Error(why)
	}
	if err := s.stops(); err != nil {
		t.Error(err)
	}
}
