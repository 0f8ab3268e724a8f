package oidc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// Where the application or the address is not certain, the person is told here
// and nothing is sent anywhere, not even an error.
func TestNothingIsSentToAnAddressThatWasNotRegistered(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	for _, address := range []string{
		"", "https://wiki.example.org", callback + "/", callback + "?a=b", callback + "#a", callback + "/../signed-in", "http://wiki.example.org/signed-in",
		"https://wiki.example.org:8443/signed-in", "https://WIKI.example.org/signed-in", "https://ada@wiki.example.org/signed-in",
		"https://wiki.example.org.evil.example/signed-in", "https://wiki.example.org/%73igned-in", "https://evil.example/", "javascript:alert(1)", "//evil.example",
		"https://*.example.org/signed-in", "https://wiki.example.org/Signed-in", callback + "\r\nLocation: https://evil.example/",
	} {
		for _, more := range []string{"", "prompt=none", "response_type=token", "scope=none"} {
			page := browser.Get(app.begin("redirect_uri="+address, more).Address)
			if page.Status != http.StatusBadRequest || page.SentTo() != "" {
				t.Errorf("%q: %d, sent to %q", address, page.Status, page.SentTo())
			}
		}
	}
	for _, id := range []string{"", "nobody", strings.Repeat("a", 26), "' OR 1=1 --"} {
		page := browser.Get(app.begin("client_id=" + id).Address)
		if page.Status != http.StatusBadRequest || page.SentTo() != "" {
			t.Errorf("client %q: %d, sent to %q", id, page.Status, page.SentTo())
		}
	}
	twice := app.begin().Address + "&redirect_uri=" + url.QueryEscape("https://evil.example/")
	if page := browser.Get(twice); page.Status != http.StatusBadRequest || page.SentTo() != "" {
		t.Errorf("two addresses: %d, sent to %q", page.Status, page.SentTo())
	}
}

func TestALinkOnTheListIsNoClient(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	link, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Name: "Link", URL: "https://link.example.org/"}, site.Now())
	must(t, err)
	_, browser := signedIn(site, "ada@example.org")
	browser.Get(app.begin("client_id=" + string(link.ID)).Address).WantStatus(http.StatusBadRequest)
}

func TestEachWrongRequestIsRefusedByItsOwnError(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	for parameters, want := range map[string]string{
		"response_type=":                            "invalid_request",
		"response_type=token":                       "unsupported_response_type",
		"response_type=id_token":                    "unsupported_response_type",
		"response_type=code id_token":               "unsupported_response_type",
		"response_type=id_token token":              "unsupported_response_type",
		"response_mode=fragment":                    "invalid_request",
		"response_mode=form_post":                   "invalid_request",
		"response_mode=web_message":                 "invalid_request",
		"scope=":                                    "invalid_scope",
		"scope=profile email":                       "invalid_scope",
		"request=eyJhbGciOiJub25lIn0.e30.":          "request_not_supported",
		"request_uri=https://evil.example/r":        "request_uri_not_supported",
		"registration={}":                           "registration_not_supported",
		"code_challenge=":                           "invalid_request",
		"code_challenge_method=plain":               "invalid_request",
		"code_challenge_method=":                    "invalid_request",
		"code_challenge_method=s256":                "invalid_request",
		"code_challenge=short":                      "invalid_request",
		"code_challenge=" + strings.Repeat("a", 44): "invalid_request",
		"code_challenge=" + strings.Repeat("+", 43): "invalid_request",
		"prompt=none login":                         "invalid_request",
		"prompt=none consent":                       "invalid_request",
		"prompt=create":                             "invalid_request",
		"prompt=select_account":                     "account_selection_required",
		"max_age=-1":                                "invalid_request",
		"max_age=soon":                              "invalid_request",
		"max_age=1.5":                               "invalid_request",
		"id_token_hint=x":                           "invalid_request",
		"state=" + strings.Repeat("s", 2001):        "invalid_request",
		"nonce=" + strings.Repeat("n", 501):         "invalid_request",
	} {
		v := app.begin(parameters)
		if strings.HasPrefix(parameters, "state=") {
			v.State = strings.TrimPrefix(parameters, "state=")
		}
		app.wantError(browser.Get(v.Address), v, want)
	}
	v := app.begin()
	v.Address += "&scope=openid"
	app.wantError(browser.Get(v.Address), v, "invalid_request")
}

