package app_test

import (
	"net/url"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// inGerman presses the language button of a page.
func inGerman(page *apptest.Page) *apptest.Page { return page.Form("Deutsch").Press() }

func TestChangingTheLanguageKeepsWhereTheVisitorIs(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada := site.Person("ada@example.org")
	b := site.Browser()

	page := b.Get("/account/sessions").WantPath("/login")
	page = page.Form("Login").Fill("Email", ada.Address).Fill("Password", "wrong").Press().WantStatus(422)
	page = inGerman(page).WantPath("/login").WantStatus(200)
	page.Form("Anmelden").Fill("E-Mail-Adresse", ada.Address).Fill("Passwort", ada.Password).Press().WantPath("/account/sessions")
	b.Post("/preferences", url.Values{"language": {"en"}})

	b.EnableTwoFactor(ada)
	page = b.Get("/account/two-factor").Form("Disable").Fill("Login code", "000000").Press().WantStatus(422)
	inGerman(page).WantPath("/account/two-factor").WantStatus(200)
	b.Post("/preferences", url.Values{"language": {"en"}})
	page = b.Get("/account").Form("Change password").Fill("Current password", "wrong").Fill("New password", "eleven quiet otters paddle").Press().WantStatus(422)
	inGerman(page).WantPath("/account").WantStatus(200)

	other := site.Browser()
	page = other.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	page = page.Form("Send code").Fill("Login code", "000000").Press().WantStatus(422)
	page = inGerman(page).WantPath("/login/code").WantStatus(200)
	page.Form("Code senden").Fill("Anmeldecode", ada.Code()).Press().WantPath("/apps")
}

func TestChangingTheLanguageKeepsAMailedLink(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	b := site.Browser()
	b.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	page := b.Get(apptest.Link(t, site.Mail.Last(t, ada.Address)))
	page = page.Form("Set new password").Fill("New password", "short").Press().WantStatus(422)
	page = inGerman(page).WantPath("/forgot-password/new").WantStatus(200)
	page.Form("Neues Passwort setzen").Fill("Neues Passwort", "eleven quiet otters paddle").Press().WantPath("/login")
}

// Whoever presses a button for the appearance has chosen no language: it goes on
// following the browser, and the other way round.
func TestPressingDarkChoosesNoLanguage(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.Header.Set("Accept-Language", "de")
	b.Post("/preferences", url.Values{"theme": {"light"}})
	if page := b.Get("/login"); !page.HasButton("Anmelden") {
		t.Errorf("the page says %s", page.Text())
	}
	b.Post("/login", url.Values{"email": {ada.Address}, "password": {ada.Password}, "next": {""}}).WantPath("/apps")
	stored := func(language, theme string) {
		t.Helper()
		if u := ada.User(); u.Language != language || u.Theme != theme {
			t.Errorf("kept are %q and %q, want %q and %q", u.Language, u.Theme, language, theme)
		}
	}
	b.Post("/preferences", url.Values{"theme": {"dark"}})
	stored("", "dark")
	b.Header.Set("Accept-Language", "en")
	if page := b.Get("/apps"); !page.Says("Applications") {
		t.Errorf("in the other language the page says %s", page.Text())
	}
	b.Post("/preferences", url.Values{"language": {"de"}})
	stored("de", "dark")
	b.Post("/preferences", url.Values{"theme": {""}})
	stored("de", "")
	b.Post("/preferences", url.Values{"language": {"xx"}}).WantStatus(400)
	stored("de", "")
}
