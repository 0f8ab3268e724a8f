package redirect

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

func TestWhatMayBeRegistered(t *testing.T) {
	for address, public := range map[string]bool{
		"https://wiki.example.org/signed-in":                 false,
		"https://wiki.example.org":                           false,
		"https://wiki.example.org:8443/a/b?c=d&e=%2F":        false,
		"https://wiki.example.org/a%20b":                     false,
		"http://localhost:3000/login/generic_oauth":          false,
		"http://127.0.0.1/callback":                          true,
		"http://[::1]:4000/callback":                         true,
		"https://192.0.2.7/callback":                         false,
		"org.example.app:/signed-in":                         true,
		"https://xn--bcher-kva.example/":                     false,
		"https://wiki.example.org/" + strings.Repeat("a", 9): false,
	} {
		if err := Check(address, public); err != nil {
			t.Errorf("%s %v", address, err)
		}
	}
}

func TestWhatMayNotBeRegistered(t *testing.T) {
	for _, address := range []string{
		"", "wiki.example.org", "/signed-in", "//wiki.example.org/signed-in", "https:///signed-in", "https:wiki.example.org",
		"https://wiki.example.org/signed-in#here", "https://wiki.example.org/signed-in#", "https://ada@wiki.example.org/",
		"https://ada:secret@wiki.example.org/", "https://*.example.org/", "https://wiki.example.org/*",
		"http://wiki.example.org/signed-in", "http://127.0.0.1.example.org/", "http://localhost.example.org/", "http://10.0.0.7/",
		"https://wiki.example.org/a/../b", "https://wiki.example.org/./b", "https://wiki.example.org/a/%2e%2e/b",
		"https://WIKI.example.org/", "HTTPS://wiki.example.org/", "https://wiki.example.org/a b", "https://wiki.example.org/\\b",
		"https://bücher.example/", "https://wiki.example.org/\x00", "https://wiki.example.org/\n", "https://wiki.example.org:port/",
		"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "org.example.app:/signed-in", "ftp://wiki.example.org/",
		"https://wiki.example.org/" + strings.Repeat("a", Longest),
	} {
		if Check(address, false) == nil {
			t.Errorf("%q is taken", address)
		}
	}
	for _, address := range []string{
		"javascript:alert(1)", "app:/signed-in", "org.example.app://host/", "org.example.app:signed-in", "java.script:alert(1)", "mailto:ada@example.org",
	} {
		if Check(address, true) == nil {
			t.Errorf("%q is taken for a public client", address)
		}
	}
}

func TestWhatIsWrongWithAClientIsSaidOfEachOfItsAddresses(t *testing.T) {
	many := slices.Repeat([]string{"https://wiki.example.org/"}, Most+1)
	for name, tt := range map[string]struct {
		client                      auth.Client
		redirects, logouts, notices string
	}{
		"nothing":   {auth.Client{RedirectURIs: many[:Most], LogoutURIs: many[:1], LogoutNotice: many[0]}, "", "", ""},
		"all empty": {auth.Client{}, "needs a redirect URI", "", ""},
		"too many":  {auth.Client{RedirectURIs: many, LogoutURIs: many}, "more than 20", "more than 20", ""},
		"each": {auth.Client{RedirectURIs: []string{many[0], "https://a#b"}, LogoutURIs: []string{"ftp://c"}, LogoutNotice: "http://10.0.0.7/"},
			"https://a#b has a fragment", "ftp://c is neither", "http://10.0.0.7/ is http on a host"},
		"a scheme of its own hears of no logout": {auth.Client{Public: true, RedirectURIs: []string{"org.example.app:/a"}, LogoutNotice: "org.example.app:/a"},
			"", "", "org.example.app:/a is neither"},
	} {
		redirects, logouts, notice := CheckClient(tt.client)
		for err, want := range map[*error]string{&redirects: tt.redirects, &logouts: tt.logouts, &notice: tt.notices} {
			if (*err == nil) != (want == "") || *err != nil && !strings.Contains((*err).Error(), want) {
				t.Errorf("%s: %v, want %q", name, *err, want)
			}
		}
	}
}

// mutations of one registered address: none of them is it.
var mutations = []string{
	"", "https://wiki.example.org", "https://wiki.example.org/", "https://wiki.example.org/signed-in/", "https://wiki.example.org//signed-in",
	"https://wiki.example.org/signed-in?", "https://wiki.example.org/signed-in?a=b", "https://wiki.example.org/signed-in#", "https://wiki.example.org/signed-in#a",
	"https://wiki.example.org/signed-inx", "https://wiki.example.org/Signed-in", "https://WIKI.example.org/signed-in", "HTTPS://wiki.example.org/signed-in",
	"http://wiki.example.org/signed-in", "https://wiki.example.org:443/signed-in", "https://wiki.example.org:8443/signed-in",
	"https://ada@wiki.example.org/signed-in", "https://wiki.example.org@evil.example/signed-in", "https://evil.example/https://wiki.example.org/signed-in",
	"https://wiki.example.org.evil.example/signed-in", "https://evilwiki.example.org/signed-in", "https://wiki.example.org/x/../signed-in",
	"https://wiki.example.org/%73igned-in", "https://wiki.example.org%2fsigned-in", "https://wiki.example.org\\signed-in", "https://wiki.example.org/signed-in%00",
	" https://wiki.example.org/signed-in", "https://wiki.example.org/signed-in ", "https://wiki.example.org/signed-in\n", "https://wiki.example.org./signed-in",
	"https://wıki.example.org/signed-in", "https://wiki.example.org/signed-in;x", "//wiki.example.org/signed-in", "/signed-in", "https://*.example.org/signed-in",
	"https:/wiki.example.org/signed-in", "https:wiki.example.org/signed-in", "javascript:alert(1)//https://wiki.example.org/signed-in",
	"https://wiki.example.org/signed-in,https://evil.example/", "https://evil.example/#https://wiki.example.org/signed-in", "https://wiki.example.org/signed-in&x=https://evil.example",
}

