package oidc_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// set changes what the application is registered with.
func (a *application) set(change func(*auth.Client)) {
	a.t.Helper()
	a.site.ChangeClient(a.ID, func(c *auth.Client) {
		change(c)
		a.Client = *c
	})
}

// behind changes the database behind the running server's back.
func behind(t *testing.T, site *apptest.Site, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	_, err = db.Exec(statement)
	must(t, err)
}

// waitingAt are the pages where a request waits for its person, each with what
// goes on from there.
var waitingAt = map[string]func(*application, *apptest.Site, ...string) (visit, func() *apptest.Page){
	"the login": func(app *application, site *apptest.Site, parameters ...string) (visit, func() *apptest.Page) {
		ada, v := site.Person("ada@example.org"), app.begin(parameters...)
		b := site.Browser()
		form := b.Get(v.Address).WantPath("/login").Form("Login")
		return v, func() *apptest.Page {
			page := form.Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
			if page.HasButton("Allow") {
				page = page.Form("Allow").Press()
			}
			return page
		}
	},
	"the question, allowed": func(app *application, site *apptest.Site, parameters ...string) (visit, func() *apptest.Page) {
		_, b := signedIn(site, "ada@example.org")
		v := app.begin(parameters...)
		return v, b.Get(v.Address).Form("Allow").Press
	},
	"the question, denied": func(app *application, site *apptest.Site, parameters ...string) (visit, func() *apptest.Page) {
		_, b := signedIn(site, "ada@example.org")
		v := app.begin(parameters...)
		return v, b.Get(v.Address).Form("Don't allow").Press
	},
}

func TestAWaitingRequestGoesToNoAddressThatWasTakenAway(t *testing.T) {
	for where, wait := range waitingAt {
		t.Run(where, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site)
			_, goOn := wait(app, site)
			app.set(func(c *auth.Client) { c.RedirectURIs = []string{"https://wiki.example.org/elsewhere"} })
			if page := goOn().WantStatus(http.StatusBadRequest); page.SentTo() != "" {
				t.Errorf("sent to %s", page.SentTo())
			}
		})
	}
}

func TestAWaitingRequestGetsOnlyWhatMayStillBeAskedFor(t *testing.T) {
	for where, wait := range waitingAt {
		if strings.HasSuffix(where, "denied") {
			continue
		}
		t.Run(where, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site)
			v, goOn := wait(app, site, "scope=openid email groups offline_access")
			app.set(func(c *auth.Client) { c.Scopes = auth.Scopes{auth.ScopeOpenID, auth.ScopeEmail} })
			token, err := app.exchange(app.code(goOn(), v), v)
			must(t, err)
			if scope, _ := token.Extra("scope").(string); scope != "openid email" || token.RefreshToken != "" {
				t.Errorf("scope %q, a refresh token: %v", scope, token.RefreshToken != "")
			}
			ada, err := site.Store.UserByAddress(t.Context(), "ada@example.org")
			must(t, err)
			consent, err := site.Store.Consent(t.Context(), ada.ID, app.ID)
			must(t, err)
			if consent.Scopes.String() != "openid email" {
				t.Errorf("kept as agreed: %s", consent.Scopes)
			}
		})
	}
}

func TestAWaitingRequestWithoutAChallengeIsRefusedOnceOneIsNeeded(t *testing.T) {
	for where, wait := range waitingAt {
		if strings.HasSuffix(where, "denied") {
			continue
		}
		t.Run(where, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutPKCE = true })
			v, goOn := wait(app, site, "code_challenge=", "code_challenge_method=")
			app.set(func(c *auth.Client) { c.WithoutPKCE = false })
			app.wantError(goOn(), v, "invalid_request")
		})
	}
}

// A session that ends at the very moment is like none: nobody who wanted to see
// no page is shown the login.
func TestASilentRequestIsAnsweredWhenTheSessionEndsMeanwhile(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	behind(t, site, `UPDATE sessions SET ended_at = 1`)
	v := app.begin("prompt=none")
	app.wantError(browser.Get(v.Address), v, "login_required")
}

// That our keys cannot be read is our fault, and not the application's.
func TestAHintThatCannotBeLookedAtIsNotCalledForged(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	hint, _ := token.Extra("id_token").(string)
	behind(t, site, `ALTER TABLE signing_keys RENAME TO gone`)
	browser.Get(app.begin("id_token_hint=" + hint).Address).WantStatus(http.StatusInternalServerError)
}
