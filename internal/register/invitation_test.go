package register_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

const fay = "fay@example.org"

// invited makes an account without a password and gives the link of its
// invitation. Time passes first, so that the letter is the newest.
func invited(t *testing.T, site *apptest.Site, email string) (auth.User, string) {
	t.Helper()
	site.Clock.Turn(time.Second)
	a, err := address.Parse(email)
	if err != nil {
		t.Fatal(err)
	}
	u, err := site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: a, Name: "Fay"}, site.InvitationLink(), site.Now())
	if err != nil {
		t.Fatal(err)
	}
	letter := site.Mail.Last(t, email)
	if letter.Kind != mail.Invitation {
		t.Fatalf("the last letter is %s, want an invitation", letter.Kind)
	}
	return u, apptest.Link(t, letter)
}

func TestAnInvitationLeadsToAnAccountAndTheLogin(t *testing.T) {
	site := apptest.New(t, "registration=closed")
	_, to := invited(t, site, fay)
	browser := site.Browser()
	page := browser.Get(to).WantStatus(http.StatusOK)
	if got := page.Form("Set new password").Values.Get("name"); got != "Fay" {
		t.Errorf("the name is %q, want the one that the administrator typed", got)
	}
	page.Form("Set new password").Fill("Name", "Fay Winters").Fill("New password", chosen).Press().
		WantPath("/login").WantDone("Your account is ready. Log in with your new password.")
	browser.Get("/apps").WantPath("/login")
	logIn(browser, fay, chosen).WantPath("/apps")
	u, err := site.Store.UserByAddress(t.Context(), fay)
	if err != nil || u.Name != "Fay Winters" {
		t.Errorf("the account is %+v (%v)", u, err)
	}
}

func TestWhoeverWasInvitedAndMustUseTwoFactorAuthenticationSetsItUpFirst(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	u, _ := invited(t, site, fay)
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, u.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	_, to := invited(t, site, fay) // the older letter is out of date
	browser := site.Browser()
	browser.Get(to).Form("Set new password").Fill("New password", chosen).Press().WantPath("/login")
	logIn(browser, fay, chosen).WantPath("/account/two-factor")
}

func TestAnInvitedAccountCannotBeLoggedInTo(t *testing.T) {
	site := apptest.New(t)
	invited(t, site, fay)
	for _, typed := range []string{chosen, " "} {
		logIn(site.Browser(), fay, typed).WantStatus(http.StatusUnprocessableEntity)
	}
}

func TestInvitationsThatDoNotWork(t *testing.T) {
	site := apptest.New(t, "letters_per_hour=100")
	_, used := invited(t, site, "a@example.org")
	form := site.Browser().Get(used).Form("Set new password").Fill("New password", chosen)
	form.Press().WantPath("/login")
	_, older := invited(t, site, "b@example.org")
	invited(t, site, "b@example.org")
	disabledUser, disabled := invited(t, site, "c@example.org")
	if err := site.Store.DisableUser(t.Context(), apptest.Command, disabledUser.ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	site.Person("d@example.org")
	site.Clock.Turn(time.Second)
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", "d@example.org").Press()
	reset := apptest.Link(t, site.Mail.Last(t, "d@example.org"))
	_, late := invited(t, site, "e@example.org")
	site.Clock.Turn(site.Config.InvitationLink - time.Millisecond)
	site.Browser().Get(late).WantStatus(http.StatusOK)
	site.Clock.Turn(time.Millisecond)
	for name, token := range map[string]string{
		"missing": "", "used": tokenOf(used), "older of two": tokenOf(older), "of a disabled account": tokenOf(disabled),
		"a reset": tokenOf(reset), "a millisecond too late": tokenOf(late),
	} {
		page := site.Browser().Get("/invitation?token=" + token)
		form.Values.Set("token", token)
		if post := form.Press(); page.Status != http.StatusGone || post.Status != http.StatusGone {
			t.Errorf("%s: GET %d, POST %d; want 410 for both", name, page.Status, post.Status)
		}
	}
	// Whoever finds the link dead needs nobody's help.
	site.Clock.Turn(time.Second)
	site.Browser().Get(late).Follow("Ask for a new link").Form("Send reset link").Fill("Email", "e@example.org").Press()
	to := apptest.Link(t, site.Mail.Last(t, "e@example.org"))
	site.Browser().Get(to).Form("Set new password").Fill("New password", chosen).Press().WantPath("/login")
	logIn(site.Browser(), "e@example.org", chosen).WantPath("/apps")
}

func TestOfTwoFormsWithOneInvitationOneWins(t *testing.T) {
	site := apptest.New(t)
	_, to := invited(t, site, fay)
	statuses := make(chan int, 6)
	var group sync.WaitGroup
	start := make(chan struct{}) // every form is open before the first is sent
	for range cap(statuses) {
		form := site.Browser().Get(to).Form("Set new password").Fill("New password", chosen)
		group.Go(func() {
			<-start
			statuses <- site.Browser().Once("/invitation", form.Values).Status
		})
	}
	close(start)
	group.Wait()
	close(statuses)
	won := 0
	for status := range statuses {
		if status == http.StatusSeeOther {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d forms were taken, want 1", won)
	}
}

func TestOpeningAnInvitationUsesNothing(t *testing.T) {
	site := apptest.New(t)
	_, to := invited(t, site, fay)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, httptest.NewRequest(method, to, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
}

func TestARefusedInvitationFormKeepsTheLink(t *testing.T) {
	site := apptest.New(t)
	_, to := invited(t, site, fay)
	for name, values := range map[string]url.Values{
		"a short password": {"name": {"Fay"}, "password": {"short"}},
		"no password":      {"name": {"Fay"}, "password": {""}},
		"a long name":      {"name": {strings.Repeat("F", 101)}, "password": {chosen}},
		"a name with Bcc":  {"name": {"Fay\r\nBcc: eve@example.org"}, "password": {chosen}},
	} {
		values.Set("token", tokenOf(to))
		page := site.Browser().Once("/invitation", values)
		if page.Status != http.StatusUnprocessableEntity || page.Alert() == "" {
			t.Errorf("%s: status %d, role=alert %q", name, page.Status, page.Alert())
		}
	}
	site.Browser().Once("/invitation", url.Values{"token": {tokenOf(to)}, "password": {chosen}, "administrator": {"true"}}).WantStatus(http.StatusBadRequest)
	site.Browser().Get(to).Form("Set new password").Fill("New password", chosen).Press().WantPath("/login")
}
