package login_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

// window is a page that stays open, and what its script keeps in memory.
type window struct {
	t       *testing.T
	site    *apptest.Site
	browser *apptest.Browser
	person  *apptest.Person
	session auth.SessionID
	secret  string
}

// told is what a page's script is told of its session.
type told struct{ Standing, Person, Secret, Text string }

func read(t *testing.T, page *apptest.Page) (s told) {
	t.Helper()
	must(t, json.Unmarshal([]byte(page.Body), &s))
	return s
}

// openWindow opens a page of somebody with two-factor authentication on.
func openWindow(t *testing.T, site *apptest.Site) window {
	t.Helper()
	p, b := protected(site, "ada@example.org")
	return windowOf(t, site, b, p)
}

// windowOf is a page of a live session.
func windowOf(t *testing.T, site *apptest.Site, b *apptest.Browser, p *apptest.Person) window {
	t.Helper()
	w := window{t: t, site: site, browser: b, person: p}
	s := w.state()
	if s.Standing != "live" || s.Secret == "" {
		t.Fatalf("a page of a live session is told %+v", s)
	}
	w.secret = s.Secret
	w.session = sessions(t, site, p)[0].ID
	return w
}

// lapse lets the idle limit pass.
func (w window) lapse() window {
	w.site.Clock.Turn(w.site.Config.SessionIdle)
	return w
}

func (w window) state() told {
	w.t.Helper()
	return read(w.t, w.browser.Once("/login/window/state", url.Values{}).WantStatus(http.StatusOK))
}

func (w window) comeBack(password string) *apptest.Page {
	w.t.Helper()
	return w.browser.Once("/login/window", url.Values{"password": {password}, "secret": {w.secret}})
}

func (w window) wantBack() {
	w.t.Helper()
	if s := read(w.t, w.comeBack(w.person.Password).WantStatus(http.StatusOK)); s.Standing != "live" {
		w.t.Fatalf("the right password leads to %+v", s)
	}
	w.browser.Get("/apps").WantPath("/apps")
}

// wantUnexamined refuses a return without having looked at the password, and
// without a word or a cookie.
func (w window) wantUnexamined(name string, send func() *apptest.Page) told {
	w.t.Helper()
	before := examined(w.t, w.site)
	page := send()
	if page.Status != http.StatusForbidden {
		w.t.Errorf("%s: %d, want 403", name, page.Status)
	}
	if after := examined(w.t, w.site); !slices.Equal(before, after) {
		w.t.Errorf("%s: the password was examined: %v, before %v", name, after, before)
	}
	if page.Header.Get("Set-Cookie") != "" {
		w.t.Errorf("%s: a refusal sets %s", name, page.Header.Get("Set-Cookie"))
	}
	if strings.Contains(page.Body, w.person.Address) {
		w.t.Errorf("%s: the address is told", name)
	}
	var s told
	if strings.HasPrefix(page.Header.Get("Content-Type"), "application/json") {
		s = read(w.t, page)
	}
	if s.Secret != "" || s.Person != "" {
		w.t.Errorf("%s: told %+v", name, s)
	}
	return s
}

func (w window) wantRefused(name string) told {
	w.t.Helper()
	return w.wantUnexamined(name, func() *apptest.Page { return w.comeBack(w.person.Password) })
}

// examined is what every examined password leaves behind: a count of its try,
// and an event.
func examined(t *testing.T, site *apptest.Site) (all []string) {
	t.Helper()
	return append(column(t, site, `SELECT bucket || ' ' || failures FROM throttle ORDER BY bucket`),
		column(t, site, `SELECT id || ' ' || kind FROM events ORDER BY id`)...)
}

// column reads the site's database beside the program.
func column(t *testing.T, site *apptest.Site, query string) (all []string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?mode=ro")
	must(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		all = append(all, s)
	}
	must(t, rows.Err())
	return all
}

