package serving

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Where the program lives for its visitors, and an application behind the same
// proxy.
const (
	Home = "https://id.example.org"
	Wiki = "https://wiki.example.org"
)

// Device is what browsers here call themselves.
const Device = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"

// Proxy hands requests on to the program as one that speaks TLS: what is asked of
// the wiki it first asks the program.
type Proxy struct {
	To   string // the program's own address, a host and a port
	With http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", p.To, r.URL.Host
	for name, value := range map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-Host": r.URL.Host, "X-Forwarded-For": "192.0.2.7",
		"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "User-Agent": Device,
	} {
		out.Header.Set(name, value)
	}
	if "https://"+r.URL.Host == Wiki {
		out.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
		out.URL.Path, out.URL.RawQuery = "/forward-auth/caddy", ""
	}
	answer, err := p.With.RoundTrip(out)
	if err == nil {
		answer.Request = r
	}
	return answer, err
}

// Browser is one that reaches the program through the proxy, and goes where it is
// sent only in [OpenWiki].
func Browser(to string, with http.RoundTripper) *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: &Proxy{to, with},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ErrBusy is a login that found every slot taken.
var ErrBusy = errors.New("the server is busy")

// LogIn posts the login's form; it is an error where nobody is logged in by it,
// ErrBusy where the server had no time for it.
func LogIn(browser *http.Client, address, password string) error {
	form := url.Values{"email": {address}, "password": {password}}
	r, err := http.NewRequest(http.MethodPost, Home+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", Home)
	answer, err := browser.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusSeeOther:
		return nil
	case http.StatusServiceUnavailable:
		return ErrBusy
	default:
		return fmt.Errorf("the login of %s is answered %d", address, answer.StatusCode)
	}
}

// CookiesAt is what a browser holds for an address, as a header has it.
func CookiesAt(browser *http.Client, address string) string {
	at, _ := url.Parse(address)
	var all []string
	for _, c := range browser.Jar.Cookies(at) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// toWiki is the link on the page that leads back to it.
var toWiki = regexp.MustCompile(`href="(https://wiki\.example\.org/[^"]*)"`)

// OpenWiki opens the application in a browser that is logged in, and gives the
// cookie that the proxy's questions then carry.
func OpenWiki(browser *http.Client) (cookie string, err error) {
	following := *browser
	following.CheckRedirect = nil
	page, err := following.Get(Wiki + "/")
	if err != nil {
		return "", err
	}
	onward, err := io.ReadAll(page.Body)
	page.Body.Close()
	link := toWiki.FindSubmatch(onward)
	if err != nil || link == nil {
		return "", fmt.Errorf("%s is answered %d, without a link to the wiki (%w)", page.Request.URL, page.StatusCode, err)
	}
	answer, err := following.Get(html.UnescapeString(string(link[1])))
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	if answer.Header.Get("Remote-User") == "" {
		return "", fmt.Errorf("the wiki is answered %d at %s, about nobody", answer.StatusCode, answer.Request.URL)
	}
	if cookie = CookiesAt(browser, Wiki); cookie == "" {
		err = errors.New("the wiki has no cookie")
	}
	return cookie, err
}
