package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
	"github.com/twinlock/twinlock/internal/store"
)

// withPasskey is a site where everybody may have passkeys, and somebody who has
// one and no authenticator app.
func withPasskey(t *testing.T, prepare ...func(*passkeytest.Authenticator)) (*apptest.Site, *apptest.Person) {
	t.Helper()
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	site.Activate(auth.PasskeysPlugin)
	ada := site.Person("ada@example.org")
	ada.AddPasskey(prepare...)
	site.Clock.Turn(time.Minute)
	return site, ada
}

const refusedPasskey = "This passkey did not open an account. Try another one, or log in with your password."

// wantOutside ends the test where a passkey opened something.
func wantOutside(t *testing.T, page *apptest.Page, says string) {
	t.Helper()
	page.WantStatus(http.StatusUnprocessableEntity)
	if page.Alert() != says {
		t.Errorf("the page says %q, want %q", page.Alert(), says)
	}
}

const thatTookTooLong = "That took too long. Try again."

func TestAPasskeyThatChecksWhoItIsSignsIn(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	b.Get("/login?next=/account/sessions").Passkey(ada.Device).Press().WantPath("/account/sessions").WantStatus(http.StatusOK)
	wantEvents(t, site, auth.EventLogin, 2)
}

func wantEvents(t *testing.T, site *apptest.Site, kind auth.EventKind, want int) {
	t.Helper()
	have := 0
	events, err := site.Store.Events(t.Context(), store.EventFilter{Kind: kind, Limit: 50})
	must(t, err)
	if have = len(events); have != want {
		t.Errorf("%s was recorded %d times, want %d", kind, have, want)
	}
}

// What an answer says, and what our page did not ask, opens nothing.
func TestAnAnswerThatIsSpoiltSignsNobodyIn(t *testing.T) {
	for what, spoil := range map[string]func(*passkeytest.Answer){
		"made on another site":        func(a *passkeytest.Answer) { a.Origin = "https://evil.example" },
		"made on a site named alike":  func(a *passkeytest.Answer) { a.Origin += ".evil.example" },
		"made on another port":        func(a *passkeytest.Answer) { a.Origin = "http://localhost:8081" },
		"made in a frame":             func(a *passkeytest.Answer) { a.CrossOrigin = true },
		"for another domain":          func(a *passkeytest.Answer) { a.Domain = "evil.example" },
		"to another challenge":        func(a *passkeytest.Answer) { a.Challenge = strings.Repeat("A", 43) },
		"with a flipped signature":    func(a *passkeytest.Answer) { a.SpoilSignature = func(s []byte) []byte { s[9] ^= 1; return s } },
		"without its owner":           func(a *passkeytest.Answer) { a.Verified = false },
		"without anybody":             func(a *passkeytest.Answer) { a.Present = false },
		"with a foreign handle":       func(a *passkeytest.Answer) { a.Handle = []byte(strings.Repeat("h", 64)) },
		"without a handle":            func(a *passkeytest.Answer) { a.Handle = nil },
		"that says it is a new one":   func(a *passkeytest.Answer) { a.Type = "webauthn.create" },
		"of a passkey nobody has":     func(a *passkeytest.Answer) { a.Credential = []byte(strings.Repeat("c", 32)) },
		"that changed what it can be": func(a *passkeytest.Answer) { a.Eligible, a.Synced = false, false },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			site, ada := withPasskey(t)
			b := site.Browser()
			wantOutside(t, b.Get("/login").Passkey(ada.Device, spoil).Press(), refusedPasskey)
			b.Get("/apps").WantPath("/login")
			wantEvents(t, site, auth.EventPasskeyRefused, 1)
		})
	}
}

func TestAnAnswerIsTakenOnce(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	answer := b.Get("/login").Passkey(ada.Device)
	answer.Press().WantPath("/apps")
	b.Post("/logout", nil)
	wantOutside(t, answer.Press(), thatTookTooLong)
	b.Get("/apps").WantPath("/login")
}

func TestARefusedChallengeIsNotAnsweredAgain(t *testing.T) {
	site, ada := withPasskey(t)
	page := site.Browser().Get("/login")
	wantOutside(t, page.Passkey(ada.Device, func(a *passkeytest.Answer) { a.Verified = false }).Press(), refusedPasskey)
	wantOutside(t, page.Passkey(ada.Device).Press(), thatTookTooLong)
}

