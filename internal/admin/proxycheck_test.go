package admin_test

import (
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// behind is a site that is reached through a proxy, with an administrator who is
// signed in.
func behind(t *testing.T, settings ...string) (*apptest.Site, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t, settings...)
	browser := site.Browser()
	browser.SignIn(site.Administrator("eli@example.org"))
	return site, browser
}

// Of everything that a proxy before Twinlock may do wrong, the page says what it
// is and which line mends it; and where all is well, that there is nothing.
func TestTheProxyCheckSaysWhatArrivedWithItsOwnRequest(t *testing.T) {
	_, browser := behind(t, "public_url=https://id.example.org", "trusted_proxies=10.0.0.1,10.1.0.0/16")
	fits := http.Header{"X-Forwarded-For": {"198.51.100.9, 192.0.2.7"}, "X-Forwarded-Host": {"id.example.org"}, "X-Forwarded-Proto": {"https"}}
	but := func(name, value string) http.Header {
		h := fits.Clone()
		h[name] = []string{value}
		return h
	}
	for name, tt := range map[string]struct {
		from   string
		header http.Header
		says   []string
	}{
		"all is well": {"10.0.0.1", fits, []string{"Nothing to mend", "you are at 192.0.2.7", "192.0.2.7 → 10.0.0.1",
			"X-Forwarded-For 198.51.100.9, 192.0.2.7 From the right, as far as the addresses are trusted proxies. Believed"}},
		"a chain of two": {"10.0.0.1", but("X-Forwarded-For", "192.0.2.7, 10.1.2.3"), []string{"Nothing to mend", "192.0.2.7 → 10.1.2.3 → 10.0.0.1"}},
		"not trusted": {"172.18.0.1", fits, []string{"What your proxy says is not believed", "speaks from 172.18.0.1",
			`trusted_proxies = ["10.0.0.1", "10.1.0.0/16", "172.18.0.1"]`, "198.51.100.9, 192.0.2.7 It comes from an address that is not among trusted_proxies. Ignored"}},
		"silent":           {"172.18.0.1", nil, []string{"Something takes the encryption off and says nothing", "proxy_set_header X-Forwarded-For $remote_addr;", `"172.18.0.1"]`}},
		"does not say who": {"10.0.0.1", http.Header{"X-Forwarded-Host": {"id.example.org"}}, []string{"Your proxy does not say who asks", "proxy_set_header X-Forwarded-For $remote_addr;"}},
		"no address":       {"10.0.0.1", but("X-Forwarded-For", "192.0.2.7, unknown"), []string{"holds something that is no address", "“192.0.2.7, unknown”"}},
		"an empty hop":     {"10.0.0.1", but("X-Forwarded-For", "192.0.2.7,"), []string{"holds something that is no address"}},
		"too wide":         {"10.0.0.1", but("X-Forwarded-For", "10.1.9.9"), []string{"Too much is trusted", "is at 10.1.9.9", `trusted_proxies = ["10.0.0.1"]`}},
		"plain http":       {"10.0.0.1", but("X-Forwarded-Proto", "http"), []string{"takes requests without encryption", "return 301 https://$host$request_uri;"}},
		"another name":     {"10.0.0.1", but("X-Forwarded-Host", "login.example.net"), []string{"You are not at the public address", `public_url = "https://login.example.net"`}},
		"two names":        {"10.0.0.1", but("X-Forwarded-Host", "id.example.org, evil.example"), []string{"You are not at the public address"}},
		"other headers": {"10.0.0.1", but("Forwarded", "for=192.0.2.7"), []string{"Nothing to mend",
			"Forwarded for=192.0.2.7 Twinlock does not read this header. Ignored", "Twinlock takes its own address from public_url alone. Ignored"}},
		"a claim": {"10.0.0.1", but("Remote_User", "root"), []string{"Remote_User root Who somebody is, Twinlock never learns from a header."}},
	} {
		r := browser.Request(http.MethodGet, "/admin/proxy-check", nil)
		for header, values := range tt.header {
			r.Header[header] = values
		}
		browser.Network, r.TLS = tt.from, nil // it is the proxy that has TLS
		page := browser.Ask(r).WantStatus(http.StatusOK)
		for _, words := range tt.says {
			if !page.Says(words) {
				t.Errorf("%s: the page does not say %q; it says\n%s", name, words, page.Text())
			}
		}
	}
}

