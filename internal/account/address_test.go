package account_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/mail"
)

const addressAsked = "We have mailed your new address a link. Open it in this browser to finish."

// askAddress asks for a new address in the settings, and gives the link that it
// was mailed. Time passes first, so that its letter is the newest.
func askAddress(t *testing.T, site *apptest.Site, b *apptest.Browser, wanted string) string {
	t.Helper()
	site.Clock.Turn(time.Second)
	b.Get("/account").Form("Change address").Fill("New email address", wanted).Press().WantDone(addressAsked)
	letter := site.Mail.Last(t, wanted)
	if letter.Kind != mail.AddressChangedNew {
		t.Fatalf("the last letter is %s", letter.Kind)
	}
	return apptest.Link(t, letter)
}

func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "token=")
	return token
}

func TestLinksToANewAddressThatDoNotWork(t *testing.T) {
	site, ada, browser := newSite(t)
	bea, other := site.Person("bea@example.org"), site.Browser()
	late := askAddress(t, site, browser, "late@example.org")
	site.Clock.Turn(site.Config.VerifyLink)
	browser.SignIn(ada).WantPath("/apps")
	other.SignIn(bea).WantPath("/apps")
	beas := askAddress(t, site, other, "bea@example.net")
	used := askAddress(t, site, browser, "used@example.org")
	browser.Get(used).Form("Change address").Press().WantDone("Your email address is changed.")
	older := askAddress(t, site, browser, "older@example.org")
	live := askAddress(t, site, browser, "ada@example.net")
	altered := []byte(tokenOf(live))
	altered[20] ^= 1

	form := browser.Get(live).WantStatus(http.StatusOK).Form("Change address")
	var first string
	for name, token := range map[string]string{
		"missing": "", "short": "abc", "altered": string(altered), "used": tokenOf(used), "older of two": tokenOf(older),
		"too late": tokenOf(late), "another person's": tokenOf(beas), "twice as long": tokenOf(live) + tokenOf(live),
	} {
		got := browser.Get("/account/address?" + url.Values{"token": {token}}.Encode()).WantStatus(http.StatusGone)
		form.Values.Set("token", token)
		post := form.Press()
		if first == "" {
			first = got.Unnumbered()
		}
		if post.Status != http.StatusGone || post.Unnumbered() != first || got.Unnumbered() != first {
			t.Errorf("%s: POST gives %d and %q, GET %q", name, post.Status, post.Text(), got.Text())
		}
	}
	browser.Ask(browser.Request(http.MethodHead, live, nil)).WantStatus(http.StatusOK)
	form.Values.Set("token", tokenOf(live))
	form.Press().WantDone("Your email address is changed.")
	other.Get(beas).Form("Change address").Press().WantDone("Your email address is changed.")
	if got := ada.User().Address; got != "ada@example.net" {
		t.Errorf("the address is %s", got)
	}
}

// A post that could not be done is not told that its link is dead: the page
// that the link leads to says by itself whether it is.
func TestARefusedChangeOfAddressLeadsBackToItsLink(t *testing.T) {
	_, _, browser := newSite(t)
	token := strings.Repeat("A", 43)
	answer := browser.Once("/account/address/confirm", url.Values{"token": {token}}).WantStatus(http.StatusSeeOther)
	if got := answer.Header.Get("Location"); got != "/account/address?token="+token {
		t.Errorf("it leads to %s", got)
	}
}

func TestAnAddressThatSomebodyHasIsAnsweredAlikeAndItsOwnerIsToldWhatWasTried(t *testing.T) {
	site, ada, browser := newSite(t)
	bea := site.Person("bea@example.org")
	page := browser.Get("/account").Form("Change address").Fill("New email address", bea.Address).Press().WantDone(addressAsked)
	free := browser.Get("/account").Form("Change address").Fill("New email address", "free@example.org").Press().WantDone(addressAsked)
	if page.Text() != free.Text() {
		t.Errorf("taken: %s\nfree: %s", page.Text(), free.Text())
	}
	letter := site.Mail.Last(t, bea.Address)
	if letter.Kind != mail.AddressTaken || !strings.Contains(letter.Text, "tried to use this e-mail address") ||
		strings.Contains(letter.Text, "token=") || strings.Contains(letter.Text, ada.Address) {
		t.Errorf("%s: %s", letter.Kind, letter.Text)
	}
}

func TestAnAddressThatSomebodyTookMeanwhileIsTakenNoMore(t *testing.T) {
	site, ada, browser := newSite(t)
	form := browser.Get(askAddress(t, site, browser, "free@example.org")).Form("Change address")
	site.Person("free@example.org")
	form.Press().WantStatus(http.StatusGone)
	if got := ada.User().Address; got != "ada@example.org" {
		t.Errorf("the address is %s", got)
	}
}

func TestTheLinkToANewAddressIsBehindTheLoginAndAfterIt(t *testing.T) {
	site, ada, browser := newSite(t)
	page := site.Browser().Get(askAddress(t, site, browser, "ada@example.net")).WantPath("/login")
	page = page.Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
	page.WantPath("/account/address").Form("Change address").Press().WantDone("Your email address is changed.")
}

func TestAnAccountMovesOnlyToADomainThatMaySignUp(t *testing.T) {
	_, _, browser := newSite(t, "registration_domains=example.org,bücher.example")
	ask := func(wanted string) *apptest.Page {
		return browser.Get("/account").Form("Change address").Fill("New email address", wanted).Press()
	}
	for _, wanted := range []string{"ada@evil.example", "ada@example.org.evil.example", "ada@sub.example.org"} {
		page := ask(wanted).WantStatus(http.StatusUnprocessableEntity)
		if !page.HasLink("Only addresses of these domains may be used: example.org, xn--bcher-kva.example.") ||
			page.Form("Change address").Values.Get("email") != wanted {
			t.Errorf("%s: the page says %s", wanted, page.Text())
		}
	}
	ask("a@EXAMPLE.org").WantDone(addressAsked)
	ask("a@Bücher.example").WantDone(addressAsked)
}

func TestAMissingNewAddressIsToldToBeMissing(t *testing.T) {
	_, _, browser := newSite(t)
	page := browser.Get("/account").Form("Change address").Press().WantStatus(http.StatusUnprocessableEntity)
	if !page.HasLink("Type your email address.") {
		t.Errorf("the page says %s", page.Text())
	}
}

// A signed-in person queues no letters to made-up addresses without end.
func TestWhoeverAsksForManyNewAddressesHasToWait(t *testing.T) {
	site, _, browser := newSite(t)
	ask := func(i int) *apptest.Page {
		return browser.Get("/account").Form("Change address").Fill("New email address", fmt.Sprintf("a%d@example.org", i)).Press()
	}
	for i := range site.Config.ThrottleNetwork {
		browser.Network = fmt.Sprintf("198.51.100.%d", i+1)
		ask(i).WantDone(addressAsked)
	}
	page := ask(99).WantStatus(http.StatusTooManyRequests)
	if page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "a99@example.org") ||
		!strings.Contains(page.Text(), "Too many requests for a new address. Try again in 1 second.") {
		t.Errorf("no time to come back, or not what was typed:\n%s", page.Text())
	}
	site.Clock.Turn(time.Second)
	ask(100).WantDone(addressAsked)
}
