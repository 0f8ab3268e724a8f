package oidc_test

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// owing gives an offline grant to somebody who uses two-factor authentication,
// in a session that began while nobody was asked for a code. Now they are.
func owing(t *testing.T) (*apptest.Site, *application, *apptest.Person, *apptest.Browser, *oauth2.Token) {
	t.Helper()
	site := apptest.New(t)
	app := register(t, site)
	ada, _ := withPhone(site, "ada@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	browser := site.Browser()
	browser.SignIn(ada)
	token := away(t, app, browser)
	if !app.opens(token.AccessToken) {
		t.Fatal("while nobody is asked for a code it opens nothing")
	}
	site.Activate(auth.TwoFactorPlugin)
	return site, app, ada, browser, token
}

// Whoever logged in with the password alone, while no code was asked, is asked
// for one at the next request; what applications got meanwhile waits for it too.
func TestWhatASessionGaveThatOwesItsCodeOpensNothing(t *testing.T) {
	for name, demands := range map[string]bool{"an application that demands a code": true, "any application": false} {
		t.Run(name, func(t *testing.T) {
			site, app, _, browser, token := owing(t)
			must(t, site.Store.RequireTwoFactor(t.Context(), apptest.Command, app.ID, demands, site.Now()))
			browser.Get("/apps").WantPath("/login/confirm")
			if app.opens(token.AccessToken) {
				t.Error("the access token opens something")
			}
			for range 3 {
				app.refresh(token.RefreshToken).wantRefused(t, 400, "invalid_grant")
				site.Clock.Turn(9 * 24 * time.Hour)
			}
		})
	}
}

func TestACodeOfThatTimeIsNotExchanged(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, _ := withPhone(site, "ada@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	browser := site.Browser()
	browser.SignIn(ada)
	code, v := app.codeFor(browser)
	site.Activate(auth.TwoFactorPlugin)
	app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient).wantRefused(t, 400, "invalid_grant")
}

// The code that the session gives counts for what it gave before.
func TestTheCodeOfASessionCountsForWhatItGave(t *testing.T) {
	site, app, ada, browser, token := owing(t)
	site.Clock.Turn(time.Minute)
	browser.Get("/apps").WantPath("/login/confirm").Form("Send code").Fill("Login code", ada.Code()).Press().WantPath("/apps")
	if !app.opens(token.AccessToken) {
		t.Error("the access token opens nothing")
	}
	if got := app.refresh(token.RefreshToken); got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// A grant of a session with a code goes on, also after a return through the open
// window: nothing is owed there.
func TestAGrantWithACodeGoesOnAfterAReturn(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := withPhone(site, "ada@example.org")
	before := away(t, app, browser)
	returnThroughWindow(t, site, browser, ada)
	after := away(t, app, browser)
	for when, token := range map[string]*oauth2.Token{"before": before, "after": after} {
		if got := app.refresh(token.RefreshToken); got.Status != http.StatusOK {
			t.Errorf("a grant from %s the return: %d %s", when, got.Status, got.Body)
		}
	}
}
