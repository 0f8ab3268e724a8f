package account_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
)

const (
	enable   = "Enable 2-factor authentication with a smartphone app"
	disable  = "Disable 2-factor authentication with a smartphone app"
	enabled  = "2-factor authentication successfully enabled."
	disabled = "2-factor authentication successfully disabled."
)

// newSite has the plug-in enabled for everyone, and Ada signed in.
func newSite(t *testing.T, settings ...string) (*apptest.Site, *apptest.Person, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t, settings...)
	site.Activate(auth.TwoFactorPlugin)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	browser.SignIn(ada)
	return site, ada, browser
}

// newProtectedSite is newSite with two-factor authentication on.
func newProtectedSite(t *testing.T) (*apptest.Site, *apptest.Person, *apptest.Browser) {
	t.Helper()
	site, ada, browser := newSite(t)
	browser.EnableTwoFactor(ada)
	return site, ada, browser
}

// secretKey is the key that a set-up page shows.
func secretKey(page *apptest.Page) string { return page.Definition("Secret key") }

// activate types the code of the person's app into a set-up page.
func activate(page *apptest.Page, code string) *apptest.Page {
	return page.Form("Activate").Fill("Login code", code).Press()
}

func wantOff(t *testing.T, p *apptest.Person) {
	t.Helper()
	if p.User().TwoFactor() {
		t.Fatal("two-factor authentication is on")
	}
}

func wantOn(t *testing.T, p *apptest.Person) {
	t.Helper()
	if !p.User().TwoFactor() {
		t.Fatal("two-factor authentication is off")
	}
}

func TestEnablingAndDisabling(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.Get("/account").Follow(enable).WantStatus(200)
	for term, want := range map[string]string{"Type": "TOTP", "Hash function": "SHA-1", "Digits": "6", "Period (seconds)": "30"} {
		if got := page.Definition(term); got != want {
			t.Errorf("%s is %q, want %q", term, got, want)
		}
	}
	link := page.Href("QR code")
	if !strings.HasPrefix(link, "otpauth://totp/Twinlock:ada%40example.org?") || page.Href("Open in authenticator app") != link {
		t.Errorf("the QR code opens %q", link)
	}
	if key := strings.ReplaceAll(secretKey(page), " ", ""); !strings.Contains(link, "secret="+key+"&") || len(key) != 32 {
		t.Errorf("the link and the key %q differ", key)
	}
	if app := page.Text(); !strings.Contains(app, "Aegis Authenticator") {
		t.Error("the introduction does not name Aegis")
	}

	ada.SetUpPhone(secretKey(page))
	page = activate(page, ada.Code()).WantStatus(200).WantDone(enabled)
	if got := len(page.List("Recovery codes")); got != 10 {
		t.Errorf("%d recovery codes, want 10", got)
	}
	page = page.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account")
	if !page.HasLink(disable) || page.HasLink(enable) {
		t.Error("the settings do not offer to disable it")
	}
	site.Browser().SignIn(ada).WantStatus(200).WantPath("/apps")

	page = browser.Get("/account").Follow(disable)
	if !page.Says("23 November 2026") {
		t.Error("the page does not say since when it is on")
	}
	page.Form("Disable").Fill("Login code", ada.Code()).Press().WantPath("/account").WantDone(disabled)
	wantOff(t, ada)
	site.Clock.Turn(time.Minute)
	site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/apps")

	want := []mail.Kind{mail.TwoFactorEnabled, mail.NewDevice, mail.TwoFactorDisabled, mail.NewDevice}
	if got := site.Mail.Kinds(t, ada.Address); !slices.Equal(got, want) {
		t.Errorf("letters %v, want %v", got, want)
	}
}

func TestNothingAnswersWhereThePluginIsNotEnabledForThePerson(t *testing.T) {
	site, ada, browser := newSite(t)
	bob := site.Person("bob@example.org")
	for name, activation := range map[string]auth.Activation{
		"inactive":              {Everyone: true},
		"active for nobody":     {Active: true},
		"active for other ones": {Active: true, Users: []auth.UserID{bob.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			activation.Plugin = auth.TwoFactorPlugin
			site.SetActivation(activation)
			if page := browser.Get("/account"); page.HasLink(enable) || page.Says("Two-factor authentication") {
				t.Error("the settings speak of it")
			}
			browser.Get("/account/two-factor").WantStatus(404)
			browser.Get("/account/recovery-codes").WantStatus(404)
			for _, address := range []string{"/account/two-factor", "/account/two-factor/disable", "/account/recovery-codes", "/account/recovery-codes/saved"} {
				browser.Post(address, url.Values{"code": {"123456"}}).WantStatus(404)
			}
		})
	}
	wantOff(t, ada)
}

