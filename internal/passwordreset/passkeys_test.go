package passwordreset_test

import (
	"database/sql"
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
	if !strings.Contains(page.Text(), "Without a recovery code or a passkey the new password also removes your second factors") {
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
	wrong := choose(page, "").Fill("Recovery code", "123456").Press().WantStatus(http.StatusUnprocessableEntity)
	if want := "That recovery code didn't work. Check each sign, or try another one."; !strings.Contains(wrong.Alert(), want) {
		t.Errorf("the page says %q", wrong.Alert())
	}
	choose(page, "").Fill("Recovery code", ada.RecoveryCodes[0]).Press().WantPath("/login")
	if !hasPasskey(t, site, ada) {
		t.Error("it is gone")
	}
}

// Whoever has no app is not told of one, and is told of what they have, as far as it
// works here.
func TestTheResetSpeaksOfWhatThePersonHas(t *testing.T) {
	const app = "authenticator app"
	for name, c := range map[string]struct {
		settings []string
		has      func(*testing.T, *apptest.Site, *apptest.Person)
		field    string
		hint     string
		app      bool // is spoken of
	}{
		"passkeys alone": {nil, nil, "Recovery code", "Optional: a recovery code, or your passkey, keeps", false},
		"passkeys alone, demanded": {[]string{"on_password_reset=keep"}, nil, "Recovery code",
			"A recovery code, or your passkey. Without either, ask your administrator.", false},
		"passkeys that cannot be read": {nil, unreadablePasskeys, "Recovery code", "Optional: a recovery code keeps", false},
		"passkeys that cannot be read, demanded": {[]string{"on_password_reset=keep"}, unreadablePasskeys, "Recovery code",
			"One of your recovery codes. Without one, ask your administrator.", false},
		"an app beside them":           {nil, addApp, "Login code", "Optional: a current code of your authenticator app, a recovery code, or your passkey, keeps", true},
		"an app beside them, demanded": {[]string{"on_password_reset=keep"}, addApp, "Login code", "A current code of your authenticator app, a recovery code, or your passkey.", true},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada, _ := withPasskey(t, c.settings...)
			if c.has != nil {
				c.has(t, site, ada)
			}
			page := site.Browser().Get(mailed(t, site, ada.Address))
			page.Form("Set new password").Fill(c.field, "")
			if !page.Says(c.hint) || page.Says(app) != c.app || page.Says("or a passkey") && !page.AsksForPasskey() {
				t.Errorf("the page says %s", page.Text())
			}
		})
	}
}

// addApp gives somebody an authenticator app as well.
func addApp(t *testing.T, site *apptest.Site, ada *apptest.Person) {
	t.Helper()
	site.Activate(auth.TwoFactorPlugin)
	b := site.Browser()
	b.Get("/login").Passkey(ada.Device).Press()
	page := b.Get("/account/two-factor")
	ada.SetUpPhone(page.Definition("Secret key"))
	page.Form("Activate").Fill("Login code", ada.Code()).Press().WantPath("/account")
	site.Clock.Turn(time.Minute)
}

// unreadablePasskeys leaves passkeys that open nothing.
func unreadablePasskeys(t *testing.T, site *apptest.Site, _ *apptest.Person) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE passkeys SET sealed_key = 'no seal of ours'`); err != nil {
		t.Fatal(err)
	}
}

// Wrong codes close the door to codes. A passkey is not guessed, and is taken all the
// same: the page says so.
func TestAPasskeyIsTakenWhereCodesAreNot(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		says     string
	}{
		"wanted":   {nil, "Use your passkey, or leave the field empty"},
		"demanded": {[]string{"on_password_reset=keep"}, "Use your passkey, or unlock the account"},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada, page := withPasskey(t, append(quick, c.settings...)...)
			for range site.Config.ThrottleClosed {
				choose(page, "").Fill("Recovery code", "ACDE-FGHJ-KMNP-QRTU").Press().WantStatus(http.StatusUnprocessableEntity)
				site.Clock.Turn(time.Second)
			}
			closed := choose(page, "").Fill("Recovery code", ada.RecoveryCodes[0]).Press().WantStatus(http.StatusTooManyRequests)
			if !closed.Says(c.says) {
				t.Errorf("the page says %s", closed.Text())
			}
			byPasskey(closed, ada).WantPath("/login").WantDone(keptTwo)
		})
	}
}
