package app_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// scene is a site with a person in a browser, on a database that can break.
type scene struct {
	*testing.T
	*apptest.Site
	wire    *storetest.Wire
	routes  *http.ServeMux // by the patterns of the route table
	ada     *apptest.Person
	browser *apptest.Browser

	newcomer string // who has no account yet

	// What a flow began with.
	root   *apptest.Person  // who administers
	inside *apptest.Browser // of root
	there  *apptest.Browser // another one, or the proxy that asks about it
	page   *apptest.Page    // whose form is sent
	group  auth.Group
	wiki   wiki
	window string // the secret of a page that stays open
	row    string // the one that is about to be another
	count  int    // of what is about to be one more
}

func newScene(t *testing.T, engine string, settings ...string) *scene {
	t.Helper()
	s := &scene{T: t, wire: new(storetest.Wire), routes: http.NewServeMux()}
	s.Site = apptest.NewWith(t, app.Options{Through: s.wire.Through}, append(settings, "database_url="+storetest.Migrated[engine](t),
		"public_url=https://id.example.org", "trusted_proxies=10.0.0.1", "authorization_code=10m", "throttle_closed=10", "throttle_longest_wait=1s")...)
	for _, rt := range s.Floor.Routes() {
		s.routes.HandleFunc(nameOf(rt), func(http.ResponseWriter, *http.Request) {})
	}
	s.Activate(auth.TwoFactorPlugin)
	s.enter("")
	return s
}

// enter lets another person come, in a browser of their own.
func (s *scene) enter(name string) {
	s.Helper()
	s.ada, s.browser = s.Person("ada"+name+"@example.org"), s.Browser()
	s.newcomer = "bob" + name + "@example.org"
	s.wiki = wiki{name: "wiki" + name}
}

// signedIn is a scene in which the person is.
func (s *scene) signedIn() {
	s.Helper()
	s.browser.SignIn(s.ada)
}

// protected is a scene in which the person has two-factor authentication on.
func (s *scene) protected() {
	s.Helper()
	s.browser.SignIn(s.ada)
	s.browser.EnableTwoFactor(s.ada)
	s.Clock.Turn(time.Minute)
}

func (s *scene) sessions() int {
	s.Helper()
	all, err := s.Store.Sessions(s.Context(), s.ada.ID)
	must(s.T, err)
	return len(all)
}

// letters is how many letters somebody got.
func (s *scene) letters(address string) int {
	s.Helper()
	return len(s.Mail.To(s, address))
}

// account is the newcomer's, zero where there is none.
func (s *scene) account() auth.User {
	s.Helper()
	u, err := s.Store.UserByAddress(s.Context(), s.newcomer)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Fatal(err)
	}
	return u
}

func (s *scene) logInPage(b *apptest.Browser) *apptest.Form {
	s.Helper()
	return b.Get("/login").Form("Login").Fill("Email", s.ada.Address).Fill("Password", s.ada.Password)
}

// sending is something that is ready to be sent.
type sending interface{ Press() *apptest.Page }

// request is a sending that no form of a page makes.
type request func() *apptest.Page

func (r request) Press() *apptest.Page { return r() }

// posting sends a form that stands on a page among others like it.
func posting(b *apptest.Browser, address string, values url.Values) sending {
	return request(func() *apptest.Page { return b.Post(address, values) })
}

// brokenFlow is one form of a flow: where it is sent, how it is filled in, on
// whatever is there by then, and whether what it is for has come true.
type brokenFlow struct {
	route    string   // of the table
	settings []string // that it needs
	once     bool     // a site has it once
	begin    func(*scene)
	fill     func(*scene) sending
	done     func(*scene) bool
}

var brokenFlows = allOf(brokenLogins, brokenPasskeys, brokenAccounts, brokenNewcomers, brokenApplications, brokenAdministration)

func allOf(rooms ...map[string]brokenFlow) map[string]brokenFlow {
	all := map[string]brokenFlow{}
	for _, room := range rooms {
		maps.Copy(all, room)
	}
	return all
}

// A form whose first call to the database fails, then its second, and so on, is
// never answered as a success that it is not, nor as a mistake of whoever sent it;
// and it can be done after.
func TestAFlowThatBreaksOffIsRefusedOrComplete(t *testing.T) {
	for engine := range storetest.Migrated {
		for name, f := range brokenFlows {
			if _, is := brokenAdministration[name]; is && engine != "SQLite" {
				continue // what it writes, the store's own test breaks on both
			}
			t.Run(name+" on "+engine, func(t *testing.T) {
				t.Parallel()
				s, call := newScene(t, engine, f.settings...), 1
				for f.breaksAt(s, call) {
					if call++; call > mostCalls {
						t.Fatalf("%d calls, and no end", call)
					}
					if f.once {
						s = newScene(t, engine, f.settings...)
					}
				}
				if call < 5 { // a question, begin, a statement, commit
					t.Errorf("only %d calls: was the flow played?", call-1)
				}
			})
		}
	}
}

// mostCalls is more than any form asks of the database.
const mostCalls = 200

