package browser

import (
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// An administrator adds a program by its recipe, copies its settings, demands
// two-factor authentication after reading whom that refuses, and asks what a
// member will meet; the member meets it.
func TestAnAdministratorAddsAProgramAndDemandsTheSecondFactor(t *testing.T) {
	s := kit.Start(t)
	const bob = "bob@example.org"
	s.Person(ada, good, "--name", "Ada", "--admin")
	s.Person(bob, good, "--name", "Bob")
	s.Run("", "plugin", "activate", "two-factor")
	s.Run("", "plugin", "allow", "two-factor", "--everyone")
	tab := login(s.Profile(t), ada, good)
	enabled(t, s, tab.At("/apps"))

	tab.Open("/admin/apps").Evaluate(`document.querySelector("[name=recipe]").value = "miniflux"`, nil)
	tab.Press("Fill in").See("Everything else follows from its address.")
	tab.Fill("Address", "http://localhost:3000/").Tick("Everyone").Press("Add application")
	tab.Status("The application is added.").See("OAUTH2_REDIRECT_URL=http://localhost:3000/oauth2/oidc/callback").See("Tried with")
	tab.Press("Go on to the application")
	tab.Press("Require two-factor authentication").See("1 person who may open it now has no two-factor authentication").See(bob)
	tab.Press("Require two-factor authentication").Status("The application requires two-factor authentication.")
	tab.Fill("Email", bob).Press("Find out").See("They are refused")

	member := login(s.Profile(t), bob, good).At("/apps").See("Needs two-factor authentication")
	member.Press("Miniflux").See("Miniflux needs two-factor authentication").Press("Enable two-factor authentication").At("/account/two-factor")
}