// Whoever sends one answer over and over has it examined as often. That counts as a
// refused answer does, so that it comes to an end.
func TestOneAnswerIsNotExaminedWithoutEnd(t *testing.T) {
	spoilt := func(a *passkeytest.Answer) { a.Verified = false }
	for name, first := range map[string]func(*testing.T, *apptest.Site, *apptest.Person) *apptest.Form{
		"that signed in": func(t *testing.T, site *apptest.Site, ada *apptest.Person) *apptest.Form {
			form := site.Browser().Get("/login").Passkey(ada.Device)
			form.Press().WantPath("/apps")
			return form
		},
		"that was refused": func(t *testing.T, site *apptest.Site, ada *apptest.Person) *apptest.Form {
			form := site.Browser().Get("/login").Passkey(ada.Device, spoilt)
			wantOutside(t, form.Press(), refusedPasskey)
			return form
		},
		"that made a session fresh": func(t *testing.T, site *apptest.Site, ada *apptest.Person) *apptest.Form {
			b := site.Browser()
			b.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
			form := b.Get("/login/confirm?ask=both").Passkey(ada.Device)
			form.Press().WantPath("/apps")
			return form
		},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada := withPasskey(t)
			form := first(t, site, ada)
			tries := 0
			for page := form.Press(); page.Status != http.StatusTooManyRequests; page = form.Press() {
				wantOutside(t, page, thatTookTooLong)
				if tries++; tries > site.Config.ThrottleNetwork {
					t.Fatal("it is examined without end")
				}
			}
			if tries < site.Config.ThrottleNetwork-1 {
				t.Errorf("it ended after %d tries", tries)
			}
		})
	}
}

// A second press of an honest finger locks nobody out, however often it happens to them.
func TestADoublePressIsNoAttack(t *testing.T) {
	site, ada := withPasskey(t)
	for range site.Config.ThrottleNetwork + 1 {
		form := site.Browser().Get("/login").Passkey(ada.Device)
		form.Press().WantPath("/apps")
		wantOutside(t, form.Press(), thatTookTooLong)
	}
}

// Refused passkeys are among the refused logins that an operator counts, and that the
// administrator's chart shows.
func TestRefusedPasskeysAreCounted(t *testing.T) {
	site, ada := withPasskey(t, func(a *passkeytest.Authenticator) { a.Counts, a.Syncs = true, false })
	today := func() store.Day {
		t.Helper()
		days, err := site.Store.LoginsPerDay(t.Context(), 1, site.Now())
		must(t, err)
		return days[0]
	}
	before, day := scrape(t, site), today()
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	for _, spoil := range []func(*passkeytest.Answer){
		func(a *passkeytest.Answer) { a.Origin = "https://evil.example" },
		func(a *passkeytest.Answer) { a.Count = 1 },
	} {
		wantOutside(t, site.Browser().Get("/login").Passkey(ada.Device, spoil).Press(), refusedPasskey)
	}
	after := scrape(t, site)
	after.want(before.value("twinlock_logins_total", "passkey", "refused")+2, "twinlock_logins_total", "passkey", "refused")
	after.want(before.value("twinlock_logins_total", "passkey", "done")+1, "twinlock_logins_total", "passkey", "done")
	if now := today(); now.Refused != day.Refused+2 || now.Logins != day.Logins+1 {
		t.Errorf("the chart has %+v, before %+v", now, day)
	}
}

func TestAnAnswerComesInTime(t *testing.T) {
	site, ada := withPasskey(t)
	for _, tt := range []struct {
		after time.Duration
		opens bool
	}{{5*time.Minute - time.Millisecond, true}, {5 * time.Minute, false}, {time.Hour, false}} {
		b := site.Browser()
		page := b.Get("/login")
		site.Clock.Turn(tt.after)
		answered := page.Passkey(ada.Device).Press()
		if tt.opens {
			answered.WantPath("/apps")
		} else {
			wantOutside(t, answered, thatTookTooLong)
		}
	}
	page := site.Browser().Get("/login")
	site.Clock.Turn(-time.Minute)
	wantOutside(t, page.Passkey(ada.Device).Press(), thatTookTooLong)
}

