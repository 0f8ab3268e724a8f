package login_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// owing is a browser whose session began while nobody was asked for a code, and
// whose person is asked for one again.
func owing(t *testing.T) (*apptest.Site, *apptest.Person, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t)
	ada, b := protected(site, "ada@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	b.Post("/logout", nil)
	b.SignIn(ada).WantPath("/apps")
	site.Activate(auth.TwoFactorPlugin)
	return site, ada, b
}

func TestWhoeverOwesTheCodeAndHasNoneIsHelpedAndLedOut(t *testing.T) {
	_, _, b := owing(t)
	page := b.Get("/apps").WantPath("/login/confirm")
	if !page.Says("No access to the app?") || page.Href("Forgot password") != "/forgot-password?next=%2Fapps" {
		t.Errorf("the page says %s", page.Text())
	}
	page = page.Form("Send code").Fill("Login code", "nothing").Press().WantStatus(http.StatusUnprocessableEntity)
	page.Form("Back").Press().WantPath("/login").Form("Login")
	b.Get("/apps").WantPath("/login")
}

func TestWhoeverIsSignedInGoesBackWithoutBeingLoggedOut(t *testing.T) {
	site := apptest.New(t)
	_, b := protected(site, "ada@example.org")
	if got := b.Get("/login/confirm?ask=needs+code").Href("Back"); got != "/apps" {
		t.Errorf("Back leads to %s", got)
	}
}

// Also where an application or a proxy leads to the login itself.
func TestTheLoginAsksWhoeverOwesOnlyTheCodeForItAlone(t *testing.T) {
	_, ada, b := owing(t)
	page := b.Get("/login?next=%2Faccount%3Fa%3Db").WantPath("/login/confirm")
	if page.HasButton("Login") {
		t.Errorf("the page says %s", page.Text())
	}
	page = page.Form("Send code").Fill("Login code", ada.Code()).Press()
	if page.Path != "/account?a=b" {
		t.Errorf("the code leads to %s", page.Path)
	}
}
