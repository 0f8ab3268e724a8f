package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

const locked = "Too many failed tries, so this account is locked."

// closeDoor fails until the door of an address is closed, waiting as long as it
// takes each time.
func closeDoor(t *testing.T, site *apptest.Site, email string) {
	t.Helper()
	b := site.Browser()
	for range site.Config.ThrottleClosed {
		try(b, email, wrong).WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(site.Config.ThrottleLongestWait)
	}
}

func wantLocked(t *testing.T, site *apptest.Site, email string) {
	t.Helper()
	var bodies []string
	for _, password := range []string{apptest.Password, wrong} {
		page := try(site.Browser(), email, password).WantStatus(http.StatusTooManyRequests)
		if !page.Says(locked) || page.Header.Get("Retry-After") != "" || page.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s is told %q, with %v", email, page.Alert(), page.Header)
		}
		bodies = append(bodies, page.Body)
	}
	if bodies[0] != bodies[1] {
		t.Errorf("%s: right and wrong differ", email)
	}
}

// unlockLetters are the letters with a link that opens a door.
func unlockLetters(t *testing.T, site *apptest.Site, p *apptest.Person) (letters []mail.Message) {
	t.Helper()
	for _, letter := range site.Mail.To(t, p.Address) {
		if letter.Kind == mail.Unlock {
			letters = append(letters, letter)
		}
	}
	return letters
}

func unlockLink(t *testing.T, site *apptest.Site, p *apptest.Person) string {
	t.Helper()
	letters := unlockLetters(t, site, p)
	if len(letters) == 0 {
		t.Fatalf("no letter that unlocks to %s", p.Address)
	}
	return apptest.Link(t, letters[len(letters)-1])
}

