package passwordreset_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// withPasskey is a site where Ada has a passkey and nothing else beside her
// password, and the page behind the link that she was mailed.
func withPasskey(t *testing.T, settings ...string) (*apptest.Site, *apptest.Person, *apptest.Page) {
	t.Helper()
	site := apptest.New(t, settings...)
	site.Activate(auth.PasskeysPlugin)
	ada := site.Person("ada@example.org")
	ada.AddPasskey()
	site.Clock.Turn(time.Minute)
	b := site.Browser()
	ask(b, ada.Address)
	return site, ada, b.Get(mailed(t, site, ada.Address))
}

// byPasskey types the new password, and answers by a passkey.
func byPasskey(page *apptest.Page, ada *apptest.Person, spoil ...func(*passkeytest.Answer)) *apptest.Page {
	return page.Passkey(ada.Device, spoil...).Fill("New password", renewed).Press()
}

func hasPasskey(t *testing.T, site *apptest.Site, ada *apptest.Person) bool {
	t.Helper()
	u, err := site.Store.User(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	return u.HasPasskeys()
}

func TestAPasskeyKeepsSecondFactors(t *testing.T) {
	for name, settings := range map[string][]string{"wanted": nil, "demanded": {"on_password_reset=keep"}} {
		t.Run(name, func(t *testing.T) {
			site, ada, page := withPasskey(t, settings...)
			byPasskey(page, ada).WantPath("/login").WantDone(keptTwo)
			if !hasPasskey(t, site, ada) {
				t.Error("it is gone")
			}
			site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
		})
	}
}

func TestAResetRemovesPasskeys(t *testing.T) {
	site, ada, page := withPasskey(t)
	if !strings.Contains(page.Text(), "Without a code or a passkey the new password also removes your second factors") {
		t.Errorf("the page says %s", page.Text())
	}
	choose(page, "").Press().WantPath("/login").WantDone("Your new password is set, and two-factor authentication was reset. Log in, and set it up again in the account settings.")
	if hasPasskey(t, site, ada) {
		t.Error("it is still there")
	}
	refused := site.Browser().Get("/login").Passkey(ada.Device).Press()
	refused.WantStatus(http.StatusUnprocessableEntity)
	logIn(site.Browser(), ada.Address, renewed).WantPath("/apps")
}

// A passkey that proves nothing costs no letter: the link is good for another try.
func TestAPasskeyThatProvesNothingKeepsNothing(t *testing.T) {
	site, ada, page := withPasskey(t, "on_password_reset=keep")
	stranger := site.Person("bob@example.org")
	stranger.AddPasskey()
	site.Clock.Turn(time.Minute)
	for name, spoil := range map[string]func(*passkeytest.Answer){
		"another origin":                func(a *passkeytest.Answer) { a.Origin = "https://id.example.org.evil.example" },
		"a signature of something else": func(a *passkeytest.Answer) { a.SpoilSignature = func(s []byte) []byte { s[len(s)-1] ^= 1; return s } },
	} {
		again := byPasskey(page, ada, spoil)
		again.WantStatus(http.StatusUnprocessableEntity)
		if !strings.Contains(again.Text(), "That passkey was not accepted.") {
			t.Errorf("%s: the page says %s", name, again.Text())
		}
		page = again
	}
	form := page.Passkey(ada.Device).Fill("New password", renewed)
	form.Values.Set("passkey", stranger.Device.GetWith(stranger.Device.Passkeys[0], page.PasskeyOptions(), site.Floor.PublicURL))
	page = form.Press()
	page.WantStatus(http.StatusUnprocessableEntity)
	byPasskey(page, ada).WantPath("/login")
}

// What was begun at the login, or behind another link, is not what this page asked
// for.
func TestAPasskeyForSomethingElseKeepsNothing(t *testing.T) {
	site, ada, page := withPasskey(t, "on_password_reset=keep")
	elsewhere := site.Browser().Get("/login").Passkey(ada.Device)
	form := page.Passkey(ada.Device).Fill("New password", renewed)
	for _, name := range []string{"ceremony", "passkey"} {
		form.Values.Set(name, elsewhere.Values.Get(name))
	}
	form.Press().WantStatus(http.StatusUnprocessableEntity)
	if !hasPasskey(t, site, ada) {
		t.Error("it is gone")
	}
}

// An app's code is none where the person has no app.
func TestWhoeverHasPasskeysAloneMayTypeARecoveryCode(t *testing.T) {
	site, ada, page := withPasskey(t, "on_password_reset=keep")
	choose(page, "123456").Press().WantStatus(http.StatusUnprocessableEntity)
	choose(page, ada.RecoveryCodes[0]).Press().WantPath("/login")
	if !hasPasskey(t, site, ada) {
		t.Error("it is gone")
	}
}
