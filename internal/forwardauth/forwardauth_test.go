package forwardauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

func TestAPersonComesThroughEachProxyAndBackToTheAddressFirstAskedFor(t *testing.T) {
	for proxy := range proxies {
		t.Run(proxy, func(t *testing.T) {
			d := newDoor(t)
			ada := d.visitor(d.Person("ada@example.org"))
			address := wikiURL + "/a%20b/caf%C3%A9?q=1&r=%26%3D"
			_, page := ada.goesTo(proxy, address)
			page = page.WantPath("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantStatus(200)
			_, ticket, _ := strings.Cut(page.Header.Get("Refresh"), "url=")
			if !strings.HasPrefix(ticket, wikiURL+"/.twinlock/hand-over?") {
				t.Fatalf("the login leads to %q", ticket)
			}
			arrival := ada.asks(proxy, ticket, navigation)
			if got := arrival.Header.Get("Location"); got != address {
				t.Errorf("brought to %q, want %q", got, address)
			}
			answer := ada.asks(proxy, address, navigation)
			wantStatus(t, answer, http.StatusOK)
			for name, want := range map[string]string{"Remote-User": "ada@example.org", "Remote-Email": "ada@example.org", "Remote-Name": "ada@example.org", "Remote-Groups": ""} {
				if got, there := answer.Header[name]; !there || got[0] != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			again := ada.asks(proxy, ticket, navigation)
			if len(again.Cookies()) > 0 || again.Header.Get("Location") != address {
				t.Errorf("the ticket a second time: %v, to %q", again.Cookies(), again.Header.Get("Location"))
			}
		})
	}
}

// signedIn is a person who has come through to the wiki.
func signedIn(t *testing.T, d *door, email string) *person {
	t.Helper()
	p := d.visitor(d.Person(email))
	p.Browser.SignIn(p.Person).WantPath("/apps")
	answer, _ := p.goesTo("caddy", wikiURL+"/")
	wantStatus(t, answer, http.StatusOK)
	return p
}

func TestAProxyThatSeemsToBeGoneIsNeverToldToLetPass(t *testing.T) {
	d := newDoor(t)
	stranger := d.visitor(nil)
	stranger.asks("caddy", wikiURL+"/", navigation) // it is given a cookie that opens nothing
	stranger.hungUp = true
	for proxy := range proxies {
		before := d.Store.Work()
		answer := stranger.asks(proxy, wikiURL+"/", navigation)
		wantStatus(t, answer, http.StatusServiceUnavailable)
		wantNobody(t, answer)
		if d.Store.Work() == before {
			t.Errorf("%s: the store was not asked", proxy)
		}
	}
}

func TestTheApplicationLearnsNameAndGroups(t *testing.T) {
	d := newDoor(t)
	ada := d.Person("ada@example.org")
	must(t, d.Store.SaveName(t.Context(), auth.Actor{User: ada.User()}, "Ada Lovelace-Müller", d.Now()))
	for _, name := range []string{"Staff", "Vorstand & Büro"} {
		group, err := d.Store.AddGroup(t.Context(), apptest.Command, name, d.Now())
		must(t, err)
		must(t, d.Store.JoinGroup(t.Context(), apptest.Command, group, ada.ID, d.Now()))
	}
	p := d.visitor(ada)
	p.Browser.SignIn(ada)
	answer, _ := p.goesTo("traefik", wikiURL+"/")
	wantStatus(t, answer, http.StatusOK)
	if got := answer.Header.Get("Remote-Name"); got != "Ada Lovelace-Müller" {
		t.Errorf("name %q", got)
	}
	if got := answer.Header.Get("Remote-Groups"); got != "Staff,Vorstand & Büro" {
		t.Errorf("groups %q", got)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNobodySignedInIsAnsweredAsEachProxyUnderstands(t *testing.T) {
	d := newDoor(t)
	for proxy, want := range map[string]int{"nginx": 401, "caddy": 302, "traefik": 302} {
		stranger := d.visitor(nil)
		page := stranger.asks(proxy, wikiURL+"/x?y=z", navigation)
		wantStatus(t, page, want)
		script := stranger.asks(proxy, wikiURL+"/x?y=z", background)
		wantStatus(t, script, 401)
		login := page.Header.Get("Location")
		if !strings.HasPrefix(login, "https://id.example.org/login?next=") || script.Header.Get("Location") != login {
			t.Errorf("%s: a page is led to %q, a script to %q", proxy, login, script.Header.Get("Location"))
		}
		if got := page.Header.Get("Twinlock-Redirect"); (got == "yes") != (proxy == "nginx") {
			t.Errorf("%s: the page's redirect is %q", proxy, got)
		}
		if script.Header.Get("Twinlock-Redirect") != "" {
			t.Errorf("%s: a script is redirected", proxy)
		}
		if page.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: another's host is bound to https", proxy)
		}
		for _, answer := range []*http.Response{page, script} {
			wantNobody(t, answer)
			if answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: the answer may be kept", proxy)
			}
		}
	}
}

func TestWhatIsANavigation(t *testing.T) {
	d := newDoor(t)
	for name, tt := range map[string]struct {
		header http.Header
		want   int
	}{
		"a link":                       {http.Header{"Sec-Fetch-Mode": {"navigate"}}, 302},
		"an old browser's page":        {http.Header{"Accept": {"text/html,*/*;q=0.8"}}, 302},
		"a program that says nothing":  {http.Header{}, 302},
		"a script's fetch":             {http.Header{"Sec-Fetch-Mode": {"cors"}, "Accept": {"text/html"}}, 401},
		"a picture":                    {http.Header{"Sec-Fetch-Mode": {"no-cors"}}, 401},
		"a web socket":                 {http.Header{"Upgrade": {"websocket"}, "Sec-Fetch-Mode": {"websocket"}}, 401},
		"an old browser's web socket":  {http.Header{"Upgrade": {"websocket"}}, 401},
		"an old browser's script":      {http.Header{"X-Requested-With": {"XMLHttpRequest"}, "Accept": {"text/html"}}, 401},
		"an old browser's other":       {http.Header{"Accept": {"application/json"}}, 401},
		"what is fetched ahead of use": {http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Purpose": {"prefetch"}}, 401},
	} {
		if got := d.visitor(nil).asks("caddy", wikiURL+"/", tt.header); got.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, tt.want)
		}
	}
}

func TestRulesAreObeyedAtEachAddress(t *testing.T) {
	d := newDoor(t,
		auth.Rule{Path: "/public", Access: auth.Public},
		auth.Rule{Path: "/admin", Access: auth.InGroup, Group: "nobody's"},
		auth.Rule{Path: "/secret", Access: auth.TwoFactor},
		auth.Rule{Host: "docs.example.org:8443", Path: "/", Access: auth.Public},
	)
	stranger, ada := d.visitor(nil), signedIn(t, d, "ada@example.org")
	for address, want := range map[string]struct{ stranger, ada int }{
		wikiURL + "/":                          {302, 200},
		wikiURL + "/public/a.css":              {200, 200},
		wikiURL + "/public?x":                  {200, 200},
		wikiURL + "/publication":               {302, 200},
		wikiURL + "/admin":                     {302, 403},
		wikiURL + "/secret/plans":              {302, 403},
		wikiURL + "/public/../admin":           {302, 403},
		wikiURL + "/public/%2e%2e/admin":       {302, 403},
		wikiURL + "/public/..;/admin":          {302, 403},
		wikiURL + "/public%2f..%2fadmin":       {302, 403},
		wikiURL + "/ADMIN":                     {302, 403},
		wikiURL + "//admin":                    {302, 403},
		wikiURL + "/public/%5c..%5cadmin":      {403, 403},
		wikiURL + "/public/%00":                {403, 403},
		"https://docs.example.org:8443/manual": {200, 0},
	} {
		got := stranger.asks("caddy", address, navigation)
		if got.StatusCode != want.stranger {
			t.Errorf("%s: a stranger gets %d, want %d", address, got.StatusCode, want.stranger)
		}
		wantNobody(t, got)
		if want.ada == 0 {
			continue
		}
		if got := ada.asks("caddy", address, navigation).StatusCode; got != want.ada {
			t.Errorf("%s: she gets %d, want %d", address, got, want.ada)
		}
	}
}

func TestWherePasskeysAreAllThereIsTheSetUpOfOneIsOffered(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/secret", Access: auth.TwoFactor})
	d.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	d.Activate(auth.PasskeysPlugin)
	ada := signedIn(t, d, "ada@example.org")
	refused, _ := ada.goesTo("caddy", wikiURL+"/secret?plan=9")
	wantStatus(t, refused, http.StatusForbidden)
	body := bodyOf(t, refused)
	if link := between(body, `href="`, `"><`, "https://id.example.org/account/passkeys/new"); link == "" {
		t.Fatalf("the page does not lead to the set-up:\n%s", body)
	}
}

// Where passkeys are the only factor, one opens what demands a second, and what demands
// a recent one.
func TestWherePasskeysAreAllThereIsOneIsEnough(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/secret", Access: auth.TwoFactor}, auth.Rule{Path: "/money", Access: auth.RecentCode, Within: 5 * time.Minute})
	d.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	d.Activate(auth.PasskeysPlugin)
	ada := d.visitor(d.Person("ada@example.org"))
	ada.AddPasskey()
	d.Clock.Turn(time.Minute)
	_, page := ada.goesTo("caddy", wikiURL+"/secret")
	page.WantPath("/login").Passkey(ada.Device).Press()
	for _, path := range []string{"/secret", "/money"} {
		answer, _ := ada.goesTo("caddy", wikiURL+path)
		wantStatus(t, answer, http.StatusOK)
		if got := answer.Header.Get("Remote-Email"); got != ada.Address {
			t.Errorf("%s: the wiki is told of %q", path, got)
		}
	}
	d.Clock.Turn(5 * time.Minute)
	_, page = ada.goesTo("caddy", wikiURL+"/money")
	page.WantPath("/login/confirm").Passkey(ada.Device).Press()
	answer, _ := ada.goesTo("caddy", wikiURL+"/money")
	wantStatus(t, answer, http.StatusOK)

	d.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin})
	refused, _ := ada.goesTo("caddy", wikiURL+"/secret")
	wantStatus(t, refused, http.StatusForbidden)
}

