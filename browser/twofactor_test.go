package browser

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

const (
	enable  = "Enable 2-factor authentication with a smartphone app"
	disable = "Disable 2-factor authentication with a smartphone app"
)

// withTwoFactor is a server where two-factor authentication is enabled for
// everyone, and a person with a password.
func withTwoFactor(t *testing.T) *kit.Server {
	t.Helper()
	return kit.StartFrom(t, adaMayUseTwoFactor(t))
}

// adaMayUseTwoFactor is the data of a server where Ada may use two-factor
// authentication, made by command, once.
func adaMayUseTwoFactor(t *testing.T) kit.Data {
	t.Helper()
	made.Do(func() {
		s := kit.Start(t)
		s.Person(ada, good, "--name", "Ada")
		s.Run("", "plugin", "activate", "two-factor")
		s.Run("", "plugin", "allow", "two-factor", "--everyone")
		data = s.Kept()
	})
	return data
}

var (
	made sync.Once
	data kit.Data
)

// keyOf reads the key from the QR code of the page, as a phone does.
func keyOf(t *testing.T, tab *kit.Tab) string {
	t.Helper()
	tab.Find("QR code", "image", "img")
	link, err := url.Parse(kit.ReadQR(t, tab.Picture()))
	if err != nil || link.Scheme != "otpauth" || link.Host != "totp" {
		t.Fatalf("the QR code holds no link for an authenticator (%v)", err)
	}
	if issuer := link.Query().Get("issuer"); issuer != "Twinlock" || link.Path != "/Twinlock:"+ada {
		t.Errorf("issuer %q, label %q", issuer, link.Path)
	}
	return link.Query().Get("secret")
}

// typedKey reads the key from the page, as somebody does who types it.
func typedKey(t *testing.T, tab *kit.Tab) (key string) {
	t.Helper()
	tab.Find("QR code", "image", "img")
	tab.Evaluate(`document.querySelector(".typed code").innerText`, &key)
	return strings.ReplaceAll(key, " ", "")
}

// codeAt is what the app shows when the server's clock is off by so much.
func codeAt(t *testing.T, key string, off time.Duration) string {
	return kit.Code(t, key, time.Now().Add(off))
}

var recoveryCodes = regexp.MustCompile(`[A-Z0-9]{4}(-[A-Z0-9]{4}){3}`)

