package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// Whoever has no account yet makes one on the way, and goes on to the
// application.
func TestWhoSignsUpOnTheWayGoesOnToTheApplication(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	browser := site.Browser()
	v := app.begin()
	page := browser.Get(v.Address).WantPath("/login").Follow("Create new account").WantPath("/register")
	page = page.Form("Create account").Fill("Email", "ada@example.org").Fill("Password", "short").Press().WantStatus(http.StatusUnprocessableEntity)
	if !strings.HasPrefix(page.Href("Back"), "/login?next=") {
		t.Errorf("Back leads to %s", page.Href("Back"))
	}
	page.Form("Create account").Fill("Email", "ada@example.org").Fill("Password", apptest.Password).Press().WantStatus(http.StatusOK)
	page = browser.Get(apptest.Link(t, site.Mail.Last(t, "ada@example.org")))
	page = page.Form("Confirm address").Press().WantPath("/oidc/continue")
	page = page.Form("Allow").Press()
	token, err := app.exchange(app.code(page, v), v)
	must(t, err)
	if got := app.verify(token, v.Nonce); got.Email != "ada@example.org" {
		t.Errorf("told %+v", got)
	}
}

// A login that has to begin again still leads to the application.
func TestALoginThatBeginsAgainStillLeadsToTheApplication(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	app := register(t, site)
	ada, phone := signedIn(site, "ada@example.org")
	phone.EnableTwoFactor(ada)
	for name, spoil := range map[string]func(page *apptest.Page) *apptest.Page{
		"Back": func(page *apptest.Page) *apptest.Page { return page.Form("Back").Press() },
		"too late": func(page *apptest.Page) *apptest.Page {
			site.Clock.Turn(site.Config.LoginTimeout)
			return page.Form("Send code").Fill("Login code", ada.Code()).Press()
		},
	} {
		browser := site.Browser()
		v := app.begin()
		page := browser.Get(v.Address).Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
		page = spoil(page).WantPath("/login")
		page = page.Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
		page = page.Form("Send code").Fill("Login code", ada.Code()).Press()
		if page.HasButton("Allow") {
			page = page.Form("Allow").Press()
		}
		if app.code(page, v) == "" {
			t.Errorf("%s: no code", name)
		}
	}
}

func TestTheApplicationSuggestsALanguage(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	for locales, want := range map[string]string{"de": "de", "xx de-AT en": "de", "tlh": "en", "": "en", "en de": "en", "<script> de": "de"} {
		browser := site.Browser()
		page := browser.Get(app.begin("ui_locales=" + locales).Address).WantPath("/login")
		if got := page.Header.Get("Content-Language"); got != want {
			t.Errorf("%q: the page is in %q, want %q", locales, got, want)
		}
	}
	browser := site.Browser()
	browser.Get("/login")
	browser.Post("/preferences", map[string][]string{"language": {"en"}, "back": {"/login"}})
	if page := browser.Get(app.begin("ui_locales=de").Address); page.Header.Get("Content-Language") != "en" {
		t.Error("a suggestion wins over what somebody chose")
	}
}

// Who presses Dark has chosen no language, and whoever chose Dark keeps it.
func TestASuggestedLanguageIsNoneThatSomebodyChose(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	browser := site.Browser()
	browser.Get(app.begin("ui_locales=de").Address)
	page := browser.Post("/preferences", url.Values{"theme": {"dark"}, "back": {"/login"}})
	if got := page.Header.Get("Content-Language"); got != "de" {
		t.Errorf("the page is in %q, and the browser was not closed", got)
	}
	kept := browser.Cookie("twinlock-preferences")
	if kept != "|dark" {
		t.Errorf("kept %q for as long as a browser keeps anything, and nobody chose a language", kept)
	}
	page = browser.Get(app.begin("ui_locales=en").Address)
	if got := page.Header.Get("Content-Language"); got != "en" {
		t.Errorf("the page is in %q: a suggestion outlives the next one", got)
	}
	if browser.Cookie("twinlock-preferences") != kept {
		t.Error("a suggestion changes what was chosen")
	}
}

// An application that signs people in in a window of its own waits there for an
// answer: no page on the way may cut the tie to it. Every other page does.
func TestPagesOnTheWayKeepTheTieToTheWindowThatOpenedThem(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := withPhone(site, "ada@example.org")
	fresh := site.Browser()
	v := app.begin()
	first := fresh.Ask(fresh.Request(http.MethodGet, v.Address, nil))
	login := fresh.Get(first.Header.Get("Location"))
	code := login.Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
	consent := code.Form("Send code").Fill("Login code", ada.Code()).Press()
	leave := consent.Form("Allow").Press()
	confirm := browser.Get(app.begin("prompt=login").Address)
	for _, page := range []*apptest.Page{first, login, code, consent, leave, confirm} {
		if got := page.Header.Get("Cross-Origin-Opener-Policy"); got != "unsafe-none" {
			t.Errorf("%s: %q", page.Path, got)
		}
	}
	for _, path := range []string{"/apps", "/account", "/account/applications"} {
		if got := browser.Get(path).Header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
			t.Errorf("%s: %q", path, got)
		}
	}
}
