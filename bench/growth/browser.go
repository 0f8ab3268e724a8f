package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/bench/serving"
)

func (s *site) browser() *http.Client { return serving.Browser(s.address, http.DefaultTransport) }

// signIn logs the administrator in and opens the wiki, and keeps the cookies of
// both.
func (s *site) signIn() (err error) {
	browser := s.browser()
	if err := serving.LogIn(browser, administrator, phrase); err != nil {
		return err
	}
	s.admin = serving.CookiesAt(browser, serving.Home)
	s.cookie, err = serving.OpenWiki(browser)
	return err
}

// get reads a page of the console or of an account, and gives how long it took in
// milliseconds.
func (s *site) get(path, cookie string) (ms float64, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return 0, err
	}
	r.Host = strings.TrimPrefix(serving.Home, "https://")
	for name, value := range map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-Host": r.Host, "X-Forwarded-For": "192.0.2.7",
		"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "User-Agent": serving.Device, "Cookie": cookie,
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
	return serving.Milliseconds(time.Since(began)), nil
}
