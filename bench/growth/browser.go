package main

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
	"time"
)

// proxy hands requests on as one that speaks TLS: what is asked of the wiki it
// first asks Twinlock.
type proxy struct {
	to   string
	with http.RoundTripper
}

func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", p.to, r.URL.Host
	for name, value := range map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-Host": r.URL.Host, "X-Forwarded-For": "192.0.2.7",
		"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "User-Agent": devices[0],
	} {
		out.Header.Set(name, value)
	}
	if "https://"+r.URL.Host == wiki {
		out.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
		out.URL.Path, out.URL.RawQuery = "/forward-auth/caddy", ""
	}
	answer, err := p.with.RoundTrip(out)
	if err == nil {
		answer.Request = r
	}
	return answer, err
}

// browser is one that reaches the program through a proxy.
func (s *site) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: &proxy{to: s.address, with: http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// logIn posts the login's form.
func logIn(browser *http.Client, address string) error {
	form := url.Values{"email": {address}, "password": {phrase}}
	r, err := http.NewRequest(http.MethodPost, home+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", home)
	answer, err := browser.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("the login of %s is answered %d", address, answer.StatusCode)
	}
	return nil
}

// cookieAt is what a browser holds for an address, as a header has it.
func cookieAt(browser *http.Client, address string) string {
	at, _ := url.Parse(address)
	var all []string
	for _, c := range browser.Jar.Cookies(at) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// toWiki is the link on the page that leads back to it.
var toWiki = regexp.MustCompile(`href="(https://wiki\.example\.org/[^"]*)"`)

// signIn logs the administrator in and opens the wiki, and keeps the cookies of
// both.
func (s *site) signIn() error {
	browser := s.browser()
	if err := logIn(browser, administrator); err != nil {
		return err
	}
	s.admin = cookieAt(browser, home)
	browser.CheckRedirect = nil
	page, err := browser.Get(wiki + "/")
	if err != nil {
		return err
	}
	onward, err := io.ReadAll(page.Body)
	page.Body.Close()
	link := toWiki.FindSubmatch(onward)
	if err != nil || link == nil {
		return fmt.Errorf("%s is answered %d, without a link to the wiki", page.Request.URL, page.StatusCode)
	}
	answer, err := browser.Get(html.UnescapeString(string(link[1])))
	if err != nil {
		return err
	}
	answer.Body.Close()
	if s.cookie = cookieAt(browser, wiki); s.cookie == "" {
		return errors.New("the wiki has no cookie")
	}
	return nil
}

// get reads a page of the console or of an account, and gives how long it took in
// milliseconds.
func (s *site) get(path, cookie string) (ms float64, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return 0, err
	}
	r.Host = strings.TrimPrefix(home, "https://")
	for name, value := range map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-Host": r.Host, "X-Forwarded-For": "192.0.2.7",
		"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "User-Agent": devices[0], "Cookie": cookie,
	} {
		r.Header.Set(name, value)
	}
	began := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s is answered %d, to %s", path, answer.StatusCode, answer.Header.Get("Location"))
	}
	return milliseconds(time.Since(began)), nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
