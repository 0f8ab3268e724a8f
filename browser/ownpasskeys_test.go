package browser

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"

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

	tab.Press("Remove Old laptop").See("Remove the passkey “Old laptop”?").Press("Remove").At("/account/passkeys").Status("The passkey is removed.")
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

// writeDownSignals stands in for a browser that is told what it may forget, writes
// it down, and forgets nothing.
const writeDownSignals = `(() => {
  window.told = []
  for (const call of ["signalAllAcceptedCredentials", "signalCurrentUserDetails", "signalUnknownCredential"]) {
    PublicKeyCredential[call] = async said => { window.told.push({ call, said }) }
  }
})()`

type signal struct {
	Domain      string   `json:"rpId"`
	Handle      string   `json:"userId"`
	Address     string   `json:"name"`
	Called      string   `json:"displayName"`
	Credentials []string `json:"allAcceptedCredentialIds"`
	Credential  string   `json:"credentialId"`
}

// told is what the page told the browser, which it does once.
func told(t *testing.T, tab *kit.Tab, call string) signal {
	t.Helper()
	var all []signal
	tab.Until("the browser is told by "+call, func() bool {
		return tab.Look(fmt.Sprintf(`window.told.filter(one => one.call === %q).map(one => one.said)`, call), &all) && len(all) > 0
	})
	if len(all) != 1 {
		t.Errorf("the browser is told %d times by %s: %+v", len(all), call, all)
	}
	return all[0]
}

func toldAccepted(t *testing.T, tab *kit.Tab) signal {
	t.Helper()
	return told(t, tab, "signalAllAcceptedCredentials")
}

// isOf tells whether a name of a passkey, as pages write it, is that of one that a
// device holds.
func isOf(name string, held *webauthn.Credential) bool {
	id, err := base64.RawURLEncoding.DecodeString(name)
	return err == nil && base64.StdEncoding.EncodeToString(id) == held.CredentialID
}

func TestTheBrowserIsToldOfRemovedPasskeys(t *testing.T) {
	_, tab, device := mayHavePasskeys(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/account/passkeys/new")
	makesPasskey(tab)
	tab.At("/account/passkeys")
	device.Forget()
	tab.Before(writeDownSignals).Open("/account/passkeys/new").Press("Create a passkey").At("/account/passkeys")
	both := toldAccepted(t, tab)
	if len(both.Credentials) != 2 || both.Domain != "localhost" || both.Handle == "" {
		t.Errorf("the browser is told %+v", both)
	}
	tab.Press("Remove Passkey").Press("Remove").At("/account/passkeys")
	left := toldAccepted(t, tab)
	if len(left.Credentials) != 1 || left.Handle != both.Handle {
		t.Errorf("after the first it is told %+v", left)
	}
	tab.Press("Remove Passkey 2").Press(usePasskey).See("You have no passkey yet.")
	if none := toldAccepted(t, tab); len(none.Credentials) != 0 || none.Handle != both.Handle {
		t.Errorf("after the last it is told %+v", none)
	}
}

// Whoever is called otherwise, or gets another address, is so in the browser's list.
func TestTheBrowserIsToldOfAChangedNameAndAddress(t *testing.T) {
	s, tab, device := withPasskeys(t)
	isCalled := func(name, address string) {
		t.Helper()
		tab.Until("the passkey is of "+name+", "+address, func() bool {
			held := device.Passkeys()[0]
			return held.UserDisplayName == name && held.UserName == address
		})
	}
	isCalled("Ada", ada)
	tab.Open("/account").Fill("Name", "Countess").Press("Save").At("/account").Status("Your name is saved")
	isCalled("Countess", ada)
	tab.Fill("New email address", bea).Press("Change address").Status("We have mailed your new address a link.")
	tab.Open(s.Link(s.Letter(bea, "token="))).Press("Change address").At("/account").Status("Your email address is changed")
	isCalled("Countess", bea)

	tab.Before(writeDownSignals).Open("/account")
	accepted, details := toldAccepted(t, tab), told(t, tab, "signalCurrentUserDetails")
	if details.Domain != "localhost" || details.Handle != accepted.Handle || details.Called != "Countess" || details.Address != bea {
		t.Errorf("the browser is told %+v of whose passkeys are %+v", details, accepted)
	}
	if len(accepted.Credentials) != 1 || !isOf(accepted.Credentials[0], device.Passkeys()[0]) {
		t.Errorf("the browser is told of %q, and the device holds %s", accepted.Credentials, device.Passkeys()[0].CredentialID)
	}
	noProblems(t, tab)
}

// The list says of each when it was made and last used, and whether other devices
// have it too.
func TestTheListSaysWhenAPasskeyWasUsedAndWhereItIs(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	tab.See("Never used").See("On one device only")
	s.Clock("+50h")
	login(tab, ada, good).At("/login/code").Press(usePasskey).At("/apps").Open("/account/passkeys")
	made, used := shownTimes(t, tab)
	if off := used.Sub(made) - 50*time.Hour; off.Abs() > 5*time.Minute || strings.Contains(tab.Text(), "Never used") {
		t.Errorf("made %s, used 50 hours later, it is said %s:\n%s", made, used, tab.Text())
	}
	loggedOut(tab)
	s.Clock("+80h")
	tab.Open("/login").Press(signInWithPasskey).At("/apps").Open("/account/passkeys")
	if _, again := shownTimes(t, tab); (again.Sub(made) - 80*time.Hour).Abs() > 5*time.Minute {
		t.Errorf("made %s, used 80 hours later, it is said %s", made, again)
	}

	device.Gone()
	tab.SyncingAuthenticator()
	tab.Open("/account/passkeys/new").Press("Create a passkey").At("/account/passkeys").Find("Remove Passkey 2", "link")
	var badges []string
	tab.Evaluate(`[...document.querySelectorAll("main .badge")].map(one => one.innerText)`, &badges)
	if !slices.Equal(badges, []string{"On one device only", "Synced"}) {
		t.Errorf("they are said to be %q", badges)
	}
}

// shownTimes are when the first passkey of the list was made, and last used.
func shownTimes(t *testing.T, tab *kit.Tab) (made, used time.Time) {
	t.Helper()
	var all []time.Time
	tab.See("Last used").Evaluate(`[...document.querySelectorAll("main li time")].map(one => one.dateTime)`, &all)
	if len(all) < 2 {
		t.Fatalf("the list shows %d times", len(all))
	}
	return all[0], all[1]
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
	at(s.Profile(t), 30*24*time.Hour-time.Hour).At("/apps")
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
