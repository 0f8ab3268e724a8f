package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

const (
	overloadTimes  = 10
	overloadOver   = 10 * time.Second       // until a login takes as long as before
	memoryEvery    = 250 * time.Millisecond // it stays for longer
	overloadAnswer = 200 * time.Millisecond // in the long form: until whoever is not served hears so
	overloadMemory = 26 << 20               // above what it was, and a hash for each core
	overloadPage   = 10 * time.Millisecond  // in the long form: until whoever is logged in has a page, or twice what it took before
)

// Ten times the logins that can be served come, and do not wait for each other.
// The rest is told to come back, whoever is logged in feels nothing, and soon
// after all is as before.
func TestTenTimesTheLoginsThatCanBeServed(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		began := time.Now()
		o := &overload{T: t, site: kit.Start(t, engine, 1, "--hash-memory", "19", "--hash-passes", "2")}
		o.ada, o.through = o.site.Person("ada@example.org"), o.senders()
		inside := o.site.Browser(0, "127.0.0.2")
		if page := o.site.SignIn(inside, o.site.Person("bob@example.org")); !page.HasButton("Log out") {
			t.Fatalf("before: %d %s", page.Status, page.Text())
		}
		stop, idle := o.asksInside(inside)
		time.Sleep(time.Duration(often(20, 1)) * time.Second)
		stop()
		capacity := o.capacity(time.Duration(often(10, 2)) * time.Second)
		before, alone := o.site.Servers[0].Memory(), o.logsIn()
		if alone > time.Minute {
			t.Fatal("nobody can log in before")
		}
		stop, asked := o.asksInside(inside)
		o.offer(overloadTimes*capacity, time.Duration(often(120, 5))*time.Second)
		stop()
		above := o.most.Load() - before
		program.Within(t, overloadOver, "a login takes as long as before", func() bool { return o.logsIn() < 3*alone+100*time.Millisecond })
		over := time.Since(o.ended)
		goodput := float64(o.served.Load()) / o.ended.Sub(o.begun).Seconds() / capacity
		pages, pagesBefore := asked.took.At(0.99), idle.took.At(0.99)
		if o.refused.Load() == 0 || o.other.Load() > 0 || asked.wrong.Load() > 0 || above > overloadMemory+int64(runtime.NumCPU())*19<<20 {
			t.Errorf("%d refused with 503 and Retry-After, %d answered otherwise (%v), %d sessions harmed, %d MiB more",
				o.refused.Load(), o.other.Load(), o.what.Load(), asked.wrong.Load(), above>>20)
		}
		if *long && (goodput < 0.9 || o.refusals.At(0.99) > overloadAnswer) {
			t.Errorf("goodput %.2f, 99 of 100 refusals within %s", goodput, o.refusals.At(0.99))
		}
		if *long && pages > max(overloadPage, 2*pagesBefore) {
			t.Errorf("99 of 100 pages of sessions within %s, and before within %s", pages, pagesBefore)
		}
		table.Add(t, kit.Row{Fault: "ten times the logins", Engine: engine, Runs: int(o.offered.Load()), Took: time.Since(began),
			Held: "the rest gets 503 and Retry-After, sessions are unharmed",
			Figures: []string{fmt.Sprintf("capacity %.0f/s, offered %.0f/s, goodput %.2f", capacity, float64(o.offered.Load())/o.ended.Sub(o.begun).Seconds(), goodput),
				fmt.Sprintf("refusals %s, 99 of 100 within %d ms", &o.refusals, o.refusals.At(0.99).Milliseconds()),
				fmt.Sprintf("pages of sessions %s, 99 of 100 within %.1f ms, before within %.1f ms", &asked.took, pages.Seconds()*1000, pagesBefore.Seconds()*1000),
				fmt.Sprintf("%d MiB more at most", above>>20), fmt.Sprintf("as before after %.1f s", over.Seconds())}})
	})
}

// overload counts what becomes of many logins.
type overload struct {
	*testing.T
	site    *kit.Site
	ada     *kit.Person
	through *senders

	begun, ended                    time.Time
	offered, served, refused, other atomic.Int64
	refusals                        kit.Took
	most                            atomic.Int64 // memory
	what                            atomic.Value
}

