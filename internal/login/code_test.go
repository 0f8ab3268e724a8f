package login_test

import (
	"net/http"
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
)

// protected gives somebody with two-factor authentication on, and the browser
// in which it was enabled.
func protected(site *apptest.Site, email string) (*apptest.Person, *apptest.Browser) {
	site.Activate(auth.TwoFactorPlugin)
	p, b := site.Person(email), site.Browser()
	b.SignIn(p)
	b.EnableTwoFactor(p)
	return p, b
}

// pending begins a login in a new browser and stops where the code is asked.
func pending(site *apptest.Site, p *apptest.Person) *apptest.Page {
	return site.Browser().Get("/login").Form("Login").
		Fill("Email", p.Address).Fill("Password", p.Password).Press().WantPath("/login/code")
}

func send(page *apptest.Page, code string) *apptest.Page {
	return page.Form("Send code").Fill("Login code", code).Press()
}

// wrongCode is one that the person's app shows nowhere near now.
func wrongCode(p *apptest.Person, now time.Time) string {
	for _, code := range []string{"000000", "111111", "222222", "333333", "444444", "555555"} {
		near := []string{p.CodeAt(now.Add(-30 * time.Second)), p.CodeAt(now), p.CodeAt(now.Add(30 * time.Second))}
		if !slices.Contains(near, code) {
			return code
		}
	}
	panic("an app shows three codes at once, not six")
}

