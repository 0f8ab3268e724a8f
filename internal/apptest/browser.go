package apptest

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Browser is one browser: it keeps cookies, and follows redirects as far as they
// stay on the site.
type Browser struct {
	Network string      // where it is: an address without a port
	Header  http.Header // sent with every request, in place of what browsers send by themselves

	t      testing.TB
	origin string // as people type it
	jar    http.CookieJar
	answer func(*http.Request) *http.Response
}

// Browser opens a browser that nobody has used.
func (s *Site) Browser() *Browser {
	return newBrowser(s.t, string(s.Config.PublicURL), "192.0.2.1", func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, r)
		return w.Result()
	})
}

func newBrowser(t testing.TB, origin, network string, answer func(*http.Request) *http.Response) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, origin: origin, jar: jar, answer: answer, Network: network, Header: http.Header{
		"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
	}}
}

// Get opens an address of the site and goes where it leads.
func (b *Browser) Get(address string) *Page {
	b.t.Helper()
	return b.open(b.Request(http.MethodGet, address, nil))
}

// Post sends a form that no page of the site has, and goes where it leads.
func (b *Browser) Post(address string, values url.Values) *Page {
	b.t.Helper()
	return b.open(b.Request(http.MethodPost, address, values))
}

// Once sends a form and stops at the first answer.
func (b *Browser) Once(address string, values url.Values) *Page {
	b.t.Helper()
	return b.Ask(b.Request(http.MethodPost, address, values))
}

// SignIn goes through the login of a person, code or passkey included where it is
// asked, and gives the page after it.
func (b *Browser) SignIn(p *Person) *Page {
	b.t.Helper()
	page := b.Get("/login").Form("Login").Fill("Email", p.Address).Fill("Password", p.Password).Press()
	switch {
	case page.HasButton("Send code"):
		return page.Form("Send code").Fill("Login code", p.Code()).Press()
	case page.AsksForPasskey() && p.Device != nil:
		return page.Passkey(p.Device).Press()
	}
	return page
}

// EnableTwoFactor sets a signed-in person's phone up, and gives the page with
// the recovery codes.
func (b *Browser) EnableTwoFactor(p *Person) *Page {
	b.t.Helper()
	page := b.Get("/account/two-factor")
	p.SetUpPhone(page.Definition("Secret key"))
	page = page.Form("Activate").Fill("Login code", p.Code()).Press()
	page.WantStatus(http.StatusOK)
	p.RecoveryCodes = page.List("Recovery codes")
	return page
}

// Cookie gives the value of a cookie that the browser holds, "" for none.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.jar.Cookies(b.url("/")) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie puts a cookie into the browser, as a thief would.
func (b *Browser) SetCookie(name, value string) {
	b.jar.SetCookies(b.url("/"), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (b *Browser) url(address string) *url.URL {
	b.t.Helper()
	base, err := url.Parse(b.origin)
	if err != nil {
		b.t.Fatal(err)
	}
	full, err := base.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return full
}

// Request makes a request as the browser would; tests may meddle with it.
func (b *Browser) Request(method, address string, values url.Values) *http.Request {
	b.t.Helper()
	at := b.url(address)
	at.Fragment = "" // which browsers keep to themselves
	r := httptest.NewRequestWithContext(b.t.Context(), method, at.String(), strings.NewReader(values.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.origin)
	}
	for name, values := range b.Header {
		r.Header[name] = values
	}
	return r
}

// farthest is how many redirects a browser follows before it gives up.
const farthest = 10

func (b *Browser) open(r *http.Request) *Page {
	b.t.Helper()
	page := b.Ask(r)
	for range farthest {
		to := page.Header.Get("Location")
		if to == "" || page.Status < 300 || page.Status > 399 || b.url(to).Host != b.url("/").Host {
			return page
		}
		page = b.Ask(b.Request(http.MethodGet, to, nil))
	}
	b.t.Fatalf("more than %d redirects, the last to %s", farthest, page.Path)
	return nil
}

// Ask sends a request with the browser's cookies, keeps those that it gets, and
// stops at the first answer.
func (b *Browser) Ask(r *http.Request) *Page {
	b.t.Helper()
	r.RemoteAddr = b.Network + ":40000"
	if strings.Contains(b.Network, ":") {
		r.RemoteAddr = "[" + b.Network + "]:40000"
	}
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	answer := b.answer(r)
	b.jar.SetCookies(r.URL, answer.Cookies())
	return newPage(b, r, answer)
}