func TestACeremonyIsOfItsBrowser(t *testing.T) {
	site, ada := withPasskey(t)
	stolen, thief := site.Browser().Get("/login").Passkey(ada.Device), site.Browser()
	thief.Get("/login")
	wantOutside(t, thief.Post("/login/passkey", stolen.Values), thatTookTooLong)
	nobody := site.Browser()
	wantOutside(t, nobody.Post("/login/passkey", stolen.Values), thatTookTooLong)
	nobody.Get("/apps").WantPath("/login")
}

// byPassword begins a login and stops where the passkey is asked.
func byPassword(b *apptest.Browser, p *apptest.Person) *apptest.Page {
	return b.Get("/login").Form("Login").Fill("Email", p.Address).Fill("Password", p.Password).Press().WantPath("/login/code")
}

func TestACeremonyIsOfItsPurpose(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	signIn, code := b.Get("/login").Passkey(ada.Device), byPassword(b, ada).Passkey(ada.Device)
	wantOutside(t, b.Post("/login/passkey", url.Values{"ceremony": code.Values["ceremony"], "passkey": code.Values["passkey"]}), thatTookTooLong)
	page := b.Post("/login/code", url.Values{"attempt": code.Values["attempt"],
		"ceremony": signIn.Values["ceremony"], "passkey": signIn.Values["passkey"]})
	wantOutside(t, page, thatTookTooLong)
	// The options of one with the ceremony of the other.
	mixed := url.Values{"ceremony": signIn.Values["ceremony"], "passkey": code.Values["passkey"]}
	wantOutside(t, b.Post("/login/passkey", mixed), refusedPasskey)
	code.Press().WantPath("/apps")
}

func TestACeremonyIsOfItsLoginAndOfItsPerson(t *testing.T) {
	site, ada := withPasskey(t)
	bob := site.Person("bob@example.org")
	bob.AddPasskey()
	b := site.Browser()
	first, second, bobs := byPassword(b, ada), byPassword(b, ada), byPassword(b, bob)
	answer := first.Passkey(ada.Device)
	for _, other := range []*apptest.Page{second, bobs} {
		moved := url.Values{"attempt": other.Passkey(bobOr(other, bobs, bob, ada)).Values["attempt"],
			"ceremony": answer.Values["ceremony"], "passkey": answer.Values["passkey"]}
		wantOutside(t, b.Post("/login/code", moved), thatTookTooLong)
	}
	// Another person's passkey, in answer to the right question.
	options, origin := first.PasskeyOptions(), string(site.Config.PublicURL)
	answer.Values.Set("passkey", bob.Device.GetWith(bob.Device.Passkeys[0], options, origin))
	page := answer.Press()
	page.WantStatus(http.StatusUnprocessableEntity)
	if !strings.HasPrefix(page.Alert(), "That passkey was not accepted.") {
		t.Errorf("the page says %q", page.Alert())
	}
	b.Get("/apps").WantPath("/login")
}

func bobOr(page, bobs *apptest.Page, bob, ada *apptest.Person) *passkeytest.Authenticator {
	if page == bobs {
		return bob.Device
	}
	return ada.Device
}

func TestAChangedAccountTakesNoOlderAnswer(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	page := byPassword(b, ada)
	ada.AddPasskey() // a second one
	answer := page.Passkey(ada.Device).Press()
	answer.WantPath("/login") // with the account the login is over
	b.Get("/apps").WantPath("/login")
}

// Sessions go on where new recovery codes are made; what one of them was asked
// before is over.
func TestAChangedAccountTakesNoOlderConfirmation(t *testing.T) {
	site, ada := withPasskey(t)
	b, other := site.Browser(), site.Browser()
	b.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	other.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	older := b.Get("/login/confirm?ask=both").Passkey(ada.Device)
	other.Get("/account/recovery-codes").Passkey(ada.Device).Press().WantStatus(http.StatusOK)
	wantOutside(t, older.Press(), thatTookTooLong)
	b.Get("/account").WantPath("/account")
}

func TestAPasskeyOfADisabledAccountOpensNothing(t *testing.T) {
	site, ada := withPasskey(t)
	page := site.Browser().Get("/login")
	must(t, site.Store.DisableUser(t.Context(), apptest.Command, ada.ID, site.Now()))
	wantOutside(t, page.Passkey(ada.Device).Press(), refusedPasskey)
	must(t, site.Store.DeleteUser(t.Context(), apptest.Command, ada.ID, site.Now()))
	wantOutside(t, site.Browser().Get("/login").Passkey(ada.Device).Press(), refusedPasskey)
}

