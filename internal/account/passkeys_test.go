package account_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// withPasskeys is a site where passkeys are enabled for everyone, and Ada signed in
// with a phone that can hold them.
func withPasskeys(t *testing.T, settings ...string) (*apptest.Site, *apptest.Person, *apptest.Browser, *passkeytest.Authenticator) {
	t.Helper()
	site := apptest.New(t, settings...)
	site.Activate(auth.PasskeysPlugin)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	browser.SignIn(ada)
	return site, ada, browser, passkeytest.New(t)
}

var (
	options  = regexp.MustCompile(`data-options="([^"]*)"`)
	accepted = regexp.MustCompile(`data-accepted="([^"]*)"`)
	posted   = regexp.MustCompile(`<input type="hidden" name="(attempt|next|ceremony|id)" value="([^"]*)"`)
)

// sent is what the script of a page sends, once a passkey has answered it.
func sent(t *testing.T, page *apptest.Page, answer func(options string) string) url.Values {
	t.Helper()
	found := options.FindStringSubmatch(page.Body)
	if found == nil {
		t.Fatalf("the page asks for no passkey: %s", page.Text())
	}
	values := url.Values{"passkey": {answer(html.UnescapeString(found[1]))}}
	for _, field := range posted.FindAllStringSubmatch(page.Body, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	return values
}

// makes makes a passkey on a page that asks for one.
func makes(t *testing.T, site *apptest.Site, browser *apptest.Browser, page *apptest.Page, device *passkeytest.Authenticator, spoil ...func(*passkeytest.Answer)) *apptest.Page {
	t.Helper()
	return browser.Post("/account/passkeys/new", sent(t, page, func(options string) string {
		return device.Create(options, site.Floor.PublicURL, spoil...)
	}))
}

// answers sends a device's answer to a page with a form.
func answers(t *testing.T, site *apptest.Site, browser *apptest.Browser, page *apptest.Page, to string, device *passkeytest.Authenticator, spoil ...func(*passkeytest.Answer)) *apptest.Page {
	t.Helper()
	return browser.Post(to, sent(t, page, func(options string) string { return device.Get(options, site.Floor.PublicURL, spoil...) }))
}

func names(page *apptest.Page) (all []string) {
	for _, entry := range regexp.MustCompile(`<strong>([^<]*)</strong>`).FindAllStringSubmatch(page.Body, -1) {
		all = append(all, html.UnescapeString(entry[1]))
	}
	return all
}

func TestTheFirstPasskeyBringsRecoveryCodes(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	page := browser.Get("/account").Follow("Add a passkey").WantStatus(200)
	if !page.Says("your password alone no longer opens the account") {
		t.Errorf("the page says %q", page.Text())
	}
	page = makes(t, site, browser, page, phone).WantStatus(200).WantDone("The passkey is added.")
	if got := len(page.List("Recovery codes")); got != 10 {
		t.Errorf("%d recovery codes, want 10", got)
	}
	page = page.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account/passkeys")
	if got := names(page); !slices.Equal(got, []string{"Passkey"}) || !page.Says("Never used") || !page.Says("Synced") {
		t.Errorf("passkeys %q; %s", got, page.Text())
	}
	elsewhere.Get("/account").WantPath("/login")
	if u := ada.User(); !u.HasPasskeys() || u.HasAuthenticator() {
		t.Errorf("%+v", u)
	}
	if got := site.Mail.Kinds(t, ada.Address); !slices.Contains(got, mail.PasskeyAdded) {
		t.Errorf("letters %v", got)
	}
	settings := browser.Get("/account")
	for _, words := range []string{"You have 1 passkey.", "10 unused recovery codes are left."} {
		if !settings.Says(words) {
			t.Errorf("the settings do not say %q", words)
		}
	}
}

func TestAFurtherPasskeyIsNumberedAndMakesNoCodes(t *testing.T) {
	site, _, browser, phone := withPasskeys(t)
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone).WantStatus(200)
	phone.Syncs = false
	site.Clock.Turn(time.Second)
	page := makes(t, site, browser, browser.Get("/account/passkeys/new"), phone).WantPath("/account/passkeys").WantDone("The passkey is added.")
	if got := names(page); !slices.Equal(got, []string{"Passkey", "Passkey 2"}) {
		t.Errorf("passkeys %q", got)
	}
	if !page.Says("On one device only") || !strings.Contains(page.Body, "<details open>") {
		t.Error("the new one's name is not ready to be edited, or it is said to be synced")
	}
}

