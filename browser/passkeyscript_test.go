package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// ownTime makes time pass for a page as a test says alone. The page counts how
// often it begins anew, and how often that is over.
const ownTime = `(() => {
  window.passed = window.renewals = window.renewed = 0
  performance.now = () => window.passed
  const plain = window.fetch
  window.fetch = async (to, ...more) => {
    if (to !== "/login/passkey/begin") return plain(to, ...more)
    window.renewals++
    try { return await plain(to, ...more) } finally { window.renewed++ }
  }
})()`

// passes lets so much time have passed for a page, and has it look at the clock.
func passes(tab *kit.Tab, since time.Duration) {
	tab.Evaluate(fmt.Sprintf(`window.passed = %d; document.dispatchEvent(new Event("visibilitychange")); 0`, since.Milliseconds()), nil)
}

func number(tab *kit.Tab, expression string) (n int) {
	tab.Evaluate(expression, &n)
	return n
}

// beginsAnew waits until a page asks with another challenge than before.
func beginsAnew(tab *kit.Tab, before asked) {
	tab.Until("the page begins anew", func() bool { return askedBy(tab).Ceremony != before.Ceremony })
}

// An answer is taken for five minutes. A page that is open for longer begins anew
// after four, and neither before nor again.
func TestAPageThatIsLeftOpenStillTakesAPasskey(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton, ownTime)
	var opened time.Duration
	for page, button := range map[string]string{"/login": signInWithPasskey, "/login/code": usePasskey} {
		loggedOut(tab)
		if page == "/login/code" {
			login(tab, ada, good).At(page)
		}
		first := askedBy(tab)
		s.Clock("+" + (opened + 4*time.Minute).String())
		passes(tab, 4*time.Minute-time.Millisecond)
		if n := number(tab, `window.renewals`); n != 0 {
			t.Errorf("%s: it has begun anew %d times before", page, n)
		}
		passes(tab, 4*time.Minute)
		beginsAnew(tab, first)
		opened += 8 * time.Minute
		s.Clock("+" + opened.String())
		passes(tab, 8*time.Minute-time.Millisecond)
		if n := number(tab, `window.renewals`); n != 1 {
			t.Errorf("%s: it has begun anew %d times", page, n)
		}
		tab.Press(button).At("/apps")
	}
	noProblems(t, tab)
}

func TestWhatIsOfferedInTheAddressIsBegunAnew(t *testing.T) {
	s, tab, _ := withPasskeys(t, inField, ownTime)
	first := askedBy(loggedOut(tab))
	offersInField(tab, 1)
	s.Clock("+4m")
	passes(tab, 4*time.Minute)
	beginsAnew(tab, first)
	offersInField(tab, 2)
	s.Clock("+8m")
	tab.Evaluate(`window.choose(); 0`, nil)
	tab.At("/apps")
	noProblems(t, tab)
}

// While the server is away a page asks again every minute. Whoever is faster reads
// that it took too long, on a page that is fresh.
func TestAPageThatCouldNotBeginAnewSaysWhatHappened(t *testing.T) {
	s, tab, _ := withPasskeys(t, onlyByButton, ownTime)
	away := func() asked {
		first := askedBy(loggedOut(tab))
		s.Stop()
		passes(tab, 4*time.Minute)
		tab.Until("the page has asked", func() bool { return number(tab, `window.renewed`) == 1 })
		s.Start()
		return first
	}
	first := away()
	s.Clock("+6m")
	passes(tab, 5*time.Minute-time.Millisecond)
	if n := number(tab, `window.renewals`); n != 1 {
		t.Errorf("it has asked %d times within a minute", n)
	}
	if askedBy(tab) != first {
		t.Error("a page that heard nothing asks otherwise than before")
	}
	tab.Press(signInWithPasskey).Alert("That took too long. Try again.").Press(signInWithPasskey).At("/apps")

	first = away()
	s.Clock("+11m")
	passes(tab, 5*time.Minute)
	beginsAnew(tab, first)
	s.Clock("+15m")
	tab.Press(signInWithPasskey).At("/apps")
	noProblems(t, tab)
}

