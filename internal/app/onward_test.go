package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// passing is something that is over after a while: begin begins it, and gives a
// look at whether it is over.
type passing struct {
	settings []string
	life     time.Duration
	begin    func(*testing.T, *apptest.Site) (over func() bool)
}

var passings = map[string]passing{
	"a session that lapsed": {life: time.Hour, begin: func(t *testing.T, site *apptest.Site) func() bool {
		b, _ := signedInAs(site, "ada@example.org")
		return func() bool { return !opens(b, "/apps") && told(t, b) != "live" }
	}},
	"a session past its overall limit": {life: 24 * time.Hour, begin: func(t *testing.T, site *apptest.Site) func() bool {
		b, _ := signedInAs(site, "ada@example.org")
		return func() bool { return !opens(b, "/apps") && told(t, b) != "live" && told(t, b) != "lapsed" }
	}},
	"a window that closed": {settings: []string{"open_window=2h"}, life: 2 * time.Hour, begin: func(t *testing.T, site *apptest.Site) func() bool {
		site.Activate(auth.TwoFactorPlugin)
		b := signedInWithPhone(t, site)
		return func() bool { return !opens(b, "/apps") && told(t, b) != "live" && told(t, b) != "lapsed" }
	}},
	"a login on its way": {life: 10 * time.Minute, begin: func(t *testing.T, site *apptest.Site) func() bool {
		site.Activate(auth.TwoFactorPlugin)
		b, ada := signedInAs(site, "ada@example.org")
		b.EnableTwoFactor(ada)
		other := site.Browser()
		page := other.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
		page.WantPath("/login/code")
		return func() bool { return !other.Get(page.Path).HasButton("Send code") }
	}},
	"a link to a new password": {life: 30 * time.Minute, begin: func(t *testing.T, site *apptest.Site) func() bool {
		ada := site.Person("ada@example.org")
		b := site.Browser()
		b.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
		link := apptest.Link(t, site.Mail.Last(t, ada.Address))
		return func() bool { return !b.Get(link).HasButton("Set new password") }
	}},
	"a sign-up": {life: 24 * time.Hour, begin: func(t *testing.T, site *apptest.Site) func() bool {
		b := site.Browser()
		b.Get("/register").Form("Create account").Fill("Email", "new@example.org").Fill("Password", apptest.Password).Press()
		link := apptest.Link(t, site.Mail.Last(t, "new@example.org"))
		return func() bool { return !b.Get(link).HasButton("Confirm address") }
	}},
	"a set-up on its way": {settings: []string{"fresh=24h", "session_idle=24h"}, life: 15 * time.Minute, begin: func(t *testing.T, site *apptest.Site) func() bool {
		site.Activate(auth.TwoFactorPlugin)
		b, _ := signedInAs(site, "ada@example.org")
		page := b.Get("/account/two-factor")
		key := page.Definition("Secret key")
		return func() bool {
			return !strings.Contains(page.Form("Activate").Fill("Login code", "000000").Press().Body, key)
		}
	}},
	"a fresh password": {life: 15 * time.Minute, begin: func(t *testing.T, site *apptest.Site) func() bool {
		site.Activate(auth.TwoFactorPlugin)
		b, _ := signedInAs(site, "ada@example.org")
		return func() bool { return !b.Get("/account/two-factor").HasButton("Activate") }
	}},
	"a code of an administrator": {life: 15 * time.Minute, begin: func(t *testing.T, site *apptest.Site) func() bool {
		site.Activate(auth.TwoFactorPlugin)
		b := administratorWithPhone(t, site)
		return func() bool {
			return b.Once("/admin/groups", url.Values{"name": {secret.NewID()}}).Header.Get("Location") != "/admin/groups"
		}
	}},
}

// opens tells whether a page is shown, and not the login.
func opens(b *apptest.Browser, path string) bool { return strings.HasPrefix(b.Get(path).Path, path) }

// told is what the script of a page that stayed open is told of its session.
func told(t *testing.T, b *apptest.Browser) string {
	t.Helper()
	var s struct{ Standing string }
	page := b.Once("/login/window/state", url.Values{}).WantStatus(http.StatusOK)
	must(t, json.Unmarshal([]byte(page.Body), &s))
	return s.Standing
}