func TestPasskeysOfWhoeverMayNotUseThemOpenNothing(t *testing.T) {
	site, ada := withPasskey(t)
	bob := site.Person("bob@example.org")
	for what, now := range map[string]auth.Activation{
		"for somebody else": {Plugin: auth.PasskeysPlugin, Active: true, Users: []auth.UserID{bob.ID}},
		"for nobody":        {Plugin: auth.PasskeysPlugin, Active: true},
		"inactive":          {Plugin: auth.PasskeysPlugin},
	} {
		site.Activate(auth.PasskeysPlugin)
		b := site.Browser()
		answer := b.Get("/login").Passkey(ada.Device)
		site.SetActivation(now)
		page := answer.Press()
		if now.IsForSomebody() {
			wantOutside(t, page, refusedPasskey)
		} else {
			page.WantStatus(http.StatusNotFound)
			if b.Get("/login").AsksForPasskey() {
				t.Errorf("%s: a passkey is asked for", what)
			}
		}
		b.Get("/apps").WantPath("/login")
	}
}

func TestACounterThatWentBackIsToldAndOpensNothing(t *testing.T) {
	site, ada := withPasskey(t, func(a *passkeytest.Authenticator) { a.Counts, a.Syncs = true, false })
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	before := len(site.Mail.To(t, ada.Address))
	for _, count := range []uint32{2, 1, 0} {
		page := site.Browser().Get("/login").Passkey(ada.Device, func(a *passkeytest.Answer) { a.Count = count }).Press()
		wantOutside(t, page, refusedPasskey)
	}
	wantEvents(t, site, auth.EventPasskeyCounterBack, 3)
	if letters := site.Mail.To(t, ada.Address)[before:]; len(letters) == 0 || !strings.Contains(letters[0].Subject, "may have been copied") {
		t.Errorf("%d letters", len(letters))
	}
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
}

func TestTheAnswersOfTheTwoCeremoniesAreNotExchanged(t *testing.T) {
	site, ada := withPasskey(t)
	page := site.Browser().Get("/login")
	form := page.Passkey(ada.Device)
	creating := `{"challenge":"` + challengeOf(page) + `","rp":{"id":"localhost"},"user":{"id":"aGFuZGxl"}}`
	form.Values.Set("passkey", passkeytest.New(t).Create(creating, string(site.Config.PublicURL)))
	wantOutside(t, form.Press(), refusedPasskey)
}

func challengeOf(page *apptest.Page) string {
	_, rest, _ := strings.Cut(page.PasskeyOptions(), `"challenge":"`)
	challenge, _, _ := strings.Cut(rest, `"`)
	return challenge
}

// Whatever is sent as an answer is refused as a passkey or as a form.
func TestNothingThatIsSentBreaksThePasskeyPages(t *testing.T) {
	site, ada := withPasskey(t)
	for _, answer := range []string{
		"", "null", "{}", "[]", `"x"`, "{", strings.Repeat("{", 5000), strings.Repeat("a", 17<<10), `{"id":"AA","rawId":"AA","type":"public-key"}`,
		`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`,
	} {
		b := site.Browser()
		b.Network = "2001:db8:" + time.Duration(len(answer)).String()[:1] + "::1"
		form := b.Get("/login").Passkey(ada.Device)
		form.Values.Set("passkey", answer)
		wantOutside(t, form.Press(), refusedPasskey)
	}
	b := site.Browser()
	b.Network = "2001:db8:9::1"
	form := b.Get("/login").Passkey(ada.Device)
	form.Values.Set("passkey", strings.Repeat("[", 64<<10))
	form.Press().WantStatus(http.StatusRequestEntityTooLarge)
	for _, ceremony := range []string{"", "x", strings.Repeat("A", 500)} {
		form := b.Get("/login").Passkey(ada.Device)
		form.Values.Set("ceremony", ceremony)
		wantOutside(t, form.Press(), thatTookTooLong)
	}
	form = byPassword(b, ada).Passkey(ada.Device)
	form.Values.Set("code", "123456")
	form.Press().WantStatus(http.StatusBadRequest)
	form.Values.Del("code")
	form.Values.Add("passkey", "twice")
	form.Press().WantStatus(http.StatusBadRequest)
}

