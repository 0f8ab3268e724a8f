package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

const (
	signInWithPasskey = "Sign in with a passkey"
	usePasskey        = "Use a passkey"
)

// withPasskeys is a server where everyone may have passkeys, and somebody signed in
// who has just made one in the tab's authenticator. The scripts run in every page.
func withPasskeys(t *testing.T, scripts ...string) (*kit.Server, *kit.Tab, *kit.Authenticator) {
	t.Helper()
	s := withTwoFactor(t)
	s.Run("", "plugin", "activate", "passkeys")
	s.Run("", "plugin", "allow", "passkeys", "--everyone")
	tab := s.Profile(t)
	for _, script := range scripts {
		tab.Before(script)
	}
	device := tab.Authenticator()
	login(tab, ada, good).At("/apps")
	tab.Open("/account/passkeys/new").Press("Create a passkey").See("Recovery codes")
	tab.Tick("I have saved these codes").Press("Continue").At("/account/passkeys")
	if n := len(device.Passkeys()); n != 1 {
		t.Fatalf("the authenticator holds %d passkeys", n)
	}
	return s, tab, device
}

// loggedOut is at the login page.
func loggedOut(tab *kit.Tab) *kit.Tab { return tab.Menu("Ada", "Log out").At("/login") }

// onlyByButton is a browser that offers nothing in a field. The other one has no
// list to choose from here, and takes the only passkey that there is by itself.
const onlyByButton = `PublicKeyCredential.isConditionalMediationAvailable = async () => false`

// inField stands in for a browser that offers passkeys in a field, and waits until
// one is chosen.
const inField = `(() => {
  window.offered = 0
  PublicKeyCredential.isConditionalMediationAvailable = async () => true
  const get = navigator.credentials.get.bind(navigator.credentials)
  navigator.credentials.get = asked => {
    if (asked.mediation !== "conditional") return get(asked)
    window.offered++
    window.choose = () => { const { mediation, ...plain } = asked; get(plain).then(window.chosen, () => {}) }
    return new Promise((resolve, reject) => {
      window.chosen = resolve
      asked.signal.addEventListener("abort", () => reject(asked.signal.reason))
    })
  }
})()`

func TestAPasskeyIsOfferedInTheAddress(t *testing.T) {
	s, tab, _ := withPasskeys(t)
	tab.Menu("Ada", "Log out").At("/apps") // the browser has chosen
	noProblems(t, tab)

	other := s.Profile(t).Before(inField).Open("/login?next=/account")
	var fills string
	other.Evaluate(`document.querySelector("#email").autocomplete`, &fills)
	if !strings.HasSuffix(fills, "webauthn") {
		t.Errorf("the address is filled in with %q", fills)
	}
	offersInField(other, 1)
	noProblems(t, other)
}

func offersInField(tab *kit.Tab, times int) {
	tab.Until("passkeys are offered in the address", func() bool {
		var have int
		return tab.Look(`window.offered`, &have) && have == times
	})
}

func noProblems(t *testing.T, tab *kit.Tab) {
	t.Helper()
	if problems := tab.Problems(); len(problems) > 0 {
		t.Errorf("the page's scripts threw %v", problems)
	}
}

func TestSignInWithAPasskeyByKeyboard(t *testing.T) {
	_, tab, _ := withPasskeys(t, onlyByButton)
	loggedOut(tab).Find(signInWithPasskey, "button")
	for range 12 {
		var there bool
		if tab.Evaluate(`document.activeElement.matches("[data-ask]")`, &there); there {
			break
		}
		tab.Key("\t")
	}
	tab.Key("\r").At("/apps")
	noProblems(t, tab)
}

func TestACancelledPromptLeavesThePageCalm(t *testing.T) {
	_, tab, device := withPasskeys(t, inField)
	loggedOut(tab)
	offersInField(tab, 1)
	device.Verifies(false)
	tab.Fill("Email", "some").Press(signInWithPasskey).Status("No passkey was used.")
	offersInField(tab, 2) // and again in the address
	if tab.Value("Email") != "some" {
		t.Error("what was typed is gone")
	}
	device.Verifies(true)
	tab.Press(signInWithPasskey).At("/apps")
	noProblems(t, tab)
}

func TestAVerifiedPasskeySignsInWithoutACode(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	loggedOut(tab).Open("/login?next=/account/sessions").Press(signInWithPasskey).At("/account/sessions")
	loggedOut(tab)

	device.SignsWrong(true)
	tab.Press(signInWithPasskey).Alert("This passkey did not open an account")
	device.SignsWrong(false)
	tab.Press(signInWithPasskey).At("/apps")

	loggedOut(tab)
	held := device.Passkeys()[0]
	device.Forget()
	held.SignCount = 0
	device.Keep(held)
	tab.Press(signInWithPasskey).Alert("This passkey did not open an account")
	s.Letter(ada, "may have been copied")
	noProblems(t, tab)
}

func TestWithoutVerificationItIsTheSecondFactor(t *testing.T) {
	_, tab, device := withPasskeys(t, onlyByButton)
	held := device.Passkeys()[0]
	device.Gone()
	tab.AnybodysAuthenticator().Keep(held)
	loggedOut(tab).Press(signInWithPasskey).Status("No passkey was used.")
	login(tab, ada, good).At("/login/code").Press(usePasskey).At("/apps")
	noProblems(t, tab)
}

func TestTryAnotherWayAndBack(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton)
	tab.Open("/account/two-factor")
	key := typedKey(t, tab)
	tab.Fill("Login code", codeAt(t, key, 0)).Press("Activate").At("/account")
	s.Clock("+1m")
	loggedOut(tab)

	login(tab, ada, good).At("/login/code").Find("Login code", "textbox")
	tab.Press("Try another way").See("Choose another way").Press("Back").Find("Login code", "textbox")
	tab.Press("Try another way").Press("Recovery code").Find("Recovery code", "textbox")
	tab.Press("Try another way").Press("Passkey").Press(usePasskey).At("/apps")
	loggedOut(tab)
	login(tab, ada, good).At("/login/code").Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").At("/apps")
	noProblems(t, tab)
}

func TestPasskeysWithoutScripts(t *testing.T) {
	_, tab, _ := withPasskeys(t, onlyByButton)
	loggedOut(tab).WithoutScript().Open("/login").HasNot("button", signInWithPasskey)
	login(tab, ada, good).At("/login/code").See("Passkeys need JavaScript").HasNot("button", usePasskey)
	tab.Press("Try another way").Press("Recovery code").Find("Recovery code", "textbox")
}
