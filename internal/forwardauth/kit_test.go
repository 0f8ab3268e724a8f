package forwardauth_test

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
)

const wikiURL = "https://wiki.example.org"

// door is a site with a wiki behind a proxy at 10.0.0.1.
type door struct {
	*apptest.Site
	t    testing.TB
	wiki auth.Application
}

func newDoor(t testing.TB, rules ...auth.Rule) *door {
	t.Helper()
	d := &door{Site: apptest.New(t, "public_url=https://id.example.org", "trusted_proxies=10.0.0.1"), t: t}
	d.Activate(auth.TwoFactorPlugin)
	d.wiki = d.add(auth.Application{Name: "Wiki", URL: wikiURL + "/start", Hosts: []string{"docs.example.org:8443"}, Everyone: true}, rules...)
	return d
}

func (d *door) add(a auth.Application, rules ...auth.Rule) auth.Application {
	d.t.Helper()
	a.Kind = auth.BehindProxy
	a, err := d.Store.AddApplication(d.t.Context(), apptest.Command, a, d.Now())
	if err == nil {
		err = d.Store.SetApplicationRules(d.t.Context(), apptest.Command, a.ID, rules, d.Now())
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// addBeforeWeMoved adds an application while our own address is another.
func (d *door) addBeforeWeMoved(a auth.Application, rules ...auth.Rule) auth.Application {
	d.t.Helper()
	ours := d.Config.PublicURL
	d.Config.PublicURL = "https://old.example.org"
	d.Restart()
	a = d.add(a, rules...)
	d.Config.PublicURL = ours
	d.Restart()
	return a
}

// person is somebody with a browser: one for our pages, and the same at the
// applications' hosts.
type person struct {
	*apptest.Person
	*apptest.Browser
	door *door
	jar  http.CookieJar
	from string // where the proxy is that asks about them; "" for the wiki's

	hungUp bool // the proxy is gone before it is answered
}

func (d *door) visitor(who *apptest.Person) *person {
	jar, _ := cookiejar.New(nil)
	return &person{Person: who, Browser: d.Browser(), door: d, jar: jar}
}

// navigation is what browsers send when a person goes somewhere.
var navigation = http.Header{"Sec-Fetch-Mode": {"navigate"}, "Accept": {"text/html"}}

// background is what they send for a script.
var background = http.Header{"Sec-Fetch-Mode": {"cors"}, "Accept": {"*/*"}}

// proxies ask in their own words.
var proxies = map[string]func(address string) http.Header{
	"nginx": func(address string) http.Header {
		return http.Header{"X-Original-Url": {address}, "X-Original-Method": {"GET"}}
	},
	"caddy": forwarded, "traefik": forwarded,
}

func forwarded(address string) http.Header {
	scheme, rest, _ := strings.Cut(address, "://")
	host, uri, _ := strings.Cut(rest, "/")
	return http.Header{"X-Forwarded-Proto": {scheme}, "X-Forwarded-Host": {host}, "X-Forwarded-Uri": {"/" + uri}, "X-Forwarded-Method": {"GET"}}
}

// asks lets a proxy ask about a request of this browser, and keeps the cookies
// that the answer gives the browser at the application's host.
func (p *person) asks(proxy, address string, more http.Header) *http.Response {
	p.door.t.Helper()
	r, at := p.question(proxy, address, more)
	answer := p.door.answers(p.door.t, r)
	p.jar.SetCookies(at, answer.Cookies())
	return answer
}

// question is what asks sends, and the address at whose host the browser is.
func (p *person) question(proxy, address string, more http.Header) (*http.Request, *url.URL) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/forward-auth/"+proxy, nil)
	r.RemoteAddr = cmp.Or(p.from, "10.0.0.1") + ":40000"
	maps.Copy(r.Header, proxies[proxy](address))
	maps.Copy(r.Header, more)
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		at = &url.URL{Scheme: "https", Host: "wiki.example.org", Path: "/"}
	}
	for _, c := range p.jar.Cookies(at) {
		r.AddCookie(c)
	}
	if p.hungUp {
		gone, leave := context.WithCancel(r.Context())
		leave()
		r = r.WithContext(gone)
	}
	return r, at
}

