package browser

import (
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// hands are those of somebody who uses no mouse.
type hands struct {
	t   *testing.T
	tab *kit.Tab
}

const (
	enter = "\r"
	space = " "
)

// name is the accessible name of what has the focus, as far as these pages go.
const nameOfFocus = `(() => {
	const e = document.activeElement
	if (e.labels?.[0]) return e.labels[0].innerText.trim()
	if (e.ariaLabel) return e.ariaLabel
	const copy = e.cloneNode(true)
	copy.querySelectorAll?.("[aria-hidden=true], svg").forEach(part => part.remove())
	return copy.textContent.trim()
})()`

// to goes to a control by the tabulator.
func (h hands) to(name string) hands {
	h.t.Helper()
	for range 80 {
		var at string
		h.tab.Evaluate(nameOfFocus, &at)
		if at == name {
			var seen bool
			h.tab.Evaluate(`(box => box.top >= 0 && box.bottom <= innerHeight)(document.activeElement.getBoundingClientRect())`, &seen)
			if !seen {
				h.t.Errorf("%q has the focus, out of sight", name)
			}
			return h
		}
		h.tab.Key("\t")
	}
	h.t.Fatalf("the tabulator never reaches %q", name)
	return h
}

func (h hands) press(keys string) hands {
	h.t.Helper()
	h.tab.Key(keys)
	return h
}

func (h hands) menu(entry string) {
	h.t.Helper()
	h.to("Ada").press(enter).to(entry).press(enter)
}

func TestTheWholeWalkByKeyboardAlone(t *testing.T) {
	s := withTwoFactor(t)
	tab := s.Profile(t)
	h := hands{t, tab}

	tab.Open("/login")
	h.to("Email").press(ada).to("Password").press(good).press(enter)
	tab.At("/apps")
	h.menu("Account settings")
	tab.At("/account")
	h.to(enable).press(enter)
	tab.At("/account/two-factor")
	key := keyOf(t, tab)
	h.to("Login code").press(codeAt(t, key, 0)).to("Activate").press(enter)
	tab.Status("2-factor authentication successfully enabled.")
	h.to("I have saved these codes").press(space).to("Continue").press(enter)
	tab.At("/account")
	h.menu("Log out")
	tab.At("/login")

	s.Clock("+1m")
	h.to("Email").press(ada).to("Password").press(good).to("Login").press(enter)
	tab.At("/login/code")
	h.to("Login code").press(codeAt(t, key, time.Minute)).press(enter)
	tab.At("/apps")
	h.to("Ada").press(enter).press("\x1b").to("Ada") // closed again, and the focus stays
	h.menu("Account settings")
	tab.At("/account")
	h.to(disable).press(enter)
	tab.At("/account/two-factor")
	s.Clock("+2m")
	h.to("Login code").press(codeAt(t, key, 2*time.Minute)).to("Disable").press(enter)
	tab.Status("2-factor authentication successfully disabled.")
	h.menu("Log out")
	tab.At("/login").Status("You are logged out")
}

func TestAnExpiredSessionComesBackByKeyboardAlone(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	lapse(s, tab)
	h := hands{t, tab}
	h.press("\x1b").press("\x1b") // nothing closes the dialog but the password
	tab.Find(expired, "dialog")
	h.to("Password").press(good).press(enter)
	tab.HasNot("dialog", expired).See("Account settings")
}

func TestEscapeMeansToStaySignedIn(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	for _, at := range []string{"+60m", "+119m", "+178m"} {
		s.Clock(at)
		look(tab)
		tab.Find("Session about to end", "dialog")
		tab.Key("\x1b").HasNot("dialog", "Session about to end")
	}
	tab.Open("/account").At("/account")
}

func TestTheFirstStopSkipsToTheContent(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	tab.Open("/account")
	hands{t, tab}.press("\t").press(enter).press("\t")
	var within bool
	tab.Evaluate(`document.getElementById("main").contains(document.activeElement)`, &within)
	if !within {
		t.Error("the link does not lead into the page's main part")
	}
}