func TestWhereACodeIsDemandedTheSetUpIsOfferedAndLeadsBack(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/secret", Access: auth.TwoFactor})
	ada := signedIn(t, d, "ada@example.org")
	refused, _ := ada.goesTo("caddy", wikiURL+"/secret?plan=9")
	wantStatus(t, refused, http.StatusForbidden)
	body := bodyOf(t, refused)
	link := between(body, `href="`, `"><`, "https://id.example.org/account/two-factor")
	if link == "" || !strings.Contains(body, "Wiki needs two-factor authentication") {
		t.Fatalf("the page does not lead to the set-up:\n%s", body)
	}
	page := ada.Browser.Get(link).WantStatus(200)
	ada.SetUpPhone(page.Definition("Secret key"))
	page = page.Form("Activate").Fill("Login code", ada.Code()).Press().WantStatus(200)
	page = page.Form("Continue").Tick("I have saved these codes").Press().WantStatus(200)
	if _, to, _ := strings.Cut(page.Header.Get("Refresh"), "url="); to != wikiURL+"/secret?plan=9" {
		t.Fatalf("afterwards it leads to %q", to)
	}
	answer, _ := ada.goesTo("caddy", wikiURL+"/secret?plan=9")
	wantStatus(t, answer, http.StatusOK)
}

