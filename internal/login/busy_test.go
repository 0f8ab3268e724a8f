package login_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
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
		once := sync.OnceFunc(func() {
			close(free)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(once) // a test that fails before must not keep the site from closing
		return once
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

// waiting is a form that needs a slot, filled in and not sent yet.
type waiting struct {
	button, leads string
	form          func(*testing.T, *apptest.Site) *apptest.Form
}

const fresh = "eleven quiet otters paddle"

// waitingForms are all forms that need a slot besides the login's and the
// sign-up's own.
var waitingForms = map[string]waiting{
	"confirming a sign-up in another browser": {"Confirm address", "/login", func(t *testing.T, site *apptest.Site) *apptest.Form {
		site.Browser().Get("/register").Form("Create account").Fill("Email", "bea@example.org").Fill("Password", fresh).Press()
		page := site.Browser().Get(apptest.Link(t, site.Mail.Last(t, "bea@example.org")))
		return page.Form("Confirm address").Fill("Password", fresh)
	}},
	"an invitation": {"Set new password", "/login", func(t *testing.T, site *apptest.Site) *apptest.Form {
		fay, err := address.Parse("fay@example.org")
		must(t, err)
		_, err = site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: fay}, site.InvitationLink(), site.Now())
		must(t, err)
		page := site.Browser().Get(apptest.Link(t, site.Mail.Last(t, "fay@example.org")))
		return page.Form("Set new password").Fill("Name", "Fay Winters").Fill("New password", fresh)
	}},
	"a forgotten password": {"Set new password", "/login", func(t *testing.T, site *apptest.Site) *apptest.Form {
		return forgotten(t, site, site.Person("ada@example.org")).Fill("New password", fresh)
	}},
	"a forgotten password with a code of the app": {"Set new password", "/login", func(t *testing.T, site *apptest.Site) *apptest.Form {
		ada, _ := protected(site, "ada@example.org")
		return forgotten(t, site, ada).Fill("New password", fresh).Fill("Login code", ada.Code())
	}},
	"a forgotten password with a recovery code": {"Set new password", "/login", func(t *testing.T, site *apptest.Site) *apptest.Form {
		ada, _ := protected(site, "ada@example.org")
		return forgotten(t, site, ada).Fill("New password", fresh).Fill("Login code", ada.RecoveryCodes[0])
	}},
	"changing the password": {"Change password", "/account", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := site.Person("ada@example.org"), site.Browser()
		inside.SignIn(ada)
		return inside.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", fresh)
	}},
	"setting two-factor authentication up": {"Activate", "/account/two-factor", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		site.Activate(auth.TwoFactorPlugin)
		ada, inside := site.Person("ada@example.org"), site.Browser()
		inside.SignIn(ada)
		page := inside.Get("/account/two-factor")
		ada.SetUpPhone(page.Definition("Secret key"))
		return page.Form("Activate").Fill("Login code", ada.Code())
	}},
	"disabling it with a recovery code": {"Disable", "/account", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := protected(site, "ada@example.org")
		return inside.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.RecoveryCodes[0])
	}},
	"new recovery codes for a code of the app": {"Generate new codes", "/account/recovery-codes", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := protected(site, "ada@example.org")
		return inside.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code())
	}},
	"new recovery codes for an old one": {"Generate new codes", "/account/recovery-codes", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := protected(site, "ada@example.org")
		return inside.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.RecoveryCodes[0])
	}},
	"a recovery code at the login": {"Send code", "/apps", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, _ := protected(site, "ada@example.org")
		return pending(site, ada).Form("Send code").Fill("Login code", ada.RecoveryCodes[0])
	}},
	"a confirmation before a page": {"Confirm", "/account/two-factor", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := protected(site, "ada@example.org")
		site.Clock.Turn(site.Config.Fresh)
		page := inside.Get("/login/confirm?ask=needs+password+and+code&next=%2Faccount%2Ftwo-factor")
		return page.Form("Confirm").Fill("Password", ada.Password).Fill("Login code", ada.RecoveryCodes[0])
	}},
	"a confirmation that holds a form": {"Confirm", "/account", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		ada, inside := site.Person("ada@example.org"), site.Browser()
		inside.SignIn(ada)
		site.Clock.Turn(site.Config.Fresh)
		page := inside.Get("/account").Form("Change address").Fill("New email address", "ada@example.net").Press()
		return page.WantStatus(http.StatusForbidden).Form("Confirm").Fill("Password", ada.Password)
	}},
	"a loss of protection": {"Deactivate", "/admin/plugins", func(_ *testing.T, site *apptest.Site) *apptest.Form {
		site.Activate(auth.TwoFactorPlugin)
		eli, inside := site.Administrator("eli@example.org"), site.Browser()
		inside.SignIn(eli)
		inside.EnableTwoFactor(eli)
		page := inside.Get("/admin/plugins").Form("Deactivate").Press()
		return page.Form("Deactivate").Fill("Login code", eli.RecoveryCodes[0])
	}},
	"the wizard of the first start": {"Finish", "/apps", func(t *testing.T, site *apptest.Site) *apptest.Form {
		var out strings.Builder
		must(t, site.Announce(t.Context(), &out))
		_, token, _ := strings.Cut(strings.TrimSpace(out.String()), "token=")
		page := site.Browser().Get("/setup?token=" + token)
		return page.Form("Finish").Fill("Name", "Eli").Fill("Email", "eli@example.org").Fill("Password", fresh).
			Untick("Two-factor authentication").Tick("Whoever was invited")
	}},
}

