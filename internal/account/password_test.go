package account_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

const (
	currentPassword = "Current password"
	newPassword     = "New password"
	anotherPassword = "eleven quiet otters paddle"
)

// changePassword fills the form in.
func changePassword(b *apptest.Browser, current, chosen string) *apptest.Form {
	return b.Get("/account").Form("Change password").Fill(currentPassword, current).Fill(newPassword, chosen)
}

// Of several that were right when they were looked at one is taken. The others
// gave a password that was the current one a moment ago.
func TestOfPasswordsChangedAtOnceOneIsTakenAndTheOthersAreRefused(t *testing.T) {
	site := apptest.New(t, "hash_slots=1")
	ada := site.Person("ada@example.org")
	var forms []*apptest.Form
	for range 6 {
		browser := site.Browser()
		browser.SignIn(ada)
		forms = append(forms, changePassword(browser, ada.Password, anotherPassword))
	}
	pages := make(chan *apptest.Page, len(forms))
	var all sync.WaitGroup
	for _, form := range forms {
		all.Go(func() { pages <- form.Press() })
	}
	all.Wait()
	close(pages)
	taken := 0
	for page := range pages {
		switch {
		case page.Status == http.StatusOK && strings.Contains(page.Done(), "password"):
			taken++
		case page.Status == http.StatusOK: // its session had ended before it asked
			page.WantPath("/login")
		default:
			page.WantStatus(http.StatusUnprocessableEntity)
			if !strings.Contains(page.Alert(), "password") {
				t.Errorf("the page says %q", page.Alert())
			}
		}
	}
	if taken != 1 {
		t.Errorf("%d passwords were taken, want 1", taken)
	}
}

func TestTooManyWrongCurrentPasswordsSayWhenToComeBack(t *testing.T) {
	_, ada, browser := newSite(t)
	for range 5 {
		changePassword(browser, "wrong", anotherPassword).Press().WantStatus(http.StatusUnprocessableEntity)
	}
	page := changePassword(browser, ada.Password, anotherPassword).Press().WantStatus(http.StatusTooManyRequests)
	if page.Header.Get("Retry-After") != "1" || !strings.Contains(page.Alert(), "Try again in 1 second") {
		t.Errorf("the page says %q, Retry-After %s", page.Alert(), page.Header.Get("Retry-After"))
	}
}

func TestANewPasswordFromTheSettingsEndsTheMonthsWrongCodes(t *testing.T) {
	site, ada, inside := newSite(t, "wrong_codes_in_all=10")
	inside.EnableTwoFactor(ada)
	logIn := func() *apptest.Page {
		return site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
	}
	for range 10 {
		site.Clock.Turn(time.Minute)
		logIn().Form("Send code").Fill("Login code", "000000").Press()
	}
	site.Clock.Turn(time.Minute)
	logIn().WantStatus(http.StatusForbidden) // a new password is owed

	changePassword(inside, ada.Password, anotherPassword).Press().WantStatus(http.StatusOK).WantPath("/account")
	ada.Password = anotherPassword
	site.Browser().SignIn(ada).WantPath("/apps")
}

func TestBothPasswordsMissingAreBothMarkedAndCostNoTry(t *testing.T) {
	site, ada, browser := newSite(t)
	for range 8 { // more than are free, if they were counted
		page := changePassword(browser, "", "").Press().WantStatus(http.StatusUnprocessableEntity)
		if page.Href("Type your password.") != "#current-password" || !page.HasLink("Use at least 12 characters.") {
			t.Fatalf("the page says %s", page.Text())
		}
	}
	refused, err := site.Store.Events(t.Context(), store.EventFilter{Subject: ada.ID, Kind: auth.EventLoginRefused})
	if err != nil || len(refused) != 0 {
		t.Errorf("the record says %+v (%v)", refused, err)
	}
	page := changePassword(browser, "", anotherPassword).Press().WantStatus(http.StatusUnprocessableEntity)
	if !page.HasLink("Type your password.") || !strings.Contains(page.Alert(), "Please correct the marked field.") {
		t.Errorf("the page says %s", page.Text())
	}
	changePassword(browser, ada.Password, anotherPassword).Press().WantStatus(http.StatusOK)
}
