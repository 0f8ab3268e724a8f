package browser

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

const keepByPasskey = "Set it, and keep second factors"

// resets opens the mailed link to a new password.
func resets(s *kit.Server, tab *kit.Tab) *kit.Tab {
	tab.Open("/forgot-password").Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
	return tab.Open(s.Link(s.Letter(ada, "forgot-password", "token=")))
}

// Whoever forgot the password keeps what else they have by a passkey, whether or not
// they must.
func TestAResetKeepsSecondFactorsByAPasskey(t *testing.T) {
	for _, on := range []string{"reset", "keep"} {
		t.Run(on, func(t *testing.T) {
			s, tab, device := withPasskeys(t, onlyByButton, writeDownAsked)
			s.RestartWith("--on-password-reset", on)
			resets(s, loggedOut(tab))
			device.Answers(false)
			tab.Fill("New password", next).Press(keepByPasskey)
			isAsked(t, tab, "get")
			closePrompt(tab)
			tab.Status("No passkey was used.")
			if tab.Value("New password") != next {
				t.Error("the new password is gone with the prompt")
			}
			device.Answers(true)
			tab.Press(keepByPasskey).At("/login")
			login(tab, ada, good).Alert("don't match")
			login(tab, ada, next).At("/login/code").Press(usePasskey).At("/apps")
			if n := len(device.Passkeys()); n != 1 {
				t.Errorf("the device holds %d passkeys", n)
			}
			noProblems(t, tab)
		})
	}
}

// Who takes the code away from somebody else shows a passkey of their own for it.
func TestAPasskeyAgreesToALoss(t *testing.T) {
	s, tab, _ := mayHavePasskeys(t)
	s.Person(bea, next, "--name", "Bea", "--admin")
	enabled(t, s, login(s.Profile(t), ada, good).At("/apps"))

	login(tab, bea, next).At("/apps").Open("/admin/plugins").At("/account/two-factor").Press("Use a passkey instead")
	makesPasskey(tab.At("/account/passkeys/new"))
	tab.At("/admin/plugins").Press("Deactivate").See("Ada").Press("Deactivate").Alert("recovery code")
	if len(s.Letters(ada)) != 1 {
		t.Errorf("without a proof Ada gets %q", s.Letters(ada))
	}
	tab.Press(usePasskey).At("/admin/plugins").Status("The plug-in is inactive")
	s.Letter(ada, "switched")
	login(s.Profile(t), ada, good).At("/apps")
	noProblems(t, tab)
}

// An application that wants to know anew who is there gets it by a passkey, and so
// does whoever was logged out.
func TestAnApplicationTakesAPasskeyAsAFreshLogin(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton)
	wiki := s.Application(t, "Wiki", "--allow-everyone", "--without-consent")
	for i, anew := range []string{"prompt=login", "max_age=0"} {
		s.Clock("+" + (time.Duration(i+1) * time.Minute).String())
		tab.Open(wiki.URL("/sign-in?" + anew)).At("/login/confirm").Press(usePasskey)
		tab.See("Signed in as " + ada).See("By [hwk user mfa]")
		if !wiki.On(tab, "/") {
			t.Errorf("%s: at %s", anew, tab.Address())
		}
	}
	loggedOut(tab.Open("/account"))
	for _, anew := range []string{"", "prompt=login", "max_age=0"} {
		tab.Open(wiki.URL("/sign-in?" + anew)).At("/login").Press(signInWithPasskey).See("Signed in as " + ada).See("By [hwk user mfa]")
		loggedOut(tab.Open("/account"))
	}
	noProblems(t, tab)
}

// Where passkeys are all that there is, an application that demands a second factor
// leads to one, and then opens.
func TestAnApplicationThatDemandsASecondFactorLeadsToAPasskey(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	s.Run("", "plugin", "activate", "passkeys")
	s.Run("", "plugin", "allow", "passkeys", "--everyone")
	wiki := s.Application(t, "Wiki", "--allow-everyone", "--without-consent", "--require-2fa")
	tab := s.Profile(t)
	tab.Authenticator()
	login(tab, ada, good).At("/apps").Open(wiki.URL("/sign-in")).See("Wiki needs two-factor authentication")
	makesPasskey(tab.Press("Enable two-factor authentication").At("/account/passkeys/new"))
	tab.See("Signed in as " + ada).See("mfa")
}

// Whoever signed in by a passkey gets through a reverse proxy, and to where a second
// factor is demanded.
func TestAProxyLetsThroughWhoSignedInByAPasskey(t *testing.T) {
	p := kit.StartProxied(t, "caddy")
	p.Person(ada, good, "--name", "Ada")
	p.Run("", "plugin", "activate", "passkeys")
	p.Run("", "plugin", "allow", "passkeys", "--everyone")
	p.Run("", "app", "add", "Wiki", "--url", p.App+"/", "--allow-everyone", "--rule", "/payroll=two-factor")
	tab := p.Profile(t).Trusting().Before(onlyByButton)
	tab.Authenticator()
	login(tab, ada, good).At("/apps")
	tab.Open(p.App + "/payroll").See("Wiki needs two-factor authentication").Press("Enable two-factor authentication")
	makesPasskey(tab.At("/account/passkeys/new"))
	tab.See("You asked for GET /payroll")

	loggedOut(tab.Open("/account")).Open(p.App + "/payroll?month=11").At("/login").Press(signInWithPasskey)
	tab.See(`Here is "` + ada + `".`).See("You asked for GET /payroll?month=11")
	noProblems(t, tab)
}

// While the plug-in is off passkeys are neither asked for nor offered, and are kept:
// they count again when it is back, at once for whoever logged in meanwhile.
func TestPasskeysAreKeptWhileTheirPluginIsOff(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	s.Run("", "plugin", "deactivate", "passkeys", "--yes")
	s.Letter(ada, "switched")
	loggedOut(tab.Open("/account").HasNot("region", "Passkeys")).Find("Login", "button")
	if tab.Has("button", signInWithPasskey) {
		t.Error("a passkey is offered")
	}
	login(tab, ada, good).At("/apps").Open("/account/passkeys").See("This page does not exist")

	s.Run("", "plugin", "activate", "passkeys")
	tab.Open("/account/passkeys").At("/login/confirm").Press(usePasskey).At("/account/passkeys").See("Last used")
	loggedOut(tab).Press(signInWithPasskey).At("/apps")
	if n := len(device.Passkeys()); n != 1 {
		t.Errorf("the device holds %d passkeys", n)
	}
	noProblems(t, tab)
}

// The same for one person, while others may go on.
func TestPasskeysOfWhoeverMayNotHaveThemAreKept(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton)
	s.Person(bea, next)
	s.Run("", "plugin", "allow", "passkeys", "--user", bea)
	s.Run("", "plugin", "deny", "passkeys", "--everyone", "--yes")
	loggedOut(tab.Open("/account").HasNot("region", "Passkeys")).Press(signInWithPasskey).Alert(opensNothing)
	login(tab, ada, good).At("/apps").Open("/account/passkeys").See("This page does not exist")
	s.Run("", "plugin", "allow", "passkeys", "--user", ada)
	tab.Open("/account/passkeys").At("/login/confirm").Press(usePasskey).At("/account/passkeys").See("Last used")
	loggedOut(tab).Press(signInWithPasskey).At("/apps")
	noProblems(t, tab)
}
