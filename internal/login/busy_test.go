package login_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/slots"
)

// oneSlot is a site that hashes one password at a time and lets nobody wait,
// and fill takes that slot until the test or its caller lets go.
func oneSlot(t *testing.T, settings ...string) (site *apptest.Site, fill func() (free func())) {
	t.Helper()
	s := slots.New(1, 0, 5*time.Second)
	site = apptest.NewWith(t, app.Options{Slots: s}, settings...)
	return site, func() func() {
		begun, free, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() { ended <- s.Do(t.Context(), func() { close(begun); <-free }) }()
		<-begun
		return func() {
			close(free)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
}

func wantBusy(t *testing.T, page *apptest.Page, path, address string) {
	t.Helper()
	page.WantStatus(http.StatusServiceUnavailable).WantPath(path)
	if page.Header.Get("Retry-After") != "5" || !strings.Contains(page.Alert(), "Nothing was lost and nothing was changed: please try again in a few seconds.") {
		t.Errorf("the page says %q, Retry-After %q", page.Alert(), page.Header.Get("Retry-After"))
	}
	if !strings.Contains(page.Body, address) || strings.Contains(page.Body, apptest.Password) {
		t.Error("the form has lost the address, or brings the password back")
	}
}

func TestAServerThatIsBusyKeepsTheFormAndCountsNothing(t *testing.T) {
	site, fill := oneSlot(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	form := browser.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password)
	free := fill()
	var page *apptest.Page
	for range 8 { // more than are free, if they were counted
		page = form.Press()
		wantBusy(t, page, "/login", ada.Address)
	}
	free()
	page.Form("Login").Fill("Password", ada.Password).Press().WantPath("/apps")
}

func TestASignUpThatFindsTheServerBusyKeepsTheForm(t *testing.T) {
	site, fill := oneSlot(t)
	form := site.Browser().Get("/register").Form("Create account").Fill("Email", "bea@example.org").Fill("Password", apptest.Password)
	free := fill()
	page := form.Press()
	wantBusy(t, page, "/register", "bea@example.org")
	free()
	page.Form("Create account").Fill("Password", apptest.Password).Press().WantStatus(http.StatusOK)
}

// A right password whose new one found no slot was no failure.
func TestAPasswordThatCannotBeChangedForNowIsNoFailure(t *testing.T) {
	site, fill := oneSlot(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	browser.SignIn(ada)
	form := browser.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", "eleven quiet otters paddle")
	free := fill()
	for range 8 {
		form.Press().WantStatus(http.StatusServiceUnavailable)
	}
	free()
	form.Press().WantStatus(http.StatusOK).WantDone("Your password is changed, and you are logged out everywhere else.")
}
