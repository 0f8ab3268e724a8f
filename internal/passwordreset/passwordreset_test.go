package passwordreset_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

const (
	renewed  = "nine amber kites over Ghent"
	resetTwo = "Your new password is set, and two-factor authentication was reset. Log in, and set it up again in the account settings."
	keptTwo  = "Your new password is set, and two-factor authentication stays on. Log in with both."
	linkLife = 30 * time.Minute
)

// ask sends the form of a forgotten password.
func ask(b *apptest.Browser, email string) *apptest.Page {
	return b.Get("/forgot-password").Form("Send reset link").Fill("Email", email).Press()
}

// mailed is the link that comes when somebody asks for it. Time passes first,
// so that its letter is the newest.
func mailed(t *testing.T, site *apptest.Site, email string) string {
	t.Helper()
	site.Clock.Turn(time.Second)
	ask(site.Browser(), email).WantStatus(http.StatusOK)
	letter := site.Mail.Last(t, email)
	if letter.Kind != mail.Reset {
		t.Fatalf("the last letter is %s, want a reset", letter.Kind)
	}
	return apptest.Link(t, letter)
}

// choose fills in the page that the link leads to.
func choose(page *apptest.Page, code string) *apptest.Form {
	form := page.Form("Set new password").Fill("New password", renewed)
	if code != "" {
		form.Fill("Login code", code)
	}
	return form
}

// protected is a site with Ada, who has two-factor authentication on, and the
// browser in which she is signed in.
func protected(t *testing.T, settings ...string) (*apptest.Site, *apptest.Person, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t, settings...)
	site.Activate(auth.TwoFactorPlugin)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	browser.SignIn(ada)
	browser.EnableTwoFactor(ada)
	return site, ada, browser
}

// logIn types address and password, and gives the page after it.
func logIn(b *apptest.Browser, email, chosen string) *apptest.Page {
	return b.Get("/login").Form("Login").Fill("Email", email).Fill("Password", chosen).Press()
}

func TestAForgottenPassword(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	signedIn := site.Browser()
	signedIn.SignIn(ada).WantPath("/apps")

	browser := site.Browser()
	sent := ask(browser, "Ada@Example.org").WantStatus(http.StatusOK)
	if !sent.Says("Ada@example.org") || !sent.HasButton("Send again") || !sent.HasLink("Back") {
		t.Errorf("the page says %s", sent.Text())
	}
	page := browser.Get(apptest.Link(t, site.Mail.Last(t, ada.Address))).WantStatus(http.StatusOK)
	page = choose(page, "").Press()

	page.WantPath("/login").WantDone("Your new password is set. Log in with it.")
	browser.Get("/apps").WantPath("/login")  // nobody is signed in by a reset
	signedIn.Get("/apps").WantPath("/login") // and nobody stays
	logIn(site.Browser(), ada.Address, apptest.Password).WantStatus(http.StatusUnprocessableEntity)
	logIn(site.Browser(), ada.Address, renewed).WantPath("/apps")
	kinds := site.Mail.Kinds(t, ada.Address)
	if !slices.Contains(kinds, mail.PasswordResetDone) {
		t.Errorf("letters %v, want one that the password was reset", kinds)
	}
}

