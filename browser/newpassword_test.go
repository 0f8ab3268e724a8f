package browser

import (
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

const beatrice = "beatrice.vandenberg@example.org"

func TestTheStrengthBarJudgesWithTheAddressAndTheName(t *testing.T) {
	s := kit.Start(t)
	tab := s.Profile(t).Open("/register").Fill("Email", beatrice).Fill("Password", "vandenberg-beatrice")
	tab.See("little more than your own name or address")
	tab.Fill("Password", good).See("Good password.")

	tab.Open(s.SetupLink()).Fill("Name", "Eleonora Winterbottom").Fill("Password", "winterbottom eleonora")
	tab.See("little more than your own name or address")

	s.Person(beatrice, good)
	tab.Open("/forgot-password").Fill("Email", beatrice).Press("Send reset link").See("Check your mail")
	tab.Open(s.Link(s.Letter(beatrice, "token="))).Fill("New password", "vandenberg-beatrice")
	tab.See("little more than your own name or address")
	if problems := tab.Problems(); len(problems) > 0 {
		t.Errorf("the page complains: %v", problems)
	}
}

func TestALetterIsAskedForOnceMoreAfterARest(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	for _, page := range []struct{ path, button string }{{"/forgot-password", "Send reset link"}, {"/register", "Create account"}} {
		tab := s.Profile(t).Open(page.path).Fill("Email", ada)
		if page.path == "/register" {
			tab.Fill("Email", bea).Fill("Password", good)
		}
		tab.Press(page.button).See("Possible again in seconds:")
		var disabled bool
		if tab.Evaluate(`document.querySelector("[data-rest]").disabled`, &disabled); !disabled {
			t.Errorf("%s: the button does not rest", page.path)
		}
		tab.Evaluate(`(was => { Date.now = () => was() + 31_000 })(Date.now)`, nil) // time passes
		kit.Eventually(t, "the button can be pressed", func() bool {
			tab.Evaluate(`document.querySelector("[data-rest]").disabled`, &disabled)
			return !disabled
		})
		tab.Press("Send again").Status("Asked for the letter again")
	}
	kit.Eventually(t, "two letters each", func() bool { return len(s.Letters(ada)) == 2 && len(s.Letters(bea)) == 2 })
}

func TestALetterIsAskedForOnceMoreWithoutScript(t *testing.T) {
	s := kit.Start(t)
	s.Person(ada, good)
	tab := s.Profile(t).WithoutScript().Open("/forgot-password").Fill("Email", ada).Press("Send reset link")
	tab.Press("Send again").Status("Asked for the letter again")
}
