package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// Between the page that names one person and the press of its button another
// person takes the place of the first: that was not agreed to.
func TestALossOfOtherPeopleIsAskedAboutAgain(t *testing.T) {
	site := apptest.New(t)
	ada, bob := site.Person("ada@example.org"), site.Person("bob@example.org")
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin, Active: true, Users: []auth.UserID{ada.ID, bob.ID}})
	enable := func(p *apptest.Person) *apptest.Browser {
		b := site.Browser()
		b.SignIn(p)
		b.EnableTwoFactor(p)
		return b
	}
	enable(ada)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	agreed := root.Get("/admin/plugins").Form("Deactivate").Press().WantStatus(http.StatusOK)
	if !agreed.Says("1 person") || !agreed.Says(ada.Address) {
		t.Fatalf("the page says %s", agreed.Text())
	}

	must(t, site.Store.ClearFactors(t.Context(), apptest.Command, ada.ID, "lost", site.Now()))
	enable(bob)
	again := agreed.Form("Deactivate").Press().WantStatus(http.StatusOK)
	if !again.Says("1 person") || !again.Says(bob.Address) || again.Says(ada.Address) {
		t.Fatalf("the page says %s", again.Text())
	}
	again.Form("Deactivate").Press().WantDone("The plug-in is inactive.")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// byPasskeyAlone is an administrator who signed in by a passkey, and has no app.
func byPasskeyAlone(t *testing.T) (*apptest.Site, *apptest.Person, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t)
	site.Activate(auth.PasskeysPlugin)
	root := site.Administrator("root@example.org")
	root.AddPasskey()
	site.Clock.Turn(time.Minute)
	b := site.Browser()
	b.Get("/login").Passkey(root.Device).Press().WantPath("/apps")
	return site, root, b
}

// Whoever confirms to look at the administration has not agreed that people lose the
// code, nor the other way round.
func TestAConfirmationIsNoAgreementToALoss(t *testing.T) {
	site, root, b := byPasskeyAlone(t)
	confirmed, agreed := b.Get("/login/confirm?ask=both").Passkey(root.Device), b.Get("/admin/plugins").Form("Deactivate").Press().Passkey(root.Device)
	for _, name := range []string{"ceremony", "passkey"} {
		of := confirmed.Values.Get(name)
		confirmed.Values.Set(name, agreed.Values.Get(name))
		agreed.Values.Set(name, of)
	}
	for _, form := range []*apptest.Form{confirmed, agreed} {
		if page := form.Press().WantStatus(http.StatusUnprocessableEntity); page.Alert() != "That took too long. Try again." {
			t.Errorf("the page says %q", page.Alert())
		}
	}
	if all, err := site.Live.Activations(t.Context()); err != nil || !auth.IsActive(all, auth.PasskeysPlugin) {
		t.Fatal("it is inactive", err)
	}
}

// An administrator who has passkeys and no app agrees by one, and one that proves
// nothing changes nothing.
func TestALossIsAgreedToByAPasskey(t *testing.T) {
	site, root, b := byPasskeyAlone(t)
	page := b.Get("/admin/plugins").Form("Deactivate").Press().WantStatus(http.StatusOK)
	if !page.Says("1 person") || !strings.Contains(page.Body, "data-unable") {
		t.Fatalf("the page says %s", page.Text())
	}
	digits := page.Form("Deactivate").Fill("Recovery code", "123456").Press().WantStatus(http.StatusUnprocessableEntity)
	if digits.Alert() != "That recovery code didn't work. Check each sign, or try another one." {
		t.Errorf("the page says %s", digits.Alert())
	}
	wrong := page.Passkey(root.Device, func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }).Press().WantStatus(http.StatusUnprocessableEntity)
	if wrong.Alert() != "That passkey was not accepted. Try again, or use another way." {
		t.Errorf("the page says %s", wrong.Alert())
	}
	if all, err := site.Live.Activations(t.Context()); err != nil || !auth.IsActive(all, auth.PasskeysPlugin) {
		t.Fatal("it is inactive", err)
	}
	site.Clock.Turn(time.Second)
	wrong.Passkey(root.Device).Press().WantDone("The plug-in is inactive.")
}