func TestWhatNobodyKnowsIsIgnored(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser, "extra=foobar", "display=popup", "claims_locales=de", "claims={}", "resource=https://x.example", "audience=x",
		"scope=openid something", "acr_values=1 2 3", "login_hint=ada@example.org")
}

func TestTheAnswerKeepsTheQueryOfARegisteredAddress(t *testing.T) {
	site := apptest.New(t)
	const withQuery = "https://wiki.example.org/?do=login&code=no"
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.RedirectURIs = []string{withQuery} })
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	to := allow(browser, v).SentTo()
	if !strings.HasPrefix(to, withQuery+"&code=") {
		t.Errorf("sent to %s", to)
	}
}

// An application that keeps a secret may be let off, by an administrator. A
// public one never.
func TestAChallengeIsDemandedUnlessAnAdministratorSaysOtherwise(t *testing.T) {
	site := apptest.New(t)
	without := func(_ *auth.Application, c *auth.Client) { c.WithoutPKCE = true }
	app := register(t, site, without)
	public := register(t, site, without, func(_ *auth.Application, c *auth.Client) { c.Public = true })
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin("code_challenge=", "code_challenge_method=")
	code := app.code(allow(browser, v), v)
	if _, err := app.OAuth.Exchange(app.context(), code); err != nil {
		t.Error(err)
	}
	v = public.begin("code_challenge=", "code_challenge_method=")
	public.wantError(browser.Get(v.Address), v, "invalid_request")
}

func TestPromptNoneShowsNobodyAPage(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	closed := register(t, site, func(a *auth.Application, _ *auth.Client) { a.Everyone = false })
	guarded := register(t, site, func(a *auth.Application, _ *auth.Client) { a.RequireTwoFactor = true })
	site.Activate(auth.TwoFactorPlugin)
	silent := func(a *application, b *apptest.Browser, want string, more ...string) {
		t.Helper()
		v := a.begin(append(more, "prompt=none")...)
		a.wantError(b.Get(v.Address), v, want)
	}
	silent(app, site.Browser(), "login_required")
	ada, browser := signedIn(site, "ada@example.org")
	silent(app, browser, "consent_required")
	_, got := app.signIn(browser)
	app.signIn(browser, "prompt=none")
	silent(closed, browser, "access_denied")
	silent(guarded, browser, "interaction_required")
	silent(app, browser, "consent_required", "scope=openid profile email groups offline_access")
	site.Clock.Turn(2 * time.Second)
	silent(app, browser, "login_required", "max_age=1")
	app.signIn(browser, "prompt=none", "max_age=10000")
	site.Clock.Turn(site.Config.SessionIdle)
	silent(app, browser, "login_required")

	_, beas := signedIn(site, "bea@example.org")
	app.signIn(beas)
	token, _ := app.signIn(beas)
	hint, _ := token.Extra("id_token").(string)
	app.signIn(beas, "prompt=none", "id_token_hint="+hint)
	again := site.Browser()
	again.SignIn(ada)
	silent(app, again, "login_required", "id_token_hint="+hint)
	_ = got
}

func TestPromptLoginAsksForAFullLoginAgain(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := withPhone(site, "ada@example.org")
	_, first := app.signIn(browser)
	site.Clock.Turn(time.Minute)

	v := app.begin("prompt=login")
	page := browser.Get(v.Address).WantPath("/login/confirm")
	site.Clock.Turn(time.Second)
	page = page.Form("Confirm").Fill("Password", ada.Password).Fill("Login code", ada.Code()).Press()
	token, err := app.exchange(app.code(page, v), v)
	must(t, err)
	if got := app.verify(token, v.Nonce); got.AuthTime <= first.AuthTime || got.Class != acrCode {
		t.Errorf("auth_time %d after %d, acr %s", got.AuthTime, first.AuthTime, got.Class)
	}
}

