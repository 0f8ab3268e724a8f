package admin_test

import (
	"net/http"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
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
