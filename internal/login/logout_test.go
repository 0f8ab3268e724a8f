package login_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

// An application behind a proxy has no other way to log its people out than a
// link. Whoever follows one that a stranger made is asked, and loses nothing.
func TestALinkToTheLogoutAsksFirst(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.Get("/logout").WantPath("/login")
	b.SignIn(ada)
	page := b.Get("/logout").WantStatus(http.StatusOK).WantPath("/logout")
	b.Get("/apps").WantPath("/apps")
	if page.Href("Cancel") != "/apps" {
		t.Errorf("who does not want to is led to %s", page.Href("Cancel"))
	}
	page.Form("Log out here").Press().WantPath("/login").WantDone("You are logged out.")
	b.Get("/apps").WantPath("/login")
}
