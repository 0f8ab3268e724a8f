package forwardauth_test

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// sent is what stands in the headers of a question; "" leaves one out, and a
// line end parts two of one name.
type sent struct{ proxy, originalURL, proto, host, uri, forwardedFor, forwarded, cookie, mode string }

func (s sent) ask(t testing.TB, d *door, from string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/forward-auth/"+s.proxy, nil)
	r.RemoteAddr = from + ":40000"
	for name, said := range map[string]string{
		"X-Original-Url": s.originalURL, "X-Forwarded-Proto": s.proto, "X-Forwarded-Host": s.host, "X-Forwarded-Uri": s.uri,
		"X-Forwarded-For": s.forwardedFor, "Forwarded": s.forwarded, "Cookie": s.cookie, "Sec-Fetch-Mode": s.mode,
	} {
		if said != "" {
			r.Header[name] = strings.Split(said, "\n")
		}
	}
	return d.answers(t, r)
}

// FuzzQuestion: whatever stands in the headers of a question, it is answered;
// of a stranger nothing is told, nobody is led to a host that is no
// application's, and nothing but what is public passes.
func FuzzQuestion(f *testing.F) {
	d := newDoor(f, auth.Rule{Path: "/public", Access: auth.Public}, auth.Rule{Path: "/admin", Access: auth.InGroup, Group: "staff"})
	d.Floor.Log = slog.New(slog.DiscardHandler) // the site's own belongs to what is around the target
	plain := sent{proxy: "caddy", originalURL: wikiURL + "/", proto: "https", host: "wiki.example.org", uri: "/", mode: "navigate"}
	for _, vary := range []func(*sent){
		func(*sent) {},
		func(s *sent) { s.uri, s.originalURL = "/public/a", wikiURL+"/public/a" },
		func(s *sent) { s.uri, s.originalURL = "/public/../admin", wikiURL+"/public/%2e%2e/admin" },
		func(s *sent) { s.uri = "/public/..;/admin?a=b#c" },
		func(s *sent) { s.uri = "//evil.example/" },
		func(s *sent) {
			s.uri, s.originalURL = "https://evil.example/", "https://wiki.example.org@evil.example/"
		},
		func(s *sent) { s.host, s.originalURL = "wiki.example.org.", "https://wiki.example.org./" },
		func(s *sent) { s.host, s.originalURL = "WIKI.example.org:443", "HTTPS://Wiki.Example.ORG:443/x" },
		func(s *sent) {
			s.host, s.originalURL = "wiki.example.org, evil.example", "https://evil.example/\nhttps://wiki.example.org/"
		},
		func(s *sent) { s.host = "evil.example\nwiki.example.org" },
		func(s *sent) { s.host, s.uri = "docs.example.org:8443", "/\r\nSet-Cookie: a=b" },
		func(s *sent) { s.proto, s.originalURL = "wss", "wss://wiki.example.org/live" },
		func(s *sent) { s.proto, s.originalURL = "javascript", "javascript:alert(1)//" },
		func(s *sent) { s.host, s.originalURL = "[::1]:8443", "https://[::ffff:127.0.0.1]/" },
		func(s *sent) { s.host, s.originalURL = "xn--bcher-kva.example", "https://bücher.example/" },
		func(s *sent) {
			s.forwardedFor, s.forwarded = "10.0.0.1, 10.0.0.1, unknown", `for="[::1]";host=evil.example;proto=https`
		},
		func(s *sent) { s.cookie = "__Host-twinlock-app=" + secret.New().Reveal() },
		func(s *sent) {
			s.uri = "/.twinlock/hand-over?ticket=" + strings.Repeat("A", 43) + "&to=" + wrapped("https://evil.example/")
			s.cookie = "__Host-twinlock-app=" + secret.New().Reveal()
		},
		func(s *sent) {
			s.uri = "/.twinlock/hand-over?ticket=" + strings.Repeat("A", 43) + "&to=" + wrapped(wikiURL+"/a") + "&again=yes"
			s.cookie = "__Host-twinlock-app=" + secret.New().Reveal()
		},
		func(s *sent) { s.uri = "/.twinlock/check/first/AAAA/as%20it%20is?kept=%26" },
		func(s *sent) { s.mode, s.uri = "cors", "/\xff\x00\\" },
	} {
		for _, proxy := range []string{"nginx", "caddy", "traefik"} {
			s := plain
			vary(&s)
			f.Add(proxy, s.originalURL, s.proto, s.host, s.uri, s.forwardedFor, s.forwarded, s.cookie, s.mode)
		}
	}
	f.Fuzz(func(t *testing.T, proxy, originalURL, proto, host, uri, forwardedFor, forwarded, cookie, mode string) {
		if _, known := proxies[proxy]; !known {
			return
		}
		s := sent{proxy, originalURL, proto, host, uri, forwardedFor, forwarded, cookie, mode}
		if answer := s.ask(t, d, "192.0.2.66"); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%+v from elsewhere: %d", s, answer.StatusCode)
		}
		answer := s.ask(t, d, "10.0.0.1")
		wantNobody(t, answer)
		switch answer.StatusCode {
		case http.StatusOK:
			if said := s.said(); !strings.Contains(said, "/public") || strings.Contains(strings.ToLower(said), "admin") {
				t.Errorf("%+v passes", s)
			}
		case http.StatusFound, http.StatusUnauthorized:
			wantOurs(t, s, answer.Header.Get("Location"))
		case http.StatusForbidden:
			if answer.Header.Get("Location") != "" {
				t.Errorf("%+v is refused, and led to %q", s, answer.Header.Get("Location"))
			}
		default:
			t.Errorf("%+v: %d", s, answer.StatusCode)
		}
	})
}

// said is the address in the words of the proxy.
func (s sent) said() string {
	if s.proxy == "nginx" {
		return s.originalURL
	}
	return s.uri
}

// wantOurs fails where an address leads elsewhere than to our login, and from
// there to one of our applications.
func wantOurs(t *testing.T, s sent, to string) {
	t.Helper()
	owned := []string{wikiURL, "https://docs.example.org:8443"}
	if strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		t.Errorf("%+v: led to %q", s, to)
	}
	parsed, err := url.Parse(to)
	if err != nil || parsed.Scheme+"://"+parsed.Host != "https://id.example.org" || parsed.Path != "/login" {
		t.Fatalf("%+v: led to %q", s, to)
	}
	next, err := url.Parse(parsed.Query().Get("next"))
	if err != nil || next.Host != "" || next.Path != "/forward-auth/hand-over" {
		t.Fatalf("%+v: after the login led to %q", s, parsed.Query().Get("next"))
	}
	address, err := base64.RawURLEncoding.DecodeString(next.Query().Get("to"))
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	if last, err := url.Parse(string(address)); err == nil && !slices.Contains(owned, last.Scheme+"://"+last.Host) {
		t.Errorf("%+v: in the end led to %q", s, address)
	} else if err != nil && !strings.HasPrefix(string(address), wikiURL+"/") && !strings.HasPrefix(string(address), owned[1]+"/") {
		t.Errorf("%+v: in the end led to %q", s, address)
	}
}