func TestTheOpenWindowComesBackWithThePasswordAlone(t *testing.T) {
	w := openWindow(t, apptest.New(t))
	w.lapse()
	if s := w.state(); s != (told{Standing: "lapsed"}) {
		t.Errorf("a lapsed page is told %+v", s)
	}
	old := w.browser.Cookie("twinlock")
	s := read(t, w.comeBack(w.person.Password).WantStatus(http.StatusOK))
	if s.Standing != "live" || s.Secret == w.secret || w.browser.Cookie("twinlock") == old {
		t.Errorf("after the return: %+v, the same secret %v, the same cookie %v",
			s.Standing, s.Secret == w.secret, w.browser.Cookie("twinlock") == old)
	}
	w.browser.Get("/apps").WantPath("/apps")

	thief := w.site.Browser()
	thief.SetCookie("twinlock", old)
	thief.Get("/apps").WantPath("/login")
	w.browser = thief
	w.wantRefused("the old cookie with the old secret")
}

func TestBothHalvesOfTheProofAreNeeded(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)
	elsewhere := site.Browser()
	elsewhere.SignIn(w.person)
	other := windowOf(t, site, elsewhere, w.person)
	eve, hers := protected(site, "eve@example.org")
	eves := windowOf(t, site, hers, eve)
	w.lapse()

	request := func(b *apptest.Browser, secret string) *http.Request {
		return b.Request(http.MethodPost, "/login/window", url.Values{"password": {w.person.Password}, "secret": {secret}})
	}
	origin := func(values ...string) func() *apptest.Page {
		return func() *apptest.Page {
			r := request(w.browser, w.secret)
			r.Header.Del("Origin")
			for i := 0; i < len(values); i += 2 {
				r.Header.Set(values[i], values[i+1])
			}
			return w.browser.Ask(r)
		}
	}
	secret := func(s string) func() *apptest.Page {
		return func() *apptest.Page { return w.browser.Ask(request(w.browser, s)) }
	}
	cookie := func(value string) func() *apptest.Page {
		return func() *apptest.Page {
			b := site.Browser()
			if value != "" {
				b.SetCookie("twinlock", value)
			}
			return b.Ask(request(b, w.secret))
		}
	}
	for name, send := range map[string]func() *apptest.Page{
		"the cookie without a secret":              secret(""),
		"the secret of another session":            secret(other.secret),
		"somebody else's secret":                   secret(eves.secret),
		"the secret cut short":                     secret(w.secret[:42]),
		"the secret and a bit more":                secret(w.secret + "A"),
		"the secret in other letters":              secret(strings.ToUpper(w.secret)),
		"the cookie for the secret":                secret(w.browser.Cookie("twinlock")),
		"the secret without a cookie":              cookie(""),
		"the secret with another session's cookie": cookie(other.browser.Cookie("twinlock")),
		"the secret with somebody else's cookie":   cookie(eves.browser.Cookie("twinlock")),
		"the secret with a made-up cookie":         cookie(strings.Repeat("A", 43)),
		"no origin":                                origin(),
		"another site's origin":                    origin("Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another site's origin, called same":       origin("Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"),
		"only the browser's word for the origin":   origin("Sec-Fetch-Site", "same-origin"),
		"a sandbox":                                origin("Origin", "null", "Sec-Fetch-Site", "same-origin"),
	} {
		w.wantUnexamined(name, send)
	}
	w.wantBack() // nothing of all this harmed the person's own window
}

func TestTheLimitsOfTheOpenWindowAreExact(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)

	site.Clock.Turn(site.Config.SessionIdle - time.Millisecond)
	before := w.browser.Cookie("twinlock")
	if s := w.state(); s.Standing != "live" { // and asking is no activity
		t.Errorf("a millisecond before the idle limit: %+v", s)
	}
	if s := read(t, w.comeBack("not looked at").WantStatus(http.StatusOK)); s.Standing != "live" || w.browser.Cookie("twinlock") != before {
		t.Errorf("a live session comes back as %+v", s)
	}
	site.Clock.Turn(time.Millisecond)
	if s := w.state(); s.Standing != "lapsed" {
		t.Errorf("at the idle limit: %+v", s)
	}
	w.wantBack()
}

// keepAlive uses a session without a pause until so long after now.
func (w window) keepAlive(d time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= 50 * time.Minute {
		w.site.Clock.Turn(min(d, 50*time.Minute))
		w.browser.Get("/apps").WantPath("/apps")
	}
}

func TestTheOverallLimitHoldsToTheMillisecond(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)
	w.keepAlive(22 * time.Hour)
	site.Clock.Turn(2*time.Hour - time.Millisecond)
	w.wantBack()
	site.Clock.Turn(time.Millisecond)
	w.browser.Get("/apps").WantPath("/login")
	if s := w.wantRefused("past the overall limit"); s.Standing == "lapsed" {
		t.Errorf("told %+v", s)
	}
}

