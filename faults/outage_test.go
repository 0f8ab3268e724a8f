package faults

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

const (
	outageRequest = 5 * time.Second // how long a request may take while the database is away
	outageNoticed = 2 * time.Second // until readiness says so
	outageOver    = 5 * time.Second // until everything is as before, once it is back

	// outagePool is the pool of 16, and the two connections by which servers hear.
	outagePool = 18
)

// The database is away: stopped, frozen, or behind a network that carries nothing.
// Nobody waits long, readiness says so, and all is well soon after it is back.
func TestTheDatabaseIsGoneAndBack(t *testing.T) {
	t.Parallel()
	m := storetest.NewMember(t, "alone")
	m.Changes(`CREATE DATABASE twinlock`)
	line, address := storetest.NewLine(t, m.Address("twinlock"))
	site := kit.On(t, address, 1)
	o := &outage{T: t, site: site, member: m, ada: site.Person("ada@example.org")}
	for _, f := range []struct {
		name        string
		goes, comes func()
	}{
		{"database stopped at once", m.StopImmediately, m.Start},
		{"database frozen", m.Freeze, m.Thaw},
		{"network that carries nothing", line.Cut, line.Mend},
	} {
		o.sees(f.name, f.goes, f.comes)
	}
	m.Freeze()
	defer m.Thaw()
	told := time.Now()
	site.Servers[0].Stop()
	if took := time.Since(told); took > drains {
		t.Errorf("beside a frozen database a server took %s to stop", took)
	}
}

// outage watches a server while its database is away.
type outage struct {
	*testing.T
	site   *kit.Site
	member *storetest.Member
	ada    *kit.Person
}

func (o *outage) sees(name string, goes, comes func()) {
	o.Helper()
	began := time.Now()
	inside := o.site.Browser(0, "127.0.0.2")
	if page := o.site.SignIn(inside, o.ada); !page.HasButton("Log out") {
		o.Fatalf("before %s: %d %s", name, page.Status, page.Text())
	}
	asked := o.ask(inside)
	goes()
	gone := time.Now()
	for o.site.Servers[0].Ready() {
		if time.Since(gone) > outageRequest {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	noticed := time.Since(gone)
	if noticed > outageNoticed {
		o.Errorf("%s: readiness says so after %s", name, noticed)
	}
	time.Sleep(time.Duration(often(60, 6))*time.Second - noticed)
	comes()
	back := time.Now()
	most := o.mostConnections(back.Add(outageOver))
	over := o.untilAsBefore(inside, back)
	if over > outageOver {
		o.Errorf("%s: all is as before after %s", name, over)
	}
	asked.end()
	if longest := asked.took.At(1); longest > outageRequest {
		o.Errorf("%s: a request took %s", name, longest)
	}
	if asked.wrong.Load() > 0 || asked.refused.Load() == 0 {
		o.Errorf("%s: %d requests were refused, and %d answered as they must not be: %v", name, asked.refused.Load(), asked.wrong.Load(), asked.what.Load())
	}
	if n := <-most; n > outagePool {
		o.Errorf("%s: %d connections at once", name, n)
	} else {
		table.Add(o, kit.Row{Fault: name, Engine: kit.PostgreSQL, Runs: 1, Held: "no request hung, 503 and nothing else, no more connections than the pool has",
			Figures: []string{fmt.Sprintf("noticed after %d ms", noticed.Milliseconds()), "requests " + asked.took.String(),
				fmt.Sprintf("%d refused", asked.refused.Load()), fmt.Sprintf("as before after %d ms", over.Milliseconds()), fmt.Sprintf("%d connections", n)},
			Took: time.Since(began)})
	}
}

// asked is what was asked meanwhile.
type asked struct {
	took           kit.Took
	refused, wrong atomic.Int64
	what           atomic.Value
	end            func()
}

// ask keeps asking for pages of somebody who is logged in, and for letters, which
// are written. It hashes nothing: how long that takes the machine decides.
func (o *outage) ask(inside *apptest.Browser) *asked {
	a, stop := &asked{}, make(chan struct{})
	var all sync.WaitGroup
	for i := range 24 {
		browser := o.site.Browser(0, "127.0.1."+strconv.Itoa(i+2))
		browser.SetCookie("twinlock", inside.Cookie("twinlock"))
		form := o.site.Browser(0, "127.0.2."+strconv.Itoa(i+2)).Get("/forgot-password").Form("Send reset link").Fill("Email", fmt.Sprintf("nobody%d@example.org", i))
		all.Go(func() {
			pause := time.NewTicker(100 * time.Millisecond)
			defer pause.Stop()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-pause.C:
				}
				began := time.Now()
				page, good := a.once(browser, form, n%3)
				a.took.Since(began)
				switch {
				case page.Status == http.StatusServiceUnavailable:
					a.refused.Add(1)
				case !good:
					a.wrong.Add(1)
					a.what.Store(fmt.Sprintf("%s: %d %s", page.Path, page.Status, page.Text()))
				}
			}
		})
	}
	a.end = func() {
		close(stop)
		all.Wait()
	}
	return a
}

func (a *asked) once(inside *apptest.Browser, form *apptest.Form, kind int) (page *apptest.Page, good bool) {
	switch kind {
	case 0:
		page = inside.Get("/account")
		return page, page.HasButton("Log out")
	case 1:
		page = inside.Get("/apps")
		return page, page.HasButton("Log out")
	}
	page = form.Press()
	return page, page.Status == http.StatusOK
}

// untilAsBefore tells after how long whoever was logged in still is, and something
// can be written.
func (o *outage) untilAsBefore(inside *apptest.Browser, back time.Time) time.Duration {
	other := o.site.Browser(0, "127.0.3.2")
	for {
		ready := o.site.Servers[0].Ready()
		page := inside.Get("/account")
		if ready && page.HasButton("Log out") && other.Get("/forgot-password").Form("Send reset link").Fill("Email", "nobody@example.org").Press().Status == http.StatusOK {
			return time.Since(back)
		}
		if time.Since(back) > 4*outageOver {
			o.Errorf("not as before: %d %s", page.Status, page.Text())
			return time.Since(back)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// mostConnections counts the connections of the server until then.
func (o *outage) mostConnections(until time.Time) <-chan int {
	most := make(chan int, 1)
	go func() {
		n := 0
		for time.Now().Before(until) {
			if now, err := o.member.TryAsk(`SELECT COUNT(*)::text FROM pg_stat_activity WHERE datname = 'twinlock'`); err == nil {
				count, _ := strconv.Atoi(now)
				n = max(n, count)
			}
			time.Sleep(20 * time.Millisecond)
		}
		most <- n
	}()
	return most
}