func TestWhatIsOnIsHiddenAndKeptWhileThePluginIsInactive(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin, Everyone: true})
	if page := browser.Get("/account"); page.HasLink(disable) || page.HasLink("Recovery codes") {
		t.Error("the settings speak of it")
	}
	browser.Get("/account/two-factor").WantStatus(404)
	browser.Get("/account/recovery-codes").WantStatus(404)
	for _, address := range []string{"/account/two-factor", "/account/two-factor/disable", "/account/recovery-codes"} {
		browser.Post(address, url.Values{"code": {ada.RecoveryCodes[0]}}).WantStatus(404)
	}
	wantOn(t, ada)
	site.Activate(auth.TwoFactorPlugin)
	browser.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.RecoveryCodes[0]).Press().WantDone(disabled)
}

func TestTheKeyStaysOverAReload(t *testing.T) {
	site, _, browser := newSite(t)
	first := secretKey(browser.Get("/account/two-factor"))
	site.Clock.Turn(14*time.Minute + 59*time.Second)
	if second := secretKey(browser.Get("/account").Follow(enable)); second != first {
		t.Errorf("the key changed from %s to %s", first, second)
	}
}

func TestLookingAtTheSetUpAndGoingBackWritesNothing(t *testing.T) {
	site, ada, browser := newSite(t)
	before := ada.User()
	page := browser.Get("/account/two-factor")
	page.Follow("Back").WantPath("/account")
	if after := ada.User(); after != before {
		t.Errorf("the account changed: %+v", after)
	}
	key := strings.ReplaceAll(secretKey(page), " ", "")
	sealed := page.Form("Activate").Values.Get("set-up")
	for name, content := range filesOf(t, site) {
		if bytes.Contains(content, []byte(key)) || bytes.Contains(content, []byte(sealed)) {
			t.Errorf("%s holds the key before it was activated", name)
		}
	}
}

func filesOf(t *testing.T, site *apptest.Site) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(site.Config.Data, "twinlock.db*"))
	if err != nil || len(names) == 0 {
		t.Fatal("no database", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
	}
	return files
}

func TestASetUpThatTookTooLongGetsAFreshKey(t *testing.T) {
	site, ada, browser := newSite(t, "fresh=1h")
	page := browser.Get("/account/two-factor")
	old := secretKey(page)
	ada.SetUpPhone(old)
	site.Clock.Turn(15 * time.Minute)
	page = activate(page, ada.Code()).WantStatus(422)
	if secretKey(page) == old || !strings.Contains(page.Alert(), "took too long") {
		t.Errorf("the old key is still shown; the page says %q", page.Alert())
	}
	wantOff(t, ada)
	ada.SetUpPhone(secretKey(page))
	activate(page, ada.Code()).WantDone(enabled)
}

func TestEachTabActivatesTheKeyThatItShows(t *testing.T) {
	_, ada, browser := newSite(t)
	first := browser.Get("/account/two-factor")
	browser.SetCookie("twinlock-set-up", "") // as when the browser lost it
	second := browser.Get("/account/two-factor")
	if secretKey(first) == secretKey(second) {
		t.Fatal("both tabs show the same key, so nothing is tested")
	}
	ada.SetUpPhone(secretKey(second))
	activate(first, ada.Code()).WantStatus(422)
	wantOff(t, ada)
	ada.SetUpPhone(secretKey(first))
	activate(first, ada.Code()).WantDone(enabled)
}

func TestAnAlteredSetUpIsRefused(t *testing.T) {
	_, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	sealed := []byte(page.Form("Activate").Values.Get("set-up"))
	for _, at := range []int{0, 7, len(sealed) / 2, len(sealed) - 2} {
		form := page.Form("Activate").Fill("Login code", ada.Code())
		altered := slices.Clone(sealed)
		altered[at] ^= 1
		form.Values.Set("set-up", string(altered))
		form.Press().WantStatus(422)
	}
	form := page.Form("Activate").Fill("Login code", ada.Code())
	form.Values.Del("set-up")
	form.Press().WantStatus(422)
	wantOff(t, ada)
}

