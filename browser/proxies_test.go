package browser

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// eachProxy runs a test behind each reverse proxy, set up as its page of the
// documentation says, with a wiki that has rules.
func eachProxy(t *testing.T, test func(*testing.T, *kit.Proxied)) {
	t.Helper()
	for name := range kit.Proxies {
		t.Run(name, func(t *testing.T) {
			p := kit.StartProxied(t, name)
			p.Person(ada, good, "--name", "Ada Lovelace-Müller")
			p.Run("", "group", "add", "Staff")
			p.Run("", "app", "add", "Wiki", "--url", p.App+"/", "--allow-everyone",
				"--rule", "/public=public", "--rule", "/admin=group:Staff", "--rule", "/payroll=two-factor")
			test(t, p)
		})
	}
}

func TestAPersonSignsInThroughAProxyAndOutAgain(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		p.Run("", "group", "join", "Staff", ada)
		tab := p.Profile(t).Trusting().Open(p.App + "/pages/a%20b?q=1&r=%26")
		tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login")
		tab.See(`Here is "` + ada + `".`).See("You asked for GET /pages/a%20b?q=1&r=%26")
		told := p.Reached()
		for name, want := range map[string]string{"Remote-User": ada, "Remote-Email": ada, "Remote-Name": "Ada Lovelace-Müller", "Remote-Groups": "Staff"} {
			if got := told.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := tab.Address(); got != p.App+"/pages/a%20b?q=1&r=%26" {
			t.Errorf("at %s", got)
		}
		if cookies := told.Get("Cookie"); strings.Contains(cookies, "twinlock") {
			t.Errorf("the application gets our cookie: %s", cookies)
		}
		for _, c := range tab.Cookies() {
			if strings.Contains(c.Domain, "wiki") && (c.Name != "__Host-twinlock-app" || !c.Secure || !c.HTTPOnly) {
				t.Errorf("at the application's host there is %s, secure %v, for scripts %v", c.Name, c.Secure, !c.HTTPOnly)
			}
		}
		tab.Open(p.App + "/admin").See("You asked for GET /admin")

		tab.Open("/account").Menu("Ada Lovelace-Müller", "Log out").At("/login")
		p.Reached()
		tab.Open(p.App + "/pages").At("/login")
		if p.Reached() != nil {
			t.Error("after the logout something reached the application")
		}
	})
}

func TestWhoMayNotIsToldWhyThroughAProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		p.Run("", "plugin", "activate", "two-factor")
		p.Run("", "plugin", "allow", "two-factor", "--everyone")
		tab := login(p.Profile(t).Trusting(), ada, good)
		tab.At("/apps").Open(p.App + "/admin").See("You may not open Wiki").See(ada)
		tab.Open(p.App + "/").See("Here is")
		p.Reached()
		tab.Open(p.App + "/admin").See("You may not open Wiki").See(ada)
		if p.Reached() != nil {
			t.Error("it reached the application")
		}
		tab.Open(p.App + "/payroll?month=11").See("Wiki needs two-factor authentication")
		tab.Press("Enable two-factor authentication").At("/account/two-factor")
		key := keyOf(t, tab)
		tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").Tick("I have saved these codes").Press("Continue")
		tab.See("You asked for GET /payroll?month=11")
		if problems := tab.Problems(); len(problems) > 0 {
			t.Errorf("%q", problems)
		}
	})
}

// asking is a request byte by byte, with whatever a visitor likes to add.
func asking(p *kit.Proxied, method, path string, headers ...string) string {
	all := append([]string{method + " " + path + " HTTP/1.1", "Host: wiki.example.org:" + p.Port, "Connection: close"}, headers...)
	return strings.Join(all, "\n") + "\n\n"
}

var ownWords = []string{
	"Remote-User: root", "Remote-Email: root@example.org", "Remote-Name: Root", "Remote-Groups: Staff",
	"remote-user: root", "REMOTE-USER: root", "Remote_User: root", "remote_user: root", "REMOTE_USER: root", "Remote_Email: root@example.org",
	"Remote_Name: Root", "Remote_Groups: Staff", "X-Forwarded-User: root", "X-Remote-User: root", "X_Remote_User: root", "X-Webauth-User: root",
	"X-Forwarded-Email: root@example.org", "X-Forwarded-Name: Root", "X-Forwarded-Groups: Staff", "X-Forwarded-Preferred-Username: root",
	"X_Forwarded_User: root", "X-Forwarded_User: root", "X_Forwarded-User: root", "x_forwarded_groups: Staff", "X-Forwarded_Preferred_Username: root",
	"X-Remote-Groups: Staff", "X-Webauth-Groups: Staff", "X_Webauth_Groups: Staff", "X_Remote-Name: Root",
	"Remote-User:", "Remote-User: a", "Remote-User: b",
}

