package browser

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// asked is what a page asks a passkey for.
type asked struct{ Options, Ceremony string }

func askedBy(tab *kit.Tab) (a asked) {
	tab.Evaluate(`(form => ({ Options: form.dataset.options, Ceremony: form.elements.ceremony.value }))(document.querySelector("form[data-passkey]"))`, &a)
	return a
}

// answers has the page's browser answer, by get or create, and gives the answer, or
// the name of the error that it ended with.
func answers(tab *kit.Tab, call, options string) (answer string) {
	parse := map[string]string{"get": "parseRequestOptionsFromJSON", "create": "parseCreationOptionsFromJSON"}[call]
	tab.Evaluate(fmt.Sprintf(`window.answered = undefined;
		navigator.credentials.%s({ publicKey: PublicKeyCredential.%s(JSON.parse(%q)) })
			.then(made => { window.answered = JSON.stringify(made) }, why => { window.answered = why.name }); 0`, call, parse, options), nil)
	tab.Until("the authenticator has answered", func() bool { return tab.Look(`window.answered ?? ""`, &answer) && answer != "" })
	return answer
}

// sends an answer by the page's form.
func (a asked) sends(tab *kit.Tab, answer string) {
	tab.Evaluate(fmt.Sprintf(`(form => {
		form.elements.ceremony.value = %q
		form.elements.passkey.value = %q
		form.requestSubmit()
	})(document.querySelector("form[data-passkey]")); 0`, a.Ceremony, answer), nil)
}

const (
	opensNothing = "This passkey did not open an account"
	tookTooLong  = "That took too long. Try again."
)

// falsePage is a page of somebody else's, at a port of this machine or at any.
func falsePage(t *testing.T, port string, secure bool) (at string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>Twinlock</title>") }))
	page.Listener.Close()
	page.Listener = listener
	t.Cleanup(page.Close)
	if secure {
		page.StartTLS()
	} else {
		page.Start()
	}
	_, at, _ = net.SplitHostPort(listener.Addr().String())
	return at
}

// A false page may ask a passkey with what our page asked: the browser says in the
// answer where that was, and shows it to no name but ours at all.
func TestAFalsePageGetsNoAnswerThatOpens(t *testing.T) {
	_, tab, _ := withPasskeys(t, onlyByButton)
	loggedOut(tab)
	port := falsePage(t, "0", false)

	ours := askedBy(tab.Open("/login"))
	answer := answers(tab.Open("http://localhost:"+port+"/"), "get", ours.Options)
	if !strings.Contains(answer, "signature") {
		t.Fatalf("the browser answers %s", answer)
	}
	ours.sends(tab.Open("/login"), answer)
	tab.Alert(opensNothing)

	for _, elsewhere := range []string{"http://evil.localhost:" + port, "http://127.0.0.1:" + port} {
		if answer := answers(tab.Open(elsewhere+"/"), "get", ours.Options); answer != "SecurityError" {
			t.Errorf("at %s the browser answers %s", elsewhere, answer)
		}
	}
	tab.Open("/login").Press(signInWithPasskey).At("/apps")
}

// To a name below ours, and to any port of ours, browsers show our passkeys: what
// they answer there is refused here, however the two addresses begin or end.
func TestAnAnswerThatBearsAnAddressLikeOursIsRefused(t *testing.T) {
	p := kit.StartProxied(t, "nginx")
	p.Person(ada, good, "--name", "Ada")
	p.Run("", "plugin", "activate", "passkeys")
	p.Run("", "plugin", "allow", "passkeys", "--everyone")
	tab := p.Profile(t).Trusting().Before(onlyByButton)
	tab.Authenticator()
	login(tab, ada, good).At("/apps")
	makesPasskey(tab.Open("/account/passkeys/new"))
	loggedOut(tab.At("/account/passkeys"))

	shorter := p.Port[:len(p.Port)-1]
	falsePage(t, shorter, true)
	port := falsePage(t, "0", true)
	for _, elsewhere := range []string{
		"https://evil.id.example.org:" + port, "https://a.b.id.example.org:" + port, "https://evil.id.example.org:" + shorter,
		"https://id.example.org:" + port, "https://id.example.org:" + shorter,
	} {
		ours := askedBy(tab.Open("/login"))
		answer := answers(tab.Open(elsewhere+"/"), "get", ours.Options)
		if !strings.Contains(answer, "signature") {
			t.Fatalf("at %s the browser answers %s", elsewhere, answer)
		}
		ours.sends(tab.Open("/login"), answer)
		tab.Alert(opensNothing).At("/login/passkey")
	}
	tab.Open("/login").Press(signInWithPasskey).At("/apps")
}

// An answer that lay about for five minutes is late, and the page asks anew.
func TestALateAnswerIsRefused(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton)
	ours := askedBy(loggedOut(tab))
	answer := answers(tab, "get", ours.Options)
	s.Clock("+5m")
	ours.sends(tab, answer)
	tab.Alert(tookTooLong).Press(signInWithPasskey).At("/apps")
	loggedOut(tab)

	inPlace := askedBy(login(tab, ada, good).At("/login/code"))
	answer = answers(tab, "get", inPlace.Options)
	s.Clock("+10m")
	inPlace.sends(tab, answer)
	tab.Alert(tookTooLong).At("/login/code").Press(usePasskey).At("/apps")
}