// Whoever was going somewhere is led there by the login after the new password, in
// the browser in which they were; the letter tells nobody where that was.
func TestWhoeverForgotThePasswordOnTheWayGoesOnThere(t *testing.T) {
	site := apptest.New(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	asked := browser.Get("/account/sessions").WantPath("/login").Follow("Forgot password")
	if back := asked.Follow("Back"); back.Form("Login").Values.Get("next") != "/account/sessions" {
		t.Error("the way back to the login has forgotten it")
	}
	sent := asked.Form("Send reset link").Fill("Email", "").Press().WantStatus(422).Form("Send reset link").Fill("Email", ada.Address).Press().WantStatus(200)
	site.Clock.Turn(time.Minute)
	sent.Form("Send again").Press().WantStatus(200)
	letter := site.Mail.Last(t, ada.Address)
	link := apptest.Link(t, letter)
	if strings.Contains(letter.Text, "sessions") || strings.Contains(link, "next") {
		t.Errorf("the letter says where: %s", letter.Text)
	}
	login := choose(browser.Get(link), "").Press().WantPath("/login")
	login.Form("Login").Fill("Email", ada.Address).Fill("Password", renewed).Press().WantPath("/account/sessions")

	browser.Post("/logout", nil)
	login = choose(browser.Get(mailed(t, site, ada.Address)), "").Press().WantPath("/login")
	if next := login.Form("Login").Values.Get("next"); next != "" {
		t.Errorf("the next new password leads to %s once more", next)
	}
}

// Whoever comes to a browser after Ada is not led where she was going: she has
// logged in, or out, since she asked.
func TestWhereSomebodyWasGoingIsForgottenOnceTheyLogInOrOut(t *testing.T) {
	for name, since := range map[string]func(*apptest.Browser, *apptest.Person){
		"a login":  func(b *apptest.Browser, ada *apptest.Person) { b.SignIn(ada) },
		"a logout": func(b *apptest.Browser, _ *apptest.Person) { b.Post("/logout", nil) },
	} {
		site := apptest.New(t)
		ada, bob, browser := site.Person("ada@example.org"), site.Person("bob@example.org"), site.Browser()
		browser.Get("/forgot-password?next=/account/sessions").Form("Send reset link").Fill("Email", ada.Address).Press().WantStatus(200)
		since(browser, ada)
		page := choose(browser.Get(mailed(t, site, bob.Address)), "").Press()
		if page.Path == "/login" {
			page = page.Form("Login").Fill("Email", bob.Address).Fill("Password", renewed).Press()
		}
		if page.Path != "/apps" {
			t.Errorf("after %s Bob is led to %s", name, page.Path)
		}
	}
}

// Where a letter is opened in another browser, where nobody was going anywhere
// since, and where an address is none of ours, login leads to the list.
func TestANewPasswordLeadsNowhereElse(t *testing.T) {
	site := apptest.New(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	ask := func(next string) string {
		site.Clock.Turn(time.Hour)
		browser.Get("/forgot-password?"+url.Values{"next": {next}}.Encode()).Form("Send reset link").Fill("Email", ada.Address).Press().WantStatus(200)
		return apptest.Link(t, site.Mail.Last(t, ada.Address))
	}
	wantNowhere := func(b *apptest.Browser, link string) {
		t.Helper()
		if next := choose(b.Get(link), "").Press().WantPath("/login").Form("Login").Values.Get("next"); next != "" {
			t.Errorf("login leads to %s", next)
		}
	}
	wantNowhere(site.Browser(), ask("/account/sessions"))
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/\\evil.example", "/logout", "/a" + strings.Repeat("a", 5000)} {
		wantNowhere(browser, ask(next))
	}
	ask("/account/sessions")
	wantNowhere(browser, ask("")) // the newest counts
}

func TestTheNewPasswordAlsoResetsTwoFactorAuthentication(t *testing.T) {
	site, ada, _ := protected(t)
	page := site.Browser().Get(mailed(t, site, ada.Address))
	if !page.Says("also resets two-factor authentication") {
		t.Errorf("nobody is warned: %s", page.Text())
	}
	choose(page, "").Press().WantPath("/login").WantDone(resetTwo)

	if ada.User().TwoFactor() {
		t.Error("two-factor authentication is still on")
	}
	letter := site.Mail.Last(t, ada.Address)
	if letter.Kind != mail.PasswordResetDone || !strings.Contains(letter.Text, "uthenticator") || !strings.Contains(letter.Text, "ecovery codes") {
		t.Errorf("the letter does not say what was removed:\n%s", letter.Text)
	}
	logIn(site.Browser(), ada.Address, renewed).WantPath("/apps")
}

func TestWhoeverMustUseTwoFactorAuthenticationSetsItUpAnewFirst(t *testing.T) {
	site, ada, _ := protected(t)
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	choose(site.Browser().Get(mailed(t, site, ada.Address)), "").Press().WantPath("/login")
	browser := site.Browser()
	logIn(browser, ada.Address, renewed).WantPath("/account/two-factor")
	browser.Get("/apps").WantPath("/login")
}

func TestACurrentCodeKeepsTwoFactorAuthentication(t *testing.T) {
	for _, mode := range []string{"reset", "keep"} {
		for _, by := range []string{"authenticator", "recovery code"} {
			t.Run(mode+", "+by, func(t *testing.T) {
				site, ada, _ := protected(t, "on_password_reset="+mode)
				code := ada.RecoveryCodes[0]
				if by == "authenticator" {
					code = ada.Code()
				}
				choose(site.Browser().Get(mailed(t, site, ada.Address)), code).Press().WantPath("/login").WantDone(keptTwo)

				page := logIn(site.Browser(), ada.Address, renewed).WantPath("/login/code")
				page.Form("Send code").Fill("Login code", code).Press().WantStatus(http.StatusUnprocessableEntity) // it is spent
				ada.Password = renewed
				site.Browser().SignIn(ada).WantPath("/apps")
			})
		}
	}
}

func TestWhereFactorsAreKeptTheCodeIsDemanded(t *testing.T) {
	site, ada, _ := protected(t, "on_password_reset=keep")
	to := mailed(t, site, ada.Address)
	for name, code := range map[string]string{"none": "", "spaces": "  ", "letters": "whatever", "wrong": "000000", "a wrong recovery code": "AAAA-AAAA-AAAA-AAAA"} {
		page := choose(site.Browser().Get(to), code).Press().WantStatus(http.StatusUnprocessableEntity)
		if page.Alert() == "" {
			t.Errorf("%s: nothing in role=alert", name)
		}
	}
	logIn(site.Browser(), ada.Address, renewed).WantStatus(http.StatusUnprocessableEntity)
	choose(site.Browser().Get(to), ada.Code()).Press().WantPath("/login").WantDone(keptTwo) // the link was not used up
}

func TestAdministratorsHaveASettingOfTheirOwn(t *testing.T) {
	for _, tt := range []struct {
		setting       string
		administrator bool
		demanded      bool
	}{
		{"on_password_reset_administrators=keep", true, true},
		{"on_password_reset_administrators=keep", false, false},
		{"on_password_reset=keep", true, false},
		{"on_password_reset=keep", false, true},
	} {
		site := apptest.New(t, tt.setting)
		site.Activate(auth.TwoFactorPlugin)
		person := site.Person("ada@example.org")
		if tt.administrator {
			person = site.Administrator("eli@example.org")
		}
		browser := site.Browser()
		browser.SignIn(person)
		browser.EnableTwoFactor(person)
		page := choose(site.Browser().Get(mailed(t, site, person.Address)), "").Press()
		if refused := page.Status == http.StatusUnprocessableEntity; refused != tt.demanded || person.User().TwoFactor() != tt.demanded {
			t.Errorf("%s, administrator %v: refused %v; want %v", tt.setting, tt.administrator, refused, tt.demanded)
		}
	}
}

func TestAResetLeavesASetUpAloneThatDoesNotCountNow(t *testing.T) {
	for _, mode := range []string{"reset", "keep"} {
		t.Run(mode, func(t *testing.T) {
			site, ada, _ := protected(t, "on_password_reset="+mode)
			site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
			page := site.Browser().Get(mailed(t, site, ada.Address))
			if page.Says("two-factor") {
				t.Errorf("a page tells of a plug-in that is not active: %s", page.Text())
			}
			choose(page, "").Press().WantPath("/login").WantDone("Your new password is set. Log in with it.")
			site.Activate(auth.TwoFactorPlugin)
			logIn(site.Browser(), ada.Address, renewed).WantPath("/login/code")
		})
	}
}

func TestWrongCodesWaitAndDoNotUseTheLinkUp(t *testing.T) {
	site, ada, _ := protected(t)
	to := mailed(t, site, ada.Address)
	page := site.Browser().Get(to)
	for range 5 {
		choose(page, "000000").Press().WantStatus(http.StatusUnprocessableEntity)
	}
	waiting := choose(page, ada.RecoveryCodes[0]).Press().WantStatus(http.StatusTooManyRequests)
	if waiting.Header.Get("Retry-After") == "" {
		t.Error("nobody is told when to come back")
	}
	site.Clock.Turn(time.Minute)
	choose(page, ada.RecoveryCodes[0]).Press().WantPath("/login").WantDone(keptTwo)
}

func TestASpentCodeKeepsNothing(t *testing.T) {
	site, ada, _ := protected(t)
	to := mailed(t, site, ada.Address)
	code := ada.RecoveryCodes[3]
	logIn(site.Browser(), ada.Address, apptest.Password).Form("Send code").Fill("Login code", ada.RecoveryCodes[3]).Press().WantPath("/apps")
	site.Browser().Get(to).WantStatus(http.StatusGone) // a full login voids the link
	page := choose(site.Browser().Get(mailed(t, site, ada.Address)), code).Press().WantStatus(http.StatusUnprocessableEntity)
	if !page.HasButton("Set new password") || !ada.User().TwoFactor() {
		t.Errorf("the page says %s", page.Text())
	}
}

func TestTheAnswerIsTheSameWhoeverAsksForALink(t *testing.T) {
	site := apptest.New(t)
	site.Person("known@example.org")
	disabled := site.Person("asked@example.org")
	if err := site.Store.DisableUser(t.Context(), apptest.Command, disabled.ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	site.Browser().Get("/register").Form("Create account").Fill("Email", "fresh@example.org").Fill("Password", renewed).Press()
	var first *apptest.Page
	for _, who := range []string{"nobdy", "known", "asked", "fresh"} {
		browser := site.Browser()
		form := browser.Get("/forgot-password").Form("Send reset link").Fill("Email", who+"@example.org")
		hashed := site.Hashed()
		page := form.Press().WantStatus(http.StatusOK)
		if got := site.Hashed() - hashed; got != 0 {
			t.Errorf("%s: %d hashes, want none", who, got)
		}
		page.Body = strings.ReplaceAll(page.Body, who, "*****")
		if first == nil {
			first = page
			continue
		}
		if page.Body != first.Body {
			t.Errorf("%s gets another page:\n%s\n%s", who, page.Body, first.Body)
		}
		if got, want := header(page), header(first); got != want {
			t.Errorf("%s gets other headers:\n%s\n%s", who, got, want)
		}
	}
	for who, want := range map[string]int{"nobdy": 0, "asked": 0, "known": 1, "fresh": 0} {
		kinds := slices.DeleteFunc(site.Mail.Kinds(t, who+"@example.org"), func(k mail.Kind) bool { return k != mail.Reset })
		if len(kinds) != want {
			t.Errorf("%s got %d reset letters, want %d", who, len(kinds), want)
		}
	}
}

// header is what an answer says beside its body; of random values only that
// they are there.
func header(p *apptest.Page) string {
	var b strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range p.Header {
			if !yield(name) {
				return
			}
		}
	}) {
		for _, value := range p.Header[name] {
			switch name {
			case "Set-Cookie":
				value, _, _ = strings.Cut(value, "=")
			case "X-Request-Id":
				value = ""
			}
			b.WriteString(name + ": " + value + "\n")
		}
	}
	return b.String()
}

