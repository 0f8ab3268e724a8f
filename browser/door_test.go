package browser

import (
	"os"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

func TestMain(m *testing.M) {
	status := m.Run()
	kit.Quit()
	os.Exit(status)
}

const (
	ada  = "ada@example.org"
	bea  = "bea@example.org"
	good = "seven purple lanterns drift"
	next = "eleven quiet otters paddle"
)

func TestTheFirstStart(t *testing.T) {
	s := kit.Start(t)
	tab := s.Profile(t).Open("/")
	tab.At("/setup").See("Set up:")
	tab.Open(s.SetupLink())
	tab.Fill("Name", "Ada Lovelace").Fill("Email", ada).Fill("Password", good)
	if !tab.Ticked("Two-factor authentication") {
		t.Error("two-factor authentication is not ready ticked")
	}
	tab.Press("Finish").At("/apps").Status("Twinlock is set up")
	tab.Open("/setup").See("This page does not exist")
}

func login(tab *kit.Tab, email, password string) *kit.Tab {
	return tab.Open("/login").Fill("Email", email).Fill("Password", password).Press("Login")
}

func TestTheLoginPage(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	tab := s.Profile(t)
	login(tab, ada, "not the password").Alert("don't match")
	if tab.Value("Email") != ada {
		t.Errorf("the address is gone: %q", tab.Value("Email"))
	}
	if tab.Value("Password") != "" {
		t.Error("the wrong password is shown again")
	}
	login(tab, "nobody@example.org", good).Alert("don't match")
	tab.Open("/login").Press("Forgot password").At("/forgot-password")
	tab.Open("/login").Press("Create new account").At("/register")
	login(tab, ada, good).At("/apps").See("No applications yet")
	tab.Menu("Ada", "Log out").At("/login").Status("You are logged out")
}

func TestWhereTheVisitorWasGoing(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t).Open("/account/sessions").At("/login")
	tab.Fill("Email", ada).Fill("Password", good).Press("Login").At("/account/sessions").See("This one")
}

func TestEverythingWorksWithoutScripts(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	tab := s.Profile(t).WithoutScript()
	login(tab, ada, good).At("/apps")
	tab.Open("/account").Fill("Name", "Countess").Press("Save").Status("Your name is saved")
	tab.Menu("Countess", "Log out").At("/login").Status("You are logged out")
}

func TestLanguageAndThemeBeforeAnybodyIsLoggedIn(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t).Prefer("de-AT,de;q=0.9,en;q=0.5").Open("/login").See("Passwort vergessen")
	tab.Press("English").See("Forgot password")
	tab.Press("Dark")
	kit.Eventually(t, "the page is dark", func() bool {
		var theme string
		return tab.Look(`document.documentElement.dataset.theme ?? ""`, &theme) && theme == "dark"
	})
}

func TestForgottenPassword(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t).Open("/login").Press("Forgot password")
	tab.Fill("Email", "nobody@example.org").Press("Send reset link").See("nobody@example.org")
	tab.Press("Back").At("/login").Press("Forgot password").Fill("Email", ada).Press("Send reset link").See("If an account uses " + ada)
	link := s.Link(s.Letter(ada, "token="))
	tab.Open(link).Fill("New password", "short").Press("Set new password").Alert("at least 12 characters")
	tab.Fill("New password", next).Press("Set new password").At("/login").Status("Your new password is set")
	tab.Open(link).See("This link no longer works")
	login(tab, ada, good).Alert("don't match")
	login(tab, ada, next).At("/apps")
}

func TestCreateAccount(t *testing.T) {
	s := kit.Start(t)
	tab := s.Profile(t).Open("/register")
	tab.Fill("Email", bea).Fill("Password", "password1234").Press("Create account").Alert("common and leaked")
	tab.Fill("Password", good).Press("Create account").See("We have mailed " + bea)
	link := s.Link(s.Letter(bea, "token="))
	login(s.Profile(t), bea, next).Alert("don't match")
	tab.Open(link).Press("Confirm address").At("/apps").Status("Welcome")
	tab.Open(link).See("This link no longer works")

	again := s.Profile(t).Open("/register").Fill("Email", bea).Fill("Password", next).Press("Create account")
	again.See("We have mailed " + bea)
	s.Letter(bea, "already")
}

func TestALoginBeforeConfirmingMailsTheLinkAgain(t *testing.T) {
	s := kit.Start(t)
	tab := s.Profile(t).Open("/register").Fill("Email", bea).Fill("Password", good).Press("Create account")
	tab.See("We have mailed " + bea)
	old := s.Link(s.Letter(bea, "token="))
	login(tab, bea, good).Alert("don't match")
	kit.Eventually(t, "a second letter", func() bool { return len(s.Letters(bea)) == 2 })
	tab.Open(old).See("This link no longer works")
}

func TestConfirmingInAnotherBrowserTakesThePassword(t *testing.T) {
	s := kit.Start(t)
	s.Profile(t).Open("/register").Fill("Email", bea).Fill("Password", good).Press("Create account").See("We have mailed")
	other := s.Profile(t).Open(s.Link(s.Letter(bea, "token=")))
	other.Fill("Password", next).Press("Confirm address").Alert("didn't match")
	other.Fill("Password", good).Press("Confirm address").At("/login").Status("Your address is confirmed")
	login(other, bea, good).At("/apps")
}

func TestAccountSettings(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab, other := s.Profile(t), s.Profile(t)
	login(tab, ada, good).At("/apps")
	login(other, ada, good).At("/apps")

	tab.Menu(ada, "Account settings").At("/account")
	tab.Fill("Current password", next).Fill("New password", next).Press("Change password").Alert("didn't match")
	tab.Fill("Current password", good).Fill("New password", next).Press("Change password").Status("Your password is changed")
	other.Open("/account").At("/login")
	s.Letter(ada, "password")

	tab.Open("/account").Fill("New email address", bea).Press("Change address").Status("We have mailed")
	tab.Open(s.Link(s.Letter(bea, "token="))).Press("Change address").At("/account").Status("Your email address is changed")
	login(other, bea, next).At("/apps")
	tab.Open("/account/sessions").Press("End all others").Status("1 other session has ended")
	other.Open("/account").At("/login")
}

// Whoever sits down at the computer after a logout and goes back sees nothing of
// the person who was there, with scripts or without.
func TestAfterALogoutBackShowsNothing(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada", "--admin")
	for name, with := range map[string]func(*kit.Tab) *kit.Tab{
		"with scripts":    func(tab *kit.Tab) *kit.Tab { return tab },
		"without scripts": (*kit.Tab).WithoutScript,
	} {
		t.Run(name, func(t *testing.T) {
			tab := with(s.Profile(t))
			login(tab, ada, good).At("/apps").Open("/admin/users").See(ada).Open("/account").See(ada)
			tab.Menu("Ada", "Log out").At("/login")
			for _, page := range []string{"/account", "/admin/users"} {
				tab.Back()
				if said := tab.Text(); strings.Contains(said, ada) || strings.Contains(said, "Ada") {
					t.Errorf("%s is shown again: %s", page, said)
				}
				tab.At("/login")
			}
		})
	}
}