func TestWhatIsNoNewPasskeyIsNotKept(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	page := browser.Get("/account/passkeys/new")
	for what, spoil := range map[string]func(*passkeytest.Answer){
		"another site's":      func(a *passkeytest.Answer) { a.Origin = "https://evil.example.org" },
		"another challenge":   func(a *passkeytest.Answer) { a.Challenge = strings.Repeat("A", 43) },
		"another domain":      func(a *passkeytest.Answer) { a.Domain = "evil.example.org" },
		"nobody was present":  func(a *passkeytest.Answer) { a.Present = false },
		"the answer of a use": func(a *passkeytest.Answer) { a.Type = "webauthn.get" },
	} {
		if again := makes(t, site, browser, page, phone, spoil).WantStatus(422); !strings.Contains(again.Alert(), "No passkey was made") {
			t.Errorf("%s: the page says %q", what, again.Alert())
		}
	}
	for what, answer := range map[string]string{"nothing": "", "no JSON": "{", "a list": "[]", "much": strings.Repeat("x", 20000)} {
		again := browser.Post("/account/passkeys/new", sent(t, page, func(string) string { return answer })).WantStatus(422)
		if again.Alert() == "" {
			t.Errorf("%s: nothing is said", what)
		}
	}
	right := sent(t, page, func(options string) string { return phone.Create(options, site.Floor.PublicURL) })
	forged := url.Values{"passkey": right["passkey"], "ceremony": {"x"}}
	browser.Post("/account/passkeys/new", forged).WantStatus(422)
	if ada.User().TwoFactor() {
		t.Fatal("a passkey was kept")
	}
	site.Clock.Turn(5 * time.Minute)
	if late := browser.Post("/account/passkeys/new", right).WantStatus(422); !strings.Contains(late.Alert(), "too long") {
		t.Errorf("too late: the page says %q", late.Alert())
	}
	if ada.User().TwoFactor() {
		t.Error("a passkey was kept")
	}
}

func TestOnePageMakesOnePasskeyForOnePerson(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	eve, hers := site.Person("eve@example.org"), site.Browser()
	hers.SignIn(eve)
	page := browser.Get("/account/passkeys/new")
	right := sent(t, page, func(options string) string { return phone.Create(options, site.Floor.PublicURL) })
	hers.Post("/account/passkeys/new", right).WantStatus(422)
	site.Browser().Post("/account/passkeys/new", right).WantPath("/login")
	browser.Post("/account/passkeys/new", right).WantStatus(200)
	browser.Post("/account/passkeys/new", right).WantStatus(422)
	if all, err := site.Store.Passkeys(t.Context(), ada.ID); err != nil || len(all) != 1 || eve.User().TwoFactor() {
		t.Errorf("%d passkeys, %v", len(all), err)
	}
}

func TestPasskeysAreListedRenamedAndRemoved(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	for range 2 {
		site.Clock.Turn(time.Second)
		makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	}
	page := browser.Get("/account/passkeys").Form("Save").Fill("Name of the passkey", " ").Press().WantStatus(422)
	page = page.Form("Save").Fill("Name of the passkey", "Old phone").Press().WantPath("/account/passkeys").WantDone("The name is saved.")
	if got := names(page); !slices.Equal(got, []string{"Old phone", "Passkey 2"}) {
		t.Errorf("passkeys %q", got)
	}
	page = page.Follow("Remove Old phone").WantStatus(200)
	if page.Heading() != "Remove the passkey “Old phone”?" || page.Says("last second factor") {
		t.Errorf("the page says %q", page.Text())
	}
	page = page.Form("Remove").Press().WantPath("/account/passkeys").WantDone("The passkey is removed.")
	if got := names(page); !slices.Equal(got, []string{"Passkey 2"}) {
		t.Errorf("left %q", got)
	}
	page = page.Follow("Remove Passkey 2").WantStatus(200)
	if !page.Says("your password alone then opens the account") {
		t.Errorf("the page says %q", page.Text())
	}
	answers(t, site, browser, page, "/account/passkeys/remove", phone).WantPath("/account/passkeys").WantDone("The passkey is removed.")
	if ada.User().TwoFactor() {
		t.Error("a second factor is on")
	}
	browser.Get("/account/recovery-codes").WantStatus(404)
	if got := site.Mail.Kinds(t, ada.Address); !slices.Contains(got, mail.PasskeyRemoved) {
		t.Errorf("letters %v", got)
	}
}

