package oidc_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

func TestWhoTakesAccessBackEndsItAndIsAskedAgain(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, beas := signedIn(site, "bea@example.org")
	bea := away(t, app, beas)
	_, browser := signedIn(site, "ada@example.org")
	if page := browser.Get("/account/applications"); !page.Says("You have not signed in to any application") {
		t.Errorf("before: %s", page.Text())
	}
	token := away(t, app, browser)
	page := browser.Get("/account").Follow("Show applications").WantPath("/account/applications")
	for _, words := range []string{"see your email address", "Works while you are away", "Allowed"} {
		if !page.Says(words) {
			t.Errorf("the page does not say %q: %s", words, page.Text())
		}
	}
	if page.Says("see which groups") {
		t.Error("the page names what was not agreed to")
	}
	page.Form("Withdraw the access of Wiki").Press().WantDone("The access is withdrawn.")
	if app.opens(token.AccessToken) {
		t.Error("the access token still opens something")
	}
	app.refresh(token.RefreshToken).wantRefused(t, http.StatusBadRequest, "invalid_grant")
	if !browser.Get(app.begin().Address).HasButton("Allow") {
		t.Error("the application is let in without a question")
	}
	if !app.opens(bea.AccessToken) {
		t.Error("somebody else's access was withdrawn")
	}
	if !recorded(t, site, auth.EventConsentWithdrawn) {
		t.Error("nothing in the record")
	}
}

func TestWhatAnAdministratorAgreedToForEverybodyIsSeenToo(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	if page := browser.Get("/account/applications"); !page.Says("Your administrator decides what Wiki may learn") {
		t.Errorf("the page says %s", page.Text())
	}
}