func TestAnothersSetUpIsRefused(t *testing.T) {
	site, ada, browser := newSite(t)
	mallory, hers := site.Person("mallory@example.org"), site.Browser()
	hers.SignIn(mallory)
	foreign := hers.Get("/account/two-factor")
	mallory.SetUpPhone(secretKey(foreign))

	form := browser.Get("/account/two-factor").Form("Activate").Fill("Login code", mallory.Code())
	form.Values.Set("set-up", foreign.Form("Activate").Values.Get("set-up"))
	page := form.Press().WantStatus(422)
	if secretKey(page) == secretKey(foreign) {
		t.Error("the page shows the foreign key")
	}
	browser.SetCookie("twinlock-set-up", foreign.Form("Activate").Values.Get("set-up"))
	if secretKey(browser.Get("/account/two-factor")) == secretKey(foreign) {
		t.Error("the cookie of somebody else brought their key")
	}
	wantOff(t, ada)
}

func TestASetUpOfAnEarlierLoginIsRefused(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	another := site.Browser()
	another.SignIn(ada)
	form := another.Get("/account/two-factor").Form("Activate").Fill("Login code", ada.Code())
	form.Values.Set("set-up", page.Form("Activate").Values.Get("set-up"))
	form.Press().WantStatus(422)
	wantOff(t, ada)
}

func TestASetUpFromBeforeAChangeOfTheAccountIsRefused(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	activate(page, ada.Code()).WantStatus(422)
	wantOff(t, ada)
}

func TestTheActivatingCodeIsSpent(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	code := ada.Code()
	activate(page, code).WantDone(enabled)
	login := site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
	page = login.Form("Send code").Fill("Login code", code).Press().WantStatus(422)
	if !strings.Contains(page.Alert(), "already used") {
		t.Errorf("the page says %q", page.Alert())
	}
}

func TestASecondActivationChangesNothing(t *testing.T) {
	_, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	shown := activate(page, ada.Code()).WantDone(enabled).List("Recovery codes")
	before := ada.User()
	again := activate(page, ada.Code()).WantPath("/account/two-factor")
	if !again.HasButton("Disable") || before != ada.User() {
		t.Error("the second activation changed the account")
	}
	again.Form("Disable").Fill("Login code", shown[0]).Press().WantDone(disabled)
}

func TestAWrongCodeKeepsTheKey(t *testing.T) {
	_, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	key := secretKey(page)
	ada.SetUpPhone(key)
	for _, typed := range []string{"", "12345", "1234567", "abcdef", "AAAA-BBBB-CCCC-DDDD", "000000"} {
		again := activate(page, typed).WantStatus(422)
		if secretKey(again) != key || again.Alert() == "" {
			t.Errorf("after %q: key %s, alert %q", typed, secretKey(again), again.Alert())
		}
	}
	wantOff(t, ada)
	code := ada.Code()
	activate(page, " "+code[:3]+"-"+code[3:]+"\n").WantDone(enabled)
}

func TestAPhoneWhoseClockIsWrongIsToldSo(t *testing.T) {
	for name, c := range map[string]struct {
		off  time.Duration
		says string
	}{
		"five minutes ahead":  {5 * time.Minute, "about 5 minutes ahead"},
		"one minute ahead":    {time.Minute, "about 1 minute ahead"},
		"two minutes behind":  {-2 * time.Minute, "about 2 minutes behind"},
		"one minute behind":   {-time.Minute, "about 1 minute behind"},
		"forty-five behind":   {-45 * time.Minute, "about 45 minutes behind"},
		"an hour and a bit":   {61 * time.Minute, "didn't work"},
		"another phone's key": {0, "didn't work"},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada, browser := newSite(t)
			page := browser.Get("/account/two-factor")
			ada.SetUpPhone(secretKey(page))
			code := ada.CodeAt(site.Now().Add(c.off))
			if c.off == 0 {
				ada.SetUpPhone("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
				code = ada.CodeAt(site.Now())
			}
			page = activate(page, code).WantStatus(422)
			if !strings.Contains(page.Alert(), c.says) {
				t.Errorf("the page says %q, want %q", page.Alert(), c.says)
			}
			wantOff(t, ada)
		})
	}
}