func TestARecentCodeIsAskedForAndLeadsBack(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/money", Access: auth.RecentCode, Within: 5 * time.Minute})
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	ada.Browser.EnableTwoFactor(ada.Person)
	answer, _ := ada.goesTo("caddy", wikiURL+"/money?to=bob")
	wantStatus(t, answer, http.StatusOK)
	d.Clock.Turn(5 * time.Minute)
	wantStatus(t, ada.asks("caddy", wikiURL+"/money?to=bob", background), http.StatusUnauthorized)
	wantStatus(t, ada.asks("caddy", wikiURL+"/other", navigation), http.StatusOK)
	_, page := ada.goesTo("caddy", wikiURL+"/money?to=bob")
	page.WantPath("/login/confirm")
	page = page.Form("Send code").Fill("Login code", ada.Code()).Press().WantStatus(200)
	_, to, _ := strings.Cut(page.Header.Get("Refresh"), "url=")
	answer, _ = ada.goesTo("caddy", to)
	wantStatus(t, answer, http.StatusOK)
}

func TestWhoMayNotIsToldSo(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	d.ChangeApplication(d.wiki.ID, func(is *auth.Application) { is.Everyone = false })
	for proxy := range proxies {
		answer := ada.asks(proxy, wikiURL+"/", navigation)
		wantStatus(t, answer, http.StatusForbidden)
		wantNobody(t, answer)
		if body := bodyOf(t, answer); !strings.Contains(body, "You may not open Wiki") || !strings.Contains(body, "ada@example.org") {
			t.Errorf("%s: the page does not say why:\n%s", proxy, body)
		}
		if script := ada.asks(proxy, wikiURL+"/", background); script.StatusCode != 403 || bodyOf(t, script) != "" {
			t.Errorf("%s: a script gets %d", proxy, script.StatusCode)
		}
	}
}