// forgotten is the form that the letter to somebody who forgot a password leads
// to.
func forgotten(t *testing.T, site *apptest.Site, p *apptest.Person) *apptest.Form {
	site.Clock.Turn(time.Second) // so that its letter is the newest
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", p.Address).Press()
	return site.Browser().Get(apptest.Link(t, site.Mail.Last(t, p.Address))).Form("Set new password")
}

// typedAnew are the fields whose values no page gives back.
var typedAnew = []string{"password", "current-password", "new-password", "code"}

// wantKept tells that a page's form still holds what was sent, but for what is
// secret.
func wantKept(t *testing.T, again, sent *apptest.Form) {
	t.Helper()
	for name := range sent.Values {
		want := sent.Values.Get(name)
		if slices.Contains(typedAnew, name) {
			want = ""
		}
		if got := again.Values.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestEveryFormThatFindsTheServerBusyIsKeptAndCountsNothing(t *testing.T) {
	for name, waiting := range waitingForms {
		t.Run(name, func(t *testing.T) {
			site, fill := oneSlot(t)
			sent := waiting.form(t, site)
			free := fill()
			var again *apptest.Form
			for range 8 { // more than are free, if they were counted
				page := sent.Press().WantStatus(http.StatusServiceUnavailable)
				if page.Header.Get("Retry-After") != "5" || !strings.Contains(page.Alert(), "please try again in a few seconds.") {
					t.Errorf("the page says %q, Retry-After %q", page.Alert(), page.Header.Get("Retry-After"))
				}
				again = page.Form(waiting.button)
				wantKept(t, again, sent)
			}
			free()
			for _, secret := range typedAnew {
				if sent.Values.Has(secret) {
					again.Values.Set(secret, sent.Values.Get(secret))
				}
			}
			if page := again.Press().WantStatus(http.StatusOK).WantPath(waiting.leads); page.Alert() != "" {
				t.Errorf("the page says %q", page.Alert())
			}
		})
	}
}

func TestWhoeverIsSignedInNoticesNothingOfABusyServer(t *testing.T) {
	site, fill := oneSlot(t)
	inside := site.Browser()
	inside.SignIn(site.Person("ada@example.org"))
	fill()
	inside.Get("/apps").WantPath("/apps").WantStatus(http.StatusOK)
}

// Whoever asks for more than the machine can do fills no disk with it.
func TestAServerThatIsBusyFillsNoLog(t *testing.T) {
	log := &child.Output{}
	s := slots.New(1, 0, 5*time.Second)
	site := apptest.NewWith(t, app.Options{Slots: s, Log: slog.New(slog.NewTextHandler(log, nil))})
	ada := site.Person("ada@example.org")
	form := site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password)
	begun, free := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(free) })
	go func() { _ = s.Do(context.WithoutCancel(t.Context()), func() { close(begun); <-free }) }()
	<-begun
	const tries = 100
	for range tries {
		form.Press().WantStatus(http.StatusServiceUnavailable)
	}
	if told := strings.Count(log.String(), "status=503"); told == 0 || told == tries {
		t.Errorf("%d of %d requests have a line", told, tries)
	}
}
