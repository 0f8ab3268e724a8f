package account_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

// addApp sets one more app up, and gives it as a person with a phone of its own.
func addApp(browser *apptest.Browser, owner *apptest.Person, name string) *apptest.Person {
	phone := *owner
	page := browser.Get("/account/authenticators").Follow("Add an authenticator app").WantStatus(200)
	phone.SetUpPhone(secretKey(page))
	page.Form("Activate").Fill("Name", name).Fill("Login code", phone.Code()).Press().
		WantPath("/account/authenticators").WantDone("The authenticator app is added.")
	return &phone
}

// codeOpens tells whether a login goes on with a code.
func codeOpens(site *apptest.Site, p *apptest.Person, code string) bool {
	page := site.Browser().Get("/login").Form("Login").Fill("Email", p.Address).Fill("Password", p.Password).Press()
	return page.Form("Send code").Fill("Login code", code).Press().Status == http.StatusOK
}

func TestAFurtherAuthenticatorOpensTheAccountToo(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	elsewhere := site.Browser()
	elsewhere.SignIn(ada)
	tablet := addApp(browser, ada, "Tablet")
	elsewhere.Get("/account").WantPath("/login")
	browser.Get("/apps").WantStatus(200)
	site.Clock.Turn(time.Minute)
	for _, app := range []*apptest.Person{ada, tablet} {
		if !codeOpens(site, ada, app.Code()) {
			t.Error("a code of one of two apps opens nothing")
		}
	}
	if got := site.Mail.Kinds(t, ada.Address); !slices.Contains(got, mail.AuthenticatorAdded) {
		t.Errorf("letters %v", got)
	}
	if !codeOpens(site, ada, ada.RecoveryCodes[0]) {
		t.Error("a recovery code opens nothing")
	}
}

func TestReplaceMyPhone(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account").Follow("Replace my phone").WantStatus(200)
	if page.Heading() != "Replace my phone" || !page.Says("The old one stays valid until") {
		t.Errorf("the page says %q", page.Text())
	}
	fresh := *ada
	fresh.SetUpPhone(secretKey(page))
	site.Clock.Turn(time.Minute)
	page.Follow("Back").WantPath("/account")
	if !codeOpens(site, ada, ada.Code()) {
		t.Fatal("leaving the page changed something")
	}
	if wrong := activate(page, "000000").WantStatus(422); secretKey(wrong) != secretKey(page) || wrong.Heading() != "Replace my phone" {
		t.Error("a wrong code changes the key, or the page")
	}
	site.Clock.Turn(time.Minute)
	if !codeOpens(site, ada, ada.Code()) {
		t.Fatal("a wrong code of the new phone changed something")
	}
	activate(page, fresh.Code()).WantPath("/account").WantDone("Your new phone is set up, and the old one no longer works.")
	site.Clock.Turn(time.Minute)
	if codeOpens(site, ada, ada.Code()) {
		t.Error("the old phone still opens the account")
	}
	if !codeOpens(site, ada, fresh.Code()) || !codeOpens(site, ada, ada.RecoveryCodes[3]) {
		t.Error("the new phone or a recovery code opens nothing")
	}
	if got := site.Mail.Kinds(t, ada.Address); !slices.Contains(got, mail.AuthenticatorReplaced) {
		t.Errorf("letters %v", got)
	}
}

func TestOfSeveralAppsOneSaysWhichIsReplaced(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	tablet := addApp(browser, ada, "Tablet")
	page := browser.Get("/account/authenticators/replace").WantStatus(200)
	page = page.Form("Continue").Tick("Tablet").Press().WantStatus(200)
	if !page.Says("It takes the place of: Tablet") {
		t.Errorf("the page says %q", page.Text())
	}
	fresh := *ada
	fresh.SetUpPhone(secretKey(page))
	activate(page, fresh.Code()).WantPath("/account")
	site.Clock.Turn(time.Minute)
	for what, app := range map[string]*apptest.Person{"the new one": &fresh, "the other one": ada} {
		if !codeOpens(site, ada, app.Code()) {
			t.Errorf("%s opens nothing", what)
		}
	}
	if codeOpens(site, ada, tablet.Code()) {
		t.Error("the replaced one still opens the account")
	}
	if page := browser.Get("/account/authenticators"); !page.Says("Tablet") {
		t.Error("the new one has not the old one's name")
	}
}

