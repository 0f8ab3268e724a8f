package origin_test

import (
	"testing"

	"github.com/twinlock/twinlock/internal/origin"
)

func TestOneOriginHasOneSpelling(t *testing.T) {
	for address, want := range map[string]string{
		"https://wiki.example.org/a?b":       "https://wiki.example.org",
		"HTTPS://Wiki.Example.ORG:443":       "https://wiki.example.org",
		"http://wiki.example.org:80/":        "http://wiki.example.org",
		"https://wiki.example.org:80/":       "https://wiki.example.org:80",
		"http://localhost:3000":              "http://localhost:3000",
		"https://bücher.example/":            "https://xn--bcher-kva.example",
		"http://[::1]:8080/":                 "http://[::1]:8080",
		"http://[0:0:0:0:0:0:0:1]:8080/":     "http://[::1]:8080",
		"https://my_app.example.org":         "https://my_app.example.org",
		"https://wiki.example.org.:443":      "",
		"https://wiki.example.org:0443/":     "",
		"https://wiki.example.org:/":         "",
		"https://wiki.example.org:99999/":    "",
		"https://ada@wiki.example.org/":      "",
		"https://wiki..example.org/":         "",
		"https://wiki.example.org,evil.com/": "",
		"https://[::1/":                      "",
		"ftp://wiki.example.org/":            "",
		"//wiki.example.org/":                "",
		"/wiki":                              "",
		"":                                   "",
	} {
		o, ok := origin.Parse(address)
		if o.String() != want && ok || ok != (want != "") {
			t.Errorf("%s: %q, %v, want %q", address, o, ok, want)
		}
	}
}

func TestThisMachineIsKnownByItsNames(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:8080": true, "http://wiki.localhost": true, "http://127.0.0.1": true, "http://[::1]:1": true,
		"http://localhost.example.org": false, "http://10.0.0.1": false, "http://notlocalhost": false,
	} {
		if o, ok := origin.Parse(address); !ok || o.Loopback() != want {
			t.Errorf("%s: %v, want %v", address, o.Loopback(), want)
		}
	}
}

// Cookies know no ports and, but for some names, no schemes.
func TestCookiesAreSharedByWhateverHasTheSameName(t *testing.T) {
	ours, _ := origin.Parse("https://id.example.org")
	here, _ := origin.Parse("http://localhost:8080")
	for address, want := range map[string]bool{
		"https://id.example.org/x": true, "https://id.example.org:8443": true, "http://id.example.org": true,
		"https://wiki.id.example.org": false, "https://example.org": false, "https://wiki.example.org": false,
	} {
		if o, ok := origin.Parse(address); !ok || o.SharesCookiesWith(ours) != want {
			t.Errorf("%s: %v, want %v", address, !want, want)
		}
	}
	for address, want := range map[string]bool{"http://localhost:8080": true, "http://localhost:3000": false, "http://127.0.0.1:8080": false} {
		if o, ok := origin.Parse(address); !ok || o.SharesCookiesWith(here) != want {
			t.Errorf("%s: %v, want %v", address, !want, want)
		}
	}
}

func FuzzNew(f *testing.F) {
	for _, seed := range []string{"wiki.example.org", "wiki.example.org:8443", "[::1]:80", "a:b:c", "ⓦiki.example", "evil.com\\wiki", "a b", "xn--"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		o, ok := origin.New("https", host)
		if !ok {
			return
		}
		again, ok := origin.Parse(o.String() + "/path")
		if !ok || again != o {
			t.Errorf("%q became %q, which reads as %q, %v", host, o, again, ok)
		}
	})
}
