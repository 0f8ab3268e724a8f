package oidc_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
)

// What works while a person is away outlives the session that gave it, and hangs
// on the one that took its place in that browser.
func TestALogoutEndsWhatAnEarlierSessionOfTheBrowserGave(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := signedIn(site, "ada@example.org")
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	token := away(t, app, browser).RefreshToken
	for range 3 {
		site.Clock.Turn(site.Config.SessionOverall + time.Hour)
		browser.SignIn(ada)
	}
	elsewhere.SignIn(ada)
	elsewhere.Post("/logout", nil).WantPath("/login")
	got := app.refresh(token)
	if got.Status != http.StatusOK {
		t.Fatalf("after another browser's logout: %d %s", got.Status, got.Body)
	}
	browser.Post("/logout", nil).WantPath("/login")
	app.refresh(got.word("refresh_token")).wantRefused(t, 400, "invalid_grant")
	if app.opens(got.word("access_token")) {
		t.Error("the access token opens something")
	}
}

// Whoever logs in with the code in that browser has given it for what the session
// before had owed it for.
func TestTheNextLoginsCodeCountsForWhatTheOldSessionGave(t *testing.T) {
	site, app, ada, browser, token := owing(t)
	site.Clock.Turn(site.Config.SessionOverall)
	browser.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	app.refresh(token.RefreshToken).wantRefused(t, 400, "invalid_grant")
	browser.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().
		Form("Send code").Fill("Login code", ada.Code()).Press().WantPath("/apps")
	if got := app.refresh(token.RefreshToken); got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
