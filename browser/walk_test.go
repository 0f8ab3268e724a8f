package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// TestTheMission walks through the two documents that the product comes from,
// sentence by sentence, and prints a line for each. `make walk` shows them.
func TestTheMission(t *testing.T) {
	s := kit.Start(t)
	tab, other := s.Profile(t), s.Profile(t)
	var key string
	var codes []string
	for _, sentence := range []struct {
		says  string
		walks func()
	}{
		{"an administrator sets the server up", func() {
			tab.Open(s.SetupLink()).Fill("Name", "Ada").Fill("Email", ada).Fill("Password", good)
			tab.Tick("Two-factor authentication").Press("Finish").At("/apps") // unticked: the plug-in is activated below
		}},
		{"if the button is missing, the plug-in is not active or not enabled for you", func() {
			tab.Menu("Ada", "Account settings").At("/account").See("My sessions")
			if tab.Has("link", enable) {
				t.Error("the button is there")
			}
		}},
		{"the plug-in must be activated in the plug-in management by the administrator", func() {
			tab.Menu("Ada", "Administration").At("/admin").Press("Plugins").Press("Activate").Status("The plug-in is active")
		}},
		{"and enabled for users", func() { tab.Tick("Everyone").Press("Save").Status("Saved") }},
		{"open the account settings from the user menu in the top right corner", func() {
			if menu, page := placeOf(tab, "header summary"), placeOf(tab, "body"); page.Right-menu.Right > 60 || menu.Top > 40 {
				t.Errorf("the user menu is at %+v of %+v", menu, page)
			}
			tab.Menu("Ada", "Account settings").At("/account")
		}},
		{"click on Enable 2-factor authentication with a smartphone app at the bottom", func() {
			if button := placeOf(tab, "#two-factor .button"); button.Top < placeOf(tab, "main section:not(#two-factor)").Bottom {
				t.Errorf("the button is at %+v, and there is more below", button)
			}
			tab.Press(enable).At("/account/two-factor")
		}},
		{"a configuration area opens with a randomly generated key and a QR code", func() { key = keyOf(t, tab) }},
		{"a selection of supported apps is linked in the introduction", func() { tab.Find("Aegis Authenticator, F-Droid", "link") }},
		{"open the app on your smartphone by the QR code instead", func() {
			var href string
			tab.Evaluate(`document.querySelector("a.plate").href`, &href)
			if href[:len("otpauth://totp/")] != "otpauth://totp/" {
				t.Errorf("the QR code leads to %q", href)
			}
		}},
		{"transfer the data manually from the pane next to the QR code", func() {
			tab.See("Secret key").See("Period (seconds)")
			if typed, code := placeOf(tab, ".typed"), placeOf(tab, "[aria-label='QR code']"); typed.Right > code.Left || typed.Top > code.Bottom || typed.Bottom < code.Top {
				t.Errorf("the data are at %+v, the QR code is at %+v", typed, code)
			}
		}},
		{"you have about 30 seconds to click after the code has changed", func() { tab.See("about 30 seconds") }},
		{"type the generated code in the Login code field and click Activate", func() {
			tab.Fill("Login code", codeAt(t, key, -30*time.Second)).Press("Activate")
		}},
		{"you will see 2-factor authentication successfully enabled", func() {
			tab.Status("2-factor authentication successfully enabled.")
			codes = recoveryCodes.FindAllString(tab.Text(), -1)
			tab.Tick("I have saved these codes").Press("Continue").At("/account")
		}},
		{"e-mail and password are required", func() { login(other, "", "").Alert("2 marked fields") }},
		{"if the credentials are incorrect, they are entered again", func() {
			login(other, ada, next).Alert("don't match")
		}},
		{"Forgot password switches to the Forgot password screen", func() { other.Press("Forgot password").At("/forgot-password") }},
		{"Create new account switches to the Create new account screen", func() {
			other.Open("/login").Press("Create new account").At("/register")
		}},
		{"if the credentials are correct, the login code confirmation is displayed", func() {
			login(other, ada, good).At("/login/code").See("Login code confirmation")
		}},
		{"the code of the authenticator app allows access to the application list", func() {
			s.Clock("+1m")
			other.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").At("/apps").See("Applications")
		}},
		{"a recovery code can be used, while it is available", func() {
			third := s.Profile(t)
			login(third, ada, good).At("/login/code")
			third.Fill("Login code", codes[0]).Press("Send code").At("/apps").Status("9 are left")
		}},
		{"a login again with an expired session in a window still open needs no code", func() {
			s.Clock("+63m")
			tab.Press("Show my sessions").Find(expired, "dialog")
			back(tab, good).HasNot("dialog", expired)
		}},
		{"click Disable 2-factor authentication with a smartphone app", func() {
			login(other, ada, good).At("/login/code")
			other.Fill("Login code", codeAt(t, key, 63*time.Minute)).Press("Send code").At("/apps")
			other.Menu("Ada", "Account settings").Press(disable).At("/account/two-factor")
		}},
		{"enter a current login code and click Disable", func() {
			s.Clock("+64m")
			other.Fill("Login code", codeAt(t, key, 64*time.Minute)).Press("Disable")
			other.Status("2-factor authentication successfully disabled.")
		}},
		{"you no longer need a login code", func() { login(s.Profile(t), ada, good).At("/apps") }},
		{"use Forgot your password in the login window; you receive an email", func() {
			other.Open("/account").Press(enable).At("/account/two-factor")
			key = keyOf(t, other)
			other.Fill("Login code", codeAt(t, key, 64*time.Minute)).Press("Activate").Status("successfully enabled")
			tab.Open("/login").Press("Forgot password").Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
		}},
		{"follow the instructions in the mail to set a new password", func() {
			tab.Open(s.Link(s.Letter(ada, "token="))).Fill("New password", next).Press("Set new password").At("/login")
		}},
		{"the new password also resets the 2-factor authentication", func() {
			tab.Status("two-factor authentication was reset")
			login(tab, ada, next).At("/apps")
		}},
	} {
		sentence.walks()
		if t.Failed() {
			t.Fatalf("not walked: %s", sentence.says)
		}
		fmt.Println("walked:", sentence.says)
	}
	nothingSecretIsLeft(t, s, tab, key, codes)
}