// Whoever may open the application is not told that they may not: an
// administrator would look in the wrong place.
func TestForWhomSomethingIsSwitchedOffIsToldSo(t *testing.T) {
	for name, tt := range map[string]struct {
		plugin auth.PluginID
		path   string
	}{
		"the plug-in of the application":            {auth.ForwardAuthPlugin, "/"},
		"two-factor authentication, where demanded": {auth.TwoFactorPlugin, "/payroll"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, auth.Rule{Path: "/payroll", Access: auth.TwoFactor})
			ada := signedIn(t, d, "ada@example.org")
			d.SetActivation(auth.Activation{Plugin: tt.plugin, Active: true})
			answer := ada.asks("caddy", wikiURL+tt.path, navigation)
			wantStatus(t, answer, http.StatusForbidden)
			wantNobody(t, answer)
			body := bodyOf(t, answer)
			if !strings.Contains(body, "Wiki cannot be opened at the moment") || !strings.Contains(body, "switched off for you") || strings.Contains(body, "You may not") {
				t.Errorf("the page does not say why:\n%s", body)
			}
			if tt.plugin == auth.TwoFactorPlugin { // with us, too
				page := ada.Browser.Get("/forward-auth/hand-over?to=" + wrapped(wikiURL+tt.path)).WantStatus(http.StatusForbidden)
				if !page.Says("Wiki cannot be opened at the moment") {
					t.Errorf("with us it says\n%s", page.Text())
				}
			}
		})
	}
}

// Whatever a session has come to, its cookie opens nothing at the application.
func TestNoOtherSessionPasses(t *testing.T) {
	for name, end := range map[string]func(*door, *person){
		"logged out":     func(_ *door, p *person) { p.Browser.Post("/logout", nil) },
		"lapsed":         func(d *door, _ *person) { d.Clock.Turn(d.Config.SessionIdle) },
		"past its limit": func(d *door, _ *person) { d.Clock.Turn(d.Config.SessionOverall) },
		"disabled": func(d *door, p *person) {
			must(d.t, d.Store.DisableUser(d.t.Context(), apptest.Command, p.ID, d.Now()))
		},
		"deleted":            func(d *door, p *person) { must(d.t, d.Store.DeleteUser(d.t.Context(), apptest.Command, p.ID, d.Now())) },
		"ended by command":   endedByCommand,
		"a code that is due": func(d *door, p *person) { enabledElsewhere(d, p) },
		"garbage":            func(_ *door, p *person) { p.keeps(strings.Repeat("A", 43)) },
		"another browser's":  func(d *door, p *person) { p.keeps(d.visitor(nil).token(wikiURL + "/")) },
		"its own session's":  func(_ *door, p *person) { p.keeps(p.Browser.Cookie("__Host-twinlock")) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			ada := signedIn(t, d, "ada@example.org")
			end(d, ada)
			for proxy, want := range map[string]int{"nginx": 401, "caddy": 302, "traefik": 302} {
				answer := ada.asks(proxy, wikiURL+"/", navigation)
				wantStatus(t, answer, want)
				wantNobody(t, answer)
				wantStatus(t, ada.asks(proxy, wikiURL+"/", http.Header{"Upgrade": {"websocket"}}), 401)
			}
		})
	}
}

func endedByCommand(d *door, p *person) {
	_, err := d.Store.EndSessions(d.t.Context(), apptest.Command, p.ID, "", "by command", d.Now())
	must(d.t, err)
}

