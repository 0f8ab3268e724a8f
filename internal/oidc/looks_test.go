package oidc_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// looks are requests of a browser, or of a program with its cookies, behind
// which nobody is.
var looks = map[string]func(*http.Request){
	"only the headers are asked for": func(r *http.Request) { r.Method = http.MethodHead },
	"the browser looks ahead": func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Purpose", "prefetch")
	},
	"a script asks": func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "cors") },
}

func TestWhoOnlyLooksGetsNoCode(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
	ada := site.Person("ada@example.org")
	browser := site.Browser()
	waiting := browser.Get(app.begin().Address).Form("Login").Values.Get("next")
	browser.SignIn(ada)
	for name, look := range looks {
		for _, path := range []string{app.begin().Address, app.begin("prompt=none").Address, waiting} {
			r := browser.Request(http.MethodGet, path, nil)
			look(r)
			if page := browser.Ask(r); page.SentTo() != "" || page.Status < 400 {
				t.Errorf("%s, at %.20s: %d, sent to %q", name, path, page.Status, page.SentTo())
			}
		}
	}
	if recorded(t, site, auth.EventApplicationOpened) {
		t.Error("the record says that an application was opened")
	}
	v := app.begin()
	app.code(browser.Get(v.Address), v)
}

// A frame that nobody sees, and a request that is to show nobody a page, keep no
// session alive.
func TestWhatAnApplicationAsksByItselfIsNoActivity(t *testing.T) {
	framed := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "iframe")
	}
	for name, test := range map[string]struct {
		parameters []string
		change     func(*http.Request)
		path       string // where the person finds themselves afterwards
	}{
		"the person":                    {nil, func(*http.Request) {}, "/apps"},
		"a frame":                       {nil, framed, "/login"},
		"silently, in a frame":          {[]string{"prompt=none"}, framed, "/login"},
		"silently, in the whole window": {[]string{"prompt=none"}, func(*http.Request) {}, "/login"},
	} {
		t.Run(name, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site)
			_, browser := signedIn(site, "ada@example.org")
			app.signIn(browser)
			site.Clock.Turn(site.Config.SessionIdle - time.Minute)
			v := app.begin(test.parameters...)
			r := browser.Request(http.MethodGet, v.Address, nil)
			test.change(r)
			app.code(browser.Ask(r), v)
			site.Clock.Turn(2 * time.Minute)
			browser.Get("/apps").WantPath(test.path)
		})
	}
}