func TestTheWindowClosesAtTheOverallLimit(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)
	w.keepAlive(22 * time.Hour)
	site.Clock.Turn(2 * time.Hour)
	if s := w.wantRefused("at the overall limit"); s.Standing == "lapsed" {
		t.Errorf("told %+v", s)
	}
}

func TestTheWindowClosesSoLongAfterTheLastCode(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		back  bool
	}{{3*time.Hour - time.Millisecond, true}, {3 * time.Hour, false}} {
		site := apptest.New(t, "open_window=3h")
		w := openWindow(t, site)
		w.keepAlive(90 * time.Minute)
		site.Clock.Turn(c.after - 90*time.Minute)
		if c.back {
			w.wantBack()
			continue
		}
		if s := w.wantRefused("so long after the last code"); s.Standing != "login" {
			t.Errorf("told %+v", s)
		}
	}
}

// A return gives no code, so it cannot move the end of the window.
func TestAReturnDoesNotKeepTheWindowOpenLonger(t *testing.T) {
	site := apptest.New(t, "open_window=3h")
	w := openWindow(t, site)
	w.keepAlive(90 * time.Minute)
	w.lapse().wantBack() // after two and a half hours
	w.secret = w.state().Secret
	w.lapse()
	w.wantRefused("a second return after the window closed")
}

func TestWhatEndsTheOpenWindow(t *testing.T) {
	for what, end := range map[string]func(w *window, elsewhere *apptest.Browser){
		"logout in another tab, with the cookie kept": func(w *window, _ *apptest.Browser) {
			kept := w.browser.Cookie("twinlock")
			w.browser.Post("/logout", url.Values{}).WantPath("/login")
			w.browser.SetCookie("twinlock", kept)
		},
		"ended from the list": func(w *window, elsewhere *apptest.Browser) {
			elsewhere.Post("/account/sessions/end", url.Values{"session": {string(w.session)}}).WantPath("/account/sessions")
		},
		"all others ended": func(_ *window, elsewhere *apptest.Browser) {
			elsewhere.Post("/account/sessions/end-others", url.Values{}).WantPath("/account/sessions")
		},
		"password changed": func(w *window, elsewhere *apptest.Browser) {
			const chosen = "eleven quiet foxes near Delft"
			elsewhere.Get("/account").Form("Change password").Fill("Current password", w.person.Password).
				Fill("New password", chosen).Press().WantStatus(http.StatusOK)
			w.person.Password = chosen
		},
		"password reset": func(w *window, _ *apptest.Browser) {
			b := w.site.Browser()
			b.Get("/forgot-password").Form("Send reset link").Fill("Email", w.person.Address).Press()
			w.person.Password = "eleven quiet foxes near Delft"
			letters := w.site.Mail.To(w.t, w.person.Address)
			i := slices.IndexFunc(letters, func(l mail.Message) bool { return l.Kind == mail.Kind(auth.LetterReset) })
			b.Get(apptest.Link(w.t, letters[i])).Form("Set new password").
				Fill("New password", w.person.Password).Press().WantPath("/login")
		},
		"new recovery codes": func(w *window, elsewhere *apptest.Browser) {
			elsewhere.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", w.person.Code()).Press().WantStatus(http.StatusOK)
		},
		"two-factor authentication disabled": func(w *window, elsewhere *apptest.Browser) {
			elsewhere.Get("/account/two-factor").Form("Disable").Fill("Login code", w.person.Code()).Press().WantPath("/account")
		},
		"must use two-factor authentication": func(w *window, _ *apptest.Browser) {
			must(w.t, w.site.Store.SetMustUseTwoFactor(w.t.Context(), apptest.Command, w.person.ID, true, w.site.Now()))
		},
		"role": func(w *window, _ *apptest.Browser) {
			must(w.t, w.site.Store.SetAdministrator(w.t.Context(), apptest.Command, w.person.ID, true, w.site.Now()))
		},
		"factors cleared": func(w *window, _ *apptest.Browser) {
			must(w.t, w.site.Store.ClearFactors(w.t.Context(), apptest.Command, w.person.ID, "lost the phone", w.site.Now()))
		},
		"sessions ended by the administrator": func(w *window, _ *apptest.Browser) {
			_, err := w.site.Store.EndSessions(w.t.Context(), apptest.Command, w.person.ID, "", "ended by the administrator", w.site.Now())
			must(w.t, err)
		},
		"disabled and enabled": func(w *window, _ *apptest.Browser) {
			must(w.t, w.site.Store.DisableUser(w.t.Context(), apptest.Command, w.person.ID, w.site.Now()))
			must(w.t, w.site.Store.EnableUser(w.t.Context(), apptest.Command, w.person.ID, w.site.Now()))
		},
		"deleted": func(w *window, _ *apptest.Browser) {
			must(w.t, w.site.Store.DeleteUser(w.t.Context(), apptest.Command, w.person.ID, w.site.Now()))
		},
		"somebody else's right password in that browser": func(w *window, _ *apptest.Browser) {
			eve, _ := protected(w.site, "eve@example.org")
			to := try(w.browser, eve.Address, eve.Password).Header.Get("Location")
			if !strings.HasPrefix(to, "/login/code") {
				w.t.Fatalf("led to %s", to)
			}
		},
	} {
		for _, first := range []string{"the lapse, then the ending", "the ending, then the lapse"} {
			t.Run(what+", "+first, func(t *testing.T) {
				t.Parallel()
				site := apptest.New(t)
				w := openWindow(t, site)
				if first == "the lapse, then the ending" {
					w.lapse()
				}
				elsewhere := site.Browser()
				elsewhere.SignIn(w.person)
				end(&w, elsewhere)
				if first != "the lapse, then the ending" {
					w.lapse()
				}
				w.wantRefused(what)
				if s := w.state(); s.Standing == "lapsed" || s.Standing == "live" {
					t.Errorf("the page is told %+v", s)
				}
			})
		}
	}
}

