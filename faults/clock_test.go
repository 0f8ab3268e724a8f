package faults

import (
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// jumps are what happens to clocks.
var jumps = []struct {
	name  string
	by    time.Duration
	often bool // in the short form too
}{
	{"an hour ahead", time.Hour, true},
	{"a day ahead", 24 * time.Hour, false},
	{"90 seconds back", -90 * time.Second, true},
	{"an hour back", -time.Hour, false},
	{"a year back", -365 * 24 * time.Hour, false},
	{"to the year 2038", time.Until(time.Date(2038, 1, 20, 0, 0, 0, 0, time.UTC)), false},
}

// Wherever the clock jumps to and back again, what was over stays over, no code
// is taken twice, nobody waits longer than the wait, and the log says so.
func TestTheClockJumps(t *testing.T) {
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		began, runs, s := time.Now(), 0, startTimed(t, engine)
		for _, jump := range jumps {
			if *long || jump.often {
				runs++
				t.Run(jump.name, func(t *testing.T) { jumpsBy(newTimed(t, s), jump.by) })
			}
		}
		table.Add(t, kit.Row{Fault: "the clock jumps, and back", Engine: engine, Runs: runs,
			Held:    "no session comes back, no code is taken twice, no wait is longer, the log says it",
			Figures: []string{"1 h, 1 day and to 2038 ahead; 90 s, 1 h and 1 year back"}, Took: time.Since(began)})
	})
}

// timed is a site on which people have something that ends by the clock.
type timed struct {
	*testing.T
	*kit.Site
	ada    *kit.Person      // has a phone
	code   string           // of Ada's, used last
	live   *apptest.Browser // in a session of Ada's
	lapsed *apptest.Browser // in one of Carl's, whose time is over
	bob    *kit.Person      // waits after wrong passwords
}

// startTimed starts a site on which people come to have such things.
func startTimed(t *testing.T, engine kit.Engine) *kit.Site {
	t.Helper()
	s := kit.Start(t, engine, 1)
	administered(s)
	return s
}

func administered(s *kit.Site) {
	s.Person("root@example.org", "--admin")
	s.Activate("two-factor")
}

// times numbers those who come.
var times atomic.Int64

func newTimed(t *testing.T, s *kit.Site) *timed {
	t.Helper()
	n := times.Add(1)
	w := &timed{T: t, Site: s, ada: s.Person(fmt.Sprintf("ada%d@example.org", n)), bob: s.Person(fmt.Sprintf("bob%d@example.org", n))}
	carl := s.Person(fmt.Sprintf("carl%d@example.org", n))
	w.lapsed, w.live = s.Browser(0, "127.0.0.2"), s.Browser(0, "127.0.0.3")
	s.SignIn(w.lapsed, carl)
	s.SignIn(w.live, w.ada)
	s.EnableTwoFactor(w.live, w.ada)
	s.Turn(61 * time.Minute)
	w.isOut(w.lapsed, "Carl after an hour")
	w.live = s.Browser(0, "127.0.0.4")
	page := kit.LogIn(w.live, w.ada)
	w.code = s.Code(w.ada)
	page.Form("Send code").Fill("Login code", w.code).Press()
	w.isIn(w.live, "Ada")
	return w
}

func (w *timed) isIn(b *apptest.Browser, who string) {
	w.Helper()
	if !signedIn(b) {
		w.Errorf("%s is not signed in", who)
	}
}

func (w *timed) isOut(b *apptest.Browser, who string) {
	w.Helper()
	if signedIn(b) {
		w.Errorf("%s is signed in", who)
	}
}

// codeIs tries a login of Ada's by a code.
func (w *timed) codeIs(code string, taken bool, when string) {
	w.Helper()
	b := w.Browser(0, "127.0.0.5")
	page := kit.LogIn(b, w.ada)
	if !page.HasButton("Send code") {
		w.Fatalf("%s: no code is asked: %d %s", when, page.Status, page.Text())
	}
	if page := page.Form("Send code").Fill("Login code", code).PressOnce(); agreed(page) != taken {
		w.Errorf("%s: the code is taken: %v, want %v: %s", when, !taken, taken, page.Alert())
	}
}

// fails types wrong passwords for Bob until he has to wait.
func (w *timed) fails() {
	w.Helper()
	wrong := &kit.Person{Address: w.bob.Address, Password: "not his"}
	for range 12 {
		if kit.LogIn(w.Browser(0, "127.0.0.6"), wrong).Status == 429 {
			return
		}
	}
	w.Error("Bob need not wait")
}

// longestWait is the default.
const longestWait = 15 * time.Minute

