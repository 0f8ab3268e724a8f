package oidc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

func TestAPersonSignsInToAnApplication(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada := site.Person("ada@example.org")
	staff, err := site.Store.AddGroup(t.Context(), apptest.Command, "staff", site.Now())
	must(t, err)
	must(t, site.Store.JoinGroup(t.Context(), apptest.Command, staff, ada.ID, site.Now()))

	browser := site.Browser()
	v := app.begin()
	page := browser.Get(v.Address).WantPath("/login").WantStatus(http.StatusOK)
	page = page.Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantStatus(http.StatusOK)
	for _, words := range []string{"Sign in to Wiki", "see your email address", "see which groups you are in", "wiki.example.org"} {
		if !page.Says(words) && page.Heading() != words {
			t.Errorf("the page does not say %q: %s", words, page.Text())
		}
	}
	page = page.Form("Allow").Press().WantStatus(http.StatusOK)
	if page.Href("Continue") != page.SentTo() {
		t.Errorf("without the header the page leads to %q, want %q", page.Href("Continue"), page.SentTo())
	}
	token, err := app.exchange(app.code(page, v), v)
	must(t, err)
	got := app.verify(token, v.Nonce)
	if got.Subject != string(ada.ID) || got.Email != ada.Address || !got.Verified || !slices.Equal(got.Groups, []string{"staff"}) {
		t.Errorf("told %+v", got)
	}
	if token.RefreshToken != "" {
		t.Error("a refresh token for a grant that is not offline")
	}
	if token.TokenType != "Bearer" || token.ExpiresIn != 600 {
		t.Errorf("token type %q, expires in %d", token.TokenType, token.ExpiresIn)
	}
	info, err := app.Provider.UserInfo(app.context(), oauth2.StaticTokenSource(token))
	must(t, err)
	if info.Subject != got.Subject || info.Email != ada.Address || !info.EmailVerified {
		t.Errorf("userinfo says %+v", info)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhoeverIsSignedInAndAgreedIsSentOnWithoutAPage(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	v := app.begin()
	page := browser.Get(v.Address).WantStatus(http.StatusSeeOther)
	app.code(page, v)
}

func TestEachScopeTellsItsOwnAndNoMore(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := signedIn(site, "ada@example.org")
	must(t, site.Store.SaveName(t.Context(), auth.Actor{User: ada.User()}, "Ada Lovelace", site.Now()))
	for scope, want := range map[string][]string{
		"openid":                {"sub"},
		"openid profile":        {"name", "sub"},
		"openid email":          {"email", "email_verified", "sub"},
		"openid groups":         {"groups", "sub"},
		"openid profile email":  {"email", "email_verified", "name", "preferred_username", "sub"},
		"openid admin phone no": {"sub"},
	} {
		token, _ := app.signIn(browser, "scope="+scope)
		got := app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken))
		var names []string
		for name := range got.JSON {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s tells %v, want %v", scope, names, want)
		}
		if told, _ := token.Extra("scope").(string); told != auth.ParseScopes(scope).String() {
			t.Errorf("asked for %q, told %q", scope, told)
		}
	}
}

func TestAnApplicationGetsNoScopeThatItMayNotAskFor(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) {
		c.Scopes = auth.Scopes{auth.ScopeOpenID, auth.ScopeEmail}
	})
	_, browser := signedIn(site, "ada@example.org")
	token, got := app.signIn(browser, "scope=openid email groups offline_access")
	if scope, _ := token.Extra("scope").(string); scope != "openid email" || token.RefreshToken != "" || got.Groups != nil {
		t.Errorf("scope %q, refresh token %v, groups %v", scope, token.RefreshToken != "", got.Groups)
	}
}

func TestBothWaysOfProvingASecretWork(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		app.OAuth.Endpoint.AuthStyle = style
		app.signIn(browser)
	}
}

func TestAPublicClientNeedsNoSecretButAChallenge(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.Public = true })
	if app.OAuth.ClientSecret != "" {
		t.Fatal("a public client got a secret")
	}
	_, browser := signedIn(site, "ada@example.org")
	app.OAuth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	app.signIn(browser)
}

func TestAnApplicationMayBeSignedForByRSA(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.Algorithm = auth.RS256 })
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	raw, _ := token.Extra("id_token").(string)
	if head := decode(t, strings.Split(raw, ".")[0]); !strings.Contains(head, `"alg":"RS256"`) {
		t.Errorf("header %s", head)
	}
}

func TestARequestThatIsPostedWorksToo(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	path, query, _ := strings.Cut(v.Address, "?")
	r := browser.Request(http.MethodPost, path, parse(t, query))
	r.Header.Set("Origin", "https://wiki.example.org")
	page := browser.Ask(r).WantStatus(http.StatusSeeOther)
	page = browser.Get(page.Header.Get("Location"))
	page = page.Form("Allow").Press()
	if _, err := app.exchange(app.code(page, v), v); err != nil {
		t.Error(err)
	}
}

func TestSubNeverChangesAndIsNotGivenOutAgain(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := signedIn(site, "ada@example.org")
	_, first := app.signIn(browser)
	site.Clock.Turn(time.Hour)
	again := site.Browser()
	again.SignIn(ada)
	if _, second := app.signIn(again); second.Subject != first.Subject {
		t.Errorf("sub %s, then %s", first.Subject, second.Subject)
	}
	must(t, site.Store.DeleteUser(t.Context(), apptest.Command, ada.ID, site.Now()))
	_, anew := signedIn(site, "ada@example.org")
	if _, third := app.signIn(anew); third.Subject == first.Subject {
		t.Error("whoever has the address of a deleted account gets its sub")
	}
}

func TestNothingAnswersWhileThePluginIsNotActive(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	site.SetActivation(auth.Activation{Plugin: auth.OpenIDConnectPlugin})
	for _, path := range []string{"/.well-known/openid-configuration", "/oidc/keys", "/oidc/userinfo", app.begin().Address} {
		if got := app.ask(http.MethodGet, path, nil); got.Status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.Status)
		}
	}
	for _, path := range []string{"/oidc/token", "/oidc/revoke"} {
		if got := app.ask(http.MethodPost, path, nil, app.asClient); got.Status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.Status)
		}
	}
}

// A sign-in is one once its code is exchanged, and only once.
func TestASignInByOpenIDConnectIsCountedAndDrawnOnTheApplicationsPage(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	eli, ada := site.Browser(), site.Browser()
	eli.SignIn(site.Administrator("eli@example.org"))
	ada.SignIn(site.Person("ada@example.org"))
	page := func() *apptest.Page { return eli.Get("/admin/apps/" + string(app.ID)).WantStatus(http.StatusOK) }

	v := app.begin()
	code := app.code(allow(ada, v), v)
	if !page().Says("Nobody has signed in to it yet.") {
		t.Errorf("before the code is exchanged it says\n%s", page().Text())
	}
	_, err := app.exchange(code, v)
	must(t, err)
	if _, err := app.exchange(code, v); err == nil {
		t.Error("a code is good twice")
	}
	page().WantDrawn(map[string]string{"23 November 2026": "1"})
	app.signIn(ada)
	_, bea := signedIn(site, "bea@example.org")
	app.signIn(bea)
	if drawn := page().WantDrawn(map[string]string{"23 November 2026": "3"}); !drawn.Says("3 in all") {
		t.Error("and not how many they are")
	}
}
