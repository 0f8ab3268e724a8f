package forwardauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// administrator is one who is signed in.
func administrator(d *door, email string) *person {
	d.t.Helper()
	d.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin}) // no set-up stands before their pages
	p := d.visitor(d.Administrator(email))
	p.Browser.SignIn(p.Person)
	return p
}

// link leads to a test of the wiki's proxy.
func (p *person) link() string {
	p.door.t.Helper()
	return p.Browser.Get("/admin/proxy-check").WantStatus(http.StatusOK).Href("Test " + wikiURL)
}

// tests walks a test through a proxy, which may meddle with its question, and
// gives where it ends.
func (p *person) tests(proxy, link string, meddle func(http.Header)) string {
	p.door.t.Helper()
	for range 3 {
		header := proxies[proxy](link)
		for name, values := range navigation {
			header[name] = values
		}
		meddle(header)
		to := p.asks(proxy, link, header).Header.Get("Location")
		if !strings.HasPrefix(to, wikiURL) {
			return to
		}
		link = to
	}
	p.door.t.Fatal("the test goes round in circles")
	return ""
}

func asItIs(http.Header) {}

func TestAnAdministratorSeesWhatAProxyAsks(t *testing.T) {
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	for proxy := range proxies {
		eli.jar = d.visitor(nil).jar // it has never been there
		to := eli.tests(proxy, eli.link(), func(h http.Header) { h.Set("X-Forwarded-For", "192.0.2.7") })
		page := eli.Browser.Get(to).WantStatus(http.StatusOK).WantPath("/admin/proxy-check")
		for _, words := range []string{"What the proxy of your application asked", "arrives as it should", "/forward-auth/" + proxy, "192.0.2.7 → 10.0.0.1"} {
			if !page.Says(words) {
				t.Errorf("%s: the page does not say %q; it says\n%s", proxy, words, page.Text())
			}
		}
		if got, err := d.Store.SignIns(t.Context(), d.wiki.ID, 1, d.Now()); err != nil || len(got) > 0 && got[0].Logins > 0 {
			t.Errorf("%s: a test counts as a sign-in: %v, %v", proxy, got, err)
		}
	}
}

func TestOfEachMistakeOfAProxyTheAdministratorIsTold(t *testing.T) {
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	for name, tt := range map[string]struct {
		proxy, from string
		meddle      func(http.Header)
		says        []string
	}{
		"not trusted": {"nginx", "172.18.0.1", asItIs, []string{"The question is refused", "had the link of the test asked from 172.18.0.1"}},
		"another scheme": {"nginx", "", func(h http.Header) {
			h.Set("X-Original-Url", strings.Replace(h.Get("X-Original-Url"), "https://", "http://", 1))
		}, []string{"The question is about another address", "asked about http://wiki.example.org.", "proxy_set_header X-Original-URL " + wikiURL + "$request_uri;"}},
		"another port": {"caddy", "", func(h http.Header) { h.Set("X-Forwarded-Host", "wiki.example.org:8443") }, []string{"The question is about another address"}},
		"decoded": {"nginx", "", func(h http.Header) {
			h.Set("X-Original-Url", strings.ReplaceAll(h.Get("X-Original-Url"), "%20", " "))
		}, []string{"does not arrive as it was sent", "$request_uri;"}},
		"without the query": {"caddy", "", func(h http.Header) {
			path, _, _ := strings.Cut(h.Get("X-Forwarded-Uri"), "?")
			h.Set("X-Forwarded-Uri", path)
		}, []string{"does not arrive as it was sent"}},
		"in another's words": {"caddy", "", func(h http.Header) {
			h.Set("X-Original-Url", wikiURL+h.Get("X-Forwarded-Uri"))
			h["X-Forwarded-Host"] = nil
		}, []string{"The question names no address", "It was asked at /forward-auth/caddy"}},
		"does not say who asks": {"nginx", "", asItIs, []string{"Your proxy does not say who asks"}},
		"a claim let through":   {"nginx", "", func(h http.Header) { h["Remote_user"] = []string{"root"} }, []string{"Who somebody is, Twinlock never learns from a header."}},
	} {
		eli.from = tt.from
		page := eli.Browser.Get(eli.tests(tt.proxy, eli.link(), tt.meddle)).WantStatus(http.StatusOK)
		for _, words := range tt.says {
			if !page.Says(words) {
				t.Errorf("%s: the page does not say %q; it says\n%s", name, words, page.Text())
			}
		}
	}

	eli.from, eli.jar = "", d.visitor(nil).jar
	again := eli.asks("caddy", eli.link(), navigation).Header.Get("Location")
	eli.jar = d.visitor(nil).jar // what it was given is lost
	if page := eli.Browser.Get(eli.tests("caddy", again, asItIs)); !page.Says("The browser is not recognised at wiki.example.org") {
		t.Errorf("without a cookie it says\n%s", page.Text())
	}
}