const acrCode = "https://refeds.org/profile/mfa"

func TestMaxAgeAsksWhoeverLoggedInTooLongAgo(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := signedIn(site, "ada@example.org")
	_, first := app.signIn(browser)
	site.Clock.Turn(15 * time.Minute)
	if _, got := app.signIn(browser, "max_age=900"); got.AuthTime != first.AuthTime {
		t.Errorf("auth_time %d, want %d", got.AuthTime, first.AuthTime)
	}
	site.Clock.Turn(time.Second)
	for _, age := range []string{"max_age=900", "max_age=0"} {
		v := app.begin(age)
		page := browser.Get(v.Address).WantPath("/login/confirm")
		site.Clock.Turn(time.Second)
		page = page.Form("Confirm").Fill("Password", ada.Password).Press()
		token, err := app.exchange(app.code(page, v), v)
		must(t, err)
		if got := app.verify(token, v.Nonce); got.AuthTime != site.Now().Unix() {
			t.Errorf("%s: auth_time %d, want %d", age, got.AuthTime, site.Now().Unix())
		}
		site.Clock.Turn(time.Second)
	}
}

// A passkey that checks who its owner is is a full login: of whoever comes, and again of
// whoever is signed in. One that does not is none without the password.
func TestALoginByPasskeyIsWhatAnApplicationDemands(t *testing.T) {
	for _, parameter := range []string{"prompt=login", "max_age=0", "max_age=900"} {
		t.Run(parameter, func(t *testing.T) {
			site := apptest.New(t)
			site.Activate(auth.PasskeysPlugin)
			app := register(t, site)
			ada := site.Person("ada@example.org")
			ada.AddPasskey()
			site.Clock.Turn(time.Minute)
			told := func(page *apptest.Page, v visit) said {
				t.Helper()
				if page.HasButton("Allow") {
					page = page.Form("Allow").Press()
				}
				token, err := app.exchange(app.code(page, v), v)
				must(t, err)
				return app.verify(token, v.Nonce)
			}
			browser := site.Browser()
			v := app.begin(parameter)
			page := browser.Get(v.Address).WantPath("/login")
			site.Clock.Turn(time.Second)
			page = page.Passkey(ada.Device).Press()
			if got := told(page, v); got.AuthTime != site.Now().Unix() || got.Class != acrCode || !slices.Equal(got.Methods, []string{"swk", "user", "mfa"}) {
				t.Errorf("a stranger's login is told as %+v, at %d", got, site.Now().Unix())
			}

			site.Clock.Turn(15*time.Minute + time.Second)
			v = app.begin(parameter)
			page = browser.Get(v.Address).WantPath("/login/confirm")
			ada.Device.Verifies = false
			page = page.Passkey(ada.Device).Press().WantStatus(http.StatusUnprocessableEntity)
			if page.SentTo() != "" {
				t.Fatalf("without its owner it is enough, and leads to %q", page.SentTo())
			}
			ada.Device.Verifies = true
			site.Clock.Turn(time.Second)
			page = page.Passkey(ada.Device).Press()
			if got := told(page, v); got.AuthTime != site.Now().Unix() || got.Class != acrCode {
				t.Errorf("a login again is told as %+v, at %d", got, site.Now().Unix())
			}
		})
	}
}

func TestTheAddressThatWasHintedIsTyped(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	page := site.Browser().Get(app.begin("login_hint=ada@example.org").Address).WantPath("/login")
	if got := page.Form("Login").Values.Get("email"); got != "ada@example.org" {
		t.Errorf("typed %q", got)
	}
}

