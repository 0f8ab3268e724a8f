package login_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// bothAsked is the confirmation page of somebody whose password and code are
// not fresh any more.
func bothAsked(site *apptest.Site, b *apptest.Browser) *apptest.Page {
	site.Clock.Turn(site.Config.Fresh)
	return b.Get("/login/confirm?ask=needs+password+and+code").WantStatus(http.StatusOK)
}

func confirm(page *apptest.Page, password, code string) *apptest.Page {
	return page.Form("Confirm").Fill("Password", password).Fill("Login code", code).Press()
}

// wantNoFailedPassword tells that five wrong passwords are still free in this
// browser: none was counted before.
func wantNoFailedPassword(t *testing.T, b *apptest.Browser, p *apptest.Person) {
	t.Helper()
	b.Get("/apps").Form("Log out").Press()
	for range 5 {
		try(b, p.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	}
	if got := try(b, p.Address, wrong).WantStatus(http.StatusTooManyRequests).Header.Get("Retry-After"); got != "1" {
		t.Errorf("a wait of %s seconds after five wrong passwords, want 1", got)
	}
}

func TestARightPasswordBesideAWrongCodeIsNoFailedPassword(t *testing.T) {
	site := apptest.New(t)
	ada, inside := protected(site, "ada@example.org")
	page := bothAsked(site, inside)
	for _, code := range []string{wrongCode(ada, site.Now()), "", wrongCode(ada, site.Now()), "", wrongCode(ada, site.Now()), ""} {
		confirm(page, ada.Password, code).WantStatus(http.StatusUnprocessableEntity)
	}
	wantNoFailedPassword(t, inside, ada)
}

func TestARightPasswordWhileCodesWaitIsNoFailedPassword(t *testing.T) {
	site := apptest.New(t)
	ada, inside := protected(site, "ada@example.org")
	page := bothAsked(site, inside)
	for range 5 {
		confirm(page, ada.Password, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	}
	for range 6 {
		confirm(page, ada.Password, ada.CodeAt(site.Now())).WantStatus(http.StatusTooManyRequests)
	}
	wantNoFailedPassword(t, inside, ada)
}

func TestACodeBesideAWrongPasswordIsNeitherLookedAtNorSpent(t *testing.T) {
	site := apptest.New(t)
	ada, inside := protected(site, "ada@example.org")
	page := bothAsked(site, inside)
	right := ada.Code()
	for _, code := range []string{right, wrongCode(ada, site.Now()), ada.RecoveryCodes[0]} {
		got := confirm(page, wrong, code).WantStatus(http.StatusUnprocessableEntity)
		if got.Says("That code didn't work") || got.Says("already used") {
			t.Errorf("the page tells of the code: %s", got.Text())
		}
	}
	for range 4 { // none was counted above, so the fifth try waits for nothing
		confirm(page, ada.Password, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	}
	confirm(page, ada.Password, right).WantPath("/apps")
}

// What waits is sealed and spelled in letters, which makes it larger than it was.
func TestTheLongestFormSurvivesAConfirmation(t *testing.T) {
	site := apptest.New(t)
	ada, inside := site.Person("ada@example.org"), site.Browser()
	inside.SignIn(ada)
	for name, typed := range map[string]string{
		"a list": strings.Repeat("somebody@example.org,", 2500), "what markup is made of": strings.Repeat("<", 21800),
	} {
		site.Clock.Turn(site.Config.Fresh)
		page := inside.Get("/account").Form("Change address").Fill("New email address", typed).Press().WantStatus(http.StatusForbidden)
		page = page.Form("Confirm").Fill("Password", ada.Password).Press().WantStatus(http.StatusUnprocessableEntity).WantPath("/login/confirm")
		if got := page.Form("Change address").Values.Get("email"); got != typed {
			t.Errorf("%s: %d characters of %d are left", name, len(got), len(typed))
		}
	}
}

// Nothing of ours is open to a session that owes the code: it is not logged in.
func TestWhoOwesTheCodeIsNotToldThatTheyAreLoggedIn(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	browser.SignIn(ada)
	browser.EnableTwoFactor(ada)
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	browser.Post("/logout", nil)
	browser.SignIn(ada)
	site.Activate(auth.TwoFactorPlugin)
	page := browser.Get("/apps").WantPath("/login/confirm")
	if page.Says("You are logged in") || !page.Says("The session of ada@example.org goes on with a second step.") {
		t.Errorf("it says\n%s", page.Text())
	}
}