// enabledElsewhere has two-factor authentication on, and a session from while
// the plug-in was off.
func enabledElsewhere(d *door, p *person) {
	p.Browser.EnableTwoFactor(p.Person)
	d.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	other := d.visitor(p.Person)
	other.Browser.SignIn(p.Person).WantPath("/apps")
	answer, _ := other.goesTo("caddy", wikiURL+"/")
	wantStatus(d.t, answer, http.StatusOK)
	d.Activate(auth.TwoFactorPlugin)
	p.jar = other.jar
}

// keeps puts a cookie into the browser at the wiki's host, as a thief would.
func (p *person) keeps(value string) {
	at, _ := url.Parse(wikiURL)
	p.jar.SetCookies(at, []*http.Cookie{{Name: "__Host-twinlock-app", Value: value, Path: "/", Secure: true}})
}

// keptAt is what the browser holds at an application's host.
func (p *person) keptAt(address string) string {
	at, _ := url.Parse(address)
	for _, c := range p.jar.Cookies(at) {
		if c.Name == "__Host-twinlock-app" {
			return c.Value
		}
	}
	return ""
}

// token is what a stranger's browser is given.
func (p *person) token(address string) string {
	return p.asks("caddy", address, navigation).Cookies()[0].Value
}

func TestACookieOfOneHostOpensNoOther(t *testing.T) {
	d := newDoor(t)
	shop := d.add(auth.Application{Name: "Shop", URL: "https://shop.example.org", Everyone: true})
	ada := signedIn(t, d, "ada@example.org")
	at, _ := url.Parse(wikiURL)
	cookies := ada.jar.Cookies(at)
	for _, address := range []string{shop.URL + "/", "https://docs.example.org:8443/"} {
		thief := d.visitor(nil)
		there, _ := url.Parse(address)
		for _, c := range cookies {
			thief.jar.SetCookies(there, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/", Secure: true}})
		}
		wantStatus(t, thief.asks("caddy", address, navigation), http.StatusFound)
	}
}

func TestTheCookieStaysAtItsHostAndIsOutOfReachOfScripts(t *testing.T) {
	d := newDoor(t)
	cookies := d.visitor(nil).asks("caddy", wikiURL+"/", navigation).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	c := cookies[0]
	if c.Name != "__Host-twinlock-app" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhatAPersonDoesAtAnApplicationKeepsTheSession(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	for range 3 {
		d.Clock.Turn(d.Config.SessionIdle - time.Second)
		wantStatus(t, ada.asks("caddy", wikiURL+"/", navigation), http.StatusOK)
	}
	d.Clock.Turn(d.Config.SessionIdle - time.Second)
	wantStatus(t, ada.asks("caddy", wikiURL+"/poll", background), http.StatusOK)
	d.Clock.Turn(time.Second)
	wantStatus(t, ada.asks("caddy", wikiURL+"/poll", background), http.StatusUnauthorized)
}

// An application's page may renew a frame for ever, with nobody before it.
func TestWhatAPageShowsInAFrameKeepsNoSession(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	frame := http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}
	d.Clock.Turn(d.Config.SessionIdle - time.Second)
	wantStatus(t, ada.asks("caddy", wikiURL+"/clock", frame), http.StatusOK)
	d.Clock.Turn(time.Second)
	wantStatus(t, ada.asks("caddy", wikiURL+"/clock", frame), http.StatusFound)
}

// Applications take a name for a login, whatever the address.
func TestWhereAnybodyMayGoOnlyThoseAreNamedWhoMayOpenTheApplication(t *testing.T) {
	for name, withdraw := range map[string]func(*door){
		"may not open it": func(d *door) {
			d.ChangeApplication(d.wiki.ID, func(is *auth.Application) { is.Everyone = false })
		},
		"needs two-factor authentication": func(d *door) {
			must(d.t, d.Store.RequireTwoFactor(d.t.Context(), apptest.Command, d.wiki.ID, true, d.Now()))
		},
		"the plug-in is for others": func(d *door) {
			d.SetActivation(auth.Activation{Plugin: auth.ForwardAuthPlugin, Active: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, auth.Rule{Path: "/public", Access: auth.Public})
			ada := signedIn(t, d, "ada@example.org")
			before := ada.asks("caddy", wikiURL+"/public/x", navigation)
			wantStatus(t, before, http.StatusOK)
			if got := before.Header.Get("Remote-User"); got != ada.Address {
				t.Fatalf("before, she is %q", got)
			}
			withdraw(d)
			wantStatus(t, ada.asks("caddy", wikiURL+"/", navigation), http.StatusForbidden)
			after := ada.asks("caddy", wikiURL+"/public/x", navigation)
			wantStatus(t, after, http.StatusOK)
			wantNobody(t, after)
		})
	}
}

func TestAChangedPasswordAsksTheSessionOnceMoreAtEachApplication(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	thief := *ada
	thief.Browser = d.Browser()
	const changed = "nine quiet otters in Delft"
	ada.Browser.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", changed).Press().WantStatus(200)
	wantStatus(t, thief.asks("caddy", wikiURL+"/", background), http.StatusUnauthorized)
	answer, _ := ada.goesTo("caddy", wikiURL+"/") // her own session went on, and no form was asked
	wantStatus(t, answer, http.StatusOK)
}

func TestAQuestionFromElsewhereIsRefused(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	ada.from = "10.0.0.2"
	for _, from := range []string{"192.0.2.1", "10.0.0.2", "2001:db8::1"} {
		ada.Browser.Network = from
		for proxy, words := range proxies {
			r := ada.Browser.Request(http.MethodGet, "/forward-auth/"+proxy, nil)
			for name, values := range words(wikiURL + "/") {
				r.Header[name] = values
			}
			r.Header.Set("X-Forwarded-For", "10.0.0.1")
			page := ada.Browser.Ask(r)
			if page.Status != http.StatusForbidden || page.Header.Get("Remote-User") != "" {
				t.Errorf("%s from %s: %d", proxy, from, page.Status)
			}
			answer := ada.asks(proxy, wikiURL+"/", background)
			wantStatus(t, answer, http.StatusForbidden)
			wantNobody(t, answer)
		}
	}
}

// A preflight carries no cookie, and applications answer what they like to it:
// no method lets a stranger through.
func TestNoMethodLeadsAroundTheRules(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	for _, method := range []string{"OPTIONS", "HEAD", "POST", "PUT", "TRACE", "CONNECT", "options", "GET, OPTIONS", ""} {
		for proxy := range proxies {
			more := http.Header{"X-Forwarded-Method": {method}, "X-Original-Method": {method}, "Access-Control-Request-Method": {"DELETE"}}
			answer := d.visitor(nil).asks(proxy, wikiURL+"/", more)
			if answer.StatusCode != http.StatusUnauthorized && answer.StatusCode != http.StatusFound {
				t.Errorf("%s %q: a stranger gets %d", proxy, method, answer.StatusCode)
			}
			wantNobody(t, answer)
			wantStatus(t, ada.asks(proxy, wikiURL+"/", more), http.StatusOK)
		}
	}
}

// Whoever asks us in another way than by GET is no proxy that we know.
func TestAQuestionIsAskedByGETAlone(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	for proxy, words := range proxies {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"} {
			r := httptest.NewRequest(method, "http://127.0.0.1:8080/forward-auth/"+proxy, nil)
			r.RemoteAddr, r.Header = "10.0.0.1:40000", words(wikiURL+"/")
			r.AddCookie(&http.Cookie{Name: "__Host-twinlock-app", Value: ada.keptAt(wikiURL)})
			w := httptest.NewRecorder()
			d.Handler.ServeHTTP(w, r)
			wantNobody(t, w.Result())
			if w.Code < 400 {
				t.Errorf("%s %s: %d", method, proxy, w.Code)
			}
		}
	}
}