func TestAWaitingRequestOpensInItsBrowserOnlyAndNotForEver(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada := site.Person("ada@example.org")
	browser := site.Browser()
	v := app.begin()
	waiting := browser.Get(v.Address).WantPath("/login").Form("Login").Values.Get("next")
	if !strings.HasPrefix(waiting, "/oidc/continue?waiting=") || strings.Contains(waiting, v.State) {
		t.Fatalf("waits at %s", waiting)
	}
	_, beas := signedIn(site, "bea@example.org")
	if page := beas.Get(waiting); page.Status != http.StatusBadRequest || page.SentTo() != "" {
		t.Errorf("in another browser: %d, sent to %q", page.Status, page.SentTo())
	}
	browser.SignIn(ada)
	for _, altered := range []string{waiting[:len(waiting)-4], waiting + "AAAA", "/oidc/continue", "/oidc/continue?waiting=AAAA"} {
		browser.Get(altered).WantStatus(http.StatusBadRequest)
	}
	site.Clock.Turn(59 * time.Minute)
	browser.Get(waiting).WantStatus(http.StatusOK).Form("Allow")
	site.Clock.Turn(time.Minute)
	browser.Get(waiting).WantStatus(http.StatusGone)
}

// What waits for a login finds its way back however long it is: where it would
// not, it is refused at once.
func TestALongRequestWaitsOrIsRefused(t *testing.T) {
	site := apptest.New(t)
	long := callback + "?" + strings.Repeat("a", 900)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.RedirectURIs = []string{long} })
	ada := site.Person("ada@example.org")
	for name, state := range map[string]string{
		"letters": strings.Repeat("s", 2000), "quotes": strings.Repeat(`"`, 2000), "brackets": strings.Repeat("<", 2000),
		"keys": strings.Repeat("\U0001f511", 500), "control characters": strings.Repeat("\x01", 2000),
	} {
		v := app.begin("state="+state, "nonce="+strings.Repeat("n", 500), "login_hint="+strings.Repeat("h", 300))
		v.State = state
		browser := site.Browser()
		page := browser.Get(v.Address)
		if page.SentTo() != "" {
			app.wantError(page, v, "invalid_request")
			continue
		}
		page = page.Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/oidc/continue")
		if page.HasButton("Allow") {
			page = page.Form("Allow").Press()
		}
		if app.code(page, v) == "" {
			t.Errorf("%s: no code", name)
		}
	}
}

// Whoever is not asked has not agreed.
func TestConsentCountsOnlyForWhoWasAsked(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	bea := site.Person("bea@example.org")
	v := app.begin()
	question := browser.Get(v.Address).Form("Allow")
	browser.Post("/logout", nil)
	browser.SignIn(bea)
	page := question.Press()
	if page.SentTo() != "" || !page.Says("bea@example.org") {
		t.Errorf("an answer of Ada's counts for Bea: sent to %q", page.SentTo())
	}
}

func TestWhoDoesNotAgreeIsSentBackWithoutACode(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	app.wantError(browser.Get(v.Address).Form("Don't allow").Press(), v, "access_denied")
	if !browser.Get(v.Address).HasButton("Allow") {
		t.Error("whoever refused is not asked again")
	}
}

func TestConsentIsAskedForMoreAndWhenTheApplicationWants(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser, "scope=openid")
	if page := browser.Get(app.begin("scope=openid email").Address); !page.HasButton("Allow") {
		t.Error("more is given than was agreed to")
	}
	app.signIn(browser, "scope=openid email")
	if page := browser.Get(app.begin("scope=openid email").Address); page.HasButton("Allow") {
		t.Error("what was agreed to is asked again")
	}
	if page := browser.Get(app.begin("scope=openid", "prompt=consent").Address); !page.HasButton("Allow") {
		t.Error("prompt=consent asks nobody")
	}
}

func TestAnAdministratorMayAgreeForEverybody(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	app.code(browser.Get(v.Address).WantStatus(http.StatusSeeOther), v)
}

// Any program on the person's machine may wait at a loopback address.
func TestAProgramOnThePersonsMachineIsAgreedToEachTime(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) {
		c.Public, c.RedirectURIs = true, []string{"http://127.0.0.1/callback"}
	})
	app.OAuth.RedirectURL = "http://127.0.0.1:51004/callback"
	_, browser := signedIn(site, "ada@example.org")
	for range 2 {
		page := browser.Get(app.begin().Address)
		if !page.HasButton("Allow") {
			t.Fatal("nobody is asked")
		}
		page.Form("Allow").Press()
	}
}