// Whoever sits down at a session that was left open a moment after the login takes
// nothing from it by two presses that *Disable* would not give.
func TestTheLastPasskeyIsRemovedByACodeAlone(t *testing.T) {
	for name, right := range map[string]func(*apptest.Site, *apptest.Browser, *apptest.Page, *passkeytest.Authenticator, string) *apptest.Page{
		"by a passkey": func(site *apptest.Site, browser *apptest.Browser, page *apptest.Page, phone *passkeytest.Authenticator, _ string) *apptest.Page {
			return answers(t, site, browser, page, "/account/passkeys/remove", phone)
		},
		"by a recovery code": func(_ *apptest.Site, _ *apptest.Browser, page *apptest.Page, _ *passkeytest.Authenticator, code string) *apptest.Page {
			return page.Form("Remove").Fill("Recovery code", code).Press()
		},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada, browser, phone := withPasskeys(t)
			codes := makes(t, site, browser, browser.Get("/account/passkeys/new"), phone).List("Recovery codes")
			page := browser.Get("/account/passkeys").Follow("Remove Passkey").WantStatus(200)
			id := posted.FindStringSubmatch(page.Body)[2]
			for what, refused := range map[string]*apptest.Page{
				"nothing":              browser.Post("/account/passkeys/remove", url.Values{"id": {id}}),
				"six digits":           browser.Post("/account/passkeys/remove", url.Values{"id": {id}, "code": {"123456"}}),
				"a wrong code":         page.Form("Remove").Fill("Recovery code", "AB3D-EF4H-JK5N-PQ6S").Press(),
				"another site's":       answers(t, site, browser, page, "/account/passkeys/remove", phone, func(a *passkeytest.Answer) { a.Origin = "https://evil.example.org" }),
				"an answer to nothing": browser.Post("/account/passkeys/remove", url.Values{"id": {id}, "passkey": {"{}"}}),
			} {
				if refused.WantStatus(422); refused.Alert() == "" || !ada.User().HasPasskeys() {
					t.Fatalf("%s: the page says %q", what, refused.Text())
				}
			}
			page = browser.Get("/account/passkeys").Follow("Remove Passkey")
			right(site, browser, page, phone, codes[0]).WantPath("/account/passkeys").WantDone("The passkey is removed.")
			if ada.User().TwoFactor() {
				t.Error("a second factor is on")
			}
		})
	}
}

func TestOneOfSeveralThatBecameTheLastAsksForACode(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	for range 2 {
		site.Clock.Turn(time.Second)
		makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	}
	second := browser.Get("/account/passkeys").Follow("Remove Passkey 2")
	browser.Get("/account/passkeys").Follow("Remove Passkey").Form("Remove").Press().WantDone("The passkey is removed.")
	page := second.Form("Remove").Press().WantStatus(422)
	if !strings.Contains(page.Alert(), "one of your recovery codes") || !page.Says("your password alone then opens the account") ||
		!page.AsksForPasskey() || !ada.User().HasPasskeys() {
		t.Errorf("the page says %q", page.Text())
	}
}

func TestTheLastWayInIsKept(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	list := browser.Get("/account/passkeys").Follow("Remove Passkey")
	if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	if page := list.Form("Remove").Press().WantStatus(422); !strings.Contains(page.Alert(), "must have a second factor") {
		t.Errorf("the page says %q", page.Alert())
	}
	page := browser.Get("/account/passkeys").Follow("Remove Passkey")
	if page.HasButton("Remove") || !page.Says("must have a second factor") {
		t.Errorf("the page says %q", page.Text())
	}
	if !ada.User().HasPasskeys() {
		t.Error("it is gone")
	}
}