// An answer opens once: whoever has a copy of it, and of the page, is late.
func TestAnAnswerThatIsSentTwiceOpensOnce(t *testing.T) {
	_, tab, _ := withPasskeys(t, onlyByButton)
	ours := askedBy(loggedOut(tab))
	answer := answers(tab, "get", ours.Options)
	ours.sends(tab, answer)
	loggedOut(tab.At("/apps"))
	ours.sends(tab, answer)
	tab.Alert(tookTooLong).Press(signInWithPasskey).At("/apps")
	loggedOut(tab)

	inPlace := askedBy(login(tab, ada, good).At("/login/code"))
	answer = answers(tab, "get", inPlace.Options)
	inPlace.sends(tab, answer)
	loggedOut(tab.At("/apps"))
	again := askedBy(login(tab, ada, good).At("/login/code"))
	inPlace.sends(tab, answer)
	tab.Alert(tookTooLong).At("/login/code")
	if askedBy(tab) == again {
		t.Error("the page asks for the same again")
	}
	tab.Press(usePasskey).At("/apps")
}

// What is answered to the making of a passkey is no login, though it has the
// login's challenge in it.
func TestTheAnswerOfANewPasskeyIsNoLogin(t *testing.T) {
	_, tab, device := withPasskeys(t, onlyByButton)
	ours := askedBy(loggedOut(tab))
	device.Forget()
	var login struct{ Challenge, RPID string }
	if err := json.Unmarshal([]byte(ours.Options), &login); err != nil {
		t.Fatal(err)
	}
	options, err := json.Marshal(map[string]any{
		"challenge": login.Challenge, "rp": map[string]string{"id": login.RPID, "name": "Twinlock"},
		"user":             map[string]string{"id": "YWRh", "name": ada, "displayName": "Ada"},
		"pubKeyCredParams": []map[string]any{{"type": "public-key", "alg": -7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := answers(tab, "create", string(options))
	if !strings.Contains(answer, "attestationObject") {
		t.Fatalf("the browser answers %s", answer)
	}
	ours.sends(tab, answer)
	tab.Alert(opensNothing)
}

// Whoever knows somebody's password does not get in by a passkey of their own.
func TestAnothersPasskeyIsNoCode(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	s.Person("bob@example.org", good)
	bobs := s.Profile(t)
	bobs.Authenticator()
	login(bobs, "bob@example.org", good).At("/apps")
	makesPasskey(bobs.Open("/account/passkeys/new"))

	page := askedBy(login(loggedOut(tab), "bob@example.org", good).At("/login/code"))
	var options map[string]any
	if err := json.Unmarshal([]byte(page.Options), &options); err != nil {
		t.Fatal(err)
	}
	delete(options, "allowCredentials")
	whosever, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	if len(device.Passkeys()) != 1 {
		t.Fatal("Ada's device is empty")
	}
	page.sends(tab, answers(tab, "get", string(whosever)))
	tab.Alert("That passkey was not accepted").At("/login/code")
}

// A device goes on showing what was removed from the account.
func TestARemovedPasskeyOpensNothing(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	loggedOut(tab)
	s.Run("", "user", "reset-2fa", ada, "--reason", "lost")
	if len(device.Passkeys()) != 1 {
		t.Fatal("the device has forgotten it")
	}
	tab.Press(signInWithPasskey).Alert(opensNothing)
	login(tab, ada, good).At("/apps")
}

// Its owner removes it, with a browser that does not listen.
func TestAPasskeyThatItsOwnerRemovedOpensNothing(t *testing.T) {
	_, tab, device := withPasskeys(t, onlyByButton, writeDownSignals)
	held := device.Passkeys()[0]
	tab.Open("/account/passkeys").Press("Remove Passkey").Press(usePasskey).At("/account/passkeys").See("You have no passkey yet.")
	if len(device.Passkeys()) != 1 {
		t.Fatal("the device has forgotten it")
	}
	loggedOut(tab).Press(signInWithPasskey).Alert(opensNothing)
	unknown := told(t, tab, "signalUnknownCredential")
	if unknown.Domain != "localhost" || !isOf(unknown.Credential, held) {
		t.Errorf("the browser is told of %+v, and the device holds %s", unknown, held.CredentialID)
	}
	login(tab, ada, good).At("/apps")
}

// A browser that listens forgets it: as soon as it is removed, and where it was not
// told then, once it is shown.
func TestABrowserThatListensForgetsARemovedPasskey(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton)
	forgotten := func() {
		t.Helper()
		tab.Until("the device forgets the passkey", func() bool { return len(device.Passkeys()) == 0 })
	}
	tab.Open("/account/passkeys").Press("Remove Passkey").Press(usePasskey).At("/account/passkeys").See("You have no passkey yet.")
	forgotten()
	makesPasskey(tab.Open("/account/passkeys/new"))
	loggedOut(tab.At("/account/passkeys"))
	s.Run("", "user", "reset-2fa", ada, "--reason", "lost")
	tab.Press(signInWithPasskey).Alert(opensNothing)
	forgotten()
}

// A passkey confirms who it is, and the form that was held for it goes on, though
// some of a code was typed before.
func TestAPasskeyConfirmsAFormThatWasHeld(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton)
	tab.Open("/account").Fill("New email address", "ada2@example.org")
	s.Clock("+16m")
	tab.Press("Change address").See("Confirm that it is you").Fill("Recovery code", "AB").Press(usePasskey)
	tab.At("/account").Status("We have mailed your new address a link.")
}
