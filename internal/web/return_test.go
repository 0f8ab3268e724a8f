package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/web"
)

// ourPages are pages of ours from which a browser is led on.
var ourPages = []string{"https://login.example.org/login", "https://login.example.org/", "http://localhost:8080/admin/users/a"}

func TestAVisitorReturnsToAnAddressOfOurs(t *testing.T) {
	for _, address := range []string{
		"/", "/apps", "/account?language=de", "/admin/users?search=a%40b&page=2", "/oidc/authorize?redirect_uri=https%3A%2F%2Fboard.example.org%2F&state=%5C%09",
		"/apps?to=//evil.example", "/apps?to=https://evil.example/", "/apps/@evil.example", "/apps:80", "/caf%C3%A9", "/logout/x", "/loginx",
	} {
		if got := web.ReturnTo(address); got != address {
			t.Errorf("ReturnTo(%q) = %q", address, got)
		}
	}
}

func TestAVisitorReturnsNowhereElse(t *testing.T) {
	for what, address := range map[string]string{
		"nothing":                     "",
		"another host":                "https://evil.example/",
		"our own host":                "https://login.example.org/apps",
		"no scheme":                   "//evil.example/",
		"three slashes":               "///evil.example/",
		"a backslash":                 `/\evil.example/`,
		"two backslashes":             `\\evil.example/`,
		"a backslash further on":      `/apps\..\..\evil.example`,
		"a tab between":               "/\t/evil.example/",
		"a line break between":        "/\n/evil.example/",
		"a line break further on":     "/apps\r\nSet-Cookie: a=b",
		"a space before":              " //evil.example/",
		"a NUL before":                "\x00//evil.example/",
		"a slash that is written out": "/%2Fevil.example/",
		"a backslash, written out":    "/%5Cevil.example/",
		"a tab, written out":          "/%09/evil.example/",
		"a line break, written out":   "/%0a/evil.example/",
		"a line break before, too":    "/%0d%2fevil.example/",
		"a name before the host":      "//login.example.org@evil.example/",
		"no slash":                    "apps",
		"a dot":                       ".evil.example",
		"an at sign":                  "@evil.example/",
		"a port":                      ":80/",
		"a script":                    "javascript:alert(1)",
		"data":                        "data:text/html,a",
		"a scheme without a host":     "https:/evil.example/",
		"a fragment":                  "/apps#a",
		"a wrong escape":              "/%zz",
		"wide letters":                "/／evil.example/",
		"a form of the login":         "/login?next=/apps",
		"a step of the login":         "/login/code",
		"the login, written out":      "/%6Cogin",
		"leaving":                     "/logout",
		"one without end":             "/" + strings.Repeat("a", 6000),
	} {
		if got := web.ReturnTo(address); got != "" {
			t.Errorf("%s: ReturnTo(%q) = %q", what, address, got)
		}
	}
}

// FuzzReturnTo: what is taken leads from every page of ours to our own origin, as a
// browser reads it and as net/url does, also where something on the way decodes it
// once, and it is taken as it is.
func FuzzReturnTo(f *testing.F) {
	for _, address := range []string{
		"/apps", "/account?language=de", "//evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "/%2f/evil.example", "/%2Fevil.example", "/%5cevil.example",
		"/%09/evil.example", "/%0d%0a/evil.example", "/.//evil.example", "/..//evil.example", "/apps/%2e%2e//evil.example", "https://evil.example", "https:evil.example",
		"/@evil.example", "/:80", "/apps?//evil.example", "/apps;//evil.example", "/\u2028/evil.example", "/／evil.example", "/\x00/evil.example", "/%00/evil.example", "/%", "/?", "/?#",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		taken := web.ReturnTo(address)
		if taken == "" {
			return
		}
		if taken != address {
			t.Errorf("%q became %q", address, taken)
		}
		path, query, _ := strings.Cut(taken, "?")
		decoded, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("%q: %v", taken, err)
		}
		for _, page := range ourPages {
			from, _ := url.Parse(page)
			ours := from.Scheme + "://" + from.Host
			for _, read := range []string{taken, decoded, decoded + "?" + query} {
				if leads := apptest.LeadsTo(from, read); leads != ours {
					t.Errorf("%q leads from %s to %q", read, page, leads)
				}
			}
			if to, err := from.Parse(taken); err != nil || to.Scheme != from.Scheme || to.Host != from.Host || to.User != nil {
				t.Errorf("%q leads from %s to %v; %v", taken, page, to, err)
			}
		}
	})
}
