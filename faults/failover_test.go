package faults

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// serviceBack is how long after a promotion people may wait until something is
// written for them again.
const serviceBack = 10 * time.Second

// A standby is killed and nobody notices; then the primary, and one of the
// standbys is promoted: nothing that was acknowledged is lost.
func TestAFailoverLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var back kit.Took
	var all testimony
	rounds := often(5, 1)
	c := newReplicas(t)
	site := kit.On(t, c.address(), 2, kit.BehindBalancer...)
	site.Balance()
	site.Person("root@example.org", "--admin")
	site.Activate("two-factor")
	for round := range rounds {
		c.fails(site, round, &all, &back)
	}
	table.Add(t, kit.Row{Fault: "fail-over, by hand", Engine: kit.PostgreSQL, Runs: rounds, Took: time.Since(began),
		Held:    "nothing lost that was acknowledged, no code twice, no request failed for a standby",
		Figures: append(all.figures(), "written again after the promotion "+back.String())})
}

// replicas are a primary and two standbys, of which one must have what is
// acknowledged.
type replicas struct {
	*testing.T
	primary *storetest.Member
	others  []*storetest.Member
	joining sync.WaitGroup // again, of whoever was killed
}

var synchronous = []string{"-c", "synchronous_standby_names=ANY 1 (a, b, c)", "-c", "synchronous_commit=on", "-c", "max_connections=200"}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	c := &replicas{T: t, primary: storetest.NewMember(t, "a", "-c", "max_connections=200")}
	c.primary.Changes(`CREATE DATABASE twinlock`)
	c.primary.StopImmediately()
	c.primary.Flags = synchronous
	c.primary.Begin()
	c.primary.Await(30 * time.Second)
	c.others = []*storetest.Member{c.primary.Standby("b", synchronous...), c.primary.Standby("c", synchronous...)}
	c.primary.AwaitCopied(2)
	c.Cleanup(c.joining.Wait) // before the members are killed
	return c
}

// address names all of them, as the page on PostgreSQL says.
func (c *replicas) address() string {
	hosts := []string{"127.0.0.1:" + c.primary.Port}
	for _, m := range c.others {
		hosts = append(hosts, "127.0.0.1:"+m.Port)
	}
	return "postgres://twinlock@" + strings.Join(hosts, ",") + "/twinlock?sslmode=disable&target_session_attrs=read-write&connect_timeout=3"
}

// fails lets people act, kills a standby, then the primary, and takes over.
func (c *replicas) fails(site *kit.Site, round int, all *testimony, back *kit.Took) {
	c.Helper()
	c.joining.Wait()
	c.primary.AwaitCopied(2)
	began := time.Now()
	people := newPeople(c.T, site, round, often(10, 6), all)
	people.until("people log in, enrol, change passwords and log out", func() bool {
		return all.enrolments.Load() >= int64(3*(round+1)) && all.passwords.Load() > int64(round) && all.logouts.Load() > int64(2*round)
	})
	c.Logf("%s: people are there", time.Since(began).Round(time.Millisecond))
	c.others[0].Kill()
	before := all.lost.Load()
	people.writeMore(6)
	if lost := all.lost.Load() - before; lost > 0 {
		c.Errorf("%d requests failed when a standby was killed: %v", lost, all.failed)
	}
	c.others[0].Start()
	c.primary.AwaitCopied(2)
	people.writeMore(6)
	c.Logf("%s: a standby was killed, and is back", time.Since(began).Round(time.Millisecond))
	c.primary.Kill()
	next := storetest.MostReceived(c.others...)
	next.Promote()
	promoted := time.Now()
	c.takesOver(next)
	for !all.lastWritten().After(promoted) {
		if time.Since(promoted) > 3*serviceBack {
			c.Fatalf("nothing is written %s after the promotion: %v", time.Since(promoted), all.failed)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := all.lastWritten().Sub(promoted)
	back.Add(took)
	if took > serviceBack {
		c.Errorf("something is written again %s after the promotion", took)
	}
	c.Logf("%s: something is written again", time.Since(began).Round(time.Millisecond))
	people.writeMore(6)
	people.testify()

	for _, what := range all.wrong {
		c.Error(what)
	}
}

// takesOver makes next the primary of the others, and a standby of what was one.
func (c *replicas) takesOver(next *storetest.Member) {
	c.Helper()
	old := c.primary
	for i, m := range c.others {
		if m == next {
			c.others[i] = old
		} else {
			m.Copies(next)
		}
	}
	c.primary = next
	c.joining.Go(func() { old.Rejoin(next) })
}

// people are some witnesses who act at once.
type people struct {
	*testing.T
	all  []*witness
	seen *testimony
	stop chan struct{}
	busy sync.WaitGroup
}

func newPeople(t *testing.T, site *kit.Site, round, n int, seen *testimony) *people {
	t.Helper()
	return witnesses(t, n, round, seen, site, site.Balanced)
}

// witnesses are n people of a round, with a browser each that open opens.
func witnesses(t *testing.T, n, round int, seen *testimony, site *kit.Site, open func(network string) *apptest.Browser) *people {
	t.Helper()
	p := &people{T: t, seen: seen, stop: make(chan struct{}), all: make([]*witness, n)}
	var made sync.WaitGroup
	for i := range n {
		network := fmt.Sprintf("127.%d.%d.2", round+1, i+1)
		made.Go(func() {
			p.all[i] = &witness{T: t, site: site, seen: seen,
				person: site.Person(fmt.Sprintf("person%d-%d@example.org", round, i)),
				open:   func() *apptest.Browser { return open(network) }}
		})
	}
	made.Wait()
	for _, w := range p.all {
		p.busy.Go(func() { w.acts(p.stop) })
	}
	return p
}

// peoplePatience is long: a machine with other things to do hashes last.
const peoplePatience = 3 * time.Minute

// until lets them go on until yes.
func (p *people) until(what string, yes func() bool) {
	p.Helper()
	program.Within(p, peoplePatience, what, yes)
}

// writeMore lets them go on until so much more was written for them.
func (p *people) writeMore(n int64) {
	p.Helper()
	before := p.seen.written.Load()
	p.until("more is written", func() bool { return p.seen.written.Load() >= before+n })
}

// testify stops them, and lets them check what they saw.
func (p *people) testify() {
	close(p.stop)
	p.busy.Wait()
	var all sync.WaitGroup
	for _, w := range p.all {
		all.Go(w.testify)
	}
	all.Wait()
}

// figures are how much was acknowledged and how much of it was looked at again.
func (s *testimony) figures() []string {
	count := func(n interface{ Load() int64 }, what string) string { return fmt.Sprintf("%d %s", n.Load(), what) }
	return []string{"acknowledged: " + strings.Join([]string{
		count(&s.logins, "logins"), count(&s.recoveries, "by recovery codes"), count(&s.enrolments, "enrolments"),
		count(&s.passwords, "passwords"), count(&s.logouts, "logouts"), count(&s.questions, "questions")}, ", "),
		"checked after: " + strings.Join([]string{count(&s.checked.sessions, "sessions begun"), count(&s.checked.ended, "ended"),
			count(&s.checked.codes, "codes still in time"), count(&s.checked.recovery, "recovery codes"),
			count(&s.checked.passwords, "passwords"), count(&s.checked.enrolments, "enrolments")}, ", "),
		count(&s.lost, "requests failed meanwhile"), fmt.Sprintf("%d lost", len(s.wrong))}
}