func TestAQuestionThatNamesNoAddressIsRefused(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/", Access: auth.Public})
	for name, tt := range map[string]struct {
		proxy, address string
		header         http.Header
	}{
		"two addresses":            {"nginx", "", http.Header{"X-Original-Url": {wikiURL + "/", wikiURL + "/x"}}},
		"no address":               {"nginx", "", http.Header{"X-Original-Url": nil}},
		"a path alone":             {"nginx", "", http.Header{"X-Original-Url": {"/x"}}},
		"no path":                  {"nginx", "", http.Header{"X-Original-Url": {wikiURL}}},
		"a user in it":             {"nginx", "https://x@wiki.example.org/", nil},
		"another scheme":           {"nginx", "http://wiki.example.org/", nil},
		"another port":             {"nginx", "https://wiki.example.org:8443/", nil},
		"another host":             {"caddy", "https://evil.example/", nil},
		"a host below":             {"caddy", "https://x.wiki.example.org/", nil},
		"a host with a dot":        {"caddy", "https://wiki.example.org./", nil},
		"two hosts in one header":  {"caddy", "https://wiki.example.org, evil.example/", nil},
		"two hosts":                {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Host": {"wiki.example.org", "evil.example"}}},
		"two schemes":              {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Proto": {"https", "http"}}},
		"two paths":                {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Uri": {"/", "/x"}}},
		"an absolute path":         {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Uri": {"http://evil.example/"}}},
		"an asterisk":              {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Uri": {"*"}}},
		"no path in a header":      {"traefik", wikiURL + "/", http.Header{"X-Forwarded-Uri": nil}},
		"a fragment":               {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Uri": {"/x#y"}}},
		"nginx's words to caddy's": {"caddy", wikiURL + "/", http.Header{"X-Forwarded-Host": nil, "X-Original-Url": {wikiURL + "/"}}},
		"our own address":          {"caddy", "https://id.example.org/", nil},
	} {
		address := tt.address
		if address == "" {
			address = wikiURL + "/"
		}
		answer := d.visitor(nil).asks(tt.proxy, address, tt.header)
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, answer.StatusCode)
		}
	}
	wantStatus(t, d.visitor(nil).asks("traefik", "wss://wiki.example.org/live", http.Header{"Upgrade": {"websocket"}}), http.StatusOK)
}

// Cookies know no ports: an application beside us would be sent what opens our
// own pages.
func TestAnApplicationAtOurOwnHostIsNeverAnsweredFor(t *testing.T) {
	d := newDoor(t)
	for _, address := range []string{"https://id.example.org/next-door", "https://id.example.org:8443/"} {
		d.addBeforeWeMoved(auth.Application{Name: "Next door", URL: address, Everyone: true}, auth.Rule{Path: "/", Access: auth.Public})
		wantStatus(t, d.visitor(nil).asks("nginx", address, navigation), http.StatusForbidden)
	}
}

// Where our address became that of an application, everything else of the
// application can be changed as before.
func TestAnApplicationWhoseHostBecameOursIsStillChanged(t *testing.T) {
	d := newDoor(t)
	a := d.addBeforeWeMoved(auth.Application{Name: "Next door", URL: "https://id.example.org:8443", Everyone: true})
	d.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })
	if err := d.Store.ChangeApplication(t.Context(), apptest.Command, a.ID, d.Now(), func(is *auth.Application) error {
		is.Hosts = []string{"id.example.org:9443"}
		return nil
	}); !errors.Is(err, store.ErrOurHost) {
		t.Errorf("one more there: %v", err)
	}
}

func TestWhileThePluginIsOffNothingPasses(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/public", Access: auth.Public})
	ada := signedIn(t, d, "ada@example.org")
	for name, a := range map[string]auth.Activation{
		"inactive":   {Plugin: auth.ForwardAuthPlugin},
		"for nobody": {Plugin: auth.ForwardAuthPlugin, Active: true},
	} {
		d.SetActivation(a)
		wantStatus(t, ada.asks("caddy", wikiURL+"/", navigation), http.StatusForbidden)
		public := ada.asks("caddy", wikiURL+"/public", navigation).StatusCode
		if want := map[bool]int{true: 200, false: 403}[a.Active]; public != want {
			t.Errorf("%s: what is public gets %d, want %d", name, public, want)
		}
		ada.Browser.Get("/forward-auth/hand-over?to=x").WantStatus(http.StatusNotFound)
	}
}

func TestOurOwnCookieIsGoodWhereAnApplicationSharesOurHost(t *testing.T) {
	d := &door{Site: apptest.New(t, "trusted_proxies=10.0.0.1"), t: t}
	d.add(auth.Application{Name: "Wiki", URL: "http://localhost:3000", Everyone: true})
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	at, _ := url.Parse("http://localhost:3000")
	ada.jar.SetCookies(at, []*http.Cookie{{Name: "twinlock", Value: ada.Browser.Cookie("twinlock"), Path: "/"}})
	answer := ada.asks("nginx", "http://localhost:3000/", navigation)
	wantStatus(t, answer, http.StatusOK)
	if slices.Equal(answer.Header["Remote-User"], []string{""}) {
		t.Error("nobody is told of")
	}
}
