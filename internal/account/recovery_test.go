package account_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/mail"
)

// signInWith goes through the login of a person with what is typed as a code.
func signInWith(browser *apptest.Browser, p *apptest.Person, typed string) *apptest.Page {
	login := browser.Get("/login").Form("Login").Fill("Email", p.Address).Fill("Password", p.Password).Press()
	return login.Form("Send code").Fill("Login code", typed).Press()
}

func TestRecoveryCodesAreShownOnce(t *testing.T) {
	_, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	ada.SetUpPhone(secretKey(page))
	form := page.Form("Activate").Fill("Login code", ada.Code())
	shown := form.Press().WantDone(enabled)
	codes := shown.List("Recovery codes")
	if got := shown.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	seen := map[string]bool{}
	for _, code := range codes {
		if seen[code] || len(strings.Split(code, "-")) != 4 || len(code) != 19 {
			t.Errorf("%q is no code of its own, or not in four groups of four", code)
		}
		seen[code] = true
	}
	for name, later := range map[string]*apptest.Page{
		"the reload":        form.Press(),
		"the settings":      browser.Get("/account"),
		"recovery codes":    browser.Get("/account/recovery-codes").WantStatus(200),
		"two-factor":        browser.Get("/account/two-factor"),
		"without the tick":  browser.Post("/account/recovery-codes/saved", url.Values{}),
		"Continue, by hand": browser.Post("/account/recovery-codes/saved", url.Values{"saved": {"yes"}}),
	} {
		for _, code := range codes {
			if strings.Contains(later.Body, code) {
				t.Errorf("%s shows the codes again", name)
			}
		}
	}
}

func TestRecoveryCodesAndKeysAreNowhereInClear(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.Get("/account/two-factor")
	key := strings.ReplaceAll(secretKey(page), " ", "")
	ada.SetUpPhone(key)
	codes := activate(page, ada.Code()).List("Recovery codes")
	secrets := []string{key}
	for _, code := range codes {
		secrets = append(secrets, code, strings.ReplaceAll(code, "-", ""))
	}
	for _, letter := range site.Mail.To(t, ada.Address) {
		for _, secret := range secrets {
			if strings.Contains(letter.Text+letter.HTML, secret) {
				t.Errorf("a letter (%s) tells a secret", letter.Kind)
			}
		}
	}
	for name, content := range filesOf(t, site) {
		for _, secret := range secrets {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s holds a secret in clear", name)
			}
		}
	}
}

func TestTheTickIsAskedForAndCannotShowTheCodesAgain(t *testing.T) {
	_, ada, browser := newSite(t)
	shown := browser.EnableTwoFactor(ada)
	page := shown.Form("Continue").Press().WantStatus(422)
	if !strings.Contains(page.Alert(), "Tick the box") || !page.HasLink("Make new recovery codes") {
		t.Errorf("the page says %q", page.Alert())
	}
	page.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account")
}

func TestContinueLeadsToNoOtherSite(t *testing.T) {
	_, _, browser := newProtectedSite(t)
	for _, next := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/%2f%2fevil.example/..//", ""} {
		page := browser.Once("/account/recovery-codes/saved", url.Values{"saved": {"yes"}, "next": {next}})
		if to := page.Header.Get("Location"); strings.Contains(to, "evil") && !strings.HasPrefix(to, "/%") || strings.HasPrefix(to, "//") {
			t.Errorf("%q leads to %q", next, to)
		}
	}
}

func TestARecoveryCodeLogsInOnce(t *testing.T) {
	site, ada, _ := newProtectedSite(t)
	code := ada.RecoveryCodes[4]
	page := signInWith(site.Browser(), ada, strings.ToLower(strings.ReplaceAll(code, "-", " "))).WantPath("/apps")
	if !strings.Contains(page.Done(), "9 are left") {
		t.Errorf("the page says %q", page.Done())
	}
	page = signInWith(site.Browser(), ada, code).WantStatus(422)
	if !strings.Contains(page.Alert(), "already used") {
		t.Errorf("the page says %q", page.Alert())
	}
}