func jumpsBy(w *timed, by time.Duration) {
	const said = "the clock was set back: what was over stays over"
	before := strings.Count(w.Servers[0].Printed(), said)
	w.fails()
	w.Turn(by)
	w.codeIs(w.code, false, "after the jump")
	w.isOut(w.lapsed, "Carl after the jump")
	if by >= time.Hour {
		w.isOut(w.live, "Ada after a jump over her session")
	}
	w.Turn(-by)
	w.codeIs(w.code, false, "when the clock is right again")
	w.isOut(w.lapsed, "Carl when the clock is right again")
	if by >= time.Hour {
		w.isOut(w.live, "Ada, whose session was over once")
	}
	if page := kit.LogIn(w.Browser(0, "127.0.0.7"), w.bob); page.Status != 429 && !page.HasButton("Log out") {
		w.Errorf("Bob meets status %d: %s", page.Status, page.Text())
	}
	w.Turn(longestWait)
	b := w.Browser(0, "127.0.0.8")
	kit.LogIn(b, w.bob)
	w.isIn(b, "Bob, who waited, and the clock is right")
	w.codeIs(w.Code(w.ada), true, "when the clock is right again, a new one")
	if strings.Count(w.Servers[0].Printed(), said) == before {
		w.Error("the log does not tell of the step back")
	}
	w.Turn(25 * time.Hour)
	w.isOut(w.live, "Ada after a day")
	w.isOut(b, "Bob after a day")
}

// Nothing happens where the local time changes.
func TestSummerTimeBeginsAndEnds(t *testing.T) {
	kit.Each(t, func(t *testing.T, engine kit.Engine) {
		t.Parallel()
		began, runs := time.Now(), 0
		for name, change := range map[string]time.Time{
			"begins": time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), "ends": time.Date(2027, 10, 31, 1, 0, 0, 0, time.UTC),
		} {
			if !*long && name != "begins" {
				continue
			}
			runs++
			t.Run(name, func(t *testing.T) {
				s := kit.New(t, engine, 1)
				s.Servers[0].Environ = append(s.Servers[0].Environ, "TZ=Europe/Berlin")
				s.Turn(time.Until(change) - 62*time.Minute - 45*time.Second)
				s.Servers[0].Start()
				administered(s)
				w := newTimed(t, s) // an hour and some later it is a minute before the change
				s.Turn(2 * time.Minute)
				w.isIn(w.live, "Ada after the change")
				w.isOut(w.lapsed, "Carl after the change")
				w.codeIs(s.Code(w.ada), true, "after the change")
				s.Turn(59 * time.Minute)
				w.isIn(w.live, "Ada after less than an hour")
				s.Turn(61 * time.Minute)
				w.isOut(w.live, "Ada after more than an hour")
				if s.Servers[0].Said("the clock") {
					t.Error(s.Servers[0].Printed())
				}
			})
		}
		table.Add(t, kit.Row{Fault: "summer time begins, and ends", Engine: engine, Runs: runs, Held: "nothing happens", Took: time.Since(began)})
	})
}

// The clock of PostgreSQL decides nothing: it may be ten minutes ahead.
func TestTheDatabasesOwnClockIsWrong(t *testing.T) {
	t.Parallel()
	began := time.Now()
	cluster := storetest.StartClusterAhead(t, "+10m")
	s := kit.On(t, cluster.Database(t, "twinlock"), 2)
	administered(s)
	if by := ahead(t, cluster); by < 9*time.Minute || by > 11*time.Minute {
		t.Fatalf("the database's clock is %s ahead: this shows nothing", by)
	}
	w := newTimed(t, s)
	w.codeIs(w.code, false, "again")
	other := s.Browser(1, "127.0.0.9")
	s.SignIn(other, w.ada)
	w.isIn(other, "Ada at the other server")
	other.Get("/account/sessions").Form("End all others").PressOnce()
	w.isOut(w.live, "Ada, whose session was ended at the other server")
	other.Get("/forgot-password").Form("Send reset link").Fill("Email", w.bob.Address).Press()
	if page := other.Get(s.Link(w.bob.Address, "/forgot-password/new")); !page.HasButton("Set new password") {
		t.Errorf("the link in the letter: %d %s", page.Status, page.Text())
	}
	s.Turn(59 * time.Minute)
	w.isIn(other, "Ada after less than an hour")
	s.Turn(61 * time.Minute)
	w.isOut(other, "Ada after more than an hour")
	if program.Within(t, time.Second, "both are ready", func() bool { return s.Servers[0].Ready() && s.Servers[1].Ready() }); s.Servers[0].Said("clock") {
		t.Error(s.Servers[0].Printed())
	}
	table.Add(t, kit.Row{Fault: "PostgreSQL's own clock is 10 minutes ahead", Engine: kit.PostgreSQL, Runs: 1,
		Held: "logins, codes, endings, letters and time limits go by the servers' clock", Took: time.Since(began)})
}

// ahead is how far a database's clock is before this machine's.
func ahead(t *testing.T, cluster *storetest.Cluster) time.Duration {
	t.Helper()
	db, err := sql.Open("pgx", cluster.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var now time.Time
	if err := db.QueryRow(`SELECT clock_timestamp()`).Scan(&now); err != nil {
		t.Fatal(fmt.Errorf("its clock: %w", err))
	}
	return time.Until(now)
}