// place is where the edges of something are.
type place struct{ Left, Top, Right, Bottom float64 }

// placeOf gives the edges around everything that fits a selector.
func placeOf(tab *kit.Tab, selector string) (p place) {
	tab.Evaluate(fmt.Sprintf(`(all => ({
		Left: Math.min(...all.map(b => b.left)), Top: Math.min(...all.map(b => b.top)) + scrollY,
		Right: Math.max(...all.map(b => b.right)), Bottom: Math.max(...all.map(b => b.bottom)) + scrollY,
	}))([...document.querySelectorAll(%q)].map(e => e.getBoundingClientRect()))`, selector), &p)
	return p
}

// nothingSecretIsLeft searches what the server printed and kept for everything
// secret that the walk has used.
func nothingSecretIsLeft(t *testing.T, s *kit.Server, tab *kit.Tab, key string, codes []string) {
	t.Helper()
	secrets := map[string]string{"a password": good, "the new password": next, "the key": key}
	for _, code := range codes {
		secrets["recovery code "+code[:4]] = code
		secrets["signs of recovery code "+code[:4]] = strings.ReplaceAll(code, "-", "")
	}
	for _, c := range tab.Cookies() {
		if len(c.Value) >= 43 {
			secrets["cookie "+c.Name] = c.Value
		}
	}
	for _, letter := range s.Letters(ada) {
		if _, token, ok := strings.Cut(letter, "token="); ok {
			secrets["a mailed link"] = token[:43]
		}
	}
	for what, words := range secrets {
		for _, place := range s.Traces(words) {
			t.Errorf("%s stands in clear in %s", what, place)
		}
	}
	if len(s.Traces(ada)) == 0 {
		t.Error("the search finds nothing at all")
	}
}