// A test of an application that nobody may come to does not end with praise.
func TestTheAdministratorIsToldOfAnApplicationAtOurOwnHost(t *testing.T) {
	d := newDoor(t)
	d.addBeforeWeMoved(auth.Application{Name: "Next door", URL: "https://id.example.org:8443", Everyone: true})
	eli := administrator(d, "eli@example.org")
	link := eli.Browser.Get("/admin/proxy-check").WantStatus(http.StatusOK).Href("Test https://id.example.org:8443")
	for range 2 {
		link = eli.asks("caddy", link, navigation).Header.Get("Location")
	}
	page := eli.Browser.Get(link).WantStatus(http.StatusOK)
	if !page.Says("The application lies at Twinlock's own host") || page.Says("arrives as it should") {
		t.Errorf("it says\n%s", page.Text())
	}
}

func TestTheAdministratorIsToldOfAnApplicationThatIsGone(t *testing.T) {
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	link := eli.link()
	must(t, d.Store.DeleteApplication(t.Context(), apptest.Command, d.wiki, d.Now()))
	page := eli.Browser.Get(eli.tests("nginx", link, asItIs)).WantStatus(http.StatusOK)
	if !page.Says("No application has this address") || page.Says("arrives as it should") {
		t.Errorf("it says\n%s", page.Text())
	}
}

func TestAStrangerWhoHasTheLinkIsNotOfferedToBeTrusted(t *testing.T) {
	const line = `trusted_proxies = ["10.0.0.1", "172.18.0.1"]`
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	eli.from = "172.18.0.1"
	to := eli.tests("nginx", eli.link(), asItIs)
	if page := eli.Browser.Get(to).WantStatus(http.StatusOK); page.Says(line) || !page.Says("do not trust that address") {
		t.Errorf("of a stranger it says\n%s", page.Text())
	}
	eli.Browser.Network = "172.18.0.1" // the proxy that brings the page, too
	if page := eli.Browser.Get(to).WantStatus(http.StatusOK); !page.Says(line) {
		t.Errorf("of the page's own proxy it says\n%s", page.Text())
	}
}

func TestATestIsForWhoeverMadeItAndForAWhile(t *testing.T) {
	d := newDoor(t)
	eli, other := administrator(d, "eli@example.org"), administrator(d, "root@example.org")
	link := eli.link()
	to := eli.tests("caddy", link, asItIs)
	if page := other.Browser.Get(to); !page.Says("That test is over") || page.Says("What the proxy of your application asked") {
		t.Errorf("another administrator reads\n%s", page.Text())
	}
	d.Clock.Turn(10*time.Minute - time.Second)
	if page := eli.Browser.Get(to); !page.Says("What the proxy of your application asked") {
		t.Errorf("a second before its end it says\n%s", page.Text())
	}
	d.Clock.Turn(time.Second)
	if page := eli.Browser.Get(to); !page.Says("That test is over") {
		t.Errorf("ten minutes later it says\n%s", page.Text())
	}
	wantStatus(t, eli.asks("caddy", link, navigation), http.StatusForbidden)
}

// Whoever is no administrator gets no link, and one of their own making is none.
func TestAStrangerLearnsNothingByATest(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/", Access: auth.Public})
	link := administrator(d, "eli@example.org").link()
	parsed, err := url.Parse(link)
	must(t, err)
	parts := strings.Split(parsed.Path, "/")
	for _, token := range []string{"", "x", strings.Repeat("A", len(parts[4])), parts[4][1:], parts[4] + "A"} {
		forged := strings.Replace(link, parts[4], token, 1)
		for _, from := range []string{"", "172.18.0.1"} {
			stranger := d.visitor(nil)
			stranger.from = from
			answer := stranger.asks("caddy", forged, navigation)
			if answer.StatusCode != http.StatusForbidden || len(answer.Cookies()) > 0 {
				t.Errorf("%q from %q: %d with %d cookies", token, from, answer.StatusCode, len(answer.Cookies()))
			}
		}
	}
	d.SetActivation(auth.Activation{Plugin: auth.ForwardAuthPlugin})
	wantStatus(t, d.visitor(nil).asks("caddy", link, navigation), http.StatusForbidden)
	ada := d.Browser()
	ada.SignIn(d.Person("ada@example.org"))
	ada.Get("/admin/proxy-check").WantStatus(http.StatusForbidden)
}

func TestAnAnswerFitsIntoWhatProxiesTake(t *testing.T) {
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	link := eli.link()
	eli.asks("nginx", link, navigation)
	answer := eli.asks("nginx", strings.Replace(link, "/first/", "/again/", 1), http.Header{"Sec-Fetch-Mode": {"navigate"},
		"X-Forwarded-For": {strings.Repeat("192.0.2.7, ", 100)}, "Via": {strings.Repeat("1.1 proxy, ", 100)}, "Remote-User": {strings.Repeat("x", 500)},
		"Forwarded": {strings.Repeat("for=192.0.2.7;", 100)}, "X-Forwarded-Prefix": {strings.Repeat("/x", 300)}})
	size := 0
	for name, values := range answer.Header {
		size += len(name) + len(values[0]) + 4
	}
	if to := answer.Header.Get("Location"); !strings.Contains(to, "/admin/proxy-check?answer=") || size > 3900 {
		t.Errorf("the answer's headers have %d bytes, to %.60s", size, to)
	}
	if page := eli.Browser.Get(answer.Header.Get("Location")); !page.Says("What the proxy of your application asked") || strings.Contains(page.Body, link[60:160]) {
		t.Errorf("it says\n%s", page.Text())
	}
}