// answers gives the answer to a question that is asked where the applications are
// remembered. One that was quick is asked the long way too, and must be the same.
func (d *door) answers(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	d.warm()
	answer := d.handle(r)
	if !isQuick(answer) {
		return answer
	}
	log := d.Floor.Log
	d.Floor.Log = slog.New(everyLine{slog.DiscardHandler})
	long := d.handle(r)
	d.Floor.Log = log
	if isQuick(long) {
		t.Error("whoever reads every line of the log is not told of a question")
	}
	if quick, long := bearing(answer), bearing(long); !maps.EqualFunc(quick, long, slices.Equal) {
		t.Errorf("the quick answer is\n%v\nand the long way's\n%v", quick, long)
	}
	return answer
}

func (d *door) warm() {
	_, _ = d.Live.GateAt(context.Background(), origin.Origin{})
	_, _ = d.Live.Activations(context.Background())
}

func (d *door) handle(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	d.Handler.ServeHTTP(w, r)
	return w.Result()
}

// isQuick tells an answer that has no line in the log, and so no number there.
func isQuick(answer *http.Response) bool { return answer.Header.Get("X-Request-Id") == "" }

// everyLine is a log of the level DEBUG.
type everyLine struct{ slog.Handler }

func (everyLine) Enabled(context.Context, slog.Level) bool { return true }

// bearing is all of an answer that bears on anything, but for what is random: what
// is left out of the quick one only pages need.
func bearing(answer *http.Response) map[string][]string {
	bears := map[string][]string{"status": {answer.Status}}
	for _, name := range append([]string{"Location", "Cache-Control", "Referrer-Policy", "Set-Cookie", "Twinlock-Redirect"}, identity...) {
		if said, ok := answer.Header[name]; ok {
			bears[name] = slices.Clone(said)
		}
	}
	if answer.StatusCode == http.StatusOK {
		delete(bears, "Referrer-Policy") // nothing is referred to
	}
	for _, c := range answer.Cookies() { // the browser is known by it from now on
		token, ok := secret.Parse(c.Value)
		for name, said := range bears {
			if ok {
				bears[name] = []string{strings.NewReplacer(c.Value, "TOKEN", token.Hash().Text(), "HASH").Replace(said[0])}
			}
		}
	}
	return bears
}

// goesTo follows a person to an application's address through the proxy, by way
// of our own pages as far as they lead on by themselves; it gives the last
// answer at the application's host, or the page of ours at which it ends.
func (p *person) goesTo(proxy, address string) (*http.Response, *apptest.Page) {
	p.door.t.Helper()
	for range 10 {
		answer := p.asks(proxy, address, navigation)
		to := answer.Header.Get("Location")
		if to == "" {
			return answer, nil
		}
		for strings.HasPrefix(to, "https://id.example.org/") {
			page := p.Browser.Get(to)
			to = page.Header.Get("Location")
			if _, after, ok := strings.Cut(page.Header.Get("Refresh"), "url="); ok {
				to = after
			}
			if to == "" {
				return nil, page
			}
		}
		address = to
	}
	p.door.t.Fatal("it goes round in circles")
	return nil, nil
}

func wantStatus(t testing.TB, answer *http.Response, want int) {
	t.Helper()
	if answer == nil || answer.StatusCode != want {
		t.Fatalf("answer %+v, want %d", answer, want)
	}
}

// wantNobody fails where an answer tells of anybody.
func wantNobody(t *testing.T, answer *http.Response) {
	t.Helper()
	for _, name := range identity {
		if answer.Header.Get(name) != "" {
			t.Errorf("%s: %q is told of a stranger", name, answer.Header.Get(name))
		}
	}
}

var identity = []string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"}