func TestAFloodOfRequestsSendsThreeLettersAnHour(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	for i := range 100 {
		browser := site.Browser()
		browser.Network = "192.0.2." + string(rune('1'+i%9))
		ask(browser, ada.Address).WantStatus(http.StatusOK)
	}
	if got := len(site.Mail.To(t, ada.Address)); got != 3 {
		t.Errorf("%d letters, want 3", got)
	}
	site.Clock.Turn(time.Hour)
	ask(site.Browser(), ada.Address)
	if got := len(site.Mail.To(t, ada.Address)); got != 4 {
		t.Errorf("%d letters after an hour, want 4", got)
	}
}

func TestTheLetterIsSentOnceMore(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	page := ask(site.Browser(), ada.Address)
	older := apptest.Link(t, site.Mail.Last(t, ada.Address))
	page = page.Form("Send again").Press().WantStatus(http.StatusOK)
	page.WantDone("Asked for the letter again. Only the newest one counts.")
	if !page.Says(ada.Address) {
		t.Errorf("the page says %s", page.Text())
	}
	newest := apptest.Link(t, site.Mail.Last(t, ada.Address))
	site.Browser().Get(older).WantStatus(http.StatusGone)
	site.Browser().Get(newest).WantStatus(http.StatusOK)
	if again := ask(site.Browser(), "nobody@example.org").Form("Send again").Press(); again.Done() != page.Done() {
		t.Errorf("nobody is told %q, Ada %q", again.Done(), page.Done())
	}
}

