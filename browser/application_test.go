package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// A person signs in to an application with password and code, to a second one
// without, and logs out of all by logging out of one.
func TestAPersonSignsInToApplicationsAndOutAgain(t *testing.T) {
	s := withTwoFactor(t)
	wiki := s.Application(t, "Wiki", "--allow-everyone")
	notes := s.Application(t, "Notes", "--allow-everyone", "--without-consent", "--rs256")
	key, _ := enabled(t, s, login(s.Profile(t), ada, good).At("/apps"))

	tab := s.Profile(t).Open(wiki.URL("/")).See("Nobody is signed in")
	tab.Press("Sign in").At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").At("/login/code")
	tab.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").At("/oidc/continue")
	tab.See("see your email address").Press("Allow").See("Signed in as " + ada).See("By [pwd otp mfa]")
	if !wiki.On(tab, "/") {
		t.Errorf("at %s", tab.Address())
	}
	tab.Open(notes.URL("/")).Press("Sign in").See("Notes").See("Signed in as " + ada)

	tab.Press("Log out").See("Nobody is signed in")
	if !notes.On(tab, "/") {
		t.Errorf("at %s", tab.Address())
	}
	tab.Open("/account").At("/login")
	kit.Eventually(t, "the other application hears of it", func() bool { return wiki.Told() == 1 })
	tab.Open(wiki.URL("/")).See("Nobody is signed in")
}

// Browsers hold the policy of a page with a form against wherever its answer
// leads, over every redirect: from the login, from a fresh proof, from the
// question for consent, from a logout.
func TestEveryFormOnTheWayLeadsToTheApplication(t *testing.T) {
	for name, with := range map[string]func(*kit.Tab) *kit.Tab{
		"with scripts":    func(tab *kit.Tab) *kit.Tab { return tab },
		"without scripts": (*kit.Tab).WithoutScript,
	} {
		t.Run(name, func(t *testing.T) {
			s := kit.Start(t)
			s.Person(ada, good, "--name", "Ada")
			wiki := s.Application(t, "Wiki", "--allow-everyone", "--without-consent")
			tab := with(s.Profile(t))
			tab.Open(wiki.URL("/sign-in")).At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").See("Signed in as " + ada)
			tab.Open(wiki.URL("/sign-in?prompt=login")).At("/login/confirm").Fill("Password", good).Press("Confirm").See("Signed in as " + ada)
			tab.Open(wiki.URL("/sign-in?prompt=consent")).Press("Don't allow").See("Refused: access_denied")
			tab.Open("/oidc/logout?client_id=" + wiki.ID + "&post_logout_redirect_uri=" + wiki.URL("/")).Press("Log out here")
			kit.Eventually(t, "the application again", func() bool { return wiki.On(tab, "/") })
			kit.Eventually(t, "the application hears of it", func() bool { return wiki.Told() == 1 })
			tab.Open(wiki.URL("/")).See("Nobody is signed in")
		})
	}
}

// An application may sign people in in a window of its own, which tells it and
// closes.
func TestAnApplicationSignsPeopleInInAWindowOfItsOwn(t *testing.T) {
	s := withTwoFactor(t)
	wiki := s.Application(t, "Wiki", "--allow-everyone")
	key, _ := enabled(t, s, login(s.Profile(t), ada, good).At("/apps"))
	tab := s.Profile(t).Open(wiki.URL("/in-window")).See("Nobody yet")
	tab.Press("Sign in in a window")
	window := tab.Opened()
	window.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").At("/login/code")
	window.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").Press("Allow")
	tab.See("The window says " + ada)
}

func TestWhoLacksTheSecondFactorIsBroughtBackToTheApplication(t *testing.T) {
	s := withTwoFactor(t)
	wiki := s.Application(t, "Wiki", "--allow-everyone", "--require-2fa")
	tab := login(s.Profile(t), ada, good)
	tab.At("/apps").Open(wiki.URL("/sign-in")).See("Wiki needs two-factor authentication")
	tab.Press("Enable two-factor authentication").At("/account/two-factor")
	key := keyOf(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").Tick("I have saved these codes").Press("Continue")
	tab.Press("Allow").See("Signed in as " + ada).See("mfa")
	if strings.Contains(tab.Text(), "Refused") {
		t.Error(tab.Text())
	}
}

// What the page of an application says to put before it, is put before it as it
// was copied, and signs people in.
func TestTheSettingsThatAnApplicationsPageHasSignPeopleInThroughNginx(t *testing.T) {
	p := kit.StartProxied(t, "nginx")
	p.Person(bea, next, "--name", "Bea", "--admin")
	p.Person(ada, good, "--name", "Ada")
	tab := login(p.Profile(t).Trusting().AllowClipboard(), bea, next).At("/apps")
	tab.Open("/admin/apps").Fill("Name", "Wiki").Fill("Address", p.App+"/start").Tick("Everyone").Tick("Reverse proxy").Press("Add application")
	tab.Status("The application is added.").See("What to put before it")
	tab.Evaluate(`document.getElementById("proxy-nginx").closest("details").open = true`, nil)
	tab.Press("Copy settings").Status("Copied.")
	p.PutBefore(t, tab.Clipboard())

	person := p.Profile(t).Trusting().Open(p.App + "/start?q=1").At("/login")
	person.Fill("Email", ada).Fill("Password", good).Press("Login").See(`Here is "` + ada + `".`).See("You asked for GET /start?q=1")
	tab.Press("Proxy check").At("/admin/proxy-check").See("Nothing to mend").Press("Test " + p.App).See("arrives as it should")
}