func TestFiveAnswersThatAreNotTakenEndThePendingLogin(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	page := byPassword(b, ada)
	for range 4 {
		page = page.Passkey(ada.Device, func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }).Press().WantStatus(http.StatusUnprocessableEntity)
	}
	page.Passkey(ada.Device, func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }).Press().WantPath("/login")
	// A passkey cannot be guessed: the account itself has no door that closes.
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
}

// kindsOf counts the letters of a kind that somebody got.
func kindsOf(t *testing.T, site *apptest.Site, p *apptest.Person, kind mail.Kind) (n int) {
	t.Helper()
	for _, got := range site.Mail.Kinds(t, p.Address) {
		if got == kind {
			n++
		}
	}
	return n
}

// As of wrong codes: in one login or in several, together with them, and one letter an
// hour.
func TestTheOwnerIsToldOfRefusedPasskeysAfterTheRightPassword(t *testing.T) {
	site, ada := withPasskey(t)
	wrong := func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }
	told := func(want int) {
		t.Helper()
		if got := kindsOf(t, site, ada, mail.WrongCodes); got != want {
			t.Fatalf("%d letters, want %d", got, want)
		}
	}
	first := byPassword(site.Browser(), ada).Passkey(ada.Device, wrong)
	for range 3 { // one answer, however often it is sent
		first.Press()
	}
	byPassword(site.Browser(), ada).Passkey(ada.Device, wrong).Press()
	told(0)
	site.Clock.Turn(time.Minute)
	byPassword(site.Browser(), ada).Follow("Try another way").Follow("Recovery code").Form("Send code").Fill("Recovery code", "123456").Press()
	told(1)
	if letter := site.Mail.Last(t, ada.Address); !strings.Contains(letter.Text, "refused 3 times at the second step") {
		t.Errorf("the letter says %s", letter.Text)
	}
	byPassword(site.Browser(), ada).Passkey(ada.Device, wrong).Press()
	told(1)
	site.Clock.Turn(time.Hour)
	byPassword(site.Browser(), ada).Passkey(ada.Device, wrong).Press()
	told(2)

	// Those were refused beside the old password, and say nothing of who knows the new.
	b := site.Browser()
	byPassword(b, ada).Passkey(ada.Device).Press().WantPath("/apps")
	b.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", nextPassword).Press().WantPath("/account")
	ada.Password = nextPassword
	site.Clock.Turn(time.Hour)
	byPassword(site.Browser(), ada).Passkey(ada.Device, wrong).Press()
	told(2)
}

// Whoever does not know the password sends nobody a letter, nor does a page inside a
// session, or behind a mailed link.
func TestRefusedPasskeysOfStrangersTellNobody(t *testing.T) {
	site, ada := withPasskey(t)
	wrong := func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }
	inside := site.Browser()
	inside.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	for range 4 {
		site.Browser().Get("/login").Passkey(ada.Device, wrong).Press().WantStatus(http.StatusUnprocessableEntity)
		inside.Get("/login/confirm?ask=both").Passkey(ada.Device, wrong).Press().WantStatus(http.StatusUnprocessableEntity)
	}
	site.Clock.Turn(time.Second) // so that the link's letter is the newest
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	page := site.Browser().Get(apptest.Link(t, site.Mail.Last(t, ada.Address)))
	for range 4 {
		page = page.Passkey(ada.Device, wrong).Fill("New password", "seven grey geese over Ghent").Press().WantStatus(http.StatusUnprocessableEntity)
	}
	if n := kindsOf(t, site, ada, mail.WrongCodes); n != 0 {
		t.Errorf("%d letters", n)
	}
}

func TestAPasskeyStandsInTheCodesPlace(t *testing.T) {
	for _, verifies := range []bool{true, false} {
		site, ada := withPasskey(t, func(a *passkeytest.Authenticator) { a.Verifies = verifies })
		b := site.Browser()
		page := byPassword(b, ada)
		if page.HasButton("Send code") || !page.AsksForPasskey() {
			t.Fatal("the page asks for a code of an app that there is not")
		}
		page.Passkey(ada.Device).Press().WantPath("/apps")
	}
}