func TestTheProxyCheckWithoutAProxy(t *testing.T) {
	_, browser := behind(t)
	page := browser.Get("/admin").WantStatus(http.StatusOK).Follow("Proxy check")
	for _, words := range []string{"No proxy stands between you and Twinlock: you come from 192.0.2.1.", "None arrived.", "The plug-in Forward-auth is inactive"} {
		if !page.Says(words) {
			t.Errorf("the page does not say %q; it says\n%s", words, page.Text())
		}
	}
}

func TestTheProxyCheckLeadsThroughEachHostOfEachApplicationBehindAProxy(t *testing.T) {
	site, browser := behind(t)
	site.Activate(auth.ForwardAuthPlugin)
	if page := browser.Get("/admin/proxy-check"); !page.Says("No application stands behind a proxy yet") {
		t.Errorf("it says\n%s", page.Text())
	}
	for _, a := range []auth.Application{
		{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org/start", Hosts: []string{"docs.example.org:8443"}},
		{Kind: auth.Link, Name: "Elsewhere", URL: "https://elsewhere.example.org"},
	} {
		if _, err := site.Store.AddApplication(t.Context(), apptest.Command, a, site.Now()); err != nil {
			t.Fatal(err)
		}
	}
	page := browser.Get("/admin/proxy-check")
	for _, at := range []string{"https://wiki.example.org", "https://docs.example.org:8443"} {
		if href := page.Href("Test " + at); !strings.HasPrefix(href, at+"/.twinlock/check/first/") {
			t.Errorf("the test of %s leads to %s", at, href)
		}
	}
	if page.HasLink("Test https://elsewhere.example.org") {
		t.Error("what stands behind no proxy is tested")
	}
}

func TestAnAnswerThatNobodySealedIsNotShown(t *testing.T) {
	_, browser := behind(t)
	for _, answer := range []string{"x", strings.Repeat("A", 400), "!"} {
		page := browser.Get("/admin/proxy-check?answer=" + answer).WantStatus(http.StatusOK)
		if !page.Says("That test is over") || page.Says("What the proxy of your application asked") {
			t.Errorf("%s: it says\n%s", answer, page.Text())
		}
	}
}

// What is copied is ours and the applications', not the documentation's.
func TestTheLinesThatMendAProxyNameWhatIsThere(t *testing.T) {
	site, browser := behind(t, "listen=10.0.0.7:9000")
	site.Activate(auth.ForwardAuthPlugin)
	_, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Kind: auth.BehindProxy, Name: "Notes",
		URL: "https://notes.example.net", Hosts: []string{"docs.example.net"}}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Get("/admin/proxy-check").WantStatus(http.StatusOK)
	for _, words := range []string{"X-Original-URL https://notes.example.net$request_uri;", "X-Original-URL https://docs.example.net$request_uri;",
		"proxy_pass http://10.0.0.7:9000/forward-auth/nginx;", "forward_auth 10.0.0.7:9000 {", "http://10.0.0.7:9000/forward-auth/traefik"} {
		if !page.Says(words) {
			t.Errorf("it does not say %q", words)
		}
	}
	if page.Says("wiki.example.org") || page.Says("127.0.0.1:8080") {
		t.Errorf("it names what is not there:\n%s", page.Text())
	}
}

// Each line that mends a proxy stands in the settings that are tried.
func TestTheLinesThatMendAProxyAreThoseOfTheDocumentation(t *testing.T) {
	site, browser := behind(t)
	site.Activate(auth.ForwardAuthPlugin)
	_, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org"}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Get("/admin/proxy-check")
	_, instead, _ := strings.Cut(page.Body, `class="instead"`)
	for name, file := range map[string]string{"nginx": "nginx.conf", "Caddy": "Caddyfile", "Traefik": "traefik.yml"} {
		documented, err := os.ReadFile(filepath.Join("..", "..", "docs", "proxies", file))
		if err != nil {
			t.Fatal(err)
		}
		lines := regexp.MustCompile(`<dt>`+name+`(?:, [^<]*)?</dt>\s*<dd><code>([^<]*)</code>`).FindAllStringSubmatch(instead, -1)
		if len(lines) != 4 {
			t.Errorf("%s: %d lines, one for each thing that may be seen", name, len(lines))
		}
		for _, line := range lines {
			if !strings.Contains(string(documented), html.UnescapeString(line[1])) {
				t.Errorf("%s does not stand in %s", line[1], file)
			}
		}
	}
}