func TestOnlyTheRegisteredAddressIsTakenByteForByte(t *testing.T) {
	for _, public := range []bool{false, true} {
		c := auth.Client{Public: public, RedirectURIs: []string{"https://wiki.example.org/signed-in"}}
		if !Takes(c, c.RedirectURIs[0]) {
			t.Error("the registered address is not taken")
		}
		for _, address := range mutations {
			if Takes(c, address) {
				t.Errorf("%q is taken", address)
			}
		}
	}
}

func TestAProgramOnThePersonsMachineChoosesItsPort(t *testing.T) {
	c := auth.Client{Public: true, RedirectURIs: []string{"http://127.0.0.1/callback", "http://[::1]:4000/callback"}}
	for address, want := range map[string]bool{
		"http://127.0.0.1/callback":                 true,
		"http://127.0.0.1:51004/callback":           true,
		"http://[::1]:51004/callback":               true,
		"http://[::1]/callback":                     true,
		"http://127.0.0.1:51004/callback/":          false,
		"http://127.0.0.1:51004/other":              false,
		"http://127.0.0.1:51004/callback?a=b":       false,
		"https://127.0.0.1:51004/callback":          false,
		"http://127.0.0.1:/callback":                false,
		"http://127.0.0.1:510045/callback":          false,
		"http://127.0.0.1:evil.example/callback":    false,
		"http://127.0.0.1:80@evil.example/callback": false,
		"http://127.0.0.1.evil.example/callback":    false,
		"http://127.0.0.1@evil.example:80/callback": false,
		"http://127.0.0.2:51004/callback":           false,
		"http://localhost:51004/callback":           false,
		"http://127.0.0.1:51004":                    false,
		"http://127.0.0.1:51004callback":            false,
	} {
		if got := Takes(c, address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
		if confidential := (auth.Client{RedirectURIs: c.RedirectURIs}); Takes(confidential, address) != slices.Contains(c.RedirectURIs, address) {
			t.Errorf("%s: a client that keeps a secret gets the exception too", address)
		}
	}
}

// FuzzTakes holds the comparison against the one sentence that it is: the very
// same bytes, or on this machine the same but for the port.
func FuzzTakes(f *testing.F) {
	for _, m := range mutations {
		f.Add("https://wiki.example.org/signed-in", m, false)
	}
	f.Add("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback", true)
	f.Add("http://[::1]:1/", "http://[::1]:99999/", true)
	f.Fuzz(func(t *testing.T, registered, given string, public bool) {
		c := auth.Client{Public: public, RedirectURIs: []string{registered}}
		if !Takes(c, given) || given == registered {
			return
		}
		a, errA := url.Parse(registered)
		b, errB := url.Parse(given)
		if errA != nil || errB != nil || !public || a.Scheme != "http" || a.Hostname() != b.Hostname() ||
			a.Hostname() != "127.0.0.1" && a.Hostname() != "::1" || a.RequestURI() != b.RequestURI() || b.User != nil {
			t.Errorf("%q is taken for %q", given, registered)
		}
	})
}

// FuzzCheck: whatever may be registered leads to one place, however it is read.
func FuzzCheck(f *testing.F) {
	for _, m := range mutations {
		f.Add(m, false)
	}
	f.Add("org.example.app:/signed-in", true)
	f.Fuzz(func(t *testing.T, address string, public bool) {
		if Check(address, public) != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Fragment != "" || u.User != nil || strings.ContainsAny(address, " \\\r\n\t\"<>*#") {
			t.Errorf("%q may be registered", address)
		}
		if !public && u.Scheme != "https" && !isLoopbackName(u.Hostname()) {
			t.Errorf("%q may be registered", address)
		}
	})
}

// FuzzCheckClient: where answers of an application go, and what is told of a
// logout, is judged one address at a time, and so are all of them.
func FuzzCheckClient(f *testing.F) {
	f.Add("https://wiki.example.org/signed-in", "https://wiki.example.org/", "https://wiki.example.org/told", false)
	f.Add("https://wiki.example.org/\nhttp://127.0.0.1/", "\n", "http://localhost/told", true)
	for _, m := range mutations {
		f.Add(m, m, m, true)
		f.Add("https://wiki.example.org/\n"+m, "", m, false)
	}
	f.Add(strings.Repeat("https://wiki.example.org/\n", Most+1), "", "", false)
	f.Fuzz(func(t *testing.T, redirects, logouts, notice string, public bool) {
		c := auth.Client{Public: public, RedirectURIs: strings.Split(redirects, "\n"), LogoutURIs: strings.Split(logouts, "\n"), LogoutNotice: notice}
		wrongRedirects, wrongLogouts, wrongNotice := CheckClient(c)
		for _, list := range []struct {
			addresses []string
			wrong     error
			public    bool
		}{{c.RedirectURIs, wrongRedirects, public}, {c.LogoutURIs, wrongLogouts, public}, {[]string{notice}, wrongNotice, false}} {
			for _, address := range list.addresses {
				if list.wrong == nil && address != "" && Check(address, list.public) != nil {
					t.Errorf("%q may be registered among %q", address, list.addresses)
				}
			}
			if list.wrong == nil && len(list.addresses) > Most {
				t.Errorf("%d addresses may be registered", len(list.addresses))
			}
		}
		if u, err := url.Parse(notice); wrongNotice == nil && notice != "" && (err != nil || u.Host == "" || u.Scheme != "https" && !isLoopbackName(u.Hostname())) {
			t.Errorf("%q may be told of logouts", notice)
		}
	})
}
