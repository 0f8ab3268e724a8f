package oidc_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// What an application may no longer ask for it may no longer learn by what it
// holds either.
func TestScopesTakenFromAnApplicationAreTakenFromWhatItHolds(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser)
	code, v := app.codeFor(browser, "scope=openid profile email offline_access")
	app.set(func(c *auth.Client) { c.Scopes = auth.Scopes{auth.ScopeOpenID, auth.ScopeOffline} })
	if info := app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken)); info.Status != http.StatusOK || info.JSON["email"] != nil {
		t.Errorf("userinfo says %d %s", info.Status, info.Body)
	}
	app.refresh(token.RefreshToken, "scope=openid email").wantRefused(t, 400, "invalid_scope")
	newer := app.refresh(token.RefreshToken)
	if newer.word("scope") != "openid offline_access" {
		t.Errorf("a refresh gives %d %s", newer.Status, newer.Body)
	}

	app.set(func(c *auth.Client) { c.Scopes = auth.Scopes{auth.ScopeOpenID, auth.ScopeProfile} })
	app.refresh(newer.word("refresh_token")).wantRefused(t, 400, "invalid_grant")
	got := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient)
	if got.word("scope") != "openid profile" || got.word("refresh_token") != "" {
		t.Errorf("a code gives %d %s", got.Status, got.Body)
	}
}