func TestFiveWrongPasswordsCloseTheWindow(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site).lapse()
	for range 4 {
		page := w.comeBack(wrong).WantStatus(http.StatusUnprocessableEntity)
		if s := read(t, page); s.Standing != "lapsed" || s.Text == "" {
			t.Errorf("told %+v", s)
		}
	}
	page := w.comeBack(wrong).WantStatus(http.StatusUnprocessableEntity)
	if s := read(t, page); s.Standing != "login" || page.Header.Get("Set-Cookie") != "" {
		t.Errorf("the fifth is told %+v", s)
	}
	w.wantRefused("the right password after five wrong ones")
	try(w.browser, w.person.Address, w.person.Password).WantStatus(http.StatusTooManyRequests) // they count at the login too
}

func TestOfTwoReturnsAtOnceOneWins(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site).lapse()
	forms := url.Values{"password": {w.person.Password}, "secret": {w.secret}}
	var all sync.WaitGroup
	for range 4 {
		b := site.Browser()
		b.SetCookie("twinlock", w.browser.Cookie("twinlock"))
		all.Go(func() { b.Once("/login/window", forms) })
	}
	all.Wait()
	returned := column(t, site, `SELECT kind FROM events WHERE kind = '`+string(auth.EventReturned)+`'`)
	if len(returned) != 1 {
		t.Errorf("%d returns", len(returned))
	}
}

func TestASessionThatBeganWithoutACodeIsNotSparedIt(t *testing.T) {
	site := apptest.New(t)
	ada, b := protected(site, "ada@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	b.Post("/logout", url.Values{})
	b.SignIn(ada).WantPath("/apps")
	w := windowOf(t, site, b, ada)
	w.lapse()
	site.Activate(auth.TwoFactorPlugin)
	if s := w.wantRefused("two-factor authentication came back meanwhile"); s.Standing != "login" {
		t.Errorf("told %+v", s)
	}
}

func TestAWindowIsNoWayRoundASetUpThatIsOwed(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	must(t, site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()))
	b.SignIn(ada).WantPath("/apps")
	w := windowOf(t, site, b, ada)
	w.lapse()
	site.Activate(auth.TwoFactorPlugin)
	w.wantRefused("the set-up is owed")
}

func TestWhoeverHasNoSecondFactorComesBackTheSameWay(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.SignIn(ada)
	windowOf(t, site, b, ada).lapse().wantBack()
}

func TestAnOpenWindowOfZeroIsNone(t *testing.T) {
	w := openWindow(t, apptest.New(t, "open_window=0")).lapse()
	if s := w.wantRefused("switched off"); s.Standing != "login" {
		t.Errorf("told %+v", s)
	}
}