func TestCodesOfAnAppThatIsNotThereAreNotTaken(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	other := byPassword(b, ada).Follow("Try another way")
	page := other.Follow("Recovery code")
	wrong := page.Form("Send code").Fill("Recovery code", "123456").Press()
	wantOutside(t, wrong, "That recovery code didn't work. Check each sign, or try another one.")
	page.Form("Send code").Fill("Recovery code", ada.RecoveryCodes[0]).Press().WantPath("/apps")
}

func TestWhoHasBothChoosesAmongTheWays(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	b.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	setUp := b.Get("/account/two-factor")
	ada.SetUpPhone(setUp.Definition("Secret key"))
	setUp.Form("Activate").Fill("Login code", ada.Code()).Press().WantPath("/account")
	site.Clock.Turn(time.Minute)
	page := byPassword(site.Browser(), ada)
	if !page.HasButton("Send code") || page.AsksForPasskey() {
		t.Fatal("the app is not what is asked for first")
	}
	list := page.Follow("Try another way")
	for _, way := range []string{"Code from your authenticator app", "Passkey", "Recovery code"} {
		if !list.HasLink(way) {
			t.Errorf("%s is no way", way)
		}
	}
	if !list.Follow("Back").HasButton("Send code") {
		t.Error("Back leads elsewhere")
	}
	byPasskey := list.Follow("Passkey")
	byPasskey.Passkey(ada.Device).Press().WantPath("/apps")
	byPassword(site.Browser(), ada).Form("Send code").Fill("Login code", ada.Code()).Press().WantPath("/apps")
}

// On the confirmation page a passkey that checks who it is is password and code.
func TestAPasskeyMakesProofsFresh(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	b.Get("/login").Passkey(ada.Device).Press()
	site.Clock.Turn(16 * time.Minute)
	page := b.Get("/account/two-factor").WantPath("/login/confirm")
	page.Passkey(ada.Device).Press().WantPath("/account/two-factor").WantStatus(http.StatusOK)
}

// A form that waits for the confirmation does not go on by one that says two things at
// once, which spends neither.
func TestAHeldFormGoesOnByOneProofAlone(t *testing.T) {
	site, ada := withPasskey(t)
	ada.AddPasskey()
	site.Clock.Turn(time.Minute)
	b := site.Browser()
	b.Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	remove := b.Get("/account/passkeys").Follow("Remove Phone").Form("Remove")
	site.Clock.Turn(16 * time.Minute)
	form := remove.Press().WantStatus(http.StatusForbidden).Passkey(ada.Device)
	form.Values.Set("code", ada.RecoveryCodes[0])
	form.Press().WantStatus(http.StatusBadRequest)
	passkeys := func(want int) {
		t.Helper()
		if all, err := site.Store.Passkeys(t.Context(), ada.ID); err != nil || len(all) != want {
			t.Fatalf("%d passkeys, want %d; %v", len(all), want, err)
		}
	}
	passkeys(2)
	form.Values.Del("code")
	form.Press().WantPath("/account/passkeys").WantDone("The passkey is removed.")
	passkeys(1)
	if set, err := site.Store.RecoverySet(t.Context(), ada.ID); err != nil || set.Left() != 10 {
		t.Errorf("%d recovery codes are left; %v", set.Left(), err)
	}
}

func TestWithoutVerificationThePasswordIsAskedToo(t *testing.T) {
	site, ada := withPasskey(t, func(a *passkeytest.Authenticator) { a.Verifies = false })
	b := site.Browser()
	byPassword(b, ada).Passkey(ada.Device).Press().WantPath("/apps")
	site.Clock.Turn(16 * time.Minute)
	page := b.Get("/account/two-factor").WantPath("/login/confirm").Passkey(ada.Device).Press().WantStatus(http.StatusUnprocessableEntity)
	if want := "This passkey does not check who you are, so your password is needed too."; !strings.Contains(page.Alert(), want) {
		t.Errorf("the page says %q", page.Alert())
	}
	form := page.Passkey(ada.Device)
	form.Values.Set("password", apptest.Password)
	form.Press().WantPath("/account/two-factor").WantStatus(http.StatusOK)
}