// tokenOf is what a link carries.
func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "token=")
	return token
}

func TestLinksThatDoNotWork(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	people := map[string]*apptest.Person{}
	fresh := func(email string) string {
		people[email] = site.Person(email)
		return mailed(t, site, email)
	}
	altered := []byte(fresh("a@example.org"))
	altered[len(altered)-10] ^= 1
	used := fresh("b@example.org")
	choose(site.Browser().Get(used), "").Press().WantPath("/login")
	older := fresh("c@example.org")
	mailed(t, site, "c@example.org")
	loggedIn := fresh("d@example.org")
	site.Browser().SignIn(people["d@example.org"]).WantPath("/apps")
	disabled := fresh("e@example.org")
	if err := site.Store.DisableUser(t.Context(), apptest.Command, people["e@example.org"].ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	deleted := fresh("f@example.org")
	if err := site.Store.DeleteUser(t.Context(), apptest.Command, people["f@example.org"].ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	promoted := fresh("g@example.org")
	if err := site.Store.SetAdministrator(t.Context(), apptest.Command, people["g@example.org"].ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	site.Browser().Get("/register").Form("Create account").Fill("Email", "h@example.org").Fill("Password", renewed).Press()
	verification := apptest.Link(t, site.Mail.Last(t, "h@example.org"))
	invite(t, site, "i@example.org")
	invitation := apptest.Link(t, site.Mail.Last(t, "i@example.org"))
	late := fresh("j@example.org")
	site.Clock.Turn(linkLife - time.Millisecond)
	site.Browser().Get(late).WantStatus(http.StatusOK)
	site.Clock.Turn(time.Millisecond)
	live := fresh("z@example.org")
	form := choose(site.Browser().Get(live), "")

	var first string
	for name, token := range map[string]string{
		"missing": "", "short": "abc", "altered": tokenOf(string(altered)), "used": tokenOf(used),
		"older of two": tokenOf(older), "void by a login": tokenOf(loggedIn), "of a disabled account": tokenOf(disabled),
		"of a deleted account": tokenOf(deleted), "from before a change of role": tokenOf(promoted),
		"a verification": tokenOf(verification), "an invitation": tokenOf(invitation), "a millisecond too late": tokenOf(late),
		"with a line end": tokenOf(live) + "\n", "with padding": tokenOf(live) + "=", "twice as long": tokenOf(live) + tokenOf(live),
	} {
		got := site.Browser().Get("/forgot-password/new?" + url.Values{"token": {token}}.Encode()).WantStatus(http.StatusGone)
		form.Values.Set("token", token)
		post := site.Browser().Once("/forgot-password/new", form.Values)
		if post.Status != http.StatusGone || post.Unnumbered() != got.Unnumbered() {
			t.Errorf("%s: POST gives %d and %q", name, post.Status, post.Text())
		}
		if first == "" {
			first = got.Unnumbered()
		}
		if got.Unnumbered() != first {
			t.Errorf("%s has a page of its own: %s", name, got.Text())
		}
		got.Follow("Ask for a new link").WantPath("/forgot-password").WantStatus(http.StatusOK)
	}
	form.Values.Set("token", tokenOf(live))
	form.Press().WantPath("/login")
}

func invite(t *testing.T, site *apptest.Site, email string) auth.User {
	t.Helper()
	a, err := address.Parse(email)
	if err != nil {
		t.Fatal(err)
	}
	u, err := site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: a}, site.InvitationLink(), site.Now())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAResetLinkIsGoodForNothingElse(t *testing.T) {
	site := apptest.New(t)
	site.Person("ada@example.org")
	token := tokenOf(mailed(t, site, "ada@example.org"))
	for _, path := range []string{"/register/confirm", "/invitation", "/login/unlock"} {
		site.Browser().Get(path + "?token=" + token).WantStatus(http.StatusGone)
	}
	site.Browser().Get("/setup?token=" + token).WantStatus(http.StatusForbidden)
	site.Browser().Get("/forgot-password/new?token=" + token).WantStatus(http.StatusOK)
}

func TestOpeningTheLinkUsesNothing(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	to := mailed(t, site, ada.Address)
	before := ada.User()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		r := httptest.NewRequest(method, to, nil)
		r.RemoteAddr = "203.0.113.77:1" // a program that scans mail
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
	if after := ada.User(); after != before {
		t.Errorf("the account changed from %+v to %+v", before, after)
	}
	choose(site.Browser().Get(to), "").Press().WantPath("/login")
}

func TestOfTwoFormsWithOneLinkOneWins(t *testing.T) {
	site, ada, _ := protected(t)
	form := choose(site.Browser().Get(mailed(t, site, ada.Address)), "")
	statuses := make(chan int, 6)
	var group sync.WaitGroup
	for range cap(statuses) {
		group.Go(func() { statuses <- site.Browser().Once("/forgot-password/new", form.Values).Status })
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
		t.Errorf("%d forms were taken, want 1", won)
	}
}

// A code and a link are both spent once: where the code was used in between,
// the link is still good.
func TestACodeUsedInBetweenIsNotADeadLink(t *testing.T) {
	site, ada, _ := protected(t, "on_password_reset=keep", "hash_slots=1")
	to := mailed(t, site, ada.Address)
	code := ada.RecoveryCodes[0]
	form := choose(site.Browser().Get(to), code)
	pending := logIn(site.Browser(), ada.Address, apptest.Password).Form("Send code").Fill("Login code", code)
	pages := make(chan *apptest.Page, 2)
	var group sync.WaitGroup
	group.Go(func() { pages <- form.Press() })
	group.Go(func() { pages <- pending.Press() })
	group.Wait()
	close(pages)
	var ended []string
	for page := range pages {
		ended = append(ended, page.Path)
		if page.Status >= 500 {
			t.Errorf("%s: status %d", page.Path, page.Status)
		}
	}
	if slices.Contains(ended, "/apps") && slices.Contains(ended, "/login") {
		t.Errorf("one code opened both doors: %v", ended)
	}
}

func TestEverythingAliveOfTheAccountEnds(t *testing.T) {
	site, ada, signedIn := protected(t)
	lapsed := site.Browser()
	lapsed.SignIn(ada).WantPath("/apps")
	site.Clock.Turn(site.Config.SessionIdle - time.Minute)
	signedIn.Get("/account").WantPath("/account")
	site.Clock.Turn(time.Minute)
	if state := lapsed.Once("/login/window/state", url.Values{}).Body; !strings.Contains(state, `"lapsed"`) {
		t.Fatalf("the session did not lapse: %s", state)
	}
	pending := logIn(site.Browser(), ada.Address, apptest.Password).Form("Send code").Fill("Login code", ada.RecoveryCodes[0])

	choose(site.Browser().Get(mailed(t, site, ada.Address)), ada.Code()).Press().WantPath("/login").WantDone(keptTwo)

	pending.Press().WantPath("/login") // it has to begin again
	if state := lapsed.Once("/login/window/state", url.Values{}).Body; strings.Contains(state, `"lapsed"`) {
		t.Errorf("a lapsed session may still return: %s", state)
	}
	signedIn.Get("/account").WantPath("/login")
}

func TestANewPasswordForgetsTheFailuresOfTheOld(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	known := site.Browser()
	known.SignIn(ada).WantPath("/apps")
	known.Get("/apps").Form("Log out").Press()
	for _, browser := range []*apptest.Browser{known, site.Browser()} {
		for range 6 {
			logIn(browser, ada.Address, "I forgot it")
		}
		logIn(browser, ada.Address, "I forgot it").WantStatus(http.StatusTooManyRequests)
	}
	choose(known.Get(mailed(t, site, ada.Address)), "").Press().WantPath("/login")
	logIn(known, ada.Address, renewed).WantPath("/apps")
	logIn(site.Browser(), ada.Address, renewed).WantPath("/apps")
}

func TestANewPasswordEndsTheMonthsWrongCodes(t *testing.T) {
	site, ada, _ := protected(t, "wrong_codes_in_all=10")
	for range 10 {
		site.Clock.Turn(time.Hour)
		logIn(site.Browser(), ada.Address, apptest.Password).Form("Send code").Fill("Login code", "000000").Press()
	}
	site.Clock.Turn(time.Hour)
	logIn(site.Browser(), ada.Address, apptest.Password).WantStatus(http.StatusForbidden) // a new password is owed
	to := apptest.Link(t, site.Mail.Last(t, ada.Address))

	choose(site.Browser().Get(to), ada.Code()).Press().WantPath("/login").WantDone(keptTwo)
	ada.Password = renewed
	site.Browser().SignIn(ada).WantPath("/apps")
}

// lockCodes types wrong codes beside the mailed link until the door is closed.
func lockCodes(t *testing.T, site *apptest.Site, to string) {
	t.Helper()
	for range site.Config.ThrottleClosed {
		choose(site.Browser().Get(to), "000000").Press().WantStatus(http.StatusUnprocessableEntity)
		site.Clock.Turn(time.Second)
	}
}

// quick is a door that closes before the link of a reset ends.
var quick = []string{"throttle_closed=10", "throttle_longest_wait=1s"}

func TestALockedOwnerOfKeptFactorsIsMailedTheWayOut(t *testing.T) {
	site, ada, _ := protected(t, append(quick, "on_password_reset=keep")...)
	to := mailed(t, site, ada.Address)
	lockCodes(t, site, to)
	locked := choose(site.Browser().Get(to), ada.Code()).Press().WantStatus(http.StatusTooManyRequests)
	if !locked.Says("your account is locked") || locked.Header.Get("Retry-After") != "" {
		t.Errorf("the page says %s", locked.Text())
	}
	told := locked.Form("Send unlock link").Press().WantStatus(http.StatusOK)
	if told.Done() == "" || !told.HasButton("Set new password") {
		t.Errorf("the page says %s", told.Text())
	}
	letter := site.Mail.Last(t, ada.Address)
	if letter.Kind != mail.Unlock || !strings.Contains(letter.Text, "10 wrong login codes") || !strings.Contains(letter.Text, "choose a new password") {
		t.Fatalf("the last letter is %s:\n%s", letter.Kind, letter.Text)
	}
	site.Browser().Get(apptest.Link(t, letter)).Form("Unlock account").Press().WantPath("/login")

	choose(site.Browser().Get(to), ada.Code()).Press().WantPath("/login").WantDone(keptTwo)
}

func TestALinkToANewPasswordMailsOneLetterAnHourThatUnlocks(t *testing.T) {
	site, ada, _ := protected(t, append(quick, "on_password_reset=keep")...)
	to := mailed(t, site, ada.Address)
	lockCodes(t, site, to)
	locked := choose(site.Browser().Get(to), ada.Code()).Press()
	count := func() (n int) {
		for _, kind := range site.Mail.Kinds(t, ada.Address) {
			if kind == mail.Unlock {
				n++
			}
		}
		return n
	}
	for range 5 {
		locked.Form("Send unlock link").Press().WantStatus(http.StatusOK)
	}
	if got := count(); got != 1 {
		t.Errorf("%d letters, want 1", got)
	}
	open := locked.Form("Send unlock link")
	site.Browser().Get(apptest.Link(t, site.Mail.Last(t, ada.Address))).Form("Unlock account").Press()
	open.Press().WantStatus(http.StatusOK) // nothing is locked any more
	open.Values.Set("token", "no token of ours")
	open.Press().WantStatus(http.StatusGone)
	if got := count(); got != 1 {
		t.Errorf("%d letters in the end, want 1", got)
	}
}

// Whoever knows the password, and the owner who asks for a new one, are counted
// apart: otherwise the one could keep the other out.
func TestWrongCodesAfterAStolenPasswordDoNotKeepTheOwnerFromANewOne(t *testing.T) {
	site, ada, _ := protected(t, "wrong_codes_in_all=10", "on_password_reset=keep")
	for range 10 {
		site.Clock.Turn(time.Hour)
		logIn(site.Browser(), ada.Address, apptest.Password).Form("Send code").Fill("Login code", "000000").Press()
	}
	site.Clock.Turn(time.Hour)
	logIn(site.Browser(), ada.Address, apptest.Password).WantStatus(http.StatusForbidden)
	to := apptest.Link(t, site.Mail.Last(t, ada.Address))
	choose(site.Browser().Get(to), ada.Code()).Press().WantPath("/login").WantDone(keptTwo)
}

func TestWrongCodesBesideMailedLinksAreCountedForAMonthToo(t *testing.T) {
	site, ada, _ := protected(t, "wrong_codes_in_all=10", "on_password_reset=keep")
	for range 10 {
		site.Clock.Turn(time.Hour)
		choose(site.Browser().Get(mailed(t, site, ada.Address)), "000000").Press().WantStatus(http.StatusUnprocessableEntity)
	}
	site.Clock.Turn(time.Hour)
	refused := choose(site.Browser().Get(mailed(t, site, ada.Address)), ada.Code()).Press().WantStatus(http.StatusTooManyRequests)
	if !refused.Says("Ask your administrator") || refused.HasButton("Send unlock link") {
		t.Errorf("the page says %s", refused.Text())
	}
}

func TestTheNewPasswordIsJudged(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada.winterbottom@example.org")
	to := mailed(t, site, ada.Address)
	for name, chosen := range map[string]string{
		"none": "", "short": "abcdefg", "common": "password1234", "one's own address": "winterbottom-ada",
		"too long": strings.Repeat("long ", 60), "ours": "twinlock twinlock",
	} {
		page := site.Browser().Get(to).Form("Set new password").Fill("New password", chosen).Press()
		if page.WantStatus(http.StatusUnprocessableEntity).Alert() == "" {
			t.Errorf("%s: nothing in role=alert", name)
		}
	}
	choose(site.Browser().Get(to), "").Press().WantPath("/login") // the link was not used up
	stored, err := site.Store.PasswordOf(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	if right, _ := password.Usual.Check(stored.Reveal(), renewed); !right {
		t.Error("another password was stored")
	}
}

func TestTheFormsTakeNoOtherFields(t *testing.T) {
	site, ada, _ := protected(t)
	to := mailed(t, site, ada.Address)
	form := choose(site.Browser().Get(to), "")
	for name, more := range map[string]url.Values{
		"an address":         {"email": {"eve@example.org"}},
		"an account":         {"user": {string(ada.ID)}},
		"factors":            {"two_factor": {"false"}},
		"a keeping":          {"keep": {"true"}},
		"a second password":  {"password": {renewed, renewed}},
		"a token in a list":  {"token[]": {tokenOf(to)}},
		"the token repeated": {"token": {tokenOf(to), tokenOf(to)}},
	} {
		values := url.Values{}
		for field := range form.Values {
			values[field] = form.Values[field]
		}
		for field := range more {
			values[field] = more[field]
		}
		if got := site.Browser().Once("/forgot-password/new", values).Status; got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, got)
		}
	}
	site.Browser().Once("/forgot-password/new?token="+tokenOf(to), form.Values).WantStatus(http.StatusBadRequest)
	site.Browser().Get("/forgot-password/new?token=" + tokenOf(to) + "&token=" + tokenOf(to)).WantStatus(http.StatusBadRequest)
	for name, values := range map[string]url.Values{
		"two addresses": {"email": {ada.Address, "eve@example.org"}}, "an array": {"email[]": {ada.Address}}, "an object": {"email[$ne]": {""}},
	} {
		if got := site.Browser().Once("/forgot-password", values).Status; got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, got)
		}
	}
	site.Browser().Get(to).WantStatus(http.StatusOK)
}