// What was once over stays over, whatever the clock does: it goes back a
// little or a lot, once or twice, while the server runs or between two starts.
func TestWhatWasOnceOverStaysOver(t *testing.T) {
	for what, p := range passings {
		for how, turn := range map[string]func(*apptest.Site){
			"back by all of its life": func(site *apptest.Site) { site.Clock.Turn(-p.life) },
			"back by two seconds":     func(site *apptest.Site) { site.Clock.Turn(-2 * time.Second) },
			"back by a moment":        func(site *apptest.Site) { site.Clock.Turn(-300 * time.Millisecond) },
			"back by a year":          func(site *apptest.Site) { site.Clock.Turn(-365 * 24 * time.Hour) },
			"back in two steps": func(site *apptest.Site) {
				site.Clock.Turn(-p.life / 3)
				site.Now()
				site.Clock.Turn(-p.life / 3)
			},
			"back between two starts": func(site *apptest.Site) {
				site.Clock.Turn(-p.life / 2)
				site.Restart()
			},
			"back, then another start": func(site *apptest.Site) {
				site.Clock.Turn(-p.life / 2)
				site.Now()
				site.Restart()
			},
		} {
			for engine, address := range storetest.Migrated {
				t.Run(engine+", "+what+", "+how, func(t *testing.T) {
					t.Parallel()
					site := apptest.New(t, append(p.settings, "database_url="+address(t))...)
					over, began := p.begin(t, site), site.Clock.Now()
					if over() {
						t.Fatal("over from the start")
					}
					site.Clock.Turn(p.life)
					site.Now() // as somebody's request reads it, or the background
					turn(site)
					for range 4 { // and as time goes on
						if !over() {
							t.Fatalf("not over, %s after it began", site.Clock.Now().Sub(began))
						}
						site.Clock.Turn(p.life / 4)
					}
				})
			}
		}
	}
}

// The clock of a machine is put right by moments all the time: nobody who is in
// is thrown out by that, or asked for anything.
func TestWhoeverIsInStaysInWhenTheClockIsSetBack(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	b, _ := signedInAs(site, "ada@example.org")
	site.Clock.Turn(50 * time.Minute)
	b.Get("/apps").WantPath("/apps")  // what is only in memory counts too:
	site.Clock.Turn(50 * time.Minute) // 100 minutes since anything was written
	site.Now()
	for range 3 {
		site.Clock.Turn(-10 * time.Minute)
		b.Get("/apps").WantPath("/apps")
	}
	fresh, _ := signedInAs(site, "bob@example.org")
	site.Clock.Turn(time.Minute)
	site.Now()
	site.Clock.Turn(-30 * time.Second)
	if !fresh.Get("/account/two-factor").HasButton("Activate") {
		t.Error("a password that was fresh is asked for again")
	}
}

// What was proved, sent or begun while the clock was years ahead does not live
// for years, and does not come to life when those years have passed.
func TestNothingFromAClockThatWasYearsAheadLives(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	site := apptest.New(t)
	site.Clock.Turn(years)
	b, ada := signedInAs(site, "ada@example.org")
	other := site.Browser()
	other.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	link := apptest.Link(t, site.Mail.Last(t, ada.Address))
	site.Clock.Turn(-years)
	for _, later := range []time.Duration{0, time.Hour, 30 * 24 * time.Hour, years - 31*24*time.Hour, 20 * time.Hour} {
		site.Clock.Turn(later)
		if opens(b, "/apps") {
			t.Errorf("the session lives at %s", site.Clock.Now())
		}
		if other.Get(link).HasButton("Set new password") {
			t.Errorf("the link works at %s", site.Clock.Now())
		}
	}
	site.Browser().SignIn(ada).WantPath("/apps")
}

func TestACodeThatWasSpentStaysSpentWhenTheClockIsSetBack(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	b, ada := signedInAs(site, "ada@example.org")
	b.EnableTwoFactor(ada)
	code := ada.Code()
	send := func() *apptest.Page {
		page := site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
		return page.Form("Send code").Fill("Login code", code).Press()
	}
	send().WantPath("/apps")
	site.Clock.Turn(time.Hour)
	site.Now()
	site.Clock.Turn(-time.Hour)
	send().WantPath("/login/code").WantStatus(http.StatusUnprocessableEntity)
}

