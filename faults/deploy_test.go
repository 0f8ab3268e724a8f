package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
)

// drains is how long a server may take from the order to stop to its end: two
// seconds of notice, and ten for the requests on their way.
const drains = 12 * time.Second

// Each server is stopped and started again in turn, as for a new version, while
// people go on.
func TestNoRequestIsLostWhileServersAreReplaced(t *testing.T) {
	t.Parallel()
	began := time.Now()
	site := kit.Start(t, kit.PostgreSQL, 2, kit.BehindBalancer...)
	site.Balance()
	l := &steady{T: t, site: site}
	end := l.load()
	var stops kit.Took
	rounds := often(30, 3)
	for range rounds {
		for _, s := range site.Servers {
			begun := time.Now()
			s.Stop()
			stops.Since(begun)
			s.Start()
		}
	}
	end()
	for _, why := range l.lost {
		t.Error(why)
	}
	if l.answered.Load() < 500 {
		t.Errorf("only %d requests were answered: this shows nothing", l.answered.Load())
	}
	if longest := stops.At(1); longest > drains {
		t.Errorf("a server took %s to stop", longest)
	}
	table.Add(t, kit.Row{Fault: "servers replaced in turn", Engine: kit.PostgreSQL, Runs: 2 * rounds, Took: time.Since(began), Held: "no request lost",
		Figures: []string{fmt.Sprintf("%d answered, %d lost", l.answered.Load(), len(l.lost)), "a stop " + stops.String()}})
}

// steady asks by pages and forms, and again by the same connection, as browsers do.
type steady struct {
	*testing.T
	site     *kit.Site
	answered atomic.Int64

	mu   sync.Mutex
	lost []string
}

// load keeps asking until its end is asked for.
func (l *steady) load() (end func()) {
	stop := make(chan struct{})
	var people sync.WaitGroup
	for i := range 4 {
		fresh := l.site.Balanced(fmt.Sprintf("127.0.0.%d", i+2)) // a connection for each request
		people.Go(func() {
			pause := time.NewTicker(20 * time.Millisecond)
			defer pause.Stop()
			for n := 0; ; n++ {
				if why := l.ask(fresh, n%4); why == "" {
					l.answered.Add(1)
				} else {
					l.mu.Lock()
					l.lost = append(l.lost, why)
					l.mu.Unlock()
				}
				select {
				case <-stop:
					return
				case <-pause.C:
				}
			}
		})
	}
	return func() {
		close(stop)
		people.Wait()
	}
}

// kept are connections that are used again and again.
var kept = &http.Client{
	Timeout: time.Minute, Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask shows the login, or sends its form with an address that is none; "" where it
// was answered.
func (l *steady) ask(fresh *apptest.Browser, kind int) (lost string) {
	form := url.Values{"email": {"nobody"}, "password": {kit.Password}, "next": {""}}
	status, want := 0, http.StatusOK
	switch kind {
	case 0:
		status = fresh.Get("/login").Status
	case 1:
		status, want = fresh.Post("/login", form).Status, http.StatusUnprocessableEntity
	default:
		method := http.MethodGet
		if kind == 3 {
			method, want = http.MethodPost, http.StatusUnprocessableEntity
		}
		r, err := http.NewRequestWithContext(l.Context(), method, l.site.BalancerURL()+"/login", strings.NewReader(form.Encode()))
		if err != nil {
			return err.Error()
		}
		r.Host = strings.TrimPrefix(l.site.URL, "http://")
		r.Header.Set("Origin", l.site.URL)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := kept.Do(r)
		if err != nil {
			return err.Error()
		}
		_, err = io.Copy(io.Discard, answer.Body) // and the connection is used again
		if answer.Body.Close(); err != nil {
			return err.Error()
		}
		status = answer.StatusCode
	}
	if status != want {
		return fmt.Sprintf("kind %d: status %d, want %d", kind, status, want)
	}
	return ""
}