// Whoever a visitor says to be: the application hears of it only from us.
func TestAVisitorsOwnHeadersNeverReachTheApplication(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		tab := p.Profile(t).Trusting().Open(p.App + "/")
		tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").See("Here is")
		cookie := "Cookie: other=1; "
		for _, c := range tab.Cookies() {
			if c.Name == "__Host-twinlock-app" {
				cookie += c.Name + "=" + c.Value + "; "
			}
		}
		for who, more := range map[string][]string{"a stranger": nil, "somebody": {cookie + "last=2"}} {
			p.Reached()
			p.Raw(t, asking(p, "GET", "/public", append(more, ownWords...)...))
			told := p.Reached()
			if told == nil {
				t.Fatalf("%s did not reach the application", who)
			}
			wantTold := ""
			if who == "somebody" {
				wantTold = ada
				if got := told.Get("Cookie"); !strings.Contains(got, "other=1") || !strings.Contains(got, "last=2") || strings.Contains(got, "twinlock") {
					t.Errorf("the application's own cookies came as %q", got)
				}
			}
			for name, values := range told {
				said := strings.Join(values, ",")
				plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
				switch {
				case plain == "remote-user" && said == wantTold, plain == "remote-email" && said == wantTold:
				case plain == "remote-name" && (who == "somebody") == (said != "") && said != "Root":
				case strings.HasPrefix(plain, "remote-") && said == "":
				case strings.Contains(plain, "remote") || strings.Contains(said, "root") || strings.Contains(plain, "-user"),
					strings.HasPrefix(plain, "x-") && (strings.Contains(said, "Staff") || strings.Contains(said, "Root")):
					t.Errorf("%s: %s: %q reached the application", who, name, said)
				}
			}
		}
	})
}

// Whoever owns a sibling of the host may plant cookies beside ours. Whatever their
// order, what opens the application for a person does not reach it.
func TestPlantedCookiesDoNotCarryOursToTheApplication(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		tab := p.Profile(t).Trusting().Open(p.App + "/")
		tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").See("Here is")
		ours := ""
		for _, c := range tab.CookiesFor(p.App) {
			if c.Name == "__Host-twinlock-app" {
				ours = c.Name + "=" + c.Value
			}
		}
		for _, order := range []string{
			"%s", "%s; twinlock-app=x", "twinlock-app=x; %s", "a=1; %s; twinlock-app=x; b=2", "a=1; twinlock-app=x; %s; b=2", "%s; a=1; b=2; twinlock-app=x",
			"a=1; b=2; %s; not-twinlock-app=x",
		} {
			p.Reached()
			p.Raw(t, asking(p, "GET", "/private", "Cookie: "+fmt.Sprintf(order, ours)))
			told := p.Reached()
			if told.Get("Remote-User") != ada {
				t.Fatalf("%s: she is not known: %v", order, told)
			}
			cookies := told.Get("Cookie")
			if strings.Contains(cookies, ours) || strings.Contains(order, "a=1") && (!strings.Contains(cookies, "a=1") || !strings.Contains(cookies, "b=2")) ||
				strings.HasPrefix(cookies, ";") || strings.Contains(order, "not-") != strings.Contains(cookies, "twinlock-app") {
				t.Errorf("%s: the application gets %q", order, cookies)
			}
		}
	})
}

// What a visitor says of the address they ask for is not believed.
func TestNoHeaderOfAVisitorChangesWhatIsAskedFor(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		for _, header := range []string{
			"X-Original-URL: " + p.App + "/public", "X-Original-Url: " + p.App + "/public", "X_Original_URL: " + p.App + "/public",
			"X-Forwarded-Uri: /public", "X-Forwarded-URI: /public", "X_Forwarded_Uri: /public", "X-Forwarded-Method: OPTIONS", "X-Rewrite-URL: /public",
			"X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-Forwarded-For: 127.0.0.1", "Forwarded: host=evil.example;proto=http",
			"X-Original-URI: /public", "X-Forwarded-Prefix: /public", "Connection: close, X-Original-URL, X-Forwarded-Uri",
		} {
			answer := p.Raw(t, asking(p, "GET", "/private", header, "Accept: text/html"))
			if answer.StatusCode != http.StatusFound || !strings.HasPrefix(answer.Header.Get("Location"), p.URL+"/login?next=") {
				t.Errorf("%s: %d to %q", header, answer.StatusCode, answer.Header.Get("Location"))
			}
			if p.Reached() != nil {
				t.Errorf("%s: it reached the application", header)
			}
		}
	})
}