// writeDownAsked writes down what the browser is asked for passkeys, when each
// question is over, and whether two were asked at a time; and lets a test close the
// browser's prompt, as a person does.
const writeDownAsked = `(() => {
  window.asked = []
  let open = 0
  for (const call of ["get", "create"]) {
    const plain = navigator.credentials[call].bind(navigator.credentials)
    navigator.credentials[call] = options => {
      const own = new AbortController(), kind = options.mediation ?? call
      window.closePrompt = () => own.abort(new DOMException("closed", "NotAllowedError"))
      window.asked.push(kind + (open++ ? " beside another" : ""))
      return plain({ ...options, signal: AbortSignal.any([options.signal, own.signal]) })
        .finally(() => { open--; window.asked.push(kind + " is over") })
    }
  }
})()`

// isAsked waits until the browser was asked these, in this order, since the page
// was loaded.
func isAsked(t *testing.T, tab *kit.Tab, want ...string) {
	t.Helper()
	var have []string
	asked := false
	defer func() {
		if !asked {
			t.Logf("the browser was asked %q", have)
		}
	}()
	tab.Until(fmt.Sprintf("the browser is asked %q", want), func() bool {
		asked = tab.Look(`window.asked`, &have) && slices.Equal(have, want)
		return asked
	})
}

func closePrompt(tab *kit.Tab) { tab.Evaluate(`window.closePrompt(); 0`, nil) }

// Somebody presses the button, touches nothing, and closes the browser's prompt.
func TestAPromptThatIsClosedLeavesThePageCalm(t *testing.T) {
	_, tab, device := withPasskeys(t, onlyByButton, writeDownAsked)
	device.Answers(false)
	for _, page := range []struct {
		open         func() *kit.Tab
		button, said string
	}{
		{func() *kit.Tab { return tab.Open("/account/passkeys/new") }, "Create a passkey", "No passkey was made. Try again."},
		{func() *kit.Tab { return loggedOut(tab) }, signInWithPasskey, "No passkey was used. Try again, or log in with your password."},
		{func() *kit.Tab { return login(tab, ada, good).At("/login/code") }, usePasskey, "No passkey was used. Try again, or use another way."},
	} {
		call := "get"
		if page.button == "Create a passkey" {
			call = "create"
		}
		page.open().Press(page.button)
		isAsked(t, tab, call)
		if said := tab.Region("status"); strings.Contains(said, page.said) {
			t.Errorf("%s: while it is asked the page says %q", page.button, said)
		}
		at := tab.Address()
		closePrompt(tab)
		tab.Status(page.said)
		if tab.Region("alert") != "" || tab.Address() != at {
			t.Errorf("%s: the page is not calm: at %s, %q", page.button, tab.Address(), tab.Region("alert"))
		}
		tab.Press(page.button)
		isAsked(t, tab, call, call+" is over", call)
		if said := tab.Region("status"); strings.Contains(said, page.said) {
			t.Errorf("%s: asked again, it still says %q", page.button, said)
		}
		closePrompt(tab)
		tab.Status(page.said)
	}
	device.Answers(true)
	tab.Press(usePasskey).At("/apps")
	noProblems(t, tab)
}

// A browser is asked one thing at a time: what is offered in the address is over
// before anything else begins, and comes back after it.
func TestABrowserIsAskedOneThingAtATime(t *testing.T) {
	s, tab, device := withPasskeys(t, writeDownAsked, ownTime)
	device.Answers(false)
	first := askedBy(loggedOut(tab))
	isAsked(t, tab, "conditional")
	tab.Press(signInWithPasskey)
	isAsked(t, tab, "conditional", "conditional is over", "get")
	closePrompt(tab)
	isAsked(t, tab, "conditional", "conditional is over", "get", "get is over", "conditional")
	s.Clock("+4m")
	passes(tab, 4*time.Minute)
	beginsAnew(tab, first)
	isAsked(t, tab, "conditional", "conditional is over", "get", "get is over", "conditional", "conditional is over", "conditional")

	tab.Open("/login")
	isAsked(t, tab, "conditional")
	device.Answers(true)
	tab.Press(signInWithPasskey).At("/apps")
	noProblems(t, tab)
}

// Hands that press twice are asked once.
func TestAButtonThatIsPressedTwiceAsksOnce(t *testing.T) {
	_, tab, device := withPasskeys(t, writeDownAsked)
	device.Answers(false)
	loggedOut(tab)
	isAsked(t, tab, "conditional")
	tab.Evaluate(`for (const time of [1, 2]) document.querySelector("[data-ask]").click(); 0`, nil)
	isAsked(t, tab, "conditional", "conditional is over", "get")
	closePrompt(tab)
	tab.Status("No passkey was used.")
	noProblems(t, tab)
}