func TestLettersGoToTheStoredAddressAlone(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	for _, typed := range []string{"ADA@example.org", "ada@EXAMPLE.ORG", "ada＠example.org", "ada@example。org"} {
		ask(site.Browser(), typed).WantStatus(http.StatusOK)
		site.Clock.Turn(time.Hour)
	}
	if got := len(site.Mail.To(t, ada.Address)); got != 4 {
		t.Errorf("%d letters to the stored address, want 4", got)
	}
	for _, typed := range []string{
		"ada@example.org\r\nBcc: eve@example.org", "ada@example.org,eve@example.org", "ada@example.org;eve@example.org",
		"<ada@example.org>", `"ada"@example.org`, "ada@example.org@evil.example",
		"Ada <ada@example.org>", "ada@[127.0.0.1]", "ada", "@example.org", "", strings.Repeat("a", 10_000) + "@example.org",
	} {
		page := ask(site.Browser(), typed)
		if page.Status != http.StatusUnprocessableEntity || page.Alert() == "" {
			t.Errorf("%.40q: status %d, role=alert %q", typed, page.Status, page.Alert())
		}
	}
	ask(site.Browser(), "ada@evil.example\x00@example.org").WantStatus(http.StatusBadRequest)
	if got := len(site.Mail.To(t, ada.Address)); got != 4 {
		t.Errorf("%d letters in the end, want 4", got)
	}
}

