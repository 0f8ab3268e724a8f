package register_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
)

const (
	bea        = "bea@example.org"
	chosen     = "nine amber kites over Ghent"
	another    = "four wooden spoons at dusk"
	verifyLife = 24 * time.Hour
)

// signUp sends the form of a new account. Time passes first, so that the
// letter that comes is the newest.
func signUp(site *apptest.Site, b *apptest.Browser, email, password string) *apptest.Page {
	site.Clock.Turn(time.Second)
	return b.Get("/register").Form("Create account").Fill("Email", email).Fill("Password", password).Press()
}

// mailed is the link of the last letter, which confirms an address.
func mailed(t *testing.T, site *apptest.Site, email string) string {
	t.Helper()
	letter := site.Mail.Last(t, email)
	if letter.Kind != mail.Verify {
		t.Fatalf("the last letter is %s, want one that confirms the address", letter.Kind)
	}
	return apptest.Link(t, letter)
}

func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "token=")
	return token
}

// logIn types address and password, and gives the page after it.
func logIn(b *apptest.Browser, email, password string) *apptest.Page {
	return b.Get("/login").Form("Login").Fill("Email", email).Fill("Password", password).Press()
}

func hasAccount(t *testing.T, site *apptest.Site, email string) bool {
	t.Helper()
	_, err := site.Store.UserByAddress(t.Context(), email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestConfirmingInTheBrowserThatSignedUpSignsIn(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	sent := signUp(site, browser, bea, chosen).WantStatus(http.StatusOK)
	if !sent.Says(bea) || !sent.HasButton("Send again") || !sent.HasLink("Use another address") {
		t.Errorf("the page says %s", sent.Text())
	}
	if hasAccount(t, site, bea) {
		t.Error("there is an account before its address is confirmed")
	}
	browser.Get("/apps").WantPath("/login")

	page := browser.Get(mailed(t, site, bea)).WantStatus(http.StatusOK).Form("Confirm address").Press()
	page.WantPath("/apps").WantDone("Welcome! Your address is confirmed, and you are logged in.")
	site.Browser().Get("/apps").WantPath("/login")
	logIn(site.Browser(), bea, chosen).WantPath("/apps")
}

func TestConfirmingElsewhereTakesThePasswordAndLeadsToTheLogin(t *testing.T) {
	site := apptest.New(t)
	signUp(site, site.Browser(), bea, chosen)
	to := mailed(t, site, bea)
	browser := site.Browser()
	for _, wrong := range []string{"", another} {
		page := browser.Get(to).Form("Confirm address").Fill("Password", wrong).Press()
		if page.WantStatus(http.StatusUnprocessableEntity).Alert() == "" || hasAccount(t, site, bea) {
			t.Errorf("%q: the page says %s", wrong, page.Text())
		}
	}
	browser.Get(to).Form("Confirm address").Fill("Password", chosen).Press().
		WantPath("/login").WantDone("Your address is confirmed. You can log in now.")
	browser.Get("/apps").WantPath("/login")
	logIn(browser, bea, chosen).WantPath("/apps")
}

func TestWrongPasswordsAtTheConfirmationWait(t *testing.T) {
	site := apptest.New(t)
	signer := site.Browser()
	signUp(site, signer, bea, chosen)
	to := mailed(t, site, bea)
	page := site.Browser().Get(to)
	for range 5 {
		page.Form("Confirm address").Fill("Password", another).Press().WantStatus(http.StatusUnprocessableEntity)
	}
	for _, typed := range []string{another, chosen} { // neither is looked at
		waiting := page.Form("Confirm address").Fill("Password", typed).Press().WantStatus(http.StatusTooManyRequests)
		if waiting.Header.Get("Retry-After") != "1" || !waiting.Says("Try again in 1 second") {
			t.Errorf("Retry-After %q; the page says %s", waiting.Header.Get("Retry-After"), waiting.Text())
		}
	}
	signer.Get(to).Form("Confirm address").Press().WantPath("/apps")
	logIn(site.Browser(), bea, chosen).WantPath("/apps") // the letter proved that it was a stranger
}

func TestARightPasswordAtTheConfirmationIsNoFailure(t *testing.T) {
	site := apptest.New(t)
	signUp(site, site.Browser(), bea, chosen)
	page := site.Browser().Get(mailed(t, site, bea))
	for range 4 {
		page.Form("Confirm address").Fill("Password", another).Press()
	}
	page.Form("Confirm address").Fill("Password", chosen).Press().WantPath("/login")
	for range 4 {
		logIn(site.Browser(), bea, another).WantStatus(http.StatusUnprocessableEntity)
	}
	logIn(site.Browser(), bea, chosen).WantPath("/apps")
}

func TestWrongPasswordsAtTheConfirmationCloseTheDoorAndMailNothing(t *testing.T) {
	site := apptest.New(t, "throttle_closed=10", "throttle_longest_wait=1s")
	signer := site.Browser()
	signUp(site, signer, bea, chosen)
	to := mailed(t, site, bea)
	page := site.Browser().Get(to)
	for range 10 {
		page.Form("Confirm address").Fill("Password", another).Press().WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(time.Second)
	}
	for _, typed := range []string{another, chosen} {
		closed := page.Form("Confirm address").Fill("Password", typed).Press().WantStatus(http.StatusTooManyRequests)
		if closed.Header.Get("Retry-After") != "" || !closed.Says("in which you signed up") {
			t.Errorf("Retry-After %q; the page says %s", closed.Header.Get("Retry-After"), closed.Text())
		}
	}
	logIn(site.Browser(), bea, chosen).WantStatus(http.StatusTooManyRequests)
	if got := site.Mail.Kinds(t, bea); !slices.Equal(got, []mail.Kind{mail.Verify}) {
		t.Errorf("letters %v, want the first alone", got)
	}
	events, err := site.Store.Events(t.Context(), store.EventFilter{Kind: auth.EventDoorClosed})
	if err != nil || len(events) != 1 {
		t.Errorf("%d events of a closed door (%v), want 1", len(events), err)
	}
	signer.Get(to).Form("Confirm address").Press().WantPath("/apps")
	logIn(site.Browser(), bea, chosen).WantPath("/apps")
}

func TestOpeningTheLinkConfirmsNothing(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	signUp(site, browser, bea, chosen)
	to := mailed(t, site, bea)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		r := httptest.NewRequest(method, to, nil)
		r.RemoteAddr = "203.0.113.77:1" // a program that scans mail
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || hasAccount(t, site, bea) {
			t.Errorf("%s: status %d, account %v", method, w.Code, hasAccount(t, site, bea))
		}
	}
	browser.Get(to).Form("Confirm address").Press().WantPath("/apps")
}

func TestLinksThatConfirmNothing(t *testing.T) {
	site := apptest.New(t, "letters_per_hour=100")
	fresh := func(email string) (*apptest.Browser, string) {
		browser := site.Browser()
		signUp(site, browser, email, chosen)
		return browser, mailed(t, site, email)
	}
	_, altered := fresh("a@example.org")
	changed := []byte(altered)
	changed[len(changed)-10] ^= 1
	user, used := fresh("b@example.org")
	user.Get(used).Form("Confirm address").Press().WantPath("/apps")
	_, older := fresh("c@example.org")
	fresh("c@example.org")
	_, taken := fresh("d@example.org")
	site.Person("d@example.org") // by command
	site.Person("e@example.org")
	site.Clock.Turn(time.Second)
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", "e@example.org").Press()
	reset := apptest.Link(t, site.Mail.Last(t, "e@example.org"))
	_, late := fresh("f@example.org")
	site.Clock.Turn(verifyLife - time.Millisecond)
	site.Browser().Get(late).WantStatus(http.StatusOK)
	site.Clock.Turn(time.Millisecond)
	browser, live := fresh("z@example.org")
	form := browser.Get(live).Form("Confirm address")

	var first string
	for name, token := range map[string]string{
		"missing": "", "short": "abc", "altered": tokenOf(string(changed)), "used": tokenOf(used), "older of two": tokenOf(older),
		"of an address that got an account": tokenOf(taken), "a reset": tokenOf(reset), "a millisecond too late": tokenOf(late),
		"with a space": tokenOf(live) + " ", "in capitals": strings.ToUpper(tokenOf(live)),
	} {
		got := browser.Get("/register/confirm?" + url.Values{"token": {token}}.Encode()).WantStatus(http.StatusGone)
		form.Values.Set("token", token)
		if post := form.Press(); post.Status != http.StatusGone || post.Unnumbered() != got.Unnumbered() {
			t.Errorf("%s: POST gives %d and %q", name, post.Status, post.Text())
		}
		if first == "" {
			first = got.Unnumbered()
		}
		if got.Unnumbered() != first {
			t.Errorf("%s has a page of its own: %s", name, got.Text())
		}
		got.Follow("Create new account").WantPath("/register").WantStatus(http.StatusOK)
	}
	for _, email := range []string{"a@example.org", "c@example.org", "f@example.org"} {
		if hasAccount(t, site, email) {
			t.Errorf("%s has an account", email)
		}
	}
	form.Values.Set("token", tokenOf(live))
	form.Press().WantPath("/apps")
}

func TestOfTwoConfirmationsAtOnceOneWins(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	signUp(site, browser, bea, chosen)
	form := browser.Get(mailed(t, site, bea)).Form("Confirm address")
	statuses := make(chan int, 6)
	var group sync.WaitGroup
	for range cap(statuses) {
		group.Go(func() { statuses <- browser.Once("/register/confirm", form.Values).Status })
	}
	group.Wait()
	close(statuses)
	won := 0
	for status := range statuses {
		switch status {
		case http.StatusSeeOther:
			won++
		case http.StatusGone:
		default:
			t.Errorf("status %d", status)
		}
	}
	if won != 1 {
		t.Errorf("%d confirmations were taken, want 1", won)
	}
}

// Whoever signs up first with an address that is somebody else's must not be
// waiting in the account that its owner makes.
func TestEachSignUpBeginsAfresh(t *testing.T) {
	site := apptest.New(t)
	eve, owner := site.Browser(), site.Browser()
	signUp(site, eve, bea, another)
	eves := mailed(t, site, bea)
	signUp(site, owner, bea, chosen)
	owners := mailed(t, site, bea)

	eve.Get(eves).WantStatus(http.StatusGone)
	eve.Get(owners).Form("Confirm address").Fill("Password", another).Press().WantStatus(http.StatusUnprocessableEntity)
	owner.Get(owners).Form("Confirm address").Press().WantPath("/apps")
	logIn(eve, bea, another).WantStatus(http.StatusUnprocessableEntity)
	eve.Get("/apps").WantPath("/login")
}

func TestAnUnverifiedAccountHoldsNoSession(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	signUp(site, browser, bea, chosen)
	older := mailed(t, site, bea)
	site.Clock.Turn(time.Second)
	wrong := logIn(browser, bea, another).WantStatus(http.StatusUnprocessableEntity)
	if got := len(site.Mail.To(t, bea)); got != 1 {
		t.Errorf("%d letters after a wrong password, want 1", got)
	}
	right := logIn(browser, bea, chosen).WantStatus(http.StatusUnprocessableEntity)
	if wrong.Body != right.Body {
		t.Error("a right password of an unverified account gets another page than a wrong one")
	}
	newest := mailed(t, site, bea) // the letter once more, for the right password alone
	if newest == older {
		t.Error("a right password brings no new letter")
	}
	browser.Get("/apps").WantPath("/login")
	browser.Get(newest).Form("Confirm address").Press().WantPath("/apps")
}

func TestTheAnswerIsTheSameForAnAddressThatHasAnAccount(t *testing.T) {
	site := apptest.New(t)
	site.Person("known@example.org")
	disabled := site.Person("asked@example.org")
	if err := site.Store.DisableUser(t.Context(), apptest.Command, disabled.ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	signUp(site, site.Browser(), "fresh@example.org", chosen)
	before := len(site.Mail.To(t, "fresh@example.org"))
	disabledBefore := len(site.Mail.To(t, "asked@example.org"))
	var first *apptest.Page
	for _, who := range []string{"nobdy", "known", "asked", "fresh"} {
		form := site.Browser().Get("/register").Form("Create account").Fill("Email", who+"@example.org").Fill("Password", chosen)
		hashed := site.Hashed()
		page := form.Press().WantStatus(http.StatusOK)
		if got := site.Hashed() - hashed; got != 1 {
			t.Errorf("%s: %d hashes, want 1", who, got)
		}
		same(t, who, page, &first)
		var again *apptest.Page
		same(t, who+", once more", page.Form("Send again").Press().WantStatus(http.StatusOK), &again)
	}
	for who, want := range map[string][]mail.Kind{
		"nobdy": {mail.Verify, mail.Verify}, "known": {mail.AccountExists, mail.AccountExists},
		"fresh": {mail.Verify, mail.Verify}, "asked": nil,
	} {
		kinds := site.Mail.Kinds(t, who+"@example.org")
		switch who {
		case "fresh":
			kinds = kinds[before:]
		case "asked":
			kinds = kinds[disabledBefore:]
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("%s got %v, want %v", who, kinds, want)
		}
	}
	if text := site.Mail.Last(t, "known@example.org").Text; strings.Contains(text, "token=") {
		t.Errorf("the owner of an account got a link with a token:\n%s", text)
	}
}

// same compares an answer with the first one, apart from the name in it and
// from random values.
func same(t *testing.T, who string, page *apptest.Page, first **apptest.Page) {
	t.Helper()
	name, _, _ := strings.Cut(who, ",")
	page.Body = strings.ReplaceAll(page.Body, name, "*****")
	if *first == nil {
		*first = page
		return
	}
	if page.Body != (*first).Body {
		t.Errorf("%s gets another page:\n%s\n%s", who, page.Body, (*first).Body)
	}
	if got, want := header(page), header(*first); !slices.Equal(got, want) {
		t.Errorf("%s gets other headers:\n%s\n%s", who, got, want)
	}
}

func header(p *apptest.Page) (lines []string) {
	for name, values := range p.Header {
		for _, value := range values {
			switch name {
			case "Set-Cookie":
				value, _, _ = strings.Cut(value, "=")
			case "X-Request-Id":
				value = ""
			}
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestAnAccountIsNotTouchedByASignUp(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	browser := site.Browser()
	browser.SignIn(ada).WantPath("/apps")
	before := ada.User()
	signUp(site, site.Browser(), ada.Address, another)
	if after := ada.User(); after != before {
		t.Errorf("the account changed from %+v to %+v", before, after)
	}
	browser.Get("/apps").WantPath("/apps")
	logIn(site.Browser(), ada.Address, another).WantStatus(http.StatusUnprocessableEntity)
}

func TestThreeLettersAnHourGoToOneAddress(t *testing.T) {
	site := apptest.New(t)
	site.Person("ada@example.org")
	for _, email := range []string{bea, "ada@example.org"} {
		for range 6 {
			page := signUp(site, site.Browser(), email, chosen).WantStatus(http.StatusOK)
			page.Form("Send again").Press().WantStatus(http.StatusOK)
		}
		if got := len(site.Mail.To(t, email)); got != 3 {
			t.Errorf("%d letters to %s, want 3", got, email)
		}
	}
}

func TestTheLetterIsSentOnceMoreToTheBrowserThatSignedUp(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	page := signUp(site, browser, bea, chosen)
	older := mailed(t, site, bea)
	site.Clock.Turn(time.Second)
	stranger := site.Browser().Post("/register/again", url.Values{"email": {bea}}).WantStatus(http.StatusOK)
	if got := len(site.Mail.To(t, bea)); got != 1 {
		t.Errorf("a stranger had a letter sent: %d", got)
	}
	again := page.Form("Send again").Press().WantStatus(http.StatusOK)
	again.WantDone("Asked for the letter again. Only the newest one counts.")
	if again.Text() != stranger.Text() {
		t.Errorf("a stranger is told %q, and the one who signed up %q", stranger.Text(), again.Text())
	}
	browser.Get(older).WantStatus(http.StatusGone)
	browser.Get(mailed(t, site, bea)).Form("Confirm address").Press().WantPath("/apps")
}

func TestWhereStrangersMayNotCreateAccounts(t *testing.T) {
	for setting, says := range map[string]string{"invited": "by invitation", "closed": "Only administrators"} {
		site := apptest.New(t, "registration="+setting)
		page := site.Browser().Get("/register").WantStatus(http.StatusForbidden)
		if !page.Says(says) || page.HasButton("Create account") {
			t.Errorf("%s: the page says %s", setting, page.Text())
		}
		site.Browser().Post("/register", url.Values{"email": {bea}, "password": {chosen}}).WantStatus(http.StatusForbidden)
		site.Browser().Post("/register/again", url.Values{"email": {bea}}).WantStatus(http.StatusForbidden)
		if got := len(site.Mail.To(t, bea)); got != 0 {
			t.Errorf("%s: %d letters", setting, got)
		}
		if site.Browser().Get("/login").HasLink("Create new account") {
			t.Errorf("%s: the login leads to a page that refuses", setting)
		}
	}
}

func TestClosingRegistrationAlsoClosesSignUpsOnTheirWay(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	signUp(site, browser, bea, chosen)
	to := mailed(t, site, bea)
	form := browser.Get(to).Form("Confirm address")
	if err := site.Store.SetSetting(t.Context(), apptest.Command, "registration", "closed", site.Now()); err != nil {
		t.Fatal(err)
	}
	browser.Get(to).WantStatus(http.StatusForbidden)
	form.Press().WantStatus(http.StatusForbidden)
	if hasAccount(t, site, bea) {
		t.Error("the account was made")
	}
}

func TestOnlySomeMailDomainsMaySignUp(t *testing.T) {
	site := apptest.New(t, "registration_domains=example.org,bücher.example")
	for email, taken := range map[string]bool{
		"a@example.org": true, "b@EXAMPLE.org": true, "c@xn--bcher-kva.example": true, "d@Bücher.example": true,
		"e@evil.example": false, "f@example.org.evil.example": false, "g@sub.example.org": false, "h@notexample.org": false,
	} {
		page := signUp(site, site.Browser(), email, chosen)
		if (page.Status == http.StatusOK) != taken {
			t.Errorf("%s: status %d", email, page.Status)
		}
		if !taken && !page.Says("Only addresses of these domains may sign up: example.org") {
			t.Errorf("%s: the page says %s", email, page.Text())
		}
	}
}

func TestOneAccountForOneAddressInEverySpelling(t *testing.T) {
	site := apptest.New(t, "letters_per_hour=100")
	site.Person("kim.iris@example.org")
	for _, typed := range []string{
		"KIM.IRIS@EXAMPLE.ORG", "kim.iris＠example.org", "\u212aim.iris@example.org", "ｋim.iris@example。org", " kim.iris@example.org ",
	} {
		signUp(site, site.Browser(), typed, chosen).WantStatus(http.StatusOK)
	}
	kinds := site.Mail.Kinds(t, "kim.iris@example.org")
	if len(kinds) != 5 || slices.ContainsFunc(kinds, func(k mail.Kind) bool { return k != mail.AccountExists }) {
		t.Errorf("letters %v, want five that the account exists", kinds)
	}
	// A dotless i is another letter, and another address.
	signUp(site, site.Browser(), "kım.iris@example.org", chosen)
	if got := len(site.Mail.To(t, "kim.iris@example.org")); got != 5 {
		t.Errorf("a letter for another address came to this one")
	}
}

func TestWhatIsNoAddressGetsNoLetter(t *testing.T) {
	site := apptest.New(t)
	for _, typed := range []string{
		"", "bea", "bea@", "@example.org", "bea@example.org@evil.example", `"bea"@example.org`, "bea@example.org,eve@example.org",
		"bea@example.org\r\nBcc: eve@example.org", "bea@example.org\nSubject: hello", "<bea@example.org>", "bea@[192.0.2.1]",
		"be a@example.org", strings.Repeat("b", 10_000) + "@example.org",
	} {
		page := signUp(site, site.Browser(), typed, chosen)
		if page.Status != http.StatusUnprocessableEntity || page.Alert() == "" {
			t.Errorf("%.40q: status %d, role=alert %q", typed, page.Status, page.Alert())
		}
	}
	signUp(site, site.Browser(), "bea@example.org\x00", chosen).WantStatus(http.StatusBadRequest)
	due, err := site.Store.DueLetters(t.Context(), 100, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range due {
		t.Errorf("a letter to %q", q.Letter.To)
	}
}

// Braces are legal in an address. What is in them is text like any other.
func TestAnAddressIsNeverReadAsATemplate(t *testing.T) {
	site := apptest.New(t)
	const email = "{{.site}}@example.org"
	if page := signUp(site, site.Browser(), email, chosen); !page.Says(email) {
		t.Errorf("the page says %s", page.Text())
	}
	if letter := site.Mail.Last(t, email); letter.To.Address != email {
		t.Errorf("the letter goes to %s", letter.To.Address)
	}
}

func TestARefusedFormKeepsTheAddressAndNeverThePassword(t *testing.T) {
	site := apptest.New(t)
	for name, password := range map[string]string{
		"none": "", "short": "seven ducks", "common": "password1234", "one's own address": "bea@example.org",
		"ours": "twinlock-twinlock", "the host": "localhost:8080", "too long": strings.Repeat("long ", 60),
	} {
		page := signUp(site, site.Browser(), bea, password).WantStatus(http.StatusUnprocessableEntity)
		values := page.Form("Create account").Values
		if page.Alert() == "" || values.Get("email") != bea || values.Get("password") != "" {
			t.Errorf("%s: role=alert %q, the form holds %v", name, page.Alert(), values)
		}
	}
	if page := signUp(site, site.Browser(), bea, "password1234"); !page.Says("on lists of common and leaked passwords") {
		t.Errorf("no reason is given: %s", page.Text())
	}
	if got := len(site.Mail.To(t, bea)); got != 0 {
		t.Errorf("%d letters", got)
	}
}

func TestPassphrasesOfEveryScriptAreTaken(t *testing.T) {
	site := apptest.New(t)
	long := strings.Repeat("ễ ", 32) + "correct horse battery staple, on a very long walk"
	browser := site.Browser()
	signUp(site, browser, bea, long).WantStatus(http.StatusOK)
	browser.Get(mailed(t, site, bea)).Form("Confirm address").Press().WantPath("/apps")
	logIn(site.Browser(), bea, long).WantPath("/apps")
	logIn(site.Browser(), bea, long[:len(long)-1]).WantStatus(http.StatusUnprocessableEntity)
}

func TestTheFormsTakeNoOtherFields(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	for name, more := range map[string]url.Values{
		"a role":          {"role": {"admin"}},
		"administrator":   {"administrator": {"true"}},
		"verified":        {"verified": {"true"}},
		"no factor":       {"two_factor": {"false"}},
		"two addresses":   {"email": {bea, "eve@example.org"}},
		"an array":        {"email[]": {bea}},
		"an object":       {"user[state]": {"active"}},
		"two passwords":   {"password": {chosen, another}},
		"broken encoding": {"email": {"bea\xff@example.org"}},
	} {
		values := url.Values{"email": {bea}, "password": {chosen}}
		for field := range more {
			values[field] = more[field]
		}
		if got := browser.Once("/register", values).Status; got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, got)
		}
	}
	browser.Once("/register?email="+url.QueryEscape(bea), url.Values{"email": {bea}, "password": {chosen}}).WantStatus(http.StatusBadRequest)
	if got := len(site.Mail.To(t, bea)); got != 0 {
		t.Errorf("%d letters", got)
	}
	signUp(site, browser, bea, chosen)
	to := mailed(t, site, bea)
	browser.Once("/register/confirm", url.Values{"token": {tokenOf(to)}, "administrator": {"true"}}).WantStatus(http.StatusBadRequest)
	browser.Get(to).Form("Confirm address").Press().WantPath("/apps")
	u, err := site.Store.UserByAddress(t.Context(), bea)
	if err != nil || u.Administrator {
		t.Errorf("the account is %+v (%v)", u, err)
	}
}

func TestAFormFromAnotherSiteSignsNobodyUp(t *testing.T) {
	site := apptest.New(t)
	for _, path := range []string{"/register", "/register/again", "/register/confirm", "/invitation", "/password-strength"} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("email=bea%40example.org"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", path, w.Code)
		}
	}
}

func TestTheLinkStandsOnThePublicURLWhateverHostIsNamed(t *testing.T) {
	site := apptest.New(t, "public_url=https://id.example.org")
	r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(url.Values{"email": {bea}, "password": {chosen}}.Encode()))
	r.Host = "evil.example"
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://id.example.org",
		"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example",
	} {
		r.Header.Set(name, value)
	}
	site.Handler.ServeHTTP(httptest.NewRecorder(), r)
	letter := site.Mail.Last(t, bea)
	if !strings.Contains(letter.Text, "https://id.example.org/register/confirm?token=") || strings.Contains(letter.Text+letter.HTML, "evil") {
		t.Errorf("the letter says\n%s", letter.Text)
	}
}

// judged asks what the strength bar asks.
func judged(t *testing.T, b *apptest.Browser, values url.Values) (j ui.Judgement) {
	t.Helper()
	page := b.Once("/password-strength", values).WantStatus(http.StatusOK)
	if err := json.Unmarshal([]byte(page.Body), &j); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestTheStrengthBarSaysWhatTheFormWillSay(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	const email = "beatrice.vandenberg@example.org"
	for _, typed := range []string{"short", "password1234", "beatrice-vandenberg", "localhost-8080", chosen, strings.Repeat("x", 257), strings.Repeat("x", 9000)} {
		bar := judged(t, browser, url.Values{"password": {typed}, "email": {email}})
		form := signUp(site, browser, email, typed)
		if accepted := form.Status == http.StatusOK; bar.Accepted != accepted {
			t.Errorf("%.30q: the bar says %v, the form %v", typed, bar.Accepted, accepted)
		}
		if !bar.Accepted && !form.Says(bar.Text) {
			t.Errorf("%.30q: the bar says %q, the form %s", typed, bar.Text, form.Text())
		}
		if bar.Score < 0 || bar.Score > 4 || bar.Accepted != (bar.Score >= 3) {
			t.Errorf("%.30q: score %d", typed, bar.Score)
		}
	}
	browser.Once("/password-strength", url.Values{"password": {chosen}, "token": {"x"}}).WantStatus(http.StatusBadRequest)
	browser.Once("/password-strength", url.Values{"password": {strings.Repeat("x", 70_000)}}).WantStatus(http.StatusRequestEntityTooLarge)
}

func TestTheStrengthBarIsSaidInTheLanguageOfThePage(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	browser.Header.Set("Accept-Language", "de")
	if got := judged(t, browser, url.Values{"password": {chosen}}).Text; got != "Gutes Passwort." {
		t.Errorf("the bar says %q", got)
	}
}

func TestTheStrengthBarIsNoActivityOfThePersons(t *testing.T) {
	site := apptest.New(t)
	browser := site.Browser()
	browser.SignIn(site.Person("ada@example.org"))
	site.Clock.Turn(site.Config.SessionIdle - time.Second)
	judged(t, browser, url.Values{"password": {chosen}})
	site.Clock.Turn(time.Second)
	browser.Get("/account").WantPath("/login")
}

func TestTheFieldOfANewPasswordIsForPasswordManagers(t *testing.T) {
	site := apptest.New(t)
	page := site.Browser().Get("/register")
	for _, want := range []string{`autocomplete="new-password"`, `autocomplete="username"`, `aria-describedby="password-hint"`, "At least 12 characters"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page.Body, "maxlength") {
		t.Error("a password is cut off without a word")
	}
}