// breaksAt plays the flow with one call broken, and tells whether there was one
// of that number.
func (f brokenFlow) breaksAt(s *scene, call int) (broke bool) {
	s.Helper()
	s.enter(strconv.Itoa(call))
	s.Clock.Turn(10 * time.Minute)
	if f.begin != nil {
		f.begin(s)
	}
	form := f.fill(s)
	if f.done(s) {
		s.Fatal("it is done before it is sent")
	}
	n := 0
	s.wire.Break(func(context.Context, storetest.Call) error {
		if n++; n != call {
			return nil
		}
		broke = true
		return errBrokeOff
	}, nil)
	page, to := s.press(form)
	s.wire.Break(nil, nil)
	if to != f.route {
		s.Errorf("it is sent to %s", to)
	}
	done := f.done(s)
	switch {
	case !broke && (!done || !succeeded(page)):
		s.Errorf("nothing broke, done: %v, status %d %q", done, page.Status, page.Alert())
	case broke && page.Status != http.StatusServiceUnavailable && !(succeeded(page) && done):
		s.Errorf("call %d: status %d %q, done: %v", call, page.Status, page.Alert(), done)
	}
	if done {
		return broke
	}
	s.Clock.Turn(time.Minute)
	if again := f.fill(s).Press(); !f.done(s) {
		s.Errorf("call %d: once more is answered %d %q", call, again.Status, again.Alert())
	}
	return broke
}

// press sends something, and tells the route of its first request.
func (s *scene) press(form sending) (page *apptest.Page, route string) {
	real := s.App.Handler
	defer func() { s.App.Handler = real }()
	s.App.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route == "" {
			_, route = s.routes.Handler(r)
		}
		real.ServeHTTP(w, r)
	})
	return form.Press(), route
}

// succeeded tells whether an answer says so: by a page, or by leading to another host.
func succeeded(page *apptest.Page) bool {
	leadsOn := page.Status/100 == 3 && page.Header.Get("Location") != ""
	return (page.Status == http.StatusOK || leadsOn) && page.Alert() == ""
}

// unbroken are the forms that are in no flow, and why.
var unbroken = map[string]string{
	"POST /login/passkey/begin":          "begins a ceremony, which the page keeps and not the database",
	"POST /login/window/state":           "tells a page how its session stands",
	"POST /login/window/stay":            "notes in memory that somebody is there",
	"POST /password-strength":            "judges what is typed, and keeps nothing",
	"POST /account/recovery-codes/saved": "leads on from the page that showed them",
	"POST /oidc/userinfo":                "tells what an access token opens",
}

// Whoever adds a form adds it to the flows that break off, or says why not.
func TestEveryFormIsInAFlowThatBreaksOff(t *testing.T) {
	played := map[string]bool{}
	for name, f := range brokenFlows {
		played[f.route] = true
		if _, listed := table[f.route]; !listed {
			t.Errorf("%s: %q is no route", name, f.route)
		}
	}
	for route := range table {
		why, left := unbroken[route]
		switch {
		case !strings.HasPrefix(route, "POST "):
		case played[route] && left:
			t.Errorf("%s is in a flow, and not: %s", route, why)
		case !played[route] && why == "":
			t.Errorf("%s is in no flow that breaks off", route)
		}
	}
	for route := range unbroken {
		if _, listed := table[route]; !listed {
			t.Errorf("%s is no route", route)
		}
	}
}

// A database that hears a question and never answers holds nobody who logs in
// for ever, and the places of those who wait to be hashed are free again.
func TestADatabaseThatHangsHoldsNoPlaceInTheLine(t *testing.T) {
	t.Parallel()
	s, one := &scene{T: t, wire: new(storetest.Wire)}, slots.New(1, 1, time.Minute)
	s.Site = apptest.NewWith(t, app.Options{Through: s.wire.Through, Slots: one})
	s.ada, s.browser = s.Person("ada@example.org"), s.Browser()
	forms := []*apptest.Form{s.logInPage(s.browser), s.logInPage(s.Browser())} // as many as the line has places
	s.Floor.Patience = 500 * time.Millisecond
	goesOn := make(chan struct{})
	s.wire.Break(func(ctx context.Context, _ storetest.Call) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-goesOn:
			return errBrokeOff
		}
	}, nil)
	answered := make(chan *apptest.Page, len(forms))
	for _, form := range forms {
		go func() { answered <- form.Press() }()
	}
	late := time.After(20 * time.Second)
	for range forms {
		select {
		case page := <-answered:
			page.WantStatus(http.StatusServiceUnavailable)
		case <-late:
			close(goesOn)
			t.Fatal("it waits for ever")
		}
	}
	if load := one.Load(); load.Running+load.Waiting > 0 {
		t.Errorf("%+v", load)
	}
	s.wire.Break(nil, nil)
	s.Floor.Patience = 0
	if s.logInPage(s.browser).Press(); s.sessions() != 1 {
		t.Error("nobody can log in after")
	}
}

var errBrokeOff = brokeOff{errors.New("the database broke off")}

// brokeOff is a connection that broke.
type brokeOff struct{ error }

func (brokeOff) Timeout() bool   { return false }
func (brokeOff) Temporary() bool { return false }