func TestNobodyTouchesAnothersPasskeys(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	all, err := site.Store.Passkeys(t.Context(), ada.ID)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	hers := site.Browser()
	hers.SignIn(site.Person("eve@example.org"))
	id := string(all[0].ID)
	hers.Get("/account/passkeys/remove?id=" + id).WantStatus(404)
	hers.Post("/account/passkeys/remove", url.Values{"id": {id}}).WantStatus(404)
	hers.Post("/account/passkeys/rename", url.Values{"id": {id}, "name": {"Mine"}}).WantStatus(404)
	if after, err := site.Store.Passkeys(t.Context(), ada.ID); err != nil || len(after) != 1 || after[0].Name != all[0].Name {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestTheBrowserIsToldWhichPasskeysAreTaken(t *testing.T) {
	site, _, browser, phone := withPasskeys(t)
	if page := browser.Get("/account/passkeys"); accepted.MatchString(page.Body) {
		t.Error("a browser is told of somebody who never made one")
	}
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	told := func(page *apptest.Page) (taken struct {
		Domain      string   `json:"rpId"`
		Handle      string   `json:"userId"`
		Credentials []string `json:"allAcceptedCredentialIds"`
	}) {
		t.Helper()
		found := accepted.FindStringSubmatch(page.Body)
		if found == nil || json.Unmarshal([]byte(html.UnescapeString(found[1])), &taken) != nil {
			t.Fatalf("the page tells %q", found)
		}
		return taken
	}
	for _, address := range []string{"/account", "/account/passkeys"} {
		if got := told(browser.Get(address)); len(got.Credentials) != 1 || got.Domain != site.Floor.Passkeys.Domain() || got.Handle == "" {
			t.Errorf("%s tells %+v", address, got)
		}
	}
	page := browser.Get("/account/passkeys").Follow("Remove Passkey")
	if got := told(answers(t, site, browser, page, "/account/passkeys/remove", phone).WantPath("/account/passkeys")); got.Credentials == nil || len(got.Credentials) != 0 {
		t.Errorf("after the last it tells %+v", got)
	}
}

func TestAPasskeyStandsInForTheCode(t *testing.T) {
	for _, to := range []string{"/account/two-factor/disable", "/account/recovery-codes"} {
		t.Run(to, func(t *testing.T) {
			site, ada, browser, phone := withPasskeys(t)
			site.Activate(auth.TwoFactorPlugin)
			browser.EnableTwoFactor(ada)
			makes(t, site, browser, browser.Get("/account/passkeys/new"), phone).WantPath("/account/passkeys")
			where := strings.TrimSuffix(to, "/disable")
			page := browser.Get(where)
			bad := answers(t, site, browser, page, to, phone, func(a *passkeytest.Answer) { a.Origin = "https://evil.example.org" }).WantStatus(422)
			if !strings.Contains(bad.Alert(), "was not accepted") {
				t.Errorf("the page says %q", bad.Alert())
			}
			both := sent(t, page, func(options string) string { return phone.Get(options, site.Floor.PublicURL) })
			both.Set("code", "123456")
			browser.Post(to, both).WantStatus(400)
			done := answers(t, site, browser, bad, to, phone)
			if to == "/account/recovery-codes" {
				if got := done.WantStatus(200).List("Recovery codes"); len(got) != 10 {
					t.Errorf("%d recovery codes", len(got))
				}
				return
			}
			done.WantPath("/account").WantDone(disabled)
			if u := ada.User(); u.HasAuthenticator() || !u.HasPasskeys() {
				t.Errorf("%+v", u)
			}
			if page := browser.Get("/account"); !page.Says("No authenticator app is set up") {
				t.Errorf("the settings say %q", page.Text())
			}
		})
	}
}

// One touch of a key must not be good for another page than the one that asked, which
// may do more.
func TestAnAnswerToOnePageIsNoneToAnother(t *testing.T) {
	for name, c := range map[string]struct {
		app   bool
		pages []string // that ask for a passkey in this state
		to    []string // where they send its answer
	}{
		"passkeys alone": {false, []string{"/account/recovery-codes", "/account/passkeys/remove?id=", "/login/confirm?ask=both"},
			[]string{"/account/recovery-codes", "/account/passkeys/remove", "/login/confirm"}},
		"beside an app": {true, []string{"/account/recovery-codes", "/account/two-factor", "/login/confirm?ask=both"},
			[]string{"/account/recovery-codes", "/account/two-factor/disable", "/login/confirm"}},
	} {
		t.Run(name, func(t *testing.T) {
			site, ada, browser, phone := withPasskeys(t)
			if c.app {
				site.Activate(auth.TwoFactorPlugin)
				browser.EnableTwoFactor(ada)
			}
			makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
			all, err := site.Store.Passkeys(t.Context(), ada.ID)
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			before, id := ada.User(), string(all[0].ID)
			for i, asking := range c.pages {
				if strings.HasSuffix(asking, "=") {
					asking += id
				}
				answer := sent(t, browser.Get(asking).WantStatus(200), func(options string) string { return phone.Get(options, site.Floor.PublicURL) })
				for j, to := range c.to {
					if i == j {
						continue
					}
					moved := url.Values{"ceremony": answer["ceremony"], "passkey": answer["passkey"]}
					if to == "/account/passkeys/remove" {
						moved.Set("id", id)
					}
					if page := browser.Post(to, moved).WantStatus(422); !strings.Contains(page.Alert(), "took too long") {
						t.Errorf("the answer to %s, sent to %s: the page says %q", asking, to, page.Alert())
					}
				}
			}
			if after := ada.User(); after.Generation != before.Generation || after.TwoFactor() != before.TwoFactor() {
				t.Errorf("it changed %+v", after)
			}
		})
	}
}

func TestAForcedSetUpByPasskey(t *testing.T) {
	for name, app := range map[string]bool{"alone": false, "beside an app": true} {
		t.Run(name, func(t *testing.T) {
			site, ada, _, phone := withPasskeys(t)
			if app {
				site.Activate(auth.TwoFactorPlugin)
			}
			if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()); err != nil {
				t.Fatal(err)
			}
			browser := site.Browser()
			page := browser.Get("/login?next=/account").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
			if app {
				page = page.Follow("Use a passkey instead")
				page.Follow("Use an authenticator app instead").WantStatus(200)
			}
			if !page.Says("must use two-factor authentication. Create a passkey") {
				t.Errorf("the page says %q", page.Text())
			}
			if browser.Cookie("twinlock") != "" {
				t.Fatal("there is a session before the set-up")
			}
			page = makes(t, site, browser, page, phone).WantStatus(200)
			if got := len(page.List("Recovery codes")); got != 10 {
				t.Errorf("%d recovery codes", got)
			}
			page.Form("Continue").Tick("I have saved these codes").Press().WantPath("/account")
			if u := ada.User(); !u.HasPasskeys() {
				t.Error("passkeys are off")
			}
		})
	}
}

func TestAPasskeyIsOfferedOnceInThirtyDays(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t)
	site.Activate(auth.TwoFactorPlugin)
	browser.EnableTwoFactor(ada)
	next := func() *apptest.Page {
		b := site.Browser()
		page := b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
		return page.Form("Send code").Fill("Login code", ada.Code()).Press()
	}
	page := next().WantPath("/account/passkeys/offer")
	if page.Heading() != "Sign in faster next time" {
		t.Errorf("the page says %q", page.Text())
	}
	page.Follow("Not now").WantPath("/apps")
	next().WantPath("/apps")
	site.Clock.Turn(30 * 24 * time.Hour)
	b := site.Browser()
	page = b.Get("/login?next=/account").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
	page = page.Form("Send code").Fill("Login code", ada.Code()).Press().WantPath("/account/passkeys/offer")
	makes(t, site, b, page, phone).WantPath("/account").WantDone("The passkey is added.")
	site.Clock.Turn(31 * 24 * time.Hour)
	next().WantPath("/apps")
}

