package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// field is what a password manager and a phone's keyboard read of a field.
type field struct {
	Type, Name, Autocomplete, InputMode, Capitals, Spelling, Username, Described string
	LongestLength                                                                int
	Pattern                                                                      string
}

const readField = `(name => {
	const e = [...document.querySelectorAll("main input, dialog[open] input")].find(e => e.labels?.[0]?.innerText.trim() === name && e.checkVisibility())
	const user = e.form.querySelector("[autocomplete~=username]")
	return { Type: e.type, Name: e.name, Autocomplete: e.autocomplete, InputMode: e.inputMode, Capitals: e.autocapitalize,
		Spelling: String(e.spellcheck), LongestLength: e.maxLength, Pattern: e.pattern, Username: user?.value ?? "none",
		Described: (e.getAttribute("aria-describedby") ?? "").split(" ").map(id => document.getElementById(id)?.innerText ?? "").join(" ") }
})(%q)`

func read(tab *kit.Tab, name string) (f field) {
	tab.Evaluate(fmt.Sprintf(readField, name), &f)
	return f
}

func TestPasswordManagersKnowEveryField(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	check := func(where, name string, right func(field) bool) {
		t.Helper()
		if f := read(tab, name); !right(f) || f.LongestLength != -1 || f.Pattern != "" {
			t.Errorf("%s, %s: %+v", where, name, f)
		}
	}
	address := func(f field) bool {
		return f.Type == "email" && f.Name == "email" && f.Capitals == "none" && f.Spelling == "false" && strings.HasPrefix(f.Autocomplete, "username")
	}
	old := func(user string) func(field) bool {
		return func(f field) bool {
			return f.Type == "password" && f.Autocomplete == "current-password" && f.Username == user
		}
	}
	chosen := func(user string) func(field) bool {
		return func(f field) bool {
			return f.Type == "password" && f.Autocomplete == "new-password" && f.Username == user
		}
	}
	code := func(f field) bool {
		return f.Type == "text" && f.Name == "code" && f.Autocomplete == "one-time-code" && f.InputMode == "numeric" && f.Capitals == "none" && f.Spelling == "false"
	}

	tab.Open("/login")
	check("login", "Email", address)
	for name, words := range map[string]string{"Email": "The address of your account", "Password": "Capital and small letters"} {
		if f := read(tab, name); !strings.Contains(f.Described, words) {
			t.Errorf("%s is described as %q", name, f.Described)
		}
	}
	if f := read(tab, "Email"); !strings.HasSuffix(f.Autocomplete, "webauthn") {
		t.Errorf("passkeys are not offered in the address: %q", f.Autocomplete)
	}
	check("login", "Password", old(""))
	tab.Open("/register")
	check("sign-up", "Email", address)
	check("sign-up", "Password", chosen(""))
	tab.Open("/forgot-password")
	check("forgotten", "Email", address)
	tab.Fill("Email", ada).Press("Send reset link").See("a letter is on its way")
	tab.Open(s.Link(s.Letter(ada, "token=")))
	check("reset", "New password", chosen(ada))

	login(tab, ada, good).At("/apps")
	tab.Open("/account")
	check("settings", "Current password", old(ada))
	check("settings", "New password", chosen(ada))
	tab.Open("/account/two-factor")
	check("set-up", "Login code", code)
	enabled(t, s, tab)
	tab.Tick("I have saved these codes").Press("Continue").At("/account")
	watching(t, tab)
	tab.Open("/account/two-factor")
	check("disable", "Login code", code)
	tab.Open("/account/recovery-codes")
	check("new codes", "Login code", code)

	other := s.Profile(t)
	login(other, ada, good).At("/login/code")
	tab, other = other, tab
	check("login", "Login code", code)
	tab = other
	lapse(s, tab)
	check("expired", "Password", old(ada))
}

func TestACodeIsTakenHoweverItIsTyped(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	key, codes := enabled(t, s, tab)
	wide := func(code string) string {
		return strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	}
	for i, shape := range []func(string) string{
		func(code string) string { return code[:3] + " " + code[3:] },
		func(code string) string { return code[:3] + "-" + code[3:] },
		func(code string) string { return "  " + code + " \n" },
		wide,
	} {
		minutes := time.Duration(i+1) * time.Minute
		s.Clock("+" + minutes.String())
		other := s.Profile(t)
		login(other, ada, good).At("/login/code")
		other.Fill("Login code", shape(codeAt(t, key, minutes))).Press("Send code").At("/apps")
	}
	for i, shape := range []func(string) string{
		strings.ToLower,
		func(code string) string { return strings.ReplaceAll(code, "-", "") },
		func(code string) string { return " " + strings.ReplaceAll(code, "-", " ") + "\n" },
	} {
		other := s.Profile(t)
		login(other, ada, good).At("/login/code")
		other.Fill("Login code", shape(codes[i])).Press("Send code").At("/apps").Status("recovery code")
	}
}