func TestWrongCodesOfASetUpWaitAndCountNowhereElse(t *testing.T) {
	site, ada, browser := newSite(t, "fresh=1h", "throttle_closed=10", "wrong_codes_in_all=10")
	page := browser.Get("/account/two-factor")
	key := secretKey(page)
	for range 5 {
		activate(page, "000000").WantStatus(422)
	}
	waiting := activate(page, "000000").WantStatus(http.StatusTooManyRequests)
	if waiting.Header.Get("Retry-After") != "1" || secretKey(waiting) != key {
		t.Errorf("Retry-After %q, key %s", waiting.Header.Get("Retry-After"), secretKey(waiting))
	}
	wait := time.Second
	for range 8 { // more than what would close a login
		site.Clock.Turn(wait)
		activate(page, "000000").WantStatus(422)
		wait *= 2
	}
	ada.SetUpPhone(key)
	activate(page, ada.CodeAt(site.Now())).WantStatus(http.StatusTooManyRequests)
	wantOff(t, ada)

	site.Clock.Turn(wait)
	activate(page, ada.Code()).WantDone(enabled)
	site.Browser().SignIn(ada).WantPath("/apps")
}

func TestEnablingAsksForThePasswordThatIsNotFresh(t *testing.T) {
	site, ada, browser := newSite(t)
	early := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(early))
	site.Clock.Turn(14 * time.Minute)
	page := browser.Get("/account/two-factor")
	site.Clock.Turn(time.Minute)

	asked := browser.Get("/account/two-factor").WantPath("/login/confirm")
	if asked.Says("Secret key") {
		t.Fatal("the key is shown before the password is asked")
	}
	asked = activate(page, ada.Code()).WantStatus(403)
	wantOff(t, ada)
	asked.Form("Confirm").Fill("Password", "not this one").Press().WantStatus(422)
	wantOff(t, ada)

	page = browser.Get("/account/two-factor").Form("Confirm").Fill("Password", ada.Password).Press().WantPath("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	activate(page, ada.Code()).WantDone(enabled)
}

func TestEnablingGoesOnAfterThePassword(t *testing.T) {
	site, ada, browser := newSite(t, "fresh=5m")
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	site.Clock.Turn(5 * time.Minute)
	asked := activate(page, ada.Code()).WantStatus(403)
	shown := asked.Form("Confirm").Fill("Password", ada.Password).Press().WantStatus(200).WantDone(enabled)
	shown.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account")
}