func TestWhoMayNotOpenAnApplicationIsToldWhyAndTheApplicationToo(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(a *auth.Application, _ *auth.Client) { a.Everyone = false })
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	page := browser.Get(v.Address).WantStatus(http.StatusForbidden)
	if !page.Says("You may not open Wiki") {
		t.Errorf("the page says %s", page.Text())
	}
	back, err := url.Parse(page.Href("Back to Wiki"))
	must(t, err)
	if got := back.Query(); got.Get("error") != "access_denied" || got.Get("state") != v.State || !strings.HasPrefix(back.String(), callback) {
		t.Errorf("leads back to %s", back)
	}
}

// Whoever lacks what the application demands is told, sets it up, and goes on.
func TestWhoLacksTheSecondFactorSetsItUpAndGoesOn(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	app := register(t, site, func(a *auth.Application, _ *auth.Client) { a.RequireTwoFactor = true })
	ada, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	page := browser.Get(v.Address).WantStatus(http.StatusForbidden)
	page = page.Follow("Enable two-factor authentication").WantPath("/account/two-factor")
	ada.SetUpPhone(page.Definition("Secret key"))
	page = page.Form("Activate").Fill("Login code", ada.Code()).Press().WantStatus(http.StatusOK)
	page = page.Form("Continue").Tick("I have saved these codes").Press()
	page = page.Form("Allow").Press()
	token, err := app.exchange(app.code(page, v), v)
	must(t, err)
	if got := app.verify(token, v.Nonce); got.Class != acrCode {
		t.Errorf("acr %s", got.Class)
	}
}

// Where passkeys are all that there is, a passkey is set up, and it is what the
// application is told of: of this device alone, or of a synced one.
func TestWhoMayHavePasskeysAloneSetsOneUpAndGoesOn(t *testing.T) {
	for method, synced := range map[string]bool{"hwk": false, "swk": true} {
		site := apptest.New(t)
		site.Activate(auth.PasskeysPlugin)
		app := register(t, site, func(a *auth.Application, _ *auth.Client) { a.RequireTwoFactor = true })
		_, browser := signedIn(site, "ada@example.org")
		device := passkeytest.New(t)
		device.Syncs = synced
		v := app.begin()
		page := browser.Get(v.Address).WantStatus(http.StatusForbidden)
		page = page.Follow("Enable two-factor authentication").WantPath("/account/passkeys/new")
		page = page.NewPasskey(device).Press().WantStatus(http.StatusOK)
		page = page.Form("Continue").Tick("I have saved these codes").Press()
		page = page.Form("Allow").Press()
		token, err := app.exchange(app.code(page, v), v)
		must(t, err)
		if got := app.verify(token, v.Nonce); got.Class != acrCode || !slices.Equal(got.Methods, []string{"pwd", method, "user", "mfa"}) {
			t.Errorf("after the set-up acr is %s, amr %v", got.Class, got.Methods)
		}

		site.Clock.Turn(time.Minute)
		other := site.Browser()
		other.Get("/login").Passkey(device).Press().WantPath("/apps")
		if _, told := app.signIn(other); told.Class != acrCode || !slices.Equal(told.Methods, []string{method, "user", "mfa"}) {
			t.Errorf("after a login by passkey acr is %s, amr %v", told.Class, told.Methods)
		}
	}
}

func TestAPersonForWhomThePluginIsNotEnabledIsTold(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	bea := site.Person("bea@example.org")
	_, browser := signedIn(site, "ada@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.OpenIDConnectPlugin, Active: true, Users: []auth.UserID{bea.ID}})
	page := browser.Get(app.begin().Address).WantStatus(http.StatusForbidden)
	if page.SentTo() != "" || !page.Says("cannot be opened at the moment") {
		t.Errorf("sent to %q: %s", page.SentTo(), page.Text())
	}
}
