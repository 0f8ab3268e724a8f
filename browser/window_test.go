package browser

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// inside is a tab of somebody who logged in with a code, on the account
// settings, and the key of the app.
func inside(t *testing.T, s *kit.Server) (*kit.Tab, string) {
	t.Helper()
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	key, _ := enabled(t, s, tab)
	tab.Tick("I have saved these codes").Press("Continue").At("/account")
	return watching(t, tab), key
}

const expired = "Session expired"

// watching waits until the page's script has taken the secret out of the
// document: from then on it keeps watch.
func watching(t *testing.T, tab *kit.Tab) *kit.Tab {
	t.Helper()
	kit.Eventually(t, "the page keeps watch", func() bool {
		var yes bool
		return tab.Look(`document.readyState === "complete" && !document.getElementById("session-window") && !!document.getElementById("session-expired")`, &yes) && yes
	})
	return tab
}

// lapse turns the clock past the idle limit and waits for the dialog. A question
// that was on its way is answered as before, so a page may have to look again.
func lapse(s *kit.Server, tabs ...*kit.Tab) {
	s.Clock("+63m")
	for _, tab := range tabs {
		tab.Until("the dialog "+expired, func() bool {
			look(tab)
			return tab.Has("dialog", expired)
		})
	}
}

// look makes a page look at once how its session stands.
func look(tab *kit.Tab) { tab.Evaluate(`dispatchEvent(new Event("focus"))`, nil) }

func back(tab *kit.Tab, password string) *kit.Tab {
	return tab.Fill("Password", password).Press("Login")
}

func TestTheOpenWindowNeedsThePasswordAlone(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	lapse(s, tab)
	back(tab, next).Alert("didn't match")
	back(tab, good).HasNot("dialog", expired)
	tab.See("Account settings").Open("/apps").At("/apps")
}

func TestAHalfTypedFormIsKeptAndSentAfterTheReturn(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	tab.Fill("Name", "Countess of Lovelace")
	s.Clock("+63m")
	tab.Press("Save").Find(expired, "dialog")
	back(tab, good).HasNot("dialog", expired)
	if tab.Value("Name") != "Countess of Lovelace" {
		t.Errorf("the name is %q", tab.Value("Name"))
	}
	tab.Press("Save").Status("Your name is saved")
}

func TestALinkPressedAfterTheLapseAsksFirst(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	s.Clock("+63m")
	tab.Press("Show my sessions").Find(expired, "dialog")
	back(tab, good).HasNot("dialog", expired).At("/account")
	tab.Press("Show my sessions").At("/account/sessions")
}

func TestThreeTabsRecoverTogether(t *testing.T) {
	s := withTwoFactor(t)
	first, _ := inside(t, s)
	second, third := watching(t, first.Tab().Open("/apps")), watching(t, first.Tab().Open("/account"))
	lapse(s, first, second, third)
	back(second, good).HasNot("dialog", expired)
	first.HasNot("dialog", expired).See("Account settings")
	third.HasNot("dialog", expired)
}

func TestALaptopThatSleptFindsTheDialog(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	s.Clock("+63m")
	tab.Evaluate(`(() => { const real = Date.now; Date.now = () => real() + 62 * 60_000 })()`, nil)
	tab.Find(expired, "dialog")
	back(tab, good).HasNot("dialog", expired)
}

func TestAPageLoadedAfterTheLapseIsTheOrdinaryLogin(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	s.Clock("+63m")
	tab.Reload()
	tab.At("/login").HasNot("dialog", expired)
	login(tab, ada, good).At("/login/code")
}

func TestCopiedCookiesDoNotBringAWindowAlong(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	thief := s.Profile(t)
	thief.Open("/login").SetCookies(tab.Cookies())
	s.Clock("+63m")
	thief.Open("/account").At("/login")
	login(thief, ada, good).At("/login/code")
}

func TestEndingsOfTheOpenWindow(t *testing.T) {
	for name, end := range map[string]func(*kit.Server, *kit.Tab){
		"logout in another tab": func(s *kit.Server, tab *kit.Tab) {
			tab.Tab().Open("/apps").Menu("Ada", "Log out").At("/login")
		},
		"sessions ended by the administrator": func(s *kit.Server, tab *kit.Tab) { s.Run("", "user", "end-sessions", ada) },
		"account disabled":                    func(s *kit.Server, tab *kit.Tab) { s.Run("", "user", "disable", ada) },
		"second factors cleared":              func(s *kit.Server, tab *kit.Tab) { s.Run("", "user", "reset-2fa", ada, "--reason", "lost") },
	} {
		t.Run(name, func(t *testing.T) {
			s := withTwoFactor(t)
			tab, _ := inside(t, s)
			end(s, tab)
			s.Clock("+63m")
			look(tab)
			tab.At("/login").HasNot("dialog", expired)
		})
	}
}

func TestSomebodyElseInThisBrowserEmptiesThePage(t *testing.T) {
	s := withTwoFactor(t)
	s.Person(bea, next, "--name", "Bea")
	tab, _ := inside(t, s)
	s.Clock("+63m")
	other := tab.Tab()
	login(other, bea, next).At("/apps")
	tab.At("/apps")
	tab.Find("Bea", "button", "DisclosureTriangle")
}

func TestARestartOfTheServerKeepsTheWindow(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	s.Restart()
	lapse(s, tab)
	back(tab, good).HasNot("dialog", expired)
}

func TestFiveWrongPasswordsCloseTheWindow(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	lapse(s, tab)
	for range 4 {
		back(tab, next).Alert("didn't match")
		kit.Eventually(t, "the field is emptied", func() bool { return tab.Value("Password") == "" })
	}
	back(tab, next).Find("Log in in a new tab", "link")
}

func TestTheOverallLimitEndsEverySession(t *testing.T) {
	s := withTwoFactor(t)
	tab, key := inside(t, s)
	for _, at := range []string{"+50m", "+100m"} {
		s.Clock(at)
		tab.Open("/account").At("/account")
	}
	s.Clock("+24h2m")
	look(tab)
	tab.Find("Log in in a new tab", "link")
	other := tab.Tab()
	login(other, ada, good).At("/login/code")
	other.Fill("Login code", codeAt(t, key, 24*time.Hour+2*time.Minute)).Press("Send code").At("/apps")
	tab.HasNot("dialog", expired).See("Account settings")
}

func TestStaySignedIn(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	s.Clock("+60m") // a minute of the hour is left: the session was last seen at one minute past
	look(tab)
	tab.Find("Session about to end", "dialog")
	tab.Press("Stay signed in").HasNot("dialog", "Session about to end")
	s.Clock("+110m")
	tab.Open("/account").At("/account")
}