// A set-up is sealed for what it was begun for: it neither replaces another app nor
// is added in place of replacing.
func TestASetUpIsOnlyForWhatItWasBegunFor(t *testing.T) {
	_, ada, browser := newProtectedSite(t)
	addApp(browser, ada, "Tablet")
	adding := browser.Get("/account/authenticators/new")
	fresh := *ada
	fresh.SetUpPhone(secretKey(adding))
	replacing := browser.Get("/account/authenticators/replace").Form("Continue").Tick("Tablet").Press().Form("Activate")
	replacing.Values.Set("set-up", adding.Form("Activate").Values.Get("set-up"))
	page := replacing.Fill("Login code", fresh.Code()).Press().WantStatus(422)
	if !strings.Contains(page.Alert(), "took too long") {
		t.Errorf("the page says %q", page.Alert())
	}
}

func TestAuthenticatorsAreRenamedAndRemoved(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	page := browser.Get("/account/authenticators")
	if page.HasButton("Remove Authenticator app") {
		t.Error("the only one can be removed")
	}
	first := page.Form("Save").Values.Get("id")
	browser.Post("/account/authenticators/remove", map[string][]string{"id": {first}}).WantStatus(422)
	tablet := addApp(browser, ada, "Tablet")
	page = browser.Get("/account/authenticators").Form("Save").Fill("Name", "").Press().WantStatus(422)
	if !strings.Contains(page.Alert(), "Type a name") {
		t.Errorf("the page says %q", page.Alert())
	}
	page.Form("Save").Fill("Name", strings.Repeat("x", 61)).Press().WantStatus(422)
	page = page.Form("Save").Fill("Name", "Phone").Press().WantDone("The name is saved.")
	page.Form("Remove Phone").Press().WantPath("/account/authenticators").WantDone("The authenticator app is removed.")
	site.Clock.Turn(time.Minute)
	if codeOpens(site, ada, ada.Code()) || !codeOpens(site, ada, tablet.Code()) {
		t.Error("the removed one opens the account, or the other one does not")
	}
}

func TestNobodySeesOrTouchesAnothersApp(t *testing.T) {
	site, _, browser := newProtectedSite(t)
	eve, hers := site.Person("eve@example.org"), site.Browser()
	hers.SignIn(eve)
	hers.EnableTwoFactor(eve)
	id := browser.Get("/account/authenticators").Form("Save").Values.Get("id")
	hers.Post("/account/authenticators/rename", map[string][]string{"id": {id}, "name": {"Mine"}}).WantStatus(404)
	hers.Post("/account/authenticators/remove", map[string][]string{"id": {id}}).WantStatus(404)
	hers.Get("/account/authenticators/replace?id=" + id).WantPath("/account/authenticators")
	hers.Post("/account/authenticators/replace", map[string][]string{"id": {id}, "set-up": {"x"}, "code": {"123456"}}).WantPath("/account/authenticators")
}

func TestFiveAppsAreAsManyAsPossible(t *testing.T) {
	site, ada, browser := newProtectedSite(t)
	late := browser.Get("/account/authenticators/new")
	for _, name := range []string{"b", "c", "d", "e"} {
		addApp(browser, ada, name)
	}
	page := browser.Get("/account/authenticators")
	if page.HasLink("Add an authenticator app") || !page.Says("You have 5 authenticator apps") {
		t.Errorf("the page says %q", page.Text())
	}
	browser.Get("/account/authenticators/new").WantPath("/account/authenticators")
	ada.SetUpPhone(secretKey(late))
	activate(late, ada.Code()).WantStatus(422) // begun before the account was changed
	if all, err := site.Store.ListedAuthenticators(t.Context(), ada.User().ID); err != nil || len(all) != store.MostAuthenticators {
		t.Errorf("%d apps, %v", len(all), err)
	}
}

func TestWithoutFreshProofsNoAppIsAdded(t *testing.T) {
	site, _, browser := newProtectedSite(t)
	site.Clock.Turn(20 * time.Minute)
	browser.Get("/account/authenticators").WantStatus(200)
	for _, page := range []string{"/account/authenticators/new", "/account/authenticators/replace"} {
		browser.Get(page).WantPath("/login/confirm")
	}
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin, Everyone: true})
	for _, page := range []string{"/account/authenticators", "/account/authenticators/new", "/account/authenticators/replace"} {
		browser.Get(page).WantStatus(404)
	}
}
