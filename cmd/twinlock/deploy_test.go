package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Each server is stopped and started again in turn, as for a new version, while
// people go on.
func TestNoRequestIsLostWhileServersAreReplaced(t *testing.T) {
	b := newBalanced(t)
	end := b.load()
	for range 3 {
		for i, s := range b.servers {
			if err := s.stops(); err != nil {
				t.Errorf("ended with %v\n%s", err, s.said)
			}
			b.start(i)
		}
	}
	answered, lost := end()
	for _, why := range lost {
		t.Error(why)
	}
	if answered < 500 {
		t.Errorf("only %d requests were answered: this shows nothing", answered)
	}
}

// balanced are two servers on one database, behind HAProxy with the settings of
// the page on PostgreSQL.
type balanced struct {
	*testing.T
	url       string // of HAProxy
	addresses []string
	operators []*operator
	servers   []*server
	database  string
}

func newBalanced(t *testing.T) *balanced {
	first := newOperator(t)
	second := &operator{t: t, folder: t.TempDir(), said: &words{}, env: first.env}
	b := &balanced{
		T: t, url: "http://" + freeAddress(t), addresses: []string{freeAddress(t), freeAddress(t)},
		operators: []*operator{first, second}, servers: make([]*server, 2), database: storetest.PostgreSQL(t),
	}
	for i := range b.servers {
		b.start(i)
	}
	b.balance()
	return b
}

// start starts a server and waits until it is ready.
func (b *balanced) start(i int) {
	b.Helper()
	args := []string{"--listen", b.addresses[i], "--public-url", b.publicURL(), "--database-url", b.database}
	if i > 0 {
		args = append(args, "--sealing-key-file", filepath.Join(b.operators[0].data(), "keys", "sealing.key"))
	}
	s := b.operators[i].starts(args...)
	s.url = "http://" + b.addresses[i]
	eventually(b.T, "server "+s.url, s.answers)
	b.servers[i] = s
}

func (b *balanced) publicURL() string { return strings.Replace(b.url, "127.0.0.1", "localhost", 1) }

func (b *balanced) balance() {
	b.Helper()
	program.Balance(b.T, "../../docs/postgresql.md", strings.TrimPrefix(b.url, "http://"), b.addresses...)
}

// load keeps asking, by pages and forms, until its end is asked for; that tells
// what was answered, and what was not.
func (b *balanced) load() (end func() (answered int, lost []string)) {
	stop := make(chan struct{})
	var people sync.WaitGroup
	var mu sync.Mutex
	var answered int
	var lost []string
	for range 4 {
		people.Go(func() {
			pause := time.NewTicker(20 * time.Millisecond)
			defer pause.Stop()
			for n := 0; ; n++ {
				why := b.ask(n%2 == 0)
				mu.Lock()
				if why == "" {
					answered++
				} else {
					lost = append(lost, why)
				}
				mu.Unlock()
				select {
				case <-stop:
					return
				case <-pause.C:
				}
			}
		})
	}
	return func() (int, []string) {
		close(stop)
		people.Wait()
		return answered, lost
	}
}

// ask shows the login, or sends its form with an address that is none; "" where
// it was answered.
func (b *balanced) ask(form bool) (lost string) {
	method, body, want := http.MethodGet, "", http.StatusOK
	if form {
		method, want = http.MethodPost, http.StatusUnprocessableEntity
		body = url.Values{"email": {"nobody"}, "password": {known}, "next": {""}}.Encode()
	}
	r, err := http.NewRequestWithContext(b.Context(), method, b.url+"/login", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Origin", b.publicURL())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err.Error()
	}
	if answer.StatusCode != want {
		return fmt.Sprintf("%s: status %d, want %d", method, answer.StatusCode, want)
	}
	return ""
}