func TestTheLinkStandsOnThePublicURLWhateverHostIsNamed(t *testing.T) {
	site := apptest.New(t, "public_url=https://id.example.org")
	ada := site.Person("ada@example.org")
	r := httptest.NewRequest(http.MethodPost, "/forgot-password", strings.NewReader(url.Values{"email": {ada.Address}}.Encode()))
	r.Host = "evil.example"
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://id.example.org",
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example", "X-Original-URL": "https://evil.example/",
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	site.Handler.ServeHTTP(w, r)
	letter := site.Mail.Last(t, ada.Address)
	if !strings.Contains(letter.Text, "https://id.example.org/forgot-password/new?token=") ||
		strings.Contains(letter.Text+letter.HTML+letter.Subject, "evil") {
		t.Errorf("the letter says\n%s", letter.Text)
	}
}

func TestTheLinksTokenIsNotKept(t *testing.T) {
	site := apptest.New(t)
	site.Person("ada@example.org")
	token, ok := secret.Parse(tokenOf(mailed(t, site, "ada@example.org")))
	if !ok {
		t.Fatal("the link carries no token of 256 bits")
	}
	if _, err := site.Store.Link(t.Context(), token.Hash(), store.LinkReset, site.Now()); err != nil {
		t.Errorf("it is not found by its hash: %v", err)
	}
}