// purge removes what is over, by a clock that has gone on for a day.
func purge(t *testing.T, site *apptest.Site, k store.Kept) {
	t.Helper()
	for _, reading := range []time.Time{site.Now().Add(-24 * time.Hour), site.Now()} {
		if err := site.Store.Purge(t.Context(), k, reading); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHundredFailuresInARowLockTheAccountUntilItsLinkIsUsed(t *testing.T) {
	site := apptest.New(t)
	ada, bea := site.Person("ada@example.org"), site.Person("bea@example.org")
	known := site.Browser()
	known.SignIn(ada).WantPath("/apps")
	b := site.Browser()
	for range 99 {
		try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(15 * time.Minute)
	}
	if got := len(unlockLetters(t, site, ada)); got > 0 {
		t.Errorf("%d letters after 99 failures", got)
	}
	try(b, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	wantLocked(t, site, ada.Address)
	site.Clock.Turn(300 * 24 * time.Hour) // a year of tries, each of which the purge passes by
	purge(t, site, store.Kept{Events: 400 * 24 * time.Hour, Sessions: 30 * 24 * time.Hour, Throttle: time.Hour})
	wantLocked(t, site, ada.Address)
	site.Browser().SignIn(bea).WantPath("/apps")  // nobody else is
	known.SignIn(ada).WantPath("/apps")           // nor is a browser that logged in before
	wantLocked(t, site, ada.Address)              // which opens the door to nobody
	try(site.Browser(), "ada@example.com", wrong) // nor does anything elsewhere

	before := ada.User()
	page := site.Browser().Get(unlockLink(t, site, ada)).WantStatus(http.StatusOK)
	if got := page.Heading(); got != "Unlock your account" {
		t.Errorf("heading %q", got)
	}
	page.Form("Unlock account").Press().WantPath("/login").WantDone("Your account is unlocked. You can log in again.")
	if after := ada.User(); after != before {
		t.Errorf("the account changed from %+v to %+v", before, after)
	}
	known.Get("/account").WantPath("/account")                                             // sessions live on
	if got := len(site.Mail.To(t, ada.Address)); got != len(unlockLetters(t, site, ada)) { // and nothing else is told
		t.Errorf("%d letters, %d of which unlock", got, len(unlockLetters(t, site, ada)))
	}
	try(site.Browser(), ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	site.Browser().SignIn(ada).WantPath("/apps")
}

func TestAnAddressThatNobodyHasIsLockedLikeOthers(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10")
	closeDoor(t, site, "nobody@example.org")
	wantLocked(t, site, "nobody@example.org")
	site.Clock.Turn(29 * 24 * time.Hour)
	purge(t, site, store.Kept{Throttle: 30 * 24 * time.Hour})
	wantLocked(t, site, "nobody@example.org")
	site.Person("nobody@example.org") // whom no letter reached
	try(site.Browser(), "nobody@example.org", apptest.Password).WantStatus(http.StatusSeeOther)
}

func TestWhoeverTriesALockedAccountCausesALetterAnHourAndVoidsNone(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10", "throttle_longest_wait=1s")
	ada := site.Person("ada@example.org")
	closeDoor(t, site, ada.Address)
	first := unlockLink(t, site, ada)
	for hours := range 5 {
		for range 3 {
			try(site.Browser(), ada.Address, wrong).WantStatus(http.StatusTooManyRequests)
			try(site.Browser(), ada.Address, apptest.Password).WantStatus(http.StatusTooManyRequests)
		}
		if got := len(unlockLetters(t, site, ada)); got != hours+1 {
			t.Errorf("%d letters in %d hours", got, hours+1)
		}
		site.Clock.Turn(time.Hour)
	}
	last := unlockLink(t, site, ada)
	site.Browser().Get(first).Form("Unlock account").Press().WantPath("/login")
	site.Browser().Get(last).WantStatus(http.StatusGone) // there is nothing left for it to do
}

func TestALinkThatUnlocksWorksOnceInTimeAndForTheAccountAsItWas(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10")
	post := func(link string) *apptest.Page {
		_, token, _ := strings.Cut(link, "token=")
		return site.Browser().Once("/login/unlock", url.Values{"token": {token}})
	}
	closed := func(email string) (*apptest.Person, string) {
		p := site.Person(email)
		closeDoor(t, site, email)
		return p, unlockLink(t, site, p)
	}
	late, lateLink := closed("late@example.org")
	site.Clock.Turn(site.Config.UnlockLink)
	used, usedLink := closed("used@example.org")
	post(usedLink).WantStatus(http.StatusSeeOther)
	outdated, outdatedLink := closed("outdated@example.org")
	must(t, site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, outdated.ID, true, site.Now()))
	eve := site.Person("eve@example.org")
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", eve.Address).Press()
	reset := apptest.Link(t, site.Mail.Last(t, eve.Address))
	_, live := closed("live@example.org")

	for name, link := range map[string]string{
		"too late": lateLink, "used": usedLink, "from before the account changed": outdatedLink,
		"for a new password": reset, "made up": "?token=" + strings.Repeat("A", 43), "missing": "",
	} {
		if got := post(link).Status; got != http.StatusGone {
			t.Errorf("%s: status %d, want 410", name, got)
		}
	}
	for _, p := range []*apptest.Person{late, outdated} {
		wantLocked(t, site, p.Address)
	}
	site.Browser().SignIn(used).WantPath("/apps")

	_, token, _ := strings.Cut(live, "token=")
	for _, path := range []string{"/forgot-password/new", "/register/confirm", "/invitation"} {
		site.Browser().Get(path + "?token=" + token).WantStatus(http.StatusGone)
	}
	site.Browser().Get("/setup?token=" + token).WantStatus(http.StatusForbidden)
	for range 2 { // programs that scan mail use nothing up
		site.Browser().Get(live).WantStatus(http.StatusOK)
	}
	wantLocked(t, site, "live@example.org")
	post(live).WantStatus(http.StatusSeeOther)
}

func TestWrongCodesInARowLockTheAccountAndAskForANewPassword(t *testing.T) {
	site := apptest.New(t, "wrong_codes_in_all=1000")
	ada, inside := protected(site, "ada@example.org")
	for range 100 {
		send(pending(site, ada), wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(15 * time.Minute)
	}
	page := pending(site, ada) // the right password opens nothing
	refused := send(page, ada.Code()).WantStatus(http.StatusTooManyRequests)
	recovery := send(page, ada.RecoveryCodes[0]).WantStatus(http.StatusTooManyRequests)
	if !refused.Says(locked) || refused.Body != recovery.Body {
		t.Errorf("the page says %s", refused.Text())
	}
	letters := unlockLetters(t, site, ada)
	if len(letters) != 1 || !strings.Contains(letters[0].Text, "100 wrong login codes") || !strings.Contains(letters[0].Text, "choose a new password") {
		t.Fatalf("%d letters: %v", len(letters), letters)
	}
	inside.Get(apptest.Link(t, letters[0])).Form("Unlock account").Press()
	send(pending(site, ada), ada.Code()).WantPath("/apps")
	if u := ada.User(); !u.TwoFactor() {
		t.Error("two-factor authentication is off")
	}
}

func TestAMonthOfWrongCodesAsksForANewPasswordAndNotForALink(t *testing.T) {
	site := apptest.New(t, "wrong_codes_in_all=10")
	ada, inside := protected(site, "ada@example.org")
	for range 10 {
		site.Clock.Turn(time.Minute)
		send(pending(site, ada), wrongCode(ada, site.Now()))
	}
	site.Clock.Turn(time.Minute)
	refused := inside.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code()).Press()
	refused.WantStatus(http.StatusTooManyRequests)
	if !refused.Says("First choose a new password") || refused.Says("locked") {
		t.Errorf("the page says %s", refused.Text())
	}
}

// Wrong codes say that somebody else knows the password. A passkey is not what they
// know, and its owner is not kept out for what they do.
func TestAMonthOfWrongCodesKeepsNobodyFromTheirPasskey(t *testing.T) {
	site := apptest.New(t, "wrong_codes_in_all=10", "passkey_offer=0")
	site.Activate(auth.PasskeysPlugin)
	ada, _ := protected(site, "ada@example.org")
	site.Clock.Turn(time.Minute)
	ada.AddPasskey()
	for range 10 {
		site.Clock.Turn(time.Minute)
		send(pending(site, ada), wrongCode(ada, site.Now()))
	}
	site.Clock.Turn(time.Minute)
	asked := func() {
		t.Helper()
		if page := try(site.Browser(), ada.Address, ada.Password); page.Heading() != "A new password is needed" {
			t.Errorf("after the right password the page says %q", page.Text())
		}
	}
	asked()
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	asked()
}

// neighbours use up what their network address may fail.
func neighbours(site *apptest.Site, network string) {
	b := site.Browser()
	b.Network = network
	guessEverywhere(b, 0, site.Config.ThrottleNetwork, nil)
	try(b, "one-more@example.org", wrong).WantStatus(http.StatusTooManyRequests)
}

func TestNeighboursCannotLockAKnownBrowserOut(t *testing.T) {
	site := apptest.New(t)
	ada, known := protected(site, "ada@example.org")
	known.Get("/apps").Form("Log out").Press()
	neighbours(site, known.Network)
	try(site.Browser(), ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests) // a browser that is new
	page := known.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	send(page, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	send(page, ada.Code()).WantPath("/apps")
}

func TestAKnownBrowserMakesNoNeighbourWait(t *testing.T) {
	site := apptest.New(t, "throttle_network=5", "throttle_free=20")
	ada, known := protected(site, "ada@example.org")
	page := known.Get("/login/confirm?ask=needs+code")
	known.Get("/apps").Form("Log out").Press()
	for range 10 {
		try(known, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
	}
	known.SignIn(ada)
	for range 10 {
		send(page, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	}
	try(site.Browser(), "bea@example.org", wrong).WantStatus(http.StatusUnprocessableEntity)
}

func TestAKnownBrowserWaitsAtItsNetworkAtOtherAccounts(t *testing.T) {
	site := apptest.New(t)
	ada, mallory := site.Person("ada@example.org"), site.Person("mallory@example.org")
	known := site.Browser()
	known.SignIn(mallory)
	known.Get("/apps").Form("Log out").Press()
	neighbours(site, known.Network)
	try(known, ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
	try(known, "nobody@example.org", wrong).WantStatus(http.StatusTooManyRequests)
	known.SignIn(mallory).WantPath("/apps")
}

func TestAKnownBrowserIsLockedByItsOwnFailuresAlone(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10")
	ada := site.Person("ada@example.org")
	known := site.Browser()
	known.SignIn(ada)
	known.Get("/apps").Form("Log out").Press()
	for range 10 {
		try(known, ada.Address, wrong).WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(15 * time.Minute)
	}
	try(known, ada.Address, ada.Password).WantStatus(http.StatusTooManyRequests)
	try(site.Browser(), ada.Address, ada.Password).WantStatus(http.StatusSeeOther)
	known.Get(unlockLink(t, site, ada)).Form("Unlock account").Press()
	known.SignIn(ada).WantPath("/apps")
}

func TestTheNetworkOfACustomerOfIPv6IsASetting(t *testing.T) {
	for bits, elsewhere := range map[string]string{"64": "2001:db8:1:300::1", "56": "2001:db8:1:200::1", "48": "2001:db8:2::1"} {
		site := apptest.New(t, "throttle_network_ipv6="+bits)
		b := site.Browser()
		move := func(i int) { b.Network = "2001:db8:1:3ff::" + string(rune('a'+i%6)) }
		if bits != "64" {
			move = func(i int) { b.Network = "2001:db8:1:3f" + string(rune('a'+i%6)) + "::1" }
		}
		guessEverywhere(b, 0, 20, move).WantStatus(http.StatusUnprocessableEntity)
		guessEverywhere(b, 20, 21, move).WantStatus(http.StatusTooManyRequests)
		b.Network = elsewhere
		try(b, "other@example.org", wrong).WantStatus(http.StatusUnprocessableEntity)
	}
}