// enabled sets two-factor authentication up by the pages, and gives the key
// and the recovery codes. The server's clock then stands a minute later, so
// that the activating code is not the next one.
func enabled(t *testing.T, s *kit.Server, tab *kit.Tab) (key string, codes []string) {
	t.Helper()
	tab.Open("/account").Press(enable).At("/account/two-factor")
	key = typedKey(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate")
	tab.Status("2-factor authentication successfully enabled.")
	codes = recoveryCodes.FindAllString(tab.Text(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes are shown, want 10", len(codes))
	}
	s.Clock("+1m")
	return key, codes
}

func TestEnableLoginAndDisable(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	key, _ := enabled(t, s, tab)
	tab.Tick("I have saved these codes").Press("Continue").At("/account").See(disable)
	s.Letter(ada, "authentication was enabled")

	other := s.Profile(t)
	login(other, ada, good).At("/login/code").See("Login code confirmation")
	other.Fill("Login code", "000000").Press("Send code").Alert("didn't work")
	code := codeAt(t, key, time.Minute)
	other.Fill("Login code", code[:3]+" "+code[3:]).Press("Send code").At("/apps")

	third := s.Profile(t)
	login(third, ada, good).At("/login/code")
	third.Fill("Login code", code).Press("Send code").Alert("already used")
	third.Press("Back").At("/login")

	s.Clock("+2m")
	tab.Open("/account").Press(disable).At("/account/two-factor")
	tab.Fill("Login code", "123456").Press("Disable").Alert("didn't work")
	tab.Fill("Login code", codeAt(t, key, 2*time.Minute)).Press("Disable")
	tab.Status("2-factor authentication successfully disabled.")
	login(s.Profile(t), ada, good).At("/apps")
}

func TestTheSetUpPage(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t).Phone()
	login(tab, ada, good).At("/apps")
	tab.Open("/account/two-factor")
	key := keyOf(t, tab)
	for _, words := range []string{"Aegis", "Type", "TOTP", "Secret key", "Hash function", "SHA-1", "Digits", "Period (seconds)", "30 seconds"} {
		tab.See(words)
	}
	var typed string
	tab.Evaluate(`document.body.innerText.match(/([A-Z2-7]{4} ){7}[A-Z2-7]{4}/)[0]`, &typed)
	if strings.ReplaceAll(typed, " ", "") != key {
		t.Errorf("the key to type is %q, the QR code has %q", typed, key)
	}
	tab.Reload()
	if again := keyOf(t, tab); again != key {
		t.Error("reloading the page changed the key")
	}
	tab.Fill("Login code", codeAt(t, key, 5*time.Minute)).Press("Activate").Alert("clock")
	tab.Press("Back").At("/account").See(enable)
	s.Clock("+16m")
	tab.Open("/account/two-factor")
	if tab.Has("textbox", "Password") { // not fresh any more
		tab.Fill("Password", good).Press("Confirm").At("/account/two-factor")
	}
	if again := keyOf(t, tab); again == key {
		t.Error("an unfinished set-up outlived its quarter of an hour")
	}
}

func TestARecoveryCodeStandsInOnce(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	_, codes := enabled(t, s, tab)
	tab.Reload()
	tab.Open("/account/recovery-codes")
	for _, code := range codes {
		if strings.Contains(tab.Text(), code) {
			t.Error("a recovery code is shown again")
		}
	}
	other := s.Profile(t)
	login(other, ada, good).At("/login/code")
	other.Fill("Login code", strings.ToLower(strings.ReplaceAll(codes[3], "-", " "))).Press("Send code").At("/apps").Status("9 are left")
	s.Letter(ada, "recovery code")
	third := s.Profile(t)
	login(third, ada, good).At("/login/code")
	third.Fill("Login code", codes[3]).Press("Send code").Alert("already used")
}

func TestAForgottenPasswordResetsTwoFactor(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	enabled(t, s, tab)
	lost := s.Profile(t).Open("/forgot-password").Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
	lost.Open(s.Link(s.Letter(ada, "token="))).Fill("New password", next).Press("Set new password")
	lost.At("/login").Status("two-factor authentication was reset")
	login(lost, ada, next).At("/apps")
	tab.Open("/account").At("/login")
}

func TestKeepingTwoFactorAtAReset(t *testing.T) {
	s := kit.Start(t, "--on-password-reset", "keep")
	s.Person(ada, good, "--name", "Ada")
	s.Run("", "plugin", "activate", "two-factor")
	s.Run("", "plugin", "allow", "two-factor", "--everyone")
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	key, _ := enabled(t, s, tab)
	lost := s.Profile(t).Open("/forgot-password").Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
	lost.Open(s.Link(s.Letter(ada, "token="))).Fill("New password", next).Press("Set new password").Alert("code")
	lost.Fill("New password", next).Fill("Login code", codeAt(t, key, time.Minute)).Press("Set new password").At("/login")
	login(lost, ada, next).At("/login/code")
}

func TestWithoutThePluginNothingIsLeft(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	for _, active := range []bool{false, true} { // active, and enabled for nobody, is no different
		if active {
			s.Run("", "plugin", "activate", "two-factor")
		}
		tab.Open("/account").See("Account settings")
		if tab.Has("link", enable) || tab.Has("button", enable) {
			t.Errorf("active %v: the button is there", active)
		}
		tab.Open("/account/two-factor").See("This page does not exist")
	}
	s.Run("", "plugin", "allow", "two-factor", "--user", ada)
	tab.Open("/account").See(enable)
}

// In the cloud edition the operator's settings alone say for whom it works; the
// administrator reads them, and has nothing to press.
func TestTheCloudEdition(t *testing.T) {
	s := kit.Start(t, "--edition", "cloud", "--plugins", "two-factor:user="+ada)
	s.Person(ada, good, "--name", "Ada")
	s.Person(bea, next, "--name", "Bea", "--admin")
	tab := login(s.Profile(t), bea, next).At("/apps").Menu("Bea", "Administration").At("/admin").Press("Plugins").At("/admin/plugins")
	tab.See("Which plug-ins are active, and for whom, is set by the operator of this server.").Find("Two-factor authentication", "region")
	for _, button := range []string{"Activate", "Deactivate", "Save"} {
		if tab.Has("button", button) {
			t.Errorf("%s is offered", button)
		}
	}
	if said := tab.Region("listitem"); !tab.Ticked("Groups or single users") || !strings.Contains(said, ada) || tab.Has("textbox", "Users") {
		t.Errorf("it is shown as enabled for %q", said)
	}
	tab.Open("/account").See("Account settings").HasNot("link", enable)
	login(s.Profile(t), ada, good).At("/apps").Open("/account").Press(enable).At("/account/two-factor")
}

func TestTheAdministratorsPlugins(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada", "--admin")
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	tab.Menu("Ada", "Administration").At("/admin").Press("Plugins").At("/admin/plugins")
	tab.Find("Two-factor authentication", "region")
	tab.Press("Activate").Status("The plug-in is active")
	tab.Tick("Everyone").Press("Save").Status("Saved")

	tab.Open("/admin/users").At("/account/two-factor") // an administrator of a site with it sets it up first
	key, _ := enabled(t, s, tab)
	tab.Tick("I have saved these codes").Press("Continue").At("/account")
	tab.Open("/admin/plugins").Press("Deactivate").See("1 person is asked for a second factor now")
	tab.Press("Deactivate").Alert("code")
	tab.Fill("Login code", codeAt(t, key, time.Minute)).Press("Deactivate").At("/admin/plugins").Status("The plug-in is inactive")
	s.Letter(ada, "switched")
	login(s.Profile(t), ada, good).At("/apps")

	s.Run("", "plugin", "activate", "two-factor")
	login(s.Profile(t), ada, good).At("/login/code")
}

func TestWhoMustUseItEnrolsFirst(t *testing.T) {
	s := withTwoFactor(t)
	s.Run("", "user", "must-use-2fa", ada)
	tab := s.Profile(t)
	login(tab, ada, good).At("/account/two-factor")
	tab.Open("/apps").At("/login")
	login(tab, ada, good).At("/account/two-factor")
	key := keyOf(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").Status("successfully enabled")
	tab.Tick("I have saved these codes").Press("Continue").At("/apps")
}
