package forwardauth_test

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

func bodyOf(t *testing.T, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return strings.ReplaceAll(string(body), "&amp;", "&")
}

// between gives what stands between two marks and begins like this.
func between(body, before, after, begins string) string {
	for rest := body; ; {
		_, next, ok := strings.Cut(rest, before)
		if !ok {
			return ""
		}
		if found, _, ok := strings.Cut(next, after); ok && strings.HasPrefix(found, begins) {
			return found
		}
		rest = next
	}
}

func wrapped(address string) string { return base64.RawURLEncoding.EncodeToString([]byte(address)) }

// ticket is the address with a ticket that a signed-in person is led to.
func (p *person) ticket(t *testing.T, address string) string {
	t.Helper()
	login := p.asks("caddy", address, navigation).Header.Get("Location")
	page := p.Browser.Get(login).WantStatus(200)
	_, to, ok := strings.Cut(page.Header.Get("Refresh"), "url=")
	if !ok {
		t.Fatalf("no ticket at %s", page.Path)
	}
	return to
}

func TestATicketIsWorthNothingInAnotherBrowser(t *testing.T) {
	d := newDoor(t)
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	ticket := ada.ticket(t, wikiURL+"/a")
	stolen := map[string]*person{"without a cookie": d.visitor(nil), "with a cookie of its own": d.visitor(nil)}
	stolen["with a cookie of its own"].asks("caddy", wikiURL+"/", navigation)
	for name, thief := range stolen {
		answer := thief.asks("caddy", ticket, navigation)
		if answer.StatusCode == http.StatusFound && !strings.HasPrefix(answer.Header.Get("Location"), "https://id.example.org/login") {
			t.Errorf("%s: led to %q", name, answer.Header.Get("Location"))
		}
		if got := thief.asks("caddy", wikiURL+"/a", background); got.StatusCode != 401 {
			t.Errorf("%s: the ticket signed a thief in", name)
		}
	}
	if to := ada.asks("caddy", ticket, navigation).Header.Get("Location"); to != wikiURL+"/a" {
		t.Errorf("afterwards its own browser is led to %q", to)
	}
}

// Whoever saw a ticket on its way, and has what its browser held then, comes
// too late by one.
func TestATicketIsGoodOnce(t *testing.T) {
	d := newDoor(t)
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	ticket := ada.ticket(t, wikiURL+"/a")
	thief := d.visitor(nil)
	thief.keeps(ada.keptAt(wikiURL))
	if to := ada.asks("caddy", ticket, navigation).Header.Get("Location"); to != wikiURL+"/a" {
		t.Fatalf("led to %q", to)
	}
	answer := thief.asks("caddy", ticket, navigation)
	if !strings.HasPrefix(answer.Header.Get("Location"), "https://id.example.org/login") || len(answer.Cookies()) > 0 {
		t.Errorf("%d to %q with %d cookies", answer.StatusCode, answer.Header.Get("Location"), len(answer.Cookies()))
	}
	wantStatus(t, thief.asks("caddy", wikiURL+"/a", background), http.StatusUnauthorized)
}