func TestEnablingEndsEveryOtherSession(t *testing.T) {
	site, ada, browser := newSite(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	stolen := site.Browser()
	stolen.SetCookie("twinlock", browser.Cookie("twinlock"))
	stolen.Get("/account").WantPath("/account")

	browser.EnableTwoFactor(ada)
	browser.Get("/account").WantPath("/account")
	elsewhere.Get("/account").WantPath("/login")
	stolen.Get("/account").WantPath("/login")
}

func TestALoginThatOwesTheSetUpEndsWithIt(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada := site.Person("ada@example.org")
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	browser := site.Browser()
	page := browser.Get("/account/sessions").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().
		WantPath("/account/two-factor").WantStatus(200)
	browser.Get("/account").WantPath("/login")
	browser.Get("/account/two-factor").WantPath("/login")
	browser.Get("/account/recovery-codes").WantPath("/login")

	stranger := site.Browser()
	stranger.Get(page.Path).WantPath("/login")
	stranger.Post("/account/two-factor", page.Form("Activate").Values).WantPath("/login")

	ada.SetUpPhone(secretKey(page))
	again := browser.Get(page.Path)
	if secretKey(again) != secretKey(page) {
		t.Error("a reload changed the key")
	}
	activate(page, "000000").WantStatus(422)
	shown := activate(page, ada.Code()).WantStatus(200).WantDone(enabled)
	if len(shown.List("Recovery codes")) != 10 || browser.Cookie("twinlock") == "" {
		t.Fatal("no codes, or no session")
	}
	activate(page, ada.Code()).WantPath("/account/two-factor")
	shown.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account/sessions")
}

func TestBackDropsALoginThatOwesTheSetUp(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada := site.Person("ada@example.org")
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	browser := site.Browser()
	page := browser.SignIn(ada).WantPath("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	page.Form("Back").Press().WantPath("/login")
	activate(page, ada.Code()).WantPath("/login")
	wantOff(t, ada)
}

func TestALoginThatOwesACodeDoesNotReachTheSetUp(t *testing.T) {
	site, ada, _ := newProtectedSite(t)
	browser := site.Browser()
	page := browser.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	attempt := page.Form("Send code").Values.Get("attempt")
	browser.Get("/account/two-factor?attempt=" + attempt).WantPath("/login")
	browser.Post("/account/two-factor", url.Values{"attempt": {attempt}, "code": {ada.Code()}}).WantPath("/login")
	browser.Post("/account/two-factor/disable", url.Values{"code": {ada.Code()}}).WantPath("/login")
	wantOn(t, ada)
}

func TestDisablingNeedsACodeOfOnesOwn(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	bob, his := site.Person("bob@example.org"), site.Browser()
	his.SignIn(bob)
	his.EnableTwoFactor(bob)
	spent := ada.Code()
	site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().
		Form("Send code").Fill("Login code", spent).Press().WantPath("/apps")
	spentRecovery := ada.RecoveryCodes[0]
	site.Browser().Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().
		Form("Send code").Fill("Login code", spentRecovery).Press().WantPath("/apps")

	for name, c := range map[string]struct{ typed, says string }{
		"nothing":                  {"", "Type the 6 digits"},
		"five digits":              {"12345", "Type the 6 digits"},
		"a wrong code":             {"000000", "didn't work"},
		"a spent code":             {spent, "already used"},
		"a spent recovery code":    {spentRecovery, "already used"},
		"somebody else's code":     {bob.Code(), "didn't work"},
		"somebody else's recovery": {bob.RecoveryCodes[0], "didn't work"},
	} {
		t.Run(name, func(t *testing.T) {
			page := browser.Get("/account/two-factor").Form("Disable").Fill("Login code", c.typed).Press().WantStatus(422)
			if !strings.Contains(page.Alert(), c.says) {
				t.Errorf("the page says %q, want %q", page.Alert(), c.says)
			}
			wantOn(t, ada)
		})
	}
	browser.Post("/account/two-factor/disable", url.Values{"code": {ada.Code()}, "user": {string(bob.ID)}}).WantStatus(400)
	wantOn(t, ada)
	wantOn(t, bob)
}

func TestWrongCodesWhenDisablingWait(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account/two-factor")
	site.Clock.Turn(30 * time.Second)
	for range 5 {
		page.Form("Disable").Fill("Login code", "000000").Press().WantStatus(422)
	}
	page.Form("Disable").Fill("Login code", ada.CodeAt(site.Now())).Press().WantStatus(429)
	wantOn(t, ada)
}

func TestDisablingFromAnotherSiteIsRefused(t *testing.T) {
	_, ada, browser := newProtectedSite(t)
	form := browser.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.Code())
	browser.Header.Set("Origin", "https://evil.example")
	form.Press().WantStatus(403)
	browser.Header.Del("Origin")
	wantOn(t, ada)
}

func TestARecoveryCodeDisablesInAnySpelling(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	site.Clock.Turn(time.Minute)
	typed := " " + strings.ToLower(strings.ReplaceAll(ada.RecoveryCodes[6], "-", " ")) + "\n"
	browser.Get("/account/two-factor").Form("Disable").Fill("Login code", typed).Press().WantDone(disabled)
	wantOff(t, ada)
	want := []mail.Kind{mail.TwoFactorEnabled, mail.TwoFactorDisabled}
	if got := site.Mail.Kinds(t, ada.Address); !slices.Equal(got, want) {
		t.Errorf("letters %v, want %v", got, want)
	}
}

func TestDisablingAsksForThePasswordThatIsNotFresh(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account/two-factor")
	site.Clock.Turn(15 * time.Minute)
	asked := page.Form("Disable").Fill("Login code", ada.Code()).Press().WantStatus(403)
	wantOn(t, ada)
	asked.Form("Confirm").Fill("Password", ada.Password).Press().WantPath("/account").WantDone(disabled)
	wantOff(t, ada)
}

func TestDisablingEndsEveryOtherSession(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	old := browser.Cookie("twinlock")
	browser.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.Code()).Press().WantDone(disabled)
	elsewhere.Get("/account").WantPath("/login")
	stolen := site.Browser()
	stolen.SetCookie("twinlock", old)
	stolen.Get("/account").WantPath("/login")
	browser.Get("/account").WantPath("/account")
}

func TestWhatWasDisabledDoesNotComeBack(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	before := *ada
	browser.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.Code()).Press().WantDone(disabled)
	browser.EnableTwoFactor(ada)
	site.Clock.Turn(30 * time.Second)
	for _, typed := range []string{before.CodeAt(site.Now()), before.RecoveryCodes[1]} {
		browser.Get("/account/two-factor").Form("Disable").Fill("Login code", typed).Press().WantStatus(422)
	}
	wantOn(t, ada)
}
