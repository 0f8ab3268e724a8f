package browser

import (
	"slices"
	"strings"
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

// An administrator invites somebody, puts them into a group, enables two-factor
// authentication for that group alone, and later clears what the person lost,
// mails them a new password and disables the account, by phone from the clearing
// on. The person meets each of it, and the record has it all.
func TestAnAdministratorsDay(t *testing.T) {
	s := kit.Start(t)
	const root = "root@example.org"
	s.Person(root, next, "--name", "Root", "--admin")
	tab, person := login(s.Profile(t), root, next).At("/apps"), s.Profile(t)

	tab.Menu("Root", "Administration").At("/admin").Press("People").At("/admin/users")
	tab.Fill("Email", ada).Fill("Name", "Ada").Press("Invite").Status("The invitation is on its way.")
	wantInList(t, tab, "Invited")
	person.Open(s.Link(s.Letter(ada, "token="))).See("You were invited as " + ada)
	person.Fill("New password", good).Press("Set new password").At("/login").Status("Your account is ready.")
	wantInList(t, tab, "Active")

	tab.Press("Groups").At("/admin/groups").Fill("Name of the group", "Staff").Press("Add group").Status("The group is added.")
	toPerson(tab).Tick("Staff").Press("Save").Status("The groups are saved.")
	tab.Press("Groups").At("/admin/groups").See("1 member")
	tab.Press("Plugins").At("/admin/plugins").Press("Activate").Status("The plug-in is active")
	login(person, ada, good).At("/apps").Open("/account").See("Account settings").HasNot("link", enable)
	tab.Tick("Groups or single users").Tick("Staff").Press("Save").Status("Saved for whom the plug-in is enabled.")
	tab.Open("/account").See("Account settings").HasNot("link", enable)
	enabled(t, s, person)
	person.Tick("I have saved these codes").Press("Continue").At("/account")

	watching(t, person)
	toPerson(tab.Phone().Open("/admin")).See("On · ").Press("Clear second factors").Alert("Say why")
	tab.Fill("Reason", "The phone fell into the lake").Press("Clear second factors").Status("The second factors are cleared")
	s.Letter(ada, "The phone fell into the lake")
	look(person)
	login(person.At("/login"), ada, good).At("/apps")

	tab.Press("Mail a password reset").Status("A letter with a link to a new password is on its way.")
	person.Open(s.Link(s.Letter(ada, "forgot-password", "token="))).Fill("New password", next).Press("Set new password").At("/login")
	login(person, ada, next).At("/apps")

	watching(t, person)
	tab.Press("Disable account").Status("The account is disabled, and its sessions have ended.")
	look(person)
	login(person.At("/login"), ada, next).Alert("don't match")

	tab.Press("All events of this person").At("/admin/events")
	var kinds []string
	tab.Evaluate(`[...document.querySelectorAll("main tbody code")].map(e => e.textContent)`, &kinds)
	slices.Sort(kinds) // some are of one moment
	if want := []string{"group.changed", "login", "login", "login", "login.begun", "login.begun", "login.begun", "login.refused", "password.reset", "password.reset_requested",
		"two_factor.cleared", "two_factor.enabled", "user.added", "user.disabled", "user.invitation_accepted", "user.invited"}; !slices.Equal(kinds, want) {
		t.Errorf("the record has %q, want %q", kinds, want)
	}
}

// toPerson goes to Ada's page by the list of people.
func toPerson(tab *kit.Tab) *kit.Tab {
	return tab.Press("People").At("/admin/users").Press("Ada").See("Delete account")
}

// wantInList waits until the list of people says how Ada's account stands.
func wantInList(t *testing.T, tab *kit.Tab, state string) {
	t.Helper()
	tab.Press("People").At("/admin/users")
	kit.Eventually(t, "the list of people says "+state, func() bool {
		var row string
		tab.Look(`[...document.querySelectorAll("main tbody tr")].find(e => e.innerText.includes("Ada"))?.innerText ?? ""`, &row)
		return strings.Contains(row, ada) && strings.Contains(row, state)
	})
}