func TestAGroupShortensTheOpenWindow(t *testing.T) {
	site := apptest.New(t)
	staff, err := site.Store.AddGroup(t.Context(), apptest.Command, "staff", site.Now())
	must(t, err)
	member := openWindow(t, site)
	eve, hers := protected(site, "eve@example.org")
	other := windowOf(t, site, hers, eve)
	must(t, site.Store.JoinGroup(t.Context(), apptest.Command, staff, member.person.ID, site.Now()))
	member.browser.Get("/apps")
	staff.OpenWindow = 0
	must(t, site.Store.SetGroup(t.Context(), apptest.Command, staff, store.NoLoss, site.Now()))
	site.Clock.Turn(site.Config.SessionIdle)
	member.wantRefused("of the group")
	other.wantBack()
}

func TestAReturnIsNotFresh(t *testing.T) {
	site := apptest.New(t, "session_idle=5m") // within the quarter of an hour that a proof is fresh
	w := openWindow(t, site)
	must(t, site.Store.SetAdministrator(t.Context(), apptest.Command, w.person.ID, true, site.Now()))
	w.browser.Post("/logout", url.Values{})
	w.browser.SignIn(w.person)
	w = windowOf(t, site, w.browser, w.person)
	w.browser.Get("/admin/users").WantPath("/admin/users")
	w.lapse().wantBack()

	w.browser.Get("/admin/users").WantPath("/login/confirm")
	for _, path := range []string{"/account/address", "/account/password", "/account/sessions/end-others",
		"/account/two-factor/disable", "/account/recovery-codes", "/admin/users/invite"} {
		if page := w.browser.Once(path, url.Values{}); page.Status != http.StatusForbidden || page.Heading() == "" {
			t.Errorf("%s after a return: %d", path, page.Status)
		}
	}
	site.Clock.Turn(time.Second)
	send(w.browser.Get("/admin/users"), w.person.Code()).WantPath("/admin/users")
}

func TestALapsedCookieOpensNothingAndIsNoActivity(t *testing.T) {
	site := apptest.New(t)
	site.Administrator("root@example.org")
	w := openWindow(t, site)
	site.Clock.Turn(30 * time.Minute)
	for _, background := range []string{"/login/window/state", "/password-strength"} {
		w.browser.Once(background, url.Values{})
	}
	fetched := w.browser.Request(http.MethodGet, "/apps", nil)
	fetched.Header.Set("Sec-Fetch-Mode", "cors")
	w.browser.Ask(fetched)
	site.Clock.Turn(30 * time.Minute)
	for range 2 {
		for _, path := range []string{"/", "/apps", "/account", "/account/sessions", "/account/two-factor"} {
			page := w.browser.Get(path).WantPath("/login")
			if strings.Contains(page.Body, w.person.Address) || page.HasButton("Log out") {
				t.Errorf("%s: a lapsed cookie is told whose it was", path)
			}
		}
		w.browser.Once("/login/window/stay", url.Values{}).WantStatus(http.StatusUnauthorized)
		if s := w.state(); s != (told{Standing: "lapsed"}) {
			t.Errorf("told %+v", s)
		}
	}
	w.wantBack()
}

func TestThePageIsToldOnlyByItsOwnOrigin(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)
	for _, origin := range []string{"", "null", "https://evil.example"} {
		r := w.browser.Request(http.MethodPost, "/login/window/state", url.Values{})
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", origin)
		if origin == "" {
			r.Header.Del("Origin")
		}
		page := w.browser.Ask(r)
		if page.Status != http.StatusForbidden || strings.Contains(page.Body, w.secret) {
			t.Errorf("origin %q: %d %s", origin, page.Status, page.Body)
		}
	}
}

func TestARestartKeepsTheWindowOpen(t *testing.T) {
	site := apptest.New(t)
	w := openWindow(t, site)
	again := apptest.New(t, "data="+site.Config.Data)
	b := again.Browser()
	for _, name := range []string{"twinlock", "twinlock-login", "twinlock-device"} {
		b.SetCookie(name, w.browser.Cookie(name))
	}
	again.Clock.Turn(site.Config.SessionIdle)
	w.site, w.browser = again, b
	w.wantBack()
}