// logsIn tells how long one login takes.
func (o *overload) logsIn() time.Duration {
	o.Helper()
	form := o.form()
	began := time.Now()
	if answer, err := o.send(form); err != nil || answer != http.StatusSeeOther {
		return time.Hour
	}
	return time.Since(began)
}

// form is a login as it is sent.
func (o *overload) form() url.Values {
	return url.Values{"email": {o.ada.Address}, "password": {o.ada.Password}, "next": {""}}
}

// senders is what the logins come through: as many connections as are needed at
// once, and little work for each, since the server shares its machine with them.
type senders struct {
	to   string
	idle chan *connection
}

// mostConnections is more than wait at once: a line, and who is being answered.
const mostConnections = 1 << 16

type connection struct {
	net.Conn
	answers *bufio.Reader
}

func (o *overload) senders() *senders {
	s := &senders{to: strings.TrimPrefix(o.site.Servers[0].Local, "http://"), idle: make(chan *connection, mostConnections)}
	o.Cleanup(func() {
		for len(s.idle) > 0 {
			(<-s.idle).Close()
		}
	})
	return s
}

func (s *senders) connect(ctx context.Context) (*connection, error) {
	select {
	case c := <-s.idle:
		return c, nil
	default:
	}
	c, err := new(net.Dialer).DialContext(ctx, "tcp", s.to)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

// send sends a login, and reads the answer to its end.
func (o *overload) send(form url.Values) (status int, err error) {
	c, err := o.through.connect(o.Context())
	if err != nil {
		return 0, err
	}
	body := form.Encode()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintf(c, "POST /login HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		strings.TrimPrefix(o.site.URL, "http://"), o.site.URL, len(body), body); err != nil {
		return 0, errors.Join(err, c.Close())
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, errors.Join(err, c.Close())
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, errors.Join(err, c.Close())
	}
	if answer.Close {
		return 0, errors.Join(errors.New("the server keeps no connection"), c.Close())
	}
	o.through.idle <- c
	if answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "" {
		err = errors.New("503 without Retry-After")
	}
	return answer.StatusCode, err
}

// capacity is how many logins a second 8 people finish who wait for theirs.
func (o *overload) capacity(d time.Duration) float64 {
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range 8 {
		all.Go(func() {
			for time.Since(began) < d {
				if status, err := o.send(o.form()); err == nil && status == http.StatusSeeOther {
					n.Add(1)
				}
			}
		})
	}
	all.Wait()
	return max(1, float64(n.Load())/time.Since(began).Seconds())
}

// offer sends logins at a rate, whether or not earlier ones are answered.
func (o *overload) offer(rate float64, d time.Duration) {
	var all sync.WaitGroup
	o.begun = time.Now()
	var watching sync.WaitGroup
	watching.Go(func() {
		for time.Since(o.begun) < d {
			o.most.Store(max(o.most.Load(), o.site.Servers[0].Memory())) // takes a millisecond of a core
			time.Sleep(memoryEvery)
		}
	})
	defer watching.Wait()
	for sent := 0.0; time.Since(o.begun) < d; time.Sleep(time.Millisecond) {
		for ; sent < rate*time.Since(o.begun).Seconds(); sent++ {
			o.offered.Add(1)
			all.Go(func() { o.count(time.Now()) })
		}
	}
	o.ended = time.Now()
	all.Wait()
}

func (o *overload) count(began time.Time) {
	status, err := o.send(o.form())
	switch {
	case err == nil && status == http.StatusSeeOther:
		o.served.Add(1)
	case err == nil && status == http.StatusServiceUnavailable:
		o.refused.Add(1)
		o.refusals.Since(began)
	default:
		o.other.Add(1)
		o.what.Store(fmt.Sprint(status, err))
	}
}

// asksInside keeps asking as somebody who is logged in.
func (o *overload) asksInside(inside *apptest.Browser) (stop func(), a *asked) {
	a = &asked{}
	end := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for pause := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-end:
				return
			case <-pause.C:
			}
			began := time.Now()
			if page := inside.Get("/account"); !page.HasButton("Log out") {
				a.wrong.Add(1)
			}
			a.took.Since(began)
		}
	})
	return func() { close(end); all.Wait() }, a
}
