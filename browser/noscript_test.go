package browser

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// TestTheWholeWalkWithoutScripts signs up, logs in, sets two-factor
// authentication up, logs in with its code, disables it, and gets over a
// forgotten password, in a browser that runs no scripts.
func TestTheWholeWalkWithoutScripts(t *testing.T) {
	for name, on := range map[string]func(*kit.Tab) *kit.Tab{"on a desktop": (*kit.Tab).Desktop, "on a phone": (*kit.Tab).Phone} {
		t.Run(name, func(t *testing.T) {
			s := withTwoFactor(t)
			walkWithoutScripts(t, s, on(s.Profile(t).WithoutScript()))
		})
	}
}

func walkWithoutScripts(t *testing.T, s *kit.Server, tab *kit.Tab) {
	t.Helper()
	tab.Open("/register").Fill("Email", bea).Fill("Password", "short").Press("Create account").Alert("at least 12 characters")
	tab.Fill("Password", good).Press("Create account").See("We have mailed " + bea)
	tab.Open(s.Link(s.Letter(bea, "token="))).Press("Confirm address").At("/apps").Status("Welcome")
	tab.Menu(bea, "Log out").At("/login").Status("You are logged out")

	login(tab, ada, next).Alert("don't match")
	login(tab, ada, good).At("/apps").Menu("Ada", "Account settings").At("/account")
	tab.Press(enable).At("/account/two-factor")
	for _, scripted := range []string{"Copy secret key", "Show password"} {
		if tab.Has("button", scripted) {
			t.Errorf("%q is shown and would do nothing", scripted)
		}
	}
	key := keyOf(t, tab)
	tab.Fill("Login code", "000000").Press("Activate").Alert("didn't work")
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").Status("2-factor authentication successfully enabled.")
	codes := recoveryCodes.FindAllString(tab.Text(), -1)
	tab.Press("Continue") // the browser asks for the tick
	tab.Tick("I have saved these codes").Press("Continue").At("/account").See(disable)
	tab.Menu("Ada", "Log out").At("/login")

	s.Clock("+1m")
	login(tab, ada, good).At("/login/code").Press("Back").At("/login")
	login(tab, ada, good).At("/login/code").Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").At("/apps")
	tab.Menu("Ada", "Log out").At("/login")
	login(tab, ada, good).At("/login/code").Fill("Login code", codes[3]).Press("Send code").At("/apps").Status("9 are left")

	s.Clock("+3m")
	tab.Open("/account").Press(disable).At("/account/two-factor")
	tab.Fill("Login code", codeAt(t, key, 3*time.Minute)).Press("Disable").Status("2-factor authentication successfully disabled.")
	tab.Menu("Ada", "Log out").At("/login")

	tab.Press("Forgot password").Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
	tab.Open(s.Link(s.Letter(ada, "forgot-password", "token="))).Fill("New password", next).Press("Set new password")
	tab.At("/login").Status("Your new password is set")
	login(tab, ada, next).At("/apps")
	s.Clock("+66m")
	tab.Open("/account").At("/login").HasNot("dialog", expired) // no script, no window
}

func TestSessionsAndLanguageWithoutScripts(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	tab, other := s.Profile(t).WithoutScript(), s.Profile(t)
	login(other, ada, good).At("/apps")
	login(tab, ada, good).At("/apps")
	tab.Open("/account/sessions").Press("End session").Status("The session has ended")
	other.Open("/account").At("/login")
	tab.Open("/account").Press("Deutsch").See("Kontoeinstellungen")
	tab.Press("English").See("Account settings").Press("Dark")
	kit.Eventually(t, "the page is dark", func() bool {
		var theme string
		return tab.Look(`document.documentElement.dataset.theme ?? ""`, &theme) && theme == "dark"
	})
}