// A right answer that is sent over and over, and opens nothing without the password,
// is examined as often as a wrong one.
func TestAnAnswerWithoutThePasswordThatItNeedsCounts(t *testing.T) {
	site, ada := withPasskey(t, func(a *passkeytest.Authenticator) { a.Verifies = false })
	b := site.Browser()
	byPassword(b, ada).Passkey(ada.Device).Press().WantPath("/apps")
	site.Clock.Turn(16 * time.Minute)
	form := b.Get("/account/two-factor").WantPath("/login/confirm").Passkey(ada.Device)
	for range 30 {
		form.Press()
	}
	form.Press().WantStatus(http.StatusTooManyRequests)
}

func TestACeremonyOfAnotherSessionConfirmsNothing(t *testing.T) {
	site, ada := withPasskey(t)
	b, other := site.Browser(), site.Browser()
	b.Get("/login").Passkey(ada.Device).Press()
	other.Get("/login").Passkey(ada.Device).Press()
	site.Clock.Turn(16 * time.Minute)
	ask := "/login/confirm?ask=both"
	answer, theirs := b.Get(ask).Passkey(ada.Device), other.Get(ask).Passkey(ada.Device)
	theirs.Values.Set("ceremony", answer.Values.Get("ceremony"))
	theirs.Values.Set("passkey", answer.Values.Get("passkey"))
	wantOutside(t, theirs.Press(), thatTookTooLong)
	other.Get("/account/two-factor").WantPath("/login/confirm")
}

// Whoever has nobody's passkey learns no more, in words and in work, than whoever
// has a wrong one.
func TestNobodysPasskeyCostsWhatAWrongOneDoes(t *testing.T) {
	site, ada := withPasskey(t)
	var all []seen
	for _, spoil := range []func(*passkeytest.Answer){
		func(a *passkeytest.Answer) { a.SpoilSignature = func(s []byte) []byte { s[9] ^= 1; return s } },
		func(a *passkeytest.Answer) { a.Credential = []byte(strings.Repeat("c", 32)) },
	} {
		b := stranger(site, "")
		form := b.Get("/login").Passkey(ada.Device, spoil)
		before := site.Work()
		page := b.Once("/login/passkey", form.Values)
		after := site.Work()
		all = append(all, seen{Status: page.Status, Body: page.Unnumbered(), Work: app.Work{Work: store.Work{
			Transactions: after.Transactions - before.Transactions, Statements: after.Statements - before.Statements,
			Queries: after.Queries - before.Queries}}})
	}
	if all[0] != all[1] {
		t.Errorf("a wrong one: %+v\nnobody's: %+v", all[0], all[1])
	}
}

// A page that stays open begins anew.
func TestAPageThatStaysOpenBeginsAnew(t *testing.T) {
	site, ada := withPasskey(t)
	b := site.Browser()
	page := b.Get("/login")
	site.Clock.Turn(4 * time.Minute)
	form := page.Passkey(ada.Device)
	r := b.Request(http.MethodPost, "/login/passkey/begin", url.Values{})
	begun := b.Ask(r)
	begun.WantStatus(http.StatusOK)
	options, ceremony := begunIn(t, begun.Body)
	site.Clock.Turn(4 * time.Minute)
	wantOutside(t, form.Press(), thatTookTooLong)
	form.Values.Set("ceremony", ceremony)
	form.Values.Set("passkey", ada.Device.Get(options, string(site.Config.PublicURL)))
	form.Press().WantPath("/apps")
	b.Post("/login/passkey/begin", url.Values{"attempt": {"nobody's"}}).WantStatus(http.StatusNotFound)
}

func begunIn(t *testing.T, body string) (options, ceremony string) {
	t.Helper()
	var begun struct {
		Options  json.RawMessage
		Ceremony string
	}
	if err := json.Unmarshal([]byte(body), &begun); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return string(begun.Options), begun.Ceremony
}

// What was set up is kept while the plug-in is off, and counts again when it is
// back: who logged in meanwhile is asked at the next request.
func TestPasskeysCountAgainOnceTheirPluginIsBack(t *testing.T) {
	site, ada := withPasskey(t)
	site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin})
	if site.Browser().Get("/login").AsksForPasskey() {
		t.Error("one is asked for while the plug-in is off")
	}
	b := site.Browser()
	b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/apps")
	site.Activate(auth.PasskeysPlugin)
	b.Get("/apps").WantPath("/login/confirm").Passkey(ada.Device).Press().WantPath("/apps")
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
}