func TestFiveWrongCodesEndThePendingLogin(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	page := pending(site, ada)
	for range 4 {
		send(page, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	}
	send(page, wrongCode(ada, site.Now())).WantPath("/login")
	site.Clock.Turn(time.Minute)
	send(page, ada.Code()).WantPath("/login")
	send(pending(site, ada), ada.Code()).WantPath("/apps")
}

func TestWrongCodesOfManyPendingLoginsAreCountedTogether(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	for range 5 { // each after a right password, which does not end the count
		send(pending(site, ada), wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
	}
	last := pending(site, ada)
	wrong := send(last, wrongCode(ada, site.Now())).WantStatus(http.StatusTooManyRequests)
	right := send(last, ada.CodeAt(site.Now())).WantStatus(http.StatusTooManyRequests)
	if wrong.Header.Get("Retry-After") != "1" || right.Header.Get("Retry-After") != "1" {
		t.Errorf("come back after %q and %q seconds, want 1", wrong.Header.Get("Retry-After"), right.Header.Get("Retry-After"))
	}
	recovery := send(last, ada.RecoveryCodes[0]).WantStatus(http.StatusTooManyRequests)
	if recovery.Body != right.Body {
		t.Error("a recovery code is told something else")
	}
}

func TestARightCodeDoesNotEndTheCountOfTheMonth(t *testing.T) {
	site := apptest.New(t, "wrong_codes_in_all=10")
	ada, inside := protected(site, "ada@example.org")
	site.Clock.Turn(16 * time.Minute)
	fail := func(times int) {
		page := pending(site, ada)
		for range times {
			send(page, wrongCode(ada, site.Now())).WantStatus(http.StatusUnprocessableEntity)
		}
	}
	fail(4)
	send(pending(site, ada), ada.Code()).WantPath("/apps")
	fail(4)
	send(inside.Get("/login/confirm?ask=needs+code"), ada.Code()).WantPath("/apps")
	fail(2)
	site.Browser().SignIn(ada).WantStatus(http.StatusForbidden)
	if kinds := site.Mail.Kinds(t, ada.Address); !slices.Contains(kinds, mail.Kind(auth.LetterReset)) {
		t.Errorf("the owner was written %v, and not how to choose a new password", kinds)
	}
}

func TestACodeOpensOneDoorOnly(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	first, second := pending(site, ada), pending(site, ada)
	code := ada.Code()
	send(first, code).WantPath("/apps")
	if page := send(second, code).WantStatus(http.StatusUnprocessableEntity); !strings.Contains(page.Alert(), "used") {
		t.Errorf("the alert says %q", page.Alert())
	}
	earlier := ada.CodeAt(site.Now().Add(-30 * time.Second))
	send(second, earlier).WantStatus(http.StatusUnprocessableEntity)
}

func TestOfTwoWhoSendOneCodeAtOnceOneGetsIn(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	doors := []*apptest.Page{pending(site, ada), pending(site, ada), pending(site, ada)}
	code := ada.Code()
	before := len(sessions(t, site, ada))
	var all sync.WaitGroup
	for _, page := range doors {
		all.Go(func() { send(page, code) })
	}
	all.Wait()
	if got := len(sessions(t, site, ada)) - before; got != 1 {
		t.Errorf("%d sessions came of one code", got)
	}
}

func sessions(t *testing.T, site *apptest.Site, p *apptest.Person) []auth.Session {
	t.Helper()
	all, err := site.Store.Sessions(t.Context(), p.ID)
	must(t, err)
	return all
}

func TestTheCodeOfEnablingIsSpent(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	send(pending(site, ada), ada.CodeAt(site.Now())).WantStatus(http.StatusUnprocessableEntity)
}

func TestOnlyCodesOfOneStepEitherWayAreTaken(t *testing.T) {
	for steps := -3; steps <= 3; steps++ {
		site := apptest.New(t)
		ada, _ := protected(site, "ada@example.org")
		site.Clock.Turn(10 * time.Minute)
		page := send(pending(site, ada), ada.CodeAt(site.Now().Add(time.Duration(steps)*30*time.Second)))
		if got, want := page.Status == http.StatusOK, -1 <= steps && steps <= 1; got != want {
			t.Errorf("%d steps off: let in %v, want %v", steps, got, want)
		}
	}
}

func TestWhatIsNoCodeIsRefused(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	site.Clock.Turn(time.Minute)
	page, code := pending(site, ada), ada.CodeAt(site.Now())
	for _, typed := range []string{"", " ", code[:5], code + "0", "00" + code, code + code, "abcdef", "-" + code[1:],
		"1e5000", strings.Repeat("9", 5000), "' OR 1=1 --"} {
		send(page, typed).WantStatus(http.StatusUnprocessableEntity)
	}
	send(page, "\x00"+code[1:]).WantStatus(http.StatusBadRequest) // no form of ours sends it
	send(page, " "+code[:3]+"-"+code[3:]+" ").WantPath("/apps")
}

func TestARecoveryCodeOpensOnce(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	code := ada.RecoveryCodes[4]
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	send(pending(site, ada), typed).WantPath("/apps")
	for _, again := range []string{code, typed, strings.ReplaceAll(code, "-", "")} {
		send(pending(site, ada), again).WantStatus(http.StatusUnprocessableEntity)
	}
	send(pending(site, ada), strings.ReplaceAll(ada.RecoveryCodes[0], "-", "")).WantPath("/apps")
}

func TestARecoveryCodeIsItsOwnersAlone(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	eve, _ := protected(site, "eve@example.org")
	send(pending(site, ada), eve.RecoveryCodes[0]).WantStatus(http.StatusUnprocessableEntity)
	send(pending(site, eve), eve.RecoveryCodes[0]).WantPath("/apps")
}

func TestAnOldRecoveryCodeIsVoidOnceThereAreNewOnes(t *testing.T) {
	site := apptest.New(t)
	ada, inside := protected(site, "ada@example.org")
	old := ada.RecoveryCodes[0]
	inside.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code()).Press().WantStatus(http.StatusOK)
	send(pending(site, ada), old).WantStatus(http.StatusUnprocessableEntity)
}

// A pending login belongs to the browser in which it began.
func TestAPendingLoginGoesOnInNoOtherBrowser(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	page := pending(site, ada)
	thief := site.Browser()
	values := page.Form("Send code").Values
	values.Set("code", ada.Code())
	for range 2 { // the second time with a token of its own
		thief.Post("/login/code", values).WantPath("/login")
		thief.Get(page.Path).WantPath("/login")
		thief.Post("/login/back", url.Values{"attempt": values["attempt"]})
		pending(site, ada)
		thief.SetCookie("twinlock-login", strings.Repeat("A", 43))
	}
	send(page, values.Get("code")).WantPath("/apps")
}

func TestAPendingLoginEndsAfterTenMinutes(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	page, late := pending(site, ada), pending(site, ada)
	site.Clock.Turn(10*time.Minute - time.Millisecond)
	send(page, ada.CodeAt(site.Now())).WantPath("/apps")
	site.Clock.Turn(time.Millisecond)
	send(late, ada.CodeAt(site.Now().Add(30*time.Second))).WantPath("/login")
}

func TestWhatChangesTheAccountEndsItsPendingLogins(t *testing.T) {
	for what, change := range map[string]func(*testing.T, *apptest.Site, *apptest.Person) error{
		"must use two-factor authentication": func(t *testing.T, site *apptest.Site, p *apptest.Person) error {
			return site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, p.ID, true, site.Now())
		},
		"role": func(t *testing.T, site *apptest.Site, p *apptest.Person) error {
			return site.Store.SetAdministrator(t.Context(), apptest.Command, p.ID, true, site.Now())
		},
		"factors cleared": func(t *testing.T, site *apptest.Site, p *apptest.Person) error {
			return site.Store.ClearFactors(t.Context(), apptest.Command, p.ID, "lost the phone", site.Now())
		},
		"disabled": func(t *testing.T, site *apptest.Site, p *apptest.Person) error {
			return site.Store.DisableUser(t.Context(), apptest.Command, p.ID, site.Now())
		},
		"disabled and enabled": func(t *testing.T, site *apptest.Site, p *apptest.Person) error {
			must(t, site.Store.DisableUser(t.Context(), apptest.Command, p.ID, site.Now()))
			return site.Store.EnableUser(t.Context(), apptest.Command, p.ID, site.Now())
		},
	} {
		t.Run(what, func(t *testing.T) {
			site := apptest.New(t)
			ada, _ := protected(site, "ada@example.org")
			page := pending(site, ada)
			must(t, change(t, site, ada))
			send(page, ada.Code()).WantPath("/login")
		})
	}
}