func TestNoPasskeyPageAnswersWhereThePluginIsNotEnabled(t *testing.T) {
	site, _, browser, phone := withPasskeys(t)
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin, Everyone: true})
	for _, address := range []string{"/account/passkeys", "/account/passkeys/new", "/account/passkeys/offer", "/account/passkeys/remove", "/account/recovery-codes"} {
		browser.Get(address).WantStatus(404)
	}
	if page := browser.Get("/account"); page.Says("asskey") {
		t.Errorf("the settings speak of them: %s", page.Text())
	}
}

// Nor does one of whoever owes a second factor: a code in a session, or the set-up in a
// login.
func TestAPluginThatIsOffAnswersNobodyWhoOwesASecondFactor(t *testing.T) {
	pages := map[auth.PluginID][]string{
		auth.PasskeysPlugin:  {"/account/passkeys", "/account/passkeys/new", "/account/passkeys/remove", "/account/passkeys/offer"},
		auth.TwoFactorPlugin: {"/account/two-factor", "/account/authenticators", "/account/authenticators/new", "/account/authenticators/replace"},
	}
	posts := map[auth.PluginID][]string{
		auth.PasskeysPlugin:  {"/account/passkeys/new", "/account/passkeys/rename", "/account/passkeys/remove"},
		auth.TwoFactorPlugin: {"/account/two-factor", "/account/two-factor/disable", "/account/authenticators/new"},
	}
	for off, on := range map[auth.PluginID]auth.PluginID{auth.PasskeysPlugin: auth.TwoFactorPlugin, auth.TwoFactorPlugin: auth.PasskeysPlugin} {
		t.Run(string(off), func(t *testing.T) {
			site := apptest.New(t)
			site.Activate(on)
			ada, bob := site.Person("ada@example.org"), site.Person("bob@example.org")
			owesCode := site.Browser()
			if on == auth.PasskeysPlugin {
				ada.AddPasskey()
			} else {
				b := site.Browser()
				b.SignIn(ada)
				b.EnableTwoFactor(ada)
			}
			site.SetActivation(auth.Activation{Plugin: on})
			owesCode.SignIn(ada).WantPath("/apps")
			site.Activate(on)
			for _, address := range pages[on] {
				owesCode.Get(address).WantPath("/login/confirm")
			}
			for _, address := range pages[off] {
				owesCode.Get(address).WantStatus(404)
			}
			for _, address := range posts[off] {
				owesCode.Post(address, url.Values{}).WantStatus(404)
			}
			owesCode.Get("/account/recovery-codes").WantPath("/login/confirm") // of either

			if err := site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, bob.ID, true, site.Now()); err != nil {
				t.Fatal(err)
			}
			owesSetUp := site.Browser()
			page := owesSetUp.Get("/login").Form("Login").Fill("Email", bob.Address).Fill("Password", bob.Password).Press()
			attempt := url.Values{"attempt": {regexp.MustCompile(`name="attempt" value="([^"]*)"`).FindStringSubmatch(page.Body)[1]}}
			setUps := map[auth.PluginID]string{auth.PasskeysPlugin: "/account/passkeys/new", auth.TwoFactorPlugin: "/account/two-factor"}
			owesSetUp.Get(setUps[on] + "?" + attempt.Encode()).WantStatus(200)
			owesSetUp.Get(setUps[off] + "?" + attempt.Encode()).WantStatus(404)
			owesSetUp.Post(setUps[off], attempt).WantStatus(404)
		})
	}
}

