package oidc_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

func TestAWrongSecretIsCountedAndRecorded(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	for range 5 {
		app.ask(http.MethodPost, "/oidc/token", nil, func(r *http.Request) { r.SetBasicAuth(app.OAuth.ClientID, other.OAuth.ClientSecret) }).
			wantRefused(t, 400, "invalid_request") // no form: nothing is looked at
		app.ask(http.MethodPost, "/oidc/token", app.form("", visit{}), func(r *http.Request) { r.SetBasicAuth(app.OAuth.ClientID, other.OAuth.ClientSecret) }).
			wantRefused(t, 401, "invalid_client")
	}
	found, err := site.Store.Events(t.Context(), store.EventFilter{Kind: auth.EventClientRefused})
	must(t, err)
	if len(found) != 1 || found[0].Detail != "Wiki: 1 within an hour" || found[0].Network != "192.0.2.80" {
		t.Errorf("the record says %+v", found)
	}
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser) // nobody is kept out by it
}