// lettersOf counts the letters of a kind that somebody got.
func lettersOf(t *testing.T, site *apptest.Site, p *apptest.Person, kind auth.LetterKind) (n int) {
	t.Helper()
	for _, got := range site.Mail.Kinds(t, p.Address) {
		if got == mail.Kind(kind) {
			n++
		}
	}
	return n
}

func TestTheOwnerIsToldOfWrongCodesAfterTheRightPassword(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	told := func(want int) {
		t.Helper()
		if got := lettersOf(t, site, ada, auth.LetterWrongCodes); got != want {
			t.Fatalf("%d letters about wrong codes, want %d", got, want)
		}
	}
	guess := func(page *apptest.Page) {
		t.Helper()
		site.Clock.Turn(15 * time.Minute / 10)
		if got := send(page, wrongCode(ada, site.Now())); got.Status == http.StatusTooManyRequests {
			t.Fatalf("%s was not looked at: %s", ada.Address, got.Alert())
		}
	}
	for range 2 { // in a login each: whoever stops before the limit is heard of all the same
		guess(pending(site, ada))
	}
	told(0)
	last := pending(site, ada)
	guess(last)
	told(1)
	if letter := site.Mail.Last(t, ada.Address); !strings.Contains(letter.Text, "3 wrong login codes") {
		t.Errorf("the letter says %s", letter.Text)
	}
	for range 4 {
		guess(last)
	}
	told(1) // one an hour
	if page := send(last, wrongCode(ada, site.Now())); !strings.HasPrefix(page.Path, "/login?") {
		t.Fatalf("five wrong codes left the login open: %s", page.Path)
	}
	events, err := site.Store.Events(t.Context(), store.EventFilter{Subject: ada.ID, Kind: auth.EventLoginEnded})
	if err != nil || len(events) != 1 {
		t.Errorf("the record says %+v (%v)", events, err)
	}
	site.Clock.Turn(time.Hour)
	guess(pending(site, ada))
	told(2)
}

// A code that was right and is spent is its owner's own, however often it is
// typed, and whatever is typed beside it.
func TestASpentCodeTypedAgainTellsNobody(t *testing.T) {
	site := apptest.New(t)
	ada, _ := protected(site, "ada@example.org")
	code := ada.Code()
	send(pending(site, ada), code).WantPath("/apps")
	page := pending(site, ada)
	for _, typed := range []string{code, code, code, wrongCode(ada, site.Now())} {
		send(page, typed).WantStatus(http.StatusUnprocessableEntity)
	}
	if got := lettersOf(t, site, ada, auth.LetterWrongCodes); got != 0 {
		t.Errorf("%d letters", got)
	}
	if page = send(page, code); !strings.HasPrefix(page.Path, "/login?") {
		t.Errorf("five refused codes left the login open: %s", page.Path)
	}
}