func TestShowPasswordSaysWhatItIsAndHidesItAgainWhenTheFormGoes(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t).Open("/login").Fill("Email", ada).Fill("Password", next)
	is := func(want string) {
		t.Helper()
		var have string
		if tab.Evaluate(`(b => document.getElementById("password").type + " " + b.ariaPressed)(document.querySelector("[data-show-password]"))`, &have); have != want {
			t.Errorf("the field is %q, want %q", have, want)
		}
	}
	is("password false")
	tab.Press("Show password")
	is("text true")
	tab.Press("Show password")
	is("password false")
	tab.Press("Show password")
	tab.Evaluate(`addEventListener("submit", event => { event.preventDefault(); event.stopImmediatePropagation() }, { once: true })`, nil)
	tab.Press("Login")
	is("password false")
}

func TestADoubleClickSendsOnce(t *testing.T) {
	s, g := kit.StartBehind(t)
	s.Person(ada, good)
	tab := s.Profile(t).Open("/login").Fill("Email", ada).Fill("Password", good)
	held := g.Request("/login")
	tab.Evaluate(`(button => { button.click(); button.click(); button.form.requestSubmit() })(document.querySelector("main form .button"))`, nil)
	held.Arrived(t)
	held.Release()
	tab.At("/apps")
	if n := g.Passed("/login"); n != 2 { // the page, and the form
		t.Errorf("%d requests to the login, want 2", n)
	}
}

// A phone shows digits for a code; who types a recovery code gets letters.
func TestOnAPhoneARecoveryCodeGetsLetters(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	_, codes := enabled(t, s, tab)
	phone := s.Profile(t).Phone()
	login(phone, ada, good).At("/login/code")
	phone.Press("Type a recovery code")
	if f := read(phone, "Login code"); f.InputMode != "text" {
		t.Errorf("the keypad is %q", f.InputMode)
	}
	if phone.Focused() != "Login code" {
		t.Errorf("the focus is in %q", phone.Focused())
	}
	phone.Press("Type a recovery code")
	if f := read(phone, "Login code"); f.InputMode != "numeric" {
		t.Errorf("the keypad is %q", f.InputMode)
	}
	phone.Fill("Login code", codes[0]).Press("Send code").At("/apps")
	desktop := s.Profile(t)
	login(desktop, ada, good).At("/login/code")
	if desktop.Has("button", "Type a recovery code") {
		t.Error("a keyboard has letters anyway")
	}
}

// tapped counts how often the authenticator app would have been opened.
const tapped = `window.opened = 0; document.addEventListener("click", event => {
	const link = event.target.closest("a[href^='otpauth:']")
	if (link && !event.defaultPrevented) window.opened++
	event.preventDefault()
})`

func TestOnAPhoneADoubleTapOnTheQRCodeOpensTheAppOnce(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t).Phone()
	login(tab, ada, good).At("/apps")
	tab.Open("/account/two-factor").Evaluate(tapped, nil)
	tab.DoubleTap("QR code", "image", "img")
	var opened int
	if tab.Evaluate(`window.opened`, &opened); opened != 1 {
		t.Errorf("a double-tap opened it %d times", opened)
	}
	var zoom float64
	if tab.Evaluate(`visualViewport.scale`, &zoom); zoom != 1 {
		t.Errorf("the double-tap zoomed the page to %v", zoom)
	}
	tab.Press("Open in authenticator app")
	if tab.Evaluate(`window.opened`, &opened); opened != 2 {
		t.Error("the button opens nothing")
	}
	tab.At("/account/two-factor")
}

func TestWhoeverIsLoggedInGoesOnFromTheLoginPage(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	tab.Open("/login").At("/apps")
	tab.Open("/login?next=/account/sessions").At("/account/sessions")
}

func TestWhereTheVisitorWasGoingSurvivesTheCodeAndTheLanguage(t *testing.T) {
	s := withTwoFactor(t)
	first := s.Profile(t)
	login(first, ada, good).At("/apps")
	key, _ := enabled(t, s, first)
	tab := s.Profile(t).Open("/account/sessions").At("/login")
	tab.Press("Deutsch").See("Passwort vergessen").Press("English").See("Forgot password")
	tab.Fill("Email", ada).Fill("Password", next).Press("Login").Alert("don't match")
	tab.Press("Deutsch").See("Passwort vergessen").Press("English").See("Forgot password")
	tab.Fill("Email", ada).Fill("Password", good).Press("Login").At("/login/code")
	tab.Press("Deutsch").See("Code senden").Press("English").See("Send code")
	tab.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").At("/account/sessions")
}

// An address that nobody made answers so, which password managers check before
// they believe the others.
func TestWellKnownAddresses(t *testing.T) {
	s := kit.Start(t)
	browse := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{
		"/.well-known/change-password": http.StatusSeeOther,
		"/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200": http.StatusNotFound,
	} {
		answer, err := browse.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, answer.StatusCode, want)
		}
	}
}