func TestTheLastRecoveryCodesAskForNewOnes(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	for i := range 6 {
		signInWith(site.Browser(), ada, ada.RecoveryCodes[i]).WantPath("/apps")
	}
	if browser.Get("/account").Says("Only") {
		t.Error("four codes are few already")
	}
	page := signInWith(site.Browser(), ada, ada.RecoveryCodes[6]).WantPath("/apps")
	if want := "Only 3 are left: make new ones in the account settings."; !strings.Contains(page.Done(), want) {
		t.Errorf("the page says %q", page.Done())
	}
	if kinds := site.Mail.Kinds(t, ada.Address); !slices.Contains(kinds, mail.RecoveryCodesFew) {
		t.Errorf("letters %v", kinds)
	}
	page = browser.Get("/account")
	if !page.Says("Only 3 unused recovery codes are left.") {
		t.Error("the settings do not ask for new ones")
	}
	page = page.Follow("Make new recovery codes")
	if got := page.Definition("Unused"); got != "3 of 10" {
		t.Errorf("unused: %q", got)
	}
	if got := strings.Count(page.Definition("Used"), "23 November 2026"); got != 7 {
		t.Errorf("%d times are listed: %s", got, page.Definition("Used"))
	}
}

func TestNewRecoveryCodesVoidTheOldOnes(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	old, cookie := ada.RecoveryCodes, browser.Cookie("twinlock")
	page := browser.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code()).Press().
		WantStatus(200).WantDone("You have new recovery codes. The old ones are void.")
	fresh := page.List("Recovery codes")
	if len(fresh) != 10 || slices.ContainsFunc(fresh, func(code string) bool { return slices.Contains(old, code) }) {
		t.Errorf("the new codes are %v", fresh)
	}
	if browser.Cookie("twinlock") == cookie {
		t.Error("the session has its old token")
	}
	page.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account")
	elsewhere.Get("/account").WantPath("/account")

	signInWith(site.Browser(), ada, old[2]).WantStatus(422)
	signInWith(site.Browser(), ada, fresh[2]).WantPath("/apps")
	if kinds := site.Mail.Kinds(t, ada.Address); !slices.Contains(kinds, mail.RecoveryCodesMadeAnew) {
		t.Errorf("letters %v", kinds)
	}
}

func TestNewRecoveryCodesNeedAFreshCode(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account/recovery-codes")
	spent := ada.Code()
	signInWith(site.Browser(), ada, spent).WantPath("/apps")
	for _, typed := range []string{"", "000000", spent, "AAAA-BBBB-CCCC-DDDD"} {
		refused := page.Form("Generate new codes").Fill("Login code", typed).Press().WantStatus(422)
		if refused.Alert() == "" {
			t.Errorf("nothing is said to %q", typed)
		}
	}
	signInWith(site.Browser(), ada, ada.RecoveryCodes[0]).WantPath("/apps")
}

func TestNewRecoveryCodesAskForThePasswordThatIsNotFresh(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account/recovery-codes")
	site.Clock.Turn(15 * time.Minute)
	asked := page.Form("Generate new codes").Fill("Login code", ada.Code()).Press().WantStatus(403)
	signInWith(site.Browser(), ada, ada.RecoveryCodes[0]).WantPath("/apps")
	asked.Form("Confirm").Fill("Password", ada.Password).Press().WantDone("You have new recovery codes. The old ones are void.")
	signInWith(site.Browser(), ada, ada.RecoveryCodes[1]).WantStatus(422)
}

func TestThereAreNoRecoveryCodesWhileTwoFactorAuthenticationIsOff(t *testing.T) {
	_, _, browser := newSite(t)
	browser.Get("/account/recovery-codes").WantStatus(404)
	browser.Post("/account/recovery-codes", url.Values{"code": {"123456"}}).WantStatus(404)
}

func TestALapsedSessionFromBeforeNewCodesDoesNotReturnByPasswordAlone(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	secret := windowSecret(t, elsewhere.Get("/account"))
	site.Clock.Turn(10 * time.Minute)
	browser.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code()).Press().WantStatus(200)
	site.Clock.Turn(60 * time.Minute)
	elsewhere.Post("/login/window", url.Values{"password": {ada.Password}, "secret": {secret}}).WantStatus(403)
}

func windowSecret(t *testing.T, page *apptest.Page) string {
	t.Helper()
	_, rest, found := strings.Cut(page.Body, `data-secret="`)
	secret, _, ended := strings.Cut(rest, `"`)
	if !found || !ended {
		t.Fatal("the page has no secret of its window")
	}
	return secret
}

func TestThePageOfTheCodesBelongsToTheRenewedSession(t *testing.T) {
	site, ada, browser := newSite(t)
	page := browser.EnableTwoFactor(ada)
	secret := windowSecret(t, page)
	site.Clock.Turn(60 * time.Minute)
	browser.Post("/login/window", url.Values{"password": {ada.Password}, "secret": {secret}}).WantStatus(200)
}
