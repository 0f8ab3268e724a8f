package browser

import (
	"fmt"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

const (
	comingBack = "/login/window"       // where the password of an expired session goes
	howItIs    = "/login/window/state" // where a page asks how its session stands

	// A page in a hurry gives up after a second instead of ten.
	canHurry = `window.hurry = false; AbortSignal.timeout = (was => ms => was.call(AbortSignal, hurry ? ms / 10 : ms))(AbortSignal.timeout)`
	// Older browsers cannot let pages wait for each other.
	withoutLocks = `delete Navigator.prototype.locks`
	// Pages for which no time passes, and which do not hear that they are looked
	// at, ask nothing by themselves: what a test holds back is the question that it
	// is about.
	timeless = `performance.now = (now => () => now)(performance.now())
		for (const moment of ["focus", "online", "visibilitychange"]) window.deaf.add(moment); 0`
	canBeDeaf = `window.deaf = new Set()
		for (const moment of ["focus", "online", "visibilitychange"])
			addEventListener(moment, event => { if (deaf.has(moment)) event.stopImmediatePropagation() }, true)`
	// Pages that say nothing to each other.
	mute = `BroadcastChannel.prototype.postMessage = () => {}`
)

// twoExpired are two pages of one person behind a gate, both expired, with the
// password typed into both. The scripts run before the pages' own.
func twoExpired(t *testing.T, scripts ...string) (s *kit.Server, g *kit.Gate, first, second *kit.Tab) {
	t.Helper()
	s, g = behindAGate(t)
	first, second = twoOpen(t, s, append(scripts, canBeDeaf, canHurry)...)
	lapse(s, first, second)
	for _, tab := range []*kit.Tab{first, second} {
		tab.Evaluate(timeless, nil)
		tab.Fill("Password", good)
	}
	g.Settled(howItIs)
	return s, g, first, second
}

func behindAGate(t *testing.T) (*kit.Server, *kit.Gate) {
	t.Helper()
	return kit.StartBehindFrom(t, adaMayUseTwoFactor(t))
}

func twoOpen(t *testing.T, s *kit.Server, scripts ...string) (first, second *kit.Tab) {
	t.Helper()
	first = s.Profile(t)
	second = first.Tab()
	for _, script := range scripts {
		first.Before(script)
		second.Before(script)
	}
	login(first, ada, good).At("/apps")
	enabled(t, s, first)
	first.Tick("I have saved these codes").Press("Continue").At("/account")
	return watching(t, first), watching(t, second.Open("/account"))
}

// bothGoOn holds that both pages are what they were, and that the session is
// one of both without any code.
func bothGoOn(t *testing.T, first, second *kit.Tab) {
	t.Helper()
	for _, tab := range []*kit.Tab{first, second} {
		tab.HasNot("dialog", expired).At("/account").See("Account settings")
	}
	first.Fill("Name", "Countess").Press("Save").Status("Your name is saved")
	second.Press("Show my sessions").At("/account/sessions").See("This one")
	for _, tab := range []*kit.Tab{first, second} {
		if problems := tab.Problems(); len(problems) > 0 {
			t.Errorf("the page complains: %v", problems)
		}
	}
}

// pressLogin presses the button in the page itself, which takes no time.
func pressLogin(tab *kit.Tab) {
	tab.Evaluate(`document.querySelector("#session-expired form.return .buttons button").click()`, nil)
}

func hurry(tab *kit.Tab, yes bool) { tab.Evaluate(fmt.Sprintf(`hurry = %v; 0`, yes), nil) }

func TestTwoPagesComeBackAtOnce(t *testing.T) {
	_, g, first, second := twoExpired(t)
	held := g.Answer(comingBack)
	pressLogin(first)
	held.Arrived(t)
	pressLogin(second)
	held.Release()
	bothGoOn(t, first, second)
	if n := g.Passed(comingBack); n != 1 {
		t.Errorf("the password went to the server %d times, want once", n)
	}
}

func TestTwoPagesComeBackAtOnceWhereTheyCannotWaitForEachOther(t *testing.T) {
	t.Run("the second asks while the answer to the first is on its way", func(t *testing.T) {
		_, g, first, second := twoExpired(t, withoutLocks)
		held := g.Answer(comingBack)
		pressLogin(first)
		held.Arrived(t)
		asked := g.Answer(howItIs)
		pressLogin(second)
		asked.Arrived(t) // with the cookie of before: this session is over
		asked.Release()
		held.Release()
		bothGoOn(t, first, second)
	})
	t.Run("the second's password comes when the first is back", func(t *testing.T) {
		_, g, first, second := twoExpired(t, withoutLocks, mute)
		held := g.OneRequest(comingBack)
		pressLogin(second)
		held.Arrived(t)
		pressLogin(first)
		first.HasNot("dialog", expired)
		second.Find(expired, "dialog")
		held.Release()
		bothGoOn(t, first, second)
	})
}

func TestAPageThatHearsOfTheReturnWhileItWaitsSendsNothing(t *testing.T) {
	_, g, first, second := twoExpired(t)
	held := g.Request(howItIs)
	pressLogin(second)
	held.Arrived(t)
	pressLogin(first) // waits for its turn
	held.Release()
	bothGoOn(t, first, second)
	if n := g.Passed(comingBack); n != 1 {
		t.Errorf("the password went to the server %d times, want once", n)
	}
}

func TestARequestThatHangsLeavesThePageCoveredAndCanBeTriedAgain(t *testing.T) {
	for name, path := range map[string]string{"the question": howItIs, "the password": comingBack} {
		t.Run(name, func(t *testing.T) {
			_, g, first, second := twoExpired(t)
			held := g.Request(path)
			hurry(first, true)
			pressLogin(first)
			first.Alert("The server did not answer").Find(expired, "dialog")
			if typed := first.Value("Password"); typed != "" {
				t.Errorf("the field still holds %q", typed)
			}
			if first.Has("heading", "Account settings") {
				t.Error("the page can be read")
			}
			held.Release()
			hurry(first, false)
			back(first, good)
			bothGoOn(t, first, second)
		})
	}
}

func TestAReturnWhoseAnswerGotLostLeadsToTheLogin(t *testing.T) {
	_, g, first, second := twoExpired(t)
	lost := g.Answer(comingBack)
	hurry(first, true)
	pressLogin(first)
	lost.Arrived(t)
	first.Alert("The server did not answer").Find(expired, "dialog")
	hurry(first, false)
	back(first, good).At("/login")
	second.At("/login")
	login(first, ada, good).At("/login/code")
}

func TestAPageThatHangsDoesNotHoldUpTheOthers(t *testing.T) {
	_, _, first, second := twoExpired(t)
	first.Evaluate(`navigator.locks.request("twinlock", () => new Promise(() => {})); 0`, nil)
	hurry(second, true)
	pressLogin(second) // how long it waits for the first is settled at once
	hurry(second, false)
	bothGoOn(t, first, second)
}

func TestAServerThatIsBusySaysSo(t *testing.T) {
	_, _, first, second := twoExpired(t)
	first.Evaluate(`window.fetch = (was => (path, ...rest) => {
		if (path !== "/login/window") return was(path, ...rest)
		window.fetch = was
		return Promise.resolve(new Response("", { status: 503 }))
	})(window.fetch); 0`, nil)
	pressLogin(first)
	first.Alert("The server is very busy").Find(expired, "dialog")
	back(first, good)
	bothGoOn(t, first, second)
}

// Of three pages in one browser two are Ada's; one of these was cut off from
// the server while Bea logged in.
func TestOfThreePagesThatOfAnotherPersonEmptiesItself(t *testing.T) {
	s, _ := behindAGate(t)
	s.Person(bea, next, "--name", "Bea")
	heard, cut := twoOpen(t, s)
	cut.Fill("Name", "Countess of Lovelace")
	lapse(s, heard, cut)
	cut.Evaluate(`window.fetch = (was => { window.online = () => { window.fetch = was }; return () => Promise.reject(new TypeError()) })(window.fetch); 0`, nil)

	beas := heard.Tab()
	login(beas, bea, next).At("/apps")
	heard.At("/apps").Find("Bea", "button", "DisclosureTriangle")
	cut.Find(expired, "dialog")

	watching(t, beas)
	watching(t, heard)
	s.Clock("+126m")
	for _, tab := range []*kit.Tab{beas, heard} {
		look(tab)
		tab.Find(expired, "dialog")
	}
	cut.Evaluate(`window.online()`, nil)
	beas.Fill("Password", next)
	cut.Fill("Password", good)
	pressLogin(cut)
	pressLogin(beas)
	for _, tab := range []*kit.Tab{beas, heard} {
		tab.HasNot("dialog", expired).At("/apps").Find("Bea", "button", "DisclosureTriangle")
	}
	cut.HasNot("dialog", expired)
	cut.Open("/account").At("/account").Find("Bea", "button", "DisclosureTriangle")
	if name := cut.Value("Name"); name != "Bea" {
		t.Errorf("the page of somebody else holds %q", name)
	}
}

func TestTheFocusGoesBackToWhereItWas(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	tab.Fill("Name", "Countess")
	lapse(s, tab)
	if at := tab.Focused(); at != "Password" {
		t.Errorf("the focus is in %q, want the password", at)
	}
	back(tab, good).HasNot("dialog", expired)
	if at := tab.Focused(); at != "Name" {
		t.Errorf("the focus went to %q, want where it was", at)
	}
}

func TestTheSecretIsNowhereInThePage(t *testing.T) {
	s := withTwoFactor(t)
	tab, _ := inside(t, s)
	var found int
	tab.Evaluate(`(document.documentElement.outerHTML.match(/data-secret/g) ?? []).length + localStorage.length + sessionStorage.length`, &found)
	if found != 0 {
		t.Error("the page keeps the secret where other scripts find it")
	}
}