func TestATicketEndsAfterAMinuteAndWithItsSession(t *testing.T) {
	for name, end := range map[string]func(*door, *person){
		"a minute later":  func(d *door, _ *person) { d.Clock.Turn(time.Minute) },
		"after a logout":  func(_ *door, p *person) { p.Browser.Post("/logout", nil) },
		"after a command": endedByCommand,
	} {
		d := newDoor(t)
		ada := d.visitor(d.Person("ada@example.org"))
		ada.Browser.SignIn(ada.Person)
		ticket := ada.ticket(t, wikiURL+"/a")
		end(d, ada)
		answer := ada.asks("caddy", ticket, navigation)
		if !strings.HasPrefix(answer.Header.Get("Location"), "https://id.example.org/login") || len(answer.Cookies()) > 0 {
			t.Errorf("%s: %d to %q", name, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
}

func TestATicketArrivesOnlyWhereItWasMadeFor(t *testing.T) {
	d := newDoor(t)
	d.add(auth.Application{Name: "Shop", URL: "https://shop.example.org", Everyone: true})
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	ticket := ada.ticket(t, wikiURL+"/a")
	cookies := ada.jar.Cookies(&url.URL{Scheme: "https", Host: "wiki.example.org", Path: "/"})
	ada.jar.SetCookies(&url.URL{Scheme: "https", Host: "shop.example.org", Path: "/"}, cookies)
	elsewhere := strings.Replace(ticket, "wiki.example.org", "shop.example.org", 1)
	wantStatus(t, ada.asks("caddy", elsewhere, navigation), http.StatusForbidden)
	parsed, _ := url.Parse(elsewhere)
	values := parsed.Query()
	values.Set("to", wrapped("https://shop.example.org/"))
	answer := ada.asks("caddy", "https://shop.example.org/.twinlock/hand-over?"+values.Encode(), navigation)
	if len(answer.Cookies()) > 0 {
		t.Error("a ticket for one application opened another")
	}
}

func TestNobodyIsLedToAnAddressThatIsNoApplications(t *testing.T) {
	d := newDoor(t)
	ada := signedIn(t, d, "ada@example.org")
	for _, to := range []string{
		"https://evil.example/", "//evil.example/", "https://wiki.example.org@evil.example/", "https://wiki.example.org.evil.example/",
		"https://wiki.example.org\\.evil.example/", "http://wiki.example.org/", "https://wiki.example.org:8443/", "javascript:alert(1)//",
		"https://wiki.example.org", "/apps", "https://id.example.org/account", "https:wiki.example.org/", "https:///evil.example/",
		"https://wiki.example.org/\r\nSet-Cookie: x=y", "https://wiki.example.org/a b", "https://wiki.example.org/#x", "",
	} {
		page := ada.Browser.Get("/forward-auth/hand-over?to=" + wrapped(to))
		if page.Status == http.StatusOK || page.Status == http.StatusSeeOther || page.Header.Get("Refresh") != "" {
			t.Errorf("%q: %d to %q", to, page.Status, page.Header.Get("Refresh")+page.Header.Get("Location"))
		}
		arrival := wikiURL + "/.twinlock/hand-over?ticket=" + strings.Repeat("A", 43) + "&to=" + wrapped(to)
		if answer := ada.asks("caddy", arrival, navigation); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%q on arrival: %d to %q", to, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	for _, query := range []string{"", "to=!", "to=" + wrapped(wikiURL+"/") + "&browser=abc", "to=" + wrapped(wikiURL+"/") + "&to=x"} {
		ada.Browser.Get("/forward-auth/hand-over?" + query).WantStatus(http.StatusBadRequest)
	}
}

func TestOfTabsThatOpenAtOnceAllArrive(t *testing.T) {
	d := newDoor(t)
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	var logins []string
	empty := ada.jar
	for range 3 { // each asked before any answer came
		tab := *ada
		tab.jar = d.visitor(nil).jar
		logins = append(logins, tab.asks("caddy", wikiURL+"/", navigation).Header.Get("Location"))
		ada.jar = tab.jar // the last answer's cookie stays
	}
	if ada.jar == empty {
		t.Fatal("no cookie")
	}
	for _, login := range logins {
		page := ada.Browser.Get(login).WantStatus(200)
		_, to, _ := strings.Cut(page.Header.Get("Refresh"), "url=")
		answer, _ := ada.goesTo("caddy", to)
		wantStatus(t, answer, http.StatusOK)
	}
}

func TestABrowserThatKeepsNoCookieIsToldSoAndDoesNotGoInCircles(t *testing.T) {
	d := newDoor(t)
	ada := d.visitor(d.Person("ada@example.org"))
	ada.Browser.SignIn(ada.Person)
	ticket := ada.ticket(t, wikiURL+"/a?b")
	ada.jar = d.visitor(nil).jar
	answer := ada.asks("caddy", ticket, navigation)
	wantStatus(t, answer, http.StatusForbidden)
	if body := bodyOf(t, answer); !strings.Contains(body, "does not recognise your browser") || !strings.Contains(body, wikiURL+"/a?b") {
		t.Errorf("the page does not say what to do:\n%s", body)
	}
	ada.asks("caddy", wikiURL+"/", navigation)
	wantStatus(t, ada.asks("caddy", ticket+"&again=yes", navigation), http.StatusForbidden)
}

func TestAnAddressTooLongToComeBackToLosesItsQueryAndThenItsPath(t *testing.T) {
	d := newDoor(t)
	for _, tt := range []struct{ address, want string }{
		{wikiURL + "/a?" + strings.Repeat("q", 1700), wikiURL + "/a?" + strings.Repeat("q", 1700)},
		{wikiURL + "/a?" + strings.Repeat("q", 2000), wikiURL + "/a"},
		{wikiURL + "/" + strings.Repeat("a", 2000), wikiURL + "/"},
	} {
		answer := d.visitor(nil).asks("nginx", tt.address, navigation)
		var headers strings.Builder
		must(t, answer.Header.Write(&headers))
		if n := headers.Len(); n > 3600 {
			t.Errorf("the answer's headers have %d bytes: nginx as it comes takes 4096 with the first line", n)
		}
		location := answer.Header.Get("Location")
		login, _ := url.Parse(location)
		next, _ := url.Parse(login.Query().Get("next"))
		if got := next.Query().Get("to"); got != wrapped(tt.want) {
			t.Errorf("%.60s… comes back to %q", tt.address, got)
		}
	}
}

func TestStrangersLeaveNothing(t *testing.T) {
	d := newDoor(t)
	before := d.rows(t)
	for i := range 2000 {
		p := d.visitor(nil)
		if i%2 == 0 {
			p.keeps(secret.New().Reveal())
		}
		wantStatus(t, p.asks("caddy", wikiURL+"/", navigation), http.StatusFound)
		p.asks("nginx", "https://unknown.example.org/", background)
	}
	must(t, d.Live.Flush(t.Context(), d.Now()))
	if after := d.rows(t); after != before {
		t.Errorf("%d rows before, %d after", before, after)
	}
}

// rows counts all rows of all tables.
func (d *door) rows(t *testing.T) (all int) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(d.Config.DatabaseURL.Reveal(), "sqlite:")+"?mode=ro")
	must(t, err)
	defer db.Close()
	tables, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	must(t, err)
	defer tables.Close()
	for tables.Next() {
		var name string
		must(t, tables.Scan(&name))
		var n int
		must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "`+name+`"`).Scan(&n))
		all += n
	}
	must(t, tables.Err())
	return all
}

// What the server remembers does not grow with the strangers who ask, whatever
// they bring along.
func TestStrangersAreNotRemembered(t *testing.T) {
	d := newDoor(t, auth.Rule{Path: "/public", Access: auth.Public})
	ask := func(many int) {
		for i := range many {
			p := d.visitor(nil)
			p.keeps(secret.New().Reveal())
			address := fmt.Sprintf("https://wiki.example.org/%d", i)
			if i%3 == 0 {
				address = fmt.Sprintf("https://%s.example.org/", secret.NewID())
			}
			more := http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.%d.%d", i/256%256, i%256)}, "User-Agent": {secret.NewID()},
				"Cookie": {"__Host-twinlock=" + secret.New().Reveal()}}
			wantNobody(t, p.asks([]string{"nginx", "caddy", "traefik"}[i%3], address, more))
		}
	}
	ask(500) // pools fill
	before := liveHeap()
	ask(3000)
	grown := liveHeap() - before
	t.Logf("the heap grows by %d bytes", grown)
	if grown > 192<<10 { // 64 bytes a stranger
		t.Errorf("the heap is %d bytes larger", grown)
	}
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what pools still held is gone after the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A session that began while nobody was asked for a code is asked for that
// alone, also where the application has a host of its own.
func TestASessionThatOwesOnlyItsCodeIsAskedForItAlone(t *testing.T) {
	for proxy := range proxies {
		d := newDoor(t)
		ada := d.Person("ada@example.org")
		p := d.visitor(ada)
		p.SignIn(ada)
		p.EnableTwoFactor(ada)
		d.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
		p.Post("/logout", nil)
		p.SignIn(ada).WantPath("/apps")
		d.Activate(auth.TwoFactorPlugin)

		_, page := p.goesTo(proxy, wikiURL+"/page?a=b")
		if page == nil {
			t.Fatalf("%s: it passes without the code", proxy)
		}
		page.WantPath("/login/confirm").Form("Send code").Fill("Login code", ada.Code()).Press()
		answer, page := p.goesTo(proxy, wikiURL+"/page?a=b")
		if page != nil {
			t.Fatalf("%s: it ends at %s: %s", proxy, page.Path, page.Text())
		}
		wantStatus(t, answer, http.StatusOK)
	}
}

// Each ticket that is claimed is a sign-in, and nothing else at the application
// is: neither its requests nor a refusal.
func TestASignInThroughAProxyIsCountedAndDrawnOnTheApplicationsPage(t *testing.T) {
	d := newDoor(t)
	eli := administrator(d, "eli@example.org")
	page := func() *apptest.Page {
		return eli.Browser.Get("/admin/apps/" + string(d.wiki.ID)).WantStatus(http.StatusOK)
	}
	if !page().Says("Nobody has signed in to it yet.") {
		t.Errorf("at first it says\n%s", page().Text())
	}
	ada := signedIn(t, d, "ada@example.org")
	for range 3 {
		wantStatus(t, ada.asks("caddy", wikiURL+"/more", navigation), http.StatusOK)
	}
	d.visitor(nil).asks("caddy", wikiURL+"/", navigation)
	signedIn(t, d, "bea@example.org")
	page().WantDrawn(map[string]string{"23 November 2026": "2"})
	d.Clock.Turn(15 * time.Hour)
	eli.Browser.SignIn(eli.Person)
	signedIn(t, d, "cem@example.org")
	page().WantDrawn(map[string]string{"23 November 2026": "2", "24 November 2026": "1"})
}