// A wait that has passed has passed; one that has not lasts no longer than it
// would have without the step.
func TestNobodyWaitsTwiceOrLongerWhenTheClockIsSetBack(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	b := site.Browser()
	try := func(password string) int {
		return b.Once("/login", url.Values{"email": {ada.Address}, "password": {password}, "next": {""}}).Status
	}
	for range 10 {
		for try("not this one") == http.StatusTooManyRequests {
			site.Clock.Turn(time.Second)
		}
	}
	if try(ada.Password) != http.StatusTooManyRequests {
		t.Fatal("nobody waits after ten failures")
	}
	site.Clock.Turn(-time.Hour)
	if try(ada.Password) != http.StatusTooManyRequests {
		t.Error("a wait is over because the clock was set back")
	}
	site.Clock.Turn(32 * time.Second) // five doublings of a second
	site.Now()
	site.Clock.Turn(-20 * time.Second)
	if got := try(ada.Password); got != http.StatusSeeOther {
		t.Errorf("after the wait, and a clock set back: %d", got)
	}
}

func TestLettersGoOutThoughTheClockIsSetBack(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	site.Clock.Turn(-24 * time.Hour)
	if got := site.Mail.Kinds(t, ada.Address); len(got) != 1 {
		t.Errorf("sent %v", got)
	}
}

func TestAClockThatIsSetBackIsRecordedOnce(t *testing.T) {
	site := apptest.New(t)
	site.Now()
	site.Clock.Turn(-time.Hour)
	for range 3 {
		site.Now()
	}
	site.Restart()
	site.Now()
	found := texts(t, database(t, site), `SELECT detail FROM events WHERE kind = $1`, auth.EventClockSetBack)
	if len(found) != 1 || !strings.Contains(found[0], site.Clock.Now().Format(time.RFC3339)) {
		t.Errorf("recorded %q", found)
	}
}

// Many requests are on their way when the clock is set back: each is answered,
// those of live sessions as ever, and none of a lapsed one is let in.
func TestNobodyHangsOrComesBackWhileTheClockIsSetBack(t *testing.T) {
	site := apptest.New(t)
	lapsed, _ := signedInAs(site, "ada@example.org")
	site.Clock.Turn(site.Config.SessionIdle)
	live, _ := signedInAs(site, "bob@example.org")
	live.Get("/apps").WantPath("/apps")
	for range 3 {
		site.Now()
		begin := make(chan struct{})
		var requests sync.WaitGroup
		for i := range 100 {
			requests.Go(func() {
				<-begin
				if i == 50 {
					site.Clock.Turn(-10 * time.Minute)
				}
				if i%10 == 0 { // as the background does
					if err := site.Live.Flush(t.Context(), site.Now()); err != nil {
						t.Error(err)
					}
				}
				if page := lapsed.Ask(lapsed.Request(http.MethodGet, "/apps", nil)); page.Status != http.StatusSeeOther {
					t.Errorf("a lapsed session gets %d", page.Status)
				}
				if page := live.Ask(live.Request(http.MethodGet, "/apps", nil)); page.Status != http.StatusOK {
					t.Errorf("a live session gets %d", page.Status)
				}
			})
		}
		close(begin)
		requests.Wait()
		must(t, site.Live.Flush(t.Context(), site.Now())) // nor does what is written afterwards bring it back
	}
	if opens(lapsed, "/apps") || !opens(live, "/apps") {
		t.Error("afterwards a lapsed session is live, or a live one is not")
	}
}

// Whoever was here while the clock was ahead is out one idle limit after it was
// put right, and not as much later as it was ahead.
func TestWhoeverWasSeenAheadOfNowLapsesOneIdleLimitAfterTheStepBack(t *testing.T) {
	site := apptest.New(t)
	b, _ := signedInAs(site, "ada@example.org")
	site.Clock.Turn(50 * time.Minute)
	b.Get("/apps").WantPath("/apps")
	site.Clock.Turn(-50 * time.Minute)
	site.Now()
	site.Clock.Turn(site.Config.SessionIdle - time.Second)
	if standing := told(t, b); standing != "live" {
		t.Errorf("a second before the limit it is %s", standing)
	}
	site.Clock.Turn(time.Second)
	if opens(b, "/apps") {
		t.Error("it lives on")
	}
}

