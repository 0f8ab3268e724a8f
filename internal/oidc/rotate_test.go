package oidc_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// published are the names of the keys that applications see.
func published(t *testing.T, app *application) (ids []string) {
	t.Helper()
	keys, _ := app.ask(http.MethodGet, "/oidc/keys", nil).JSON["keys"].([]any)
	for _, k := range keys {
		key, _ := k.(map[string]any)
		if key["d"] != nil || key["p"] != nil {
			t.Fatal("a private key is published")
		}
		id, _ := key["kid"].(string)
		ids = append(ids, id)
	}
	return ids
}

// A new key is published before it signs, and an old one stays as long as what
// it signed may come back.
func TestKeysFollowOneAnotherWithoutAGap(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	old, _ := token.Extra("id_token").(string)
	turnTo := func(d time.Duration) {
		site.Clock.Turn(d)
		must(t, site.OpenID.RotateKeys(t.Context()))
		must(t, site.OpenID.RotateKeys(t.Context()))
	}
	turnTo(89*24*time.Hour - time.Second)
	if n := len(published(t, app)); n != 1 {
		t.Fatalf("%d keys before it is time", n)
	}
	turnTo(time.Second)
	both := published(t, app)
	if len(both) != 2 {
		t.Fatalf("%d keys a day before the change", len(both))
	}
	known := both // an application that reads the keys now, and not again for a day
	turnTo(24*time.Hour - time.Second)
	_, again := signedIn(site, "bea@example.org")
	before, _ := app.signIn(again)
	if id := keyOf(t, before); id != known[0] {
		t.Errorf("signed by %s before its time", id)
	}
	turnTo(time.Second)
	after, _ := app.signIn(again)
	if id := keyOf(t, after); id != known[1] {
		t.Errorf("signed by %s, which the application has not seen", id)
	}
	raw, _ := before.Extra("id_token").(string)
	turnTo(24 * time.Hour)
	if len(published(t, app)) != 2 {
		t.Error("the old key is gone while what it signed may come back")
	}
	turnTo(11 * time.Minute)
	if got := published(t, app); len(got) != 1 || got[0] != known[1] {
		t.Errorf("published %v", got)
	}
	_, browser = signedIn(site, "cyd@example.org")
	for _, hint := range []string{old, raw} {
		v := app.begin("prompt=none", "id_token_hint="+hint)
		app.wantError(browser.Get(v.Address), v, "invalid_request")
	}
}

func TestKeysThatMayBeInOtherHandsAreForgotten(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	register(t, site, func(_ *auth.Application, c *auth.Client) { c.Algorithm = auth.RS256 })
	_, browser := signedIn(site, "ada@example.org")
	before := published(t, app)
	must(t, site.OpenID.NewKeys(t.Context(), apptest.Command, false))
	if n := len(published(t, app)); n != 4 {
		t.Errorf("%d keys, want two of each algorithm", n)
	}
	token, _ := app.signIn(browser)
	if id := keyOf(t, token); id != before[0] && id != before[1] {
		t.Error("a key signs before it was long enough published")
	}
	site.Clock.Turn(time.Second)
	must(t, site.OpenID.NewKeys(t.Context(), apptest.Command, true))
	for _, id := range published(t, app) {
		if id == before[0] || id == before[1] {
			t.Error("an old key is still published")
		}
	}
	hint, _ := token.Extra("id_token").(string)
	v := app.begin("prompt=none", "id_token_hint="+hint)
	app.wantError(browser.Get(v.Address), v, "invalid_request")
	app.Provider = app.discovered()
	app.signIn(browser)
}

// Two servers may rotate at once: the one that does it for all stood still for a
// moment, and another took its place.
func TestTwoServersThatRotateAtOnceMakeOneKey(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	site.Clock.Turn(89 * 24 * time.Hour)
	errs := make(chan error)
	for range 8 {
		go func() { errs <- site.OpenID.RotateKeys(t.Context()) }()
	}
	for range 8 {
		must(t, <-errs)
	}
	if n := len(published(t, app)); n != 2 {
		t.Errorf("%d keys, want the old one and the next", n)
	}
}
