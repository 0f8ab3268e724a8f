package browser

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// opensWith tells whether a login goes on with a code.
func opensWith(t *testing.T, s *kit.Server, code string) bool {
	t.Helper()
	tab := s.Profile(t)
	login(tab, ada, good).At("/login/code")
	tab.Fill("Login code", code).Press("Send code")
	tab.Until("the answer to a code", func() bool { return tab.Address() == "/apps" || tab.Region("alert") != "" })
	return tab.Address() == "/apps"
}

// The old phone stays valid until the new one has shown a right code, and the
// recovery codes stay.
func TestReplaceMyPhone(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t).Phone()
	login(tab, ada, good).At("/apps")
	old, codes := enabled(t, s, tab)
	tab.Open("/account").Press("Replace my phone").At("/account/authenticators/replace").See("stays valid until the new one has shown a right code")
	fresh := keyOf(t, tab)
	if fresh == old {
		t.Fatal("the new phone has the old one's key")
	}
	tab.Fill("Login code", "123456").Press("Activate").Alert("didn't work")
	if !opensWith(t, s, codeAt(t, old, time.Minute)) {
		t.Error("the old phone was given up before the new one was proved")
	}
	tab.Press("Back").At("/account").Press("Replace my phone").At("/account/authenticators/replace")
	if keyOf(t, tab) != fresh {
		t.Error("coming back changed the key")
	}
	tab.Fill("Login code", codeAt(t, fresh, time.Minute)).Press("Activate").At("/account").Status("Your new phone is set up")
	s.Letter(ada, "was replaced")
	s.Clock("+3m")
	for what, code := range map[string]string{"the new phone": codeAt(t, fresh, 3*time.Minute), "a recovery code of before": codes[0]} {
		if !opensWith(t, s, code) {
			t.Errorf("%s opens nothing", what)
		}
	}
	if opensWith(t, s, codeAt(t, old, 3*time.Minute)) {
		t.Error("the old phone still opens the account")
	}
}

// Another phone is set up beside the first, is named, and both work.
func TestAnotherPhoneKeepsTheRecoveryCodes(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	first, codes := enabled(t, s, tab)
	tab.Open("/account").Press("Authenticator apps").At("/account/authenticators").Press("Add an authenticator app").At("/account/authenticators/new")
	second := keyOf(t, tab)
	tab.Fill("Name", "Tablet").Fill("Login code", codeAt(t, second, time.Minute)).Press("Activate")
	tab.At("/account/authenticators").Status("The authenticator app is added.").See("Tablet")
	s.Letter(ada, "authenticator app was added")
	s.Clock("+3m")
	for what, code := range map[string]string{"the first": codeAt(t, first, 3*time.Minute), "the second": codeAt(t, second, 3*time.Minute), "a recovery code": codes[0]} {
		if !opensWith(t, s, code) {
			t.Errorf("%s opens nothing", what)
		}
	}
	tab.Press("Rename Tablet").Fill("Name", "Old tablet").Press("Save").Status("The name is saved.").See("Old tablet")
	tab.Press("Remove Old tablet").Status("The authenticator app is removed.")
	s.Letter(ada, "authenticator app of your account")
	s.Clock("+5m")
	if opensWith(t, s, codeAt(t, second, 5*time.Minute)) || !opensWith(t, s, codeAt(t, first, 5*time.Minute)) {
		t.Error("the removed one opens the account, or the other one does not")
	}
}

// What a session left open cannot do: both begin with proofs that are not older than
// a quarter of an hour, and the password alone is none.
func TestAnotherPhoneAsksForACurrentFactorFirst(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps")
	key, codes := enabled(t, s, tab)
	off := time.Minute
	for n, page := range []string{"/account/authenticators/new", "/account/authenticators/replace"} {
		off += 20 * time.Minute
		s.Clock("+" + off.String())
		tab.Open(page).At("/login/confirm").See("Confirm that it is you").HasNot("image", "QR code")
		tab.Fill("Password", good).Press("Confirm").Alert("code").At("/login/confirm")
		tab.Open(page).At("/login/confirm").Fill("Password", good)
		if n == 0 {
			tab.Fill("Login code", codeAt(t, key, off))
		} else {
			tab.Fill("Login code", codes[0])
		}
		tab.Press("Confirm").At(page).Find("QR code", "image", "img")
	}
	fresh := typedKey(t, tab)
	tab.Fill("Login code", codeAt(t, fresh, off)).Press("Activate").At("/account").Status("Your new phone is set up")
	s.Clock("+45m")
	if !opensWith(t, s, codes[1]) {
		t.Error("a recovery code of before opens nothing")
	}
}