// A server whose machine's clock goes back does not set back the others on its
// database: its own time stands still until it has caught up, or is alone.
func TestBesideOtherServersTheTimeStandsStillInsteadOfGoingBack(t *testing.T) {
	caughtUp := func(site *apptest.Site, _ *store.Use) { site.Clock.Turn(2 * time.Hour) }
	alone := func(site *apptest.Site, other *store.Use) {
		must(t, other.Close())
		site.Restart()
	}
	for how, tt := range map[string]struct {
		broken bool // the connection that says that it serves
		goOn   func(site *apptest.Site, other *store.Use)
	}{
		"until it has caught up": {false, caughtUp},
		"until it is alone":      {false, alone},
		"until it has caught up, though its own connection broke": {true, caughtUp},
		"until it is alone, though its own connection broke":      {true, alone},
	} {
		t.Run(how, func(t *testing.T) {
			url := storetest.Migrated["PostgreSQL"](t)
			site := apptest.New(t, "database_url="+url)
			mine, err := site.Store.Serve(t.Context())
			must(t, err)
			site.Uses(mine)
			if tt.broken {
				breakServing(t, url)
			}
			other, err := storetest.Open(t, url, nil).Serve(t.Context())
			must(t, err)
			b, _ := signedInAs(site, "ada@example.org")
			site.Clock.Turn(site.Config.SessionIdle)
			reached := site.Now()
			site.Clock.Turn(-time.Hour)
			for range 3 {
				if got := site.Now(); !got.Equal(reached) {
					t.Errorf("the time is %s, and was %s", got, reached)
				}
				if opens(b, "/apps") {
					t.Error("the session is back")
				}
				site.Clock.Turn(10 * time.Minute)
			}
			if kept, err := site.Store.Clock(t.Context()); err != nil || kept.SetBacks != 0 {
				t.Errorf("set back %d times, %v", kept.SetBacks, err)
			}
			must(t, mine.Close())
			tt.goOn(site, other)
			if got := site.Now(); got.Sub(site.Clock.Now()).Abs() > time.Second {
				t.Errorf("the time is %s, and the machine's %s", got, site.Clock.Now())
			}
			if opens(b, "/apps") {
				t.Error("the session is back after all")
			}
		})
	}
}

// A server that starts beside others goes by its own clock: theirs may be the
// wrong one, and with the time of a clock that is ahead no phone's code is right.
// By less than a code allows it waits for them, and nothing that was over comes
// back.
func TestAServerThatStartsBesideOneWhoseClockIsAheadTakesPhonesCodes(t *testing.T) {
	for ahead, goesAhead := range map[time.Duration]bool{30 * time.Second: true, 31 * time.Second: false, 10 * time.Minute: false} {
		t.Run(ahead.String(), func(t *testing.T) {
			var said bytes.Buffer
			url := storetest.Migrated["PostgreSQL"](t)
			site := apptest.NewWith(t, app.Options{Log: slog.New(slog.NewTextHandler(&said, nil))}, "database_url="+url)
			site.Activate(auth.TwoFactorPlugin)
			b, ada := signedInAs(site, "ada@example.org")
			b.EnableTwoFactor(ada)
			other := storetest.Open(t, url, nil)
			use, err := other.Serve(t.Context())
			must(t, err)
			site.Clock.Turn(10 * time.Minute)
			must(t, other.KeepClock(t.Context(), store.Clock{Furthest: site.Clock.Now().Add(ahead)}))
			site.Restart()
			want := site.Clock.Now()
			if goesAhead {
				want = want.Add(ahead)
			}
			if got := site.Now(); got.Sub(want).Abs() > time.Second {
				t.Errorf("the time is %s, want %s", got, want)
			}
			if strings.Contains(said.String(), "ahead") == goesAhead {
				t.Errorf("the log says %s", &said)
			}
			page := site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
			page.Form("Send code").Fill("Login code", ada.CodeAt(site.Clock.Now())).Press().WantPath("/apps")
			if kept, err := other.Clock(t.Context()); err != nil || kept.SetBacks != 0 {
				t.Errorf("set back %d times, %v", kept.SetBacks, err)
			}
			must(t, use.Close())
			site.Restart() // alone, it does what a single one does
			if got := site.Now(); !got.Equal(site.Clock.Now()) {
				t.Errorf("alone the time is %s, and the machine's %s", got, site.Clock.Now())
			}
			if kept, err := other.Clock(t.Context()); err != nil || kept.SetBacks != 1 {
				t.Errorf("alone set back %d times, %v", kept.SetBacks, err)
			}
		})
	}
}

// breakServing ends the connections that say of servers that they serve.
func breakServing(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	if len(texts(t, db, `SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'`)) == 0 {
		t.Error("no server says that it serves: this shows nothing")
	}
}