func TestSoManyPasskeys(t *testing.T) {
	site, _, browser, phone := withPasskeys(t, "passkeys_per_user=2")
	late := browser.Get("/account/passkeys/new")
	makes(t, site, browser, late, phone)
	makes(t, site, browser, browser.Get("/account/passkeys/new"), phone)
	page := browser.Get("/account/passkeys/new").WantPath("/account/passkeys")
	if page.HasLink("Add a passkey") || !page.Says("You have 2 passkeys, as many as possible") {
		t.Errorf("the page says %q", page.Text())
	}
}

// A passkey is called as its kind of authenticator calls itself, and a second one
// of the kind is numbered.
func TestAPasskeyIsNamedAfterItsAuthenticator(t *testing.T) {
	site, _, browser, key := withPasskeys(t)
	key.Kind = [16]byte{0x2f, 0xc0, 0x57, 0x9f, 0x81, 0x13, 0x47, 0xea, 0xb1, 0x16, 0xbb, 0x5a, 0x8d, 0xb9, 0x20, 0x2a}
	makes(t, site, browser, browser.Get("/account/passkeys/new"), key).WantStatus(200)
	site.Clock.Turn(time.Second)
	other := passkeytest.New(t)
	other.Kind = key.Kind
	page := makes(t, site, browser, browser.Get("/account/passkeys/new"), other).WantPath("/account/passkeys")
	if got := names(page); !slices.Equal(got, []string{"YubiKey 5", "YubiKey 5 2"}) {
		t.Errorf("passkeys %q", got)
	}
}

// A session that was left open is not enough to put a passkey into the account.
func TestWithoutFreshProofsNoPasskeyIsAdded(t *testing.T) {
	site, ada, browser, phone := withPasskeys(t, "fresh=2m")
	page := browser.Get("/account/passkeys/new").WantStatus(200)
	site.Clock.Turn(2 * time.Minute)
	browser.Get("/account/passkeys/new").WantPath("/login/confirm")
	makes(t, site, browser, page, phone).WantStatus(403)
	if ada.User().HasPasskeys() {
		t.Error("it was added")
	}
}

// A device that made a passkey for a page that was too late puts the next one in
// its place: it is asked for the same person each time, and for nobody else.
func TestEveryPageAsksForAPasskeyOfTheSamePerson(t *testing.T) {
	site, _, browser, _ := withPasskeys(t)
	other := site.Browser()
	other.SignIn(site.Person("bob@example.org"))
	person := func(b *apptest.Browser) string {
		t.Helper()
		found := regexp.MustCompile(`"user":\{[^}]*"id":"([^"]+)"`).FindStringSubmatch(b.Get("/account/passkeys/new").PasskeyOptions())
		if found == nil {
			t.Fatal("the page asks for nobody's")
		}
		return found[1]
	}
	if first, again, bobs := person(browser), person(browser), person(other); first != again || first == bobs || len(first) < 40 {
		t.Errorf("%s, %s and %s", first, again, bobs)
	}
}
