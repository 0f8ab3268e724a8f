package apptest_test

import (
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

func TestAPersonSignsInThroughTheForms(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	browser := site.Browser()
	browser.SignIn(ada)
	page := browser.Get("/account").WantStatus(200).WantPath("/account")
	if got := page.Heading(); got != "Account settings" {
		t.Errorf("heading %q", got)
	}
}

func TestAWrongPasswordStaysOnTheLoginPage(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	ada.Password = "something else"
	page := site.Browser().SignIn(ada).WantStatus(422).WantPath("/login")
	if page.Alert() == "" {
		t.Error("nothing in role=alert")
	}
}

func TestTwoBrowsersShareNoCookies(t *testing.T) {
	site := apptest.New(t)
	site.Browser().SignIn(site.Person("ada@example.org"))
	site.Browser().Get("/account").WantPath("/login")
}
