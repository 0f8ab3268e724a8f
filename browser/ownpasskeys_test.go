package browser

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// mayHavePasskeys is a server where everyone may have passkeys, with or without an
// authenticator app, and Ada's browser with a device that holds passkeys.
func mayHavePasskeys(t *testing.T) (*kit.Server, *kit.Tab, *kit.Authenticator) {
	t.Helper()
	s := withTwoFactor(t)
	s.Run("", "plugin", "activate", "passkeys")
	s.Run("", "plugin", "allow", "passkeys", "--everyone")
	tab := s.Profile(t)
	return s, tab, tab.Authenticator()
}

// makesPasskey makes one where the page asks for it, and leaves its recovery codes.
func makesPasskey(tab *kit.Tab) {
	tab.Press("Create a passkey").See("Recovery codes").Tick("I have saved these codes").Press("Continue")
}

func TestPasskeysAreListedRenamedAndRemoved(t *testing.T) {
	s, tab, device := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/account").Press("Add a passkey").At("/account/passkeys/new").See("your password alone no longer opens the account")
	makesPasskey(tab)
	tab.At("/account/passkeys").See("Never used")
	s.Letter(ada, "passkey was added")
	if got := tab.Value("Name of the passkey"); got != "Passkey" {
		t.Errorf("it is called %q", got)
	}
	tab.Fill("Name of the passkey", "Old laptop").Press("Save").Status("The name is saved.").See("Old laptop")

	tab.Press("Add a passkey").Press("Create a passkey").See("This device already holds a passkey for your account.")
	device.Forget() // as on another device
	tab.Press("Create a passkey").At("/account/passkeys").Status("The passkey is added.")

	tab.Press("Remove Old laptop").See("Remove the passkey Old laptop?").Press("Remove").At("/account/passkeys").Status("The passkey is removed.")
	s.Letter(ada, "passkey of your account")
	if strings.Contains(tab.Text(), "Old laptop") {
		t.Error("the removed one is still listed")
	}
	tab.Press("Remove Passkey").See("It is your last second factor").Press("Remove").Alert("Type one of your recovery codes").Press(usePasskey).At("/account/passkeys").See("You have no passkey yet.")
	login(s.Profile(t), ada, good).At("/apps")
}

func TestTheLastWayInIsKept(t *testing.T) {
	s, tab, _ := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/account/passkeys/new")
	makesPasskey(tab)
	tab.Press("Remove Passkey").See("It is your last second factor")
	s.Run("", "user", "must-use-2fa", ada)
	tab.Press("Remove").Alert("must have a second factor")
	tab.Open("/account/passkeys").Press("Remove Passkey").See("Add another passkey or an authenticator app first").HasNot("button", "Remove")
	tab.Open("/account/two-factor")
	key := typedKey(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").At("/account").Status("successfully enabled")
	tab.Open("/account/passkeys").Press("Remove Passkey").Press("Remove").Status("The passkey is removed.")
}

// told is what the page told the browser, through a stand-in that writes it down.
const writeDownSignals = `(() => {
  window.told = []
  for (const name of ["signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
    PublicKeyCredential[name] = async said => { window.told.push({ name, ...said }) }
  }
})()`

type signal struct {
	Name        string   `json:"name"`
	Domain      string   `json:"rpId"`
	Handle      string   `json:"userId"`
	Called      string   `json:"displayName"`
	Credentials []string `json:"allAcceptedCredentialIds"`
}

// told are the signals of a page; the name of the person lies over that of the
// signal, so its kind is told by the order.
func told(t *testing.T, tab *kit.Tab) (all []signal) {
	t.Helper()
	tab.Until("the browser is told", func() bool {
		var text string
		return tab.Look(`JSON.stringify(window.told)`, &text) && json.Unmarshal([]byte(text), &all) == nil && len(all) == 2
	})
	return all
}

func TestTheBrowserIsToldOfRemovedPasskeys(t *testing.T) {
	_, tab, device := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/account/passkeys/new")
	makesPasskey(tab)
	tab.At("/account/passkeys")
	device.Forget()
	tab.Before(writeDownSignals).Open("/account/passkeys/new").Press("Create a passkey").At("/account/passkeys")
	both := told(t, tab)[0]
	if len(both.Credentials) != 2 || both.Domain != "localhost" || both.Handle == "" || both.Called != "Ada" {
		t.Errorf("the browser is told %+v", both)
	}
	tab.Press("Remove Passkey").Press("Remove").At("/account/passkeys")
	left := told(t, tab)[0]
	if len(left.Credentials) != 1 || left.Handle != both.Handle {
		t.Errorf("after the first it is told %+v", left)
	}
	tab.Press("Remove Passkey 2").Press(usePasskey).See("You have no passkey yet.")
	if none := told(t, tab)[0]; len(none.Credentials) != 0 || none.Handle != both.Handle {
		t.Errorf("after the last it is told %+v", none)
	}
}

func TestAPasskeyIsOfferedOnceInThirtyDays(t *testing.T) {
	s, tab, _ := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	key, _ := enabled(t, s, tab)
	at := func(tab *kit.Tab, off time.Duration) *kit.Tab {
		s.Clock("+" + off.String())
		login(tab, ada, good).At("/login/code")
		return tab.Fill("Login code", codeAt(t, key, off)).Press("Send code")
	}
	at(s.Profile(t), 2*time.Minute).At("/account/passkeys/offer").See("Sign in faster next time").Press("Not now").At("/apps")
	at(s.Profile(t), 4*time.Minute).At("/apps")
	again := s.Profile(t)
	again.Authenticator()
	at(again, 31*24*time.Hour).At("/account/passkeys/offer").Press("Create a passkey").At("/apps").Status("The passkey is added.")
	at(s.Profile(t), 62*24*time.Hour).At("/apps")
}

func TestAForcedSetUpByPasskey(t *testing.T) {
	s, tab, _ := mayHavePasskeys(t)
	s.Run("", "user", "must-use-2fa", ada)
	login(tab, ada, good).Press("Use a passkey instead").See("Create a passkey to finish your login")
	tab.Press("Use an authenticator app instead").See("Set up two-factor authentication").Press("Use a passkey instead")
	makesPasskey(tab)
	tab.At("/apps")
	other := s.Profile(t)
	login(other, ada, good).At("/login/code").See("Use a passkey")
}

func TestDisablingByPasskey(t *testing.T) {
	s, tab, _ := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	enabled(t, s, tab)
	tab.Open("/account/passkeys/new").Press("Create a passkey").At("/account/passkeys")
	tab.Open("/account/recovery-codes").Press("Use a passkey").Status("You have new recovery codes.")
	tab.Open("/account/two-factor").Press("Use a passkey").At("/account").Status("2-factor authentication successfully disabled.").See("You have 1 passkey.")
}