func TestAFormFromAnotherSiteSetsNoPassword(t *testing.T) {
	site := apptest.New(t)
	site.Person("ada@example.org")
	form := choose(site.Browser().Get(mailed(t, site, "ada@example.org")), "")
	for _, origin := range []string{"", "null", "https://evil.example"} {
		r := httptest.NewRequest(http.MethodPost, "/forgot-password/new", strings.NewReader(form.Values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("from %q: status %d, want 403", origin, w.Code)
		}
	}
	form.Press().WantPath("/login")
}

// What is refused is said in one place, which leads to the field: of a page with
// one field in that field, of one with two in the summary.
func TestARefusalIsSaidInOnePlace(t *testing.T) {
	site, ada, _ := protected(t, "on_password_reset=keep")
	to := mailed(t, site, ada.Address)
	bea := site.Person("bea@example.org")
	alone := mailed(t, site, bea.Address)
	for _, tt := range []struct{ about, link, password, code, why, field string }{
		{"a wrong code", to, renewed, "000000", "That code didn't work. Codes change every 30 seconds – use the one showing now.", "code"},
		{"a short password", to, "short", ada.RecoveryCodes[0], "Use at least 12 characters.", "password"},
		{"a short password alone", alone, "short", "", "Use at least 12 characters.", "password"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			form := site.Browser().Get(tt.link).Form("Set new password").Fill("New password", tt.password)
			if tt.code != "" {
				form.Fill("Login code", tt.code)
			}
			page := form.Press().WantStatus(http.StatusUnprocessableEntity)
			if page.Alert() == "" || strings.Count(page.Text(), tt.why) != 1 || !strings.Contains(page.Alert(), tt.why) {
				t.Errorf("the page says %q, and in all %q", page.Alert(), page.Text())
			}
			if leads := strings.Contains(page.Body, `href="#`+tt.field+`"`); leads != (tt.code != "") {
				t.Errorf("the summary leads to the field: %v", leads)
			}
		})
	}
}