// Whatever spelling of a path a visitor finds: nothing but what is public
// reaches the application without a login.
func TestNoSpellingOfAPathLeadsAroundTheRules(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		for _, path := range []string{
			"/public/../admin", "/public/./../admin", "/public//../admin", "/public/%2e%2e/admin", "/public/%2E%2e/admin", "/public/.%2e/admin",
			"/public/..%2fadmin", "/public%2f..%2fadmin", "/public/%252e%252e/admin", "/public/..;/admin", "/public;/../admin", "/public/..;x=y/admin",
			"/public/..\\admin", "/public/..%5cadmin", "/public/%5c../admin", "//admin", "/admin/../admin", "/ADMIN", "/admin%20", "/admin.", "/%61dmin",
			"/public%00/../admin", "/public/%c0%ae%c0%ae/admin", "/public/../../admin", "/public/x/../../admin", "/.twinlock/question", "/.twinlock/refused",
			"/public/..", "/public/../", "/Public", "/publicity", "/", "*", "http://wiki.example.org/private", "http://id.example.org/public/../admin", "/.twinlock/x",
		} {
			for _, method := range []string{"GET", "POST", "OPTIONS", "HEAD"} {
				answer := p.Raw(t, asking(p, method, path, "Content-Length: 0"))
				if p.Reached() != nil {
					t.Errorf("%s %s reached the application, with %d", method, path, answer.StatusCode)
				}
			}
		}
		for _, path := range []string{"/public", "/public/", "/public/a.css?x=/../admin", "/public/caf%C3%A9"} {
			p.Raw(t, asking(p, "GET", path))
			if p.Reached() == nil {
				t.Errorf("%s did not reach the application", path)
			}
		}
	})
}

// asScript asks as a page's own script does, and gives the status.
const asScript = `(() => { const r = new XMLHttpRequest(); r.open("GET", "/live", false); r.send(); return r.status })()`

func TestAScriptGetsAStatusAndNoRedirect(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		for name, headers := range map[string][]string{
			"a script":     {"Sec-Fetch-Mode: cors", "Accept: */*"},
			"a web socket": {"Sec-Fetch-Mode: websocket", "Upgrade: websocket", "Connection: Upgrade"},
		} {
			answer := p.Raw(t, asking(p, "GET", "/live", headers...))
			if answer.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(answer.Header.Get("Location"), p.URL+"/login?") {
				t.Errorf("%s: %d to %q", name, answer.StatusCode, answer.Header.Get("Location"))
			}
		}
		tab := p.Profile(t).Trusting().Open(p.App + "/")
		tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").See("Here is")
		var status int
		tab.Evaluate(asScript, &status)
		if status != http.StatusOK {
			t.Errorf("signed in, a script gets %d", status)
		}
		p.Run("", "user", "end-sessions", ada)
		tab.Evaluate(asScript, &status)
		if status != http.StatusUnauthorized {
			t.Errorf("signed out, a script gets %d", status)
		}
	})
}

// A web socket of somebody who is signed in reaches the application, and lets
// what either side says through; a stranger's does not.
func TestAWebSocketGoesThroughAProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		tab := p.Profile(t).Trusting().Open(p.App + "/")
		tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").See("Here is")
		p.Reached()
		socket := func(more ...string) string {
			request := asking(p, "GET", "/live", append(more, "Sec-Fetch-Mode: websocket", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dHdpbmxvY2sgdHdpbmxvY2s=", "Remote-User: root")...)
			return strings.Replace(request, "Connection: close", "Connection: Upgrade", 1)
		}
		if answer, _ := p.Talk(t, socket(), "hello"); answer.StatusCode != http.StatusUnauthorized || p.Reached() != nil {
			t.Errorf("a stranger's: %d", answer.StatusCode)
		}
		cookie := "Cookie: "
		for _, c := range tab.CookiesFor(p.App) {
			if c.Name == "__Host-twinlock-app" {
				cookie += c.Name + "=" + c.Value
			}
		}
		const said = "hello\x00\xff, is anybody there?"
		answer, heard := p.Talk(t, socket(cookie), said)
		told := p.Reached()
		if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Application") != "yes" || heard != said {
			t.Fatalf("hers: %d, and %q came back", answer.StatusCode, heard)
		}
		if who := told.Values("Remote-User"); len(who) != 1 || who[0] != ada || strings.Contains(told.Get("Cookie"), "twinlock") {
			t.Errorf("the application was told of %q, with the cookies %q", who, told.Get("Cookie"))
		}
	})
}

func TestThroughAProxyQuestionsAreNotToBeAskedFromOutside(t *testing.T) {
	eachProxy(t, func(t *testing.T, p *kit.Proxied) {
		for name := range map[string]bool{"nginx": true, "caddy": true, "traefik": true} {
			request := fmt.Sprintf("GET /forward-auth/%s HTTP/1.1\nHost: id.example.org:%s\nConnection: close\nX-Original-URL: %s/public\n\n", name, p.Port, p.App)
			if answer := p.Raw(t, request); answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d", name, answer.StatusCode)
			}
		}
	})
}

// Where the proxy is not among trusted_proxies nothing passes, and the log says
// which setting to change.
func TestAProxyThatIsNotTrustedIsToldSo(t *testing.T) {
	for name := range kit.Proxies {
		t.Run(name, func(t *testing.T) {
			p := kit.StartProxied(t, name, "--trusted-proxies", "10.9.8.7")
			p.Run("", "app", "add", "Wiki", "--url", p.App+"/", "--allow-everyone", "--rule", "/=public")
			answer := p.Raw(t, asking(p, "GET", "/", "Accept: text/html"))
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != http.StatusForbidden || p.Reached() != nil {
				t.Errorf("%d: %s", answer.StatusCode, body)
			}
			kit.Eventually(t, "the log names the setting", func() bool { return p.Said("trusted_proxies") })
		})
	}
}
