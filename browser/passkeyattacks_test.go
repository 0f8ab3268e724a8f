package browser

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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

const opensNothing = "This passkey did not open an account"

// A false page may ask a passkey with what our page asked: the browser says in the
// answer where that was, and shows it to no name but ours at all.
func TestAFalsePageGetsNoAnswerThatOpens(t *testing.T) {
	_, tab, _ := withPasskeys(t, onlyByButton)
	loggedOut(tab)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>Twinlock</title>") }))
	defer page.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(page.URL, "http://"), ":")

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

// The browser is told of a passkey that nobody has any more, so that it need not
// offer it again.
func TestTheBrowserIsToldOfAnUnknownPasskey(t *testing.T) {
	s, tab, device := withPasskeys(t, onlyByButton, `PublicKeyCredential.signalUnknownCredential = async told => { window.told = told }`)
	held := device.Passkeys()[0]
	loggedOut(tab)
	s.Run("", "user", "reset-2fa", ada, "--reason", "lost")
	tab.Press(signInWithPasskey).Alert(opensNothing)
	var told struct{ RPID, CredentialID string }
	tab.Until("the browser is told", func() bool { return tab.Look(`window.told ?? {}`, &told) && told.CredentialID != "" })
	id, err := base64.RawURLEncoding.DecodeString(told.CredentialID)
	if err != nil || told.RPID != "localhost" || base64.StdEncoding.EncodeToString(id) != held.CredentialID {
		t.Errorf("it is told of %+v, and the device holds %s (%v)", told, held.CredentialID, err)
	}
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
