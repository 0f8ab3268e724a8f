package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// drains is how long a server may take from the order to stop to its end.
const drains = 10 * time.Second

// Each server is replaced in turn by one of a later version, which changes the
// tables under the other, and in the next round by one of this version again. People
// log in, enrol, change their passwords and log out meanwhile.
func TestNothingIsLostWhileServersAreReplaced(t *testing.T) {
	t.Parallel()
	began := time.Now()
	d := &deploy{T: t, later: later(t), site: kit.New(t, kit.PostgreSQL, 2, kit.BehindBalancer...)}
	d.seen.pause = 150 * time.Millisecond // so that their codes last
	for _, s := range d.site.Servers {
		at := "127.0.0.1:" + program.FreePort(t)
		s.Flags = append(s.Flags, "--metrics-listen", at)
		d.metrics = append(d.metrics, "http://"+at+"/metrics")
		s.Start()
	}
	d.site.Balance()
	d.site.Person("root@example.org", "--admin")
	d.site.Activate("two-factor")
	end := d.changeNames()
	rounds := often(20, 2)
	for round := range rounds {
		d.replaces(round, []string{d.later, ""}[round%2])
	}
	end()
	for _, why := range append(d.seen.wrong, d.seen.failed...) {
		t.Error(why)
	}
	if lost := d.seen.lost.Load(); lost > 0 {
		t.Errorf("%d requests failed", lost)
	}
	if longest := d.stops.At(1); longest > drains {
		t.Errorf("a server took %s to stop", longest)
	}
	table.Add(t, kit.Row{Fault: "servers replaced in turn, this version beside a later one of two more steps of the schema", Engine: kit.PostgreSQL,
		Runs: 2 * rounds, Took: time.Since(began), Held: "nothing lost that was acknowledged, no request failed",
		Figures: append(d.seen.figures(), fmt.Sprintf("%d names changed", d.names.Load()),
			fmt.Sprintf("%d requests, %d asked to come back", d.seen.asked.Load(), d.seen.busy.Load()), "a stop "+d.stops.String())})
}

// deploy is a site whose servers are replaced.
type deploy struct {
	*testing.T
	site    *kit.Site
	later   string   // the program of a later version
	metrics []string // where each server tells of itself
	seen    testimony
	names   atomic.Int64 // changed
	stops   kit.Took
}

// replaces replaces both servers, one after the other, while people act.
func (d *deploy) replaces(round int, by string) {
	d.Helper()
	var opened atomic.Int64
	people := witnesses(d.T, often(10, 6), round, &d.seen, d.site, func(network string) *apptest.Browser {
		if opened.Add(1)%2 == 0 {
			return d.site.BalancedKeeping(network)
		}
		return d.site.Balanced(network)
	})
	people.writeMore(6)
	for i, s := range d.site.Servers {
		s.Program = by
		begun := time.Now()
		s.Stop()
		d.stops.Since(begun)
		s.Start()
		if said := d.tells(i, "twinlock_build_info{"); strings.Contains(said, laterVersion) != (by == d.later) {
			d.Fatalf("it is the wrong program: %s", said)
		}
		d.bothLetIn(people)
	}
	people.testify()
}

// changeNames lets some people change their names over and over, by connections that
// they keep, until its end is asked for: what is sent on one that is just being closed
// nobody sends again.
func (d *deploy) changeNames() (end func()) {
	d.Helper()
	var busy sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 {
		w := &witness{T: d.T, site: d.site, seen: &d.seen, person: d.site.Person(fmt.Sprintf("renamed%d@example.org", i)),
			inside: d.site.BalancedKeeping(fmt.Sprintf("127.0.9.%d", i+2))}
		d.site.SignIn(w.inside, w.person)
		busy.Go(func() {
			pause := time.NewTicker(10 * time.Millisecond)
			defer pause.Stop()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-pause.C:
					d.changesName(w, fmt.Sprint("Name ", n))
				}
			}
		})
	}
	return func() {
		close(stop)
		busy.Wait()
	}
}

// changesName is one such change; the page after it may be of the other server.
func (d *deploy) changesName(w *witness, name string) {
	page := w.inside.Post("/account/name", url.Values{"name": {name}})
	switch {
	case !w.answers(page):
	case !page.HasButton("Save"):
		w.deny("a session that was acknowledged is gone: %s: %d %s", page.Path, page.Status, page.Text())
	case page.Form("Save").Values.Get("name") != name:
		w.deny("a name that was acknowledged is not there")
	default:
		d.names.Add(1)
	}
}

// bothLetIn waits until people have logged in on either server.
func (d *deploy) bothLetIn(people *people) {
	d.Helper()
	var before [2]string
	for i := range before {
		before[i] = d.tells(i, loginsDone)
	}
	people.until("people log in on both servers", func() bool {
		return d.tells(0, loginsDone) != before[0] && d.tells(1, loginsDone) != before[1]
	})
}

const loginsDone = `twinlock_logins_total{factor="`

// tells gives the lines of a server's metrics that begin so, but for what was refused.
func (d *deploy) tells(server int, beginning string) (lines string) {
	d.Helper()
	answer, err := http.Get(d.metrics[server])
	must(d, err)
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	must(d, err)
	for line := range strings.Lines(string(all)) {
		if strings.HasPrefix(line, beginning) && !strings.Contains(line, `result="refused"`) {
			lines += line
		}
	}
	return lines
}

const laterVersion = "v99.0.0"

// later builds the program of a version that is yet to come: it calls itself so, and
// has steps of the schema that this one does not know.
func later(t *testing.T) (binary string) {
	t.Helper()
	folder, replaced := t.TempDir(), map[string]string{}
	for path, text := range map[string]string{
		"app/version.go": "package app\n\nfunc Version() string { return \"" + laterVersion + "\" }\n",
		"store/migrations/postgres/9901_people.sql":   "-- +goose Up\nALTER TABLE users ADD COLUMN later BIGINT NOT NULL DEFAULT 0;\n",
		"store/migrations/postgres/9902_sessions.sql": "-- +goose Up\nALTER TABLE sessions ADD COLUMN later BIGINT NOT NULL DEFAULT 0;\n",
	} {
		in, err := filepath.Abs(filepath.Join("../internal", path))
		must(t, err)
		replaced[in] = filepath.Join(folder, filepath.Base(path))
		must(t, os.WriteFile(replaced[in], []byte(text), 0o600))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	list := filepath.Join(folder, "overlay.json")
	must(t, os.WriteFile(list, overlay, 0o600))
	binary = filepath.Join(folder, "twinlock")
	out, err := exec.Command("go", "build", "-tags", "testclock", "-overlay", list, "-o", binary, "github.com/twinlock/twinlock/cmd/twinlock").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
