package admin_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// withApplication has an administrator with two-factor authentication on, a
// person without, and an application that everyone may open.
func withApplication(t *testing.T) (*apptest.Site, *apptest.Browser, auth.Application) {
	t.Helper()
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	eli, browser := site.Administrator("eli@example.org"), site.Browser()
	browser.SignIn(eli)
	browser.EnableTwoFactor(eli)
	site.Person("ada@example.org")
	a, err := site.Store.AddApplication(t.Context(), apptest.Command,
		auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org/", Everyone: true}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	return site, browser, a
}

func asKept(t *testing.T, site *apptest.Site, id auth.ApplicationID) auth.Application {
	t.Helper()
	a, err := site.Store.Application(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRequiringTwoFactorAuthenticationNamesWhoWouldBeRefused(t *testing.T) {
	site, browser, a := withApplication(t)
	page := browser.Get("/admin/apps/" + string(a.ID)).Form("Require two-factor authentication").Press().WantStatus(200)
	if !page.Says("1 person who may open it now has no two-factor authentication") || !page.Says("ada@example.org") || page.Says("eli@example.org") {
		t.Error("the warning does not name exactly who would be refused")
	}
	if asKept(t, site, a.ID).RequireTwoFactor {
		t.Fatal("it is required before the administrator said so")
	}
	page.Form("Require two-factor authentication").Press().WantDone("The application requires two-factor authentication.")
	if !asKept(t, site, a.ID).RequireTwoFactor {
		t.Fatal("it is not required")
	}
	page = browser.Get("/admin/apps/" + string(a.ID))
	if !page.Says("1 person is refused at the moment") {
		t.Error("the page does not say that somebody is refused")
	}
	page.Form("Require it no longer").Press().Form("Require it no longer").Press().WantDone("The application no longer requires two-factor authentication.")
	if asKept(t, site, a.ID).RequireTwoFactor {
		t.Error("it is still required")
	}
}

// Whoever agreed to refuse one person did not agree to refuse another, and a page
// that was opened before somebody required it does not offer to lift it.
func TestARequirementIsOfThoseWhoWereSeen(t *testing.T) {
	site, browser, a := withApplication(t)
	old := browser.Get("/admin/apps/" + string(a.ID)).Form("Require two-factor authentication")
	seen := old.Press().WantStatus(200)
	site.Person("bob@example.org")
	again := seen.Form("Require two-factor authentication").Press().WantStatus(409)
	if !again.Says("bob@example.org") || !again.Says("Look at it again") || asKept(t, site, a.ID).RequireTwoFactor {
		t.Errorf("it says\n%s", again.Text())
	}
	again.Form("Require two-factor authentication").Press().WantDone("The application requires two-factor authentication.")

	for name, stale := range map[string]*apptest.Form{"the application's page": old, "the warning": again.Form("Require two-factor authentication")} {
		page := stale.Press().WantStatus(409)
		if !page.Says("Look at it again") || !page.HasButton("Require it no longer") || page.HasButton("Back") {
			t.Errorf("%s from before says\n%s", name, page.Text())
		}
	}
	browser.Post("/admin/apps/"+string(a.ID)+"/two-factor", map[string][]string{"require": {"perhaps"}}).WantStatus(400)
	browser.Post("/admin/apps/"+string(a.ID)+"/two-factor", map[string][]string{"require": {"no"}, "really": {"yes"}}).WantStatus(409)
	if !asKept(t, site, a.ID).RequireTwoFactor {
		t.Error("what nobody has seen was lifted")
	}
}

// The page names the first twenty and counts the others: whoever agreed to
// refuse those did not agree to refuse somebody in the place of one.
func TestARequirementIsOfThoseWhomThePageOnlyCounts(t *testing.T) {
	site, browser, a := withApplication(t) // Ada is the first of them
	for i := range 19 {
		site.Person(fmt.Sprintf("person%02d@example.org", i))
	}
	last := site.Person("yann@example.org")
	seen := browser.Get("/admin/apps/" + string(a.ID)).Form("Require two-factor authentication").Press().WantStatus(200)
	if !seen.Says("21 people") || seen.Says("yann@example.org") {
		t.Fatalf("it says\n%s", seen.Text())
	}
	must(t, site.Store.DeleteUser(t.Context(), apptest.Command, last.ID, site.Now()))
	site.Person("zoe@example.org")
	seen.Form("Require two-factor authentication").Press().WantStatus(409)
	if asKept(t, site, a.ID).RequireTwoFactor {
		t.Error("somebody is refused whom nobody was told of")
	}
}

// Lifting refuses nobody: who signs up in between is no reason to ask again.
func TestADemandIsLiftedWhoeverCameInBetween(t *testing.T) {
	site, browser, a := withApplication(t)
	must(t, site.Store.RequireTwoFactor(t.Context(), apptest.Command, a.ID, true, site.Now()))
	lift := browser.Get("/admin/apps/" + string(a.ID)).Form("Require it no longer").Press().WantStatus(200)
	site.Person("bob@example.org")
	lift.Form("Require it no longer").Press().WantDone("The application no longer requires two-factor authentication.")
}

func TestSavingAnApplicationDoesNotLiftItsDemand(t *testing.T) {
	site, browser, a := withApplication(t)
	old := browser.Get("/admin/apps/" + string(a.ID))
	if err := site.Store.RequireTwoFactor(t.Context(), apptest.Command, a.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	old.Form("Save").Press().WantDone("The application is saved.")
	if !asKept(t, site, a.ID).RequireTwoFactor {
		t.Error("a page that was opened before took the demand away")
	}
}

func TestAnAdministratorWithoutTwoFactorAuthenticationMayNotSwitchTheDemand(t *testing.T) {
	site := apptest.New(t)
	eli, browser := site.Administrator("eli@example.org"), site.Browser()
	browser.SignIn(eli)
	a, err := site.Store.AddApplication(t.Context(), apptest.Command,
		auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org/", RequireTwoFactor: true}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Get("/admin/apps/" + string(a.ID)).WantStatus(200)
	if page.HasButton("Require it no longer") || !page.Says("Only somebody who uses two-factor authentication may change this") {
		t.Error("the page offers what this administrator may not, or does not say why not")
	}
	browser.Post("/admin/apps/"+string(a.ID)+"/two-factor", map[string][]string{"require": {"no"}, "really": {"yes"}}).WantStatus(403)
	if !asKept(t, site, a.ID).RequireTwoFactor {
		t.Error("the demand is gone")
	}
}

func TestWhatAPersonWillBeAskedIsAnswered(t *testing.T) {
	site, browser, a := withApplication(t)
	ask := func(person string) *apptest.Page {
		return browser.Get("/admin/apps/" + string(a.ID) + "?person=" + person)
	}
	want := func(person string, sentences ...string) {
		t.Helper()
		page := ask(person).WantStatus(200)
		for _, s := range sentences {
			if !page.Says(s) {
				t.Errorf("%s: the page does not say %q", person, s)
			}
		}
	}
	want("ada@example.org", "They log in with their password.")
	want("ELI@example.org", "They log in with their password.", "Then they type a code")
	want("nobody@example.org", "Nobody has this address.")
	want("not-an-address", "That is not an email address.")
	if err := site.Store.RequireTwoFactor(t.Context(), apptest.Command, a.ID, true, site.Now()); err != nil {
		t.Fatal(err)
	}
	want("ada@example.org", "They are refused", "have not enabled it")
	want("eli@example.org", "Then they type a code")
	site.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })
	want("ada@example.org", "neither everyone, nor they, nor one of their groups may open it")
}

// upload sends a file as a browser does.
func upload(t *testing.T, b *apptest.Browser, address, field string, content []byte) *apptest.Page {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, "logo.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := b.Request(http.MethodPost, address, nil)
	r.Body, r.ContentLength = http.NoBody, int64(body.Len())
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Body = readCloser{&body}
	return b.Ask(r)
}

type readCloser struct{ *bytes.Buffer }

func (readCloser) Close() error { return nil }

func TestALogoIsUploadedShownAndRemoved(t *testing.T) {
	site, browser, a := withApplication(t)
	address := "/admin/apps/" + string(a.ID) + "/logo"
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 300, 200))); err != nil {
		t.Fatal(err)
	}
	if page := upload(t, browser, address, "logo", picture.Bytes()); page.Status != http.StatusSeeOther {
		t.Fatalf("%d: %s", page.Status, page.Alert())
	}
	list := browser.Get("/apps")
	if !strings.Contains(list.Body, "/apps/"+string(a.ID)+"/logo?version=") {
		t.Fatal("the list does not show the logo")
	}
	logo := browser.Get("/apps/" + string(a.ID) + "/logo").WantStatus(200)
	if got := logo.Header.Get("Content-Type"); got != "image/png" {
		t.Errorf("the logo is sent as %q", got)
	}
	if _, err := png.Decode(strings.NewReader(logo.Body)); err != nil {
		t.Errorf("the logo: %v", err)
	}

	for name, content := range map[string][]byte{
		"Choose a picture.":                    nil,
		"That is no picture that can be read.": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
	} {
		page := upload(t, browser, address, "logo", content).WantStatus(422)
		if !page.Says(name) {
			t.Errorf("the page does not say %q", name)
		}
	}
	upload(t, browser, address, "other", picture.Bytes()).WantStatus(400)
	upload(t, browser, address, "logo", make([]byte, 3<<20)).WantStatus(413)
	browser.Get("/apps/" + string(a.ID) + "/logo").WantStatus(200)

	site.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })
	ada := site.Browser()
	ada.SignIn(site.Person("bob@example.org"))
	ada.Get("/apps/" + string(a.ID) + "/logo").WantStatus(404)

	browser.Get("/admin/apps/" + string(a.ID)).Form("Remove logo").Press().WantDone("The logo is removed.")
	browser.Get("/apps/" + string(a.ID) + "/logo").WantStatus(404)
}

// What is copied into the other side is shown, and the secret once.
func TestAnApplicationThatSpeaksOpenIDConnectIsAddedAndItsSecretShownOnce(t *testing.T) {
	site, browser, _ := withApplication(t)
	form := browser.Get("/admin/apps").Form("Add application").Fill("Name", "Board").Fill("Address", "https://board.example.org/")
	form.Values.Set("kind", "openid-connect")
	wrong := form.Press().WantStatus(422)
	if !wrong.Says("Type at least one redirect URI") {
		t.Error("the page does not say that the redirect URI is missing")
	}
	form = wrong.Form("Add application").Fill("Redirect URIs", "https://board.example.org/callback#here")
	if page := form.Press().WantStatus(422); !page.Says("https://board.example.org/callback#here cannot be used") {
		t.Error("the page does not say which address is wrong")
	}
	shown := form.Fill("Redirect URIs", "https://board.example.org/callback").Press().WantStatus(200).WantDone("The application is added.")
	id, made := auth.ApplicationID(shown.Definition("Client ID")), shown.Definition("Client secret")
	if len(made) != 43 || shown.Definition("Issuer") != "http://localhost:8080" {
		t.Fatalf("shown: client %s, %d signs of a secret, issuer %s", id, len(made), shown.Definition("Issuer"))
	}
	page := browser.Get("/admin/apps/" + string(id)).WantStatus(200)
	if strings.Contains(page.Body, made) {
		t.Error("the secret is shown a second time")
	}
	client, err := site.Store.Client(t.Context(), id)
	if err != nil || client.WithoutPKCE || client.WithoutConsent || client.Algorithm != auth.ES256 {
		t.Fatalf("kept: %+v, %v", client, err)
	}

	page.Form("Save OpenID Connect").Fill("Redirect URIs", "http://board.example.org/callback").Press().WantStatus(422)
	page.Form("Save OpenID Connect").Fill("Redirect URIs", "https://board.example.org/a\n\nhttps://board.example.org/b").Press().WantDone("The application is saved.")
	if client, err = site.Store.Client(t.Context(), id); err != nil || len(client.RedirectURIs) != 2 || client.WithoutPKCE {
		t.Errorf("kept: %+v, %v", client, err)
	}

	again := page.Form("Make new secret").Press().WantStatus(200).Form("Make new secret").Press().WantDone("A new secret is made.")
	if renewed := again.Definition("Client secret"); len(renewed) != 43 || renewed == made {
		t.Error("there is no new secret")
	}
}

func TestAKindThatThePageDoesNotOfferIsRefused(t *testing.T) {
	_, browser, _ := withApplication(t)
	form := browser.Get("/admin/apps").Form("Add application").Fill("Name", "Board").Fill("Address", "https://board.example.org/")
	form.Values.Set("kind", "telepathy")
	form.Press().WantStatus(400)
}

// An application behind a proxy at our own host would never open: whoever adds
// it, or moves one there, hears so at once.
func TestAnApplicationBehindAProxyIsNotTakenAtOurOwnHost(t *testing.T) {
	site, browser := behind(t, "public_url=https://id.example.org")
	form := browser.Get("/admin/apps").Form("Add application").Fill("Name", "Wiki").Fill("Address", "https://id.example.org:8443/start")
	form.Values.Set("kind", "forward-auth")
	refused := form.Press().WantStatus(422)
	if !refused.Says("Twinlock itself lives at this host") || refused.Form("Add application").Values.Get("url") != "https://id.example.org:8443/start" {
		t.Errorf("it says\n%s", refused.Text())
	}
	added := refused.Form("Add application").Fill("Address", "https://wiki.example.org/start").Press().WantDone("The application is added.")
	if moved := added.Form("Save").Fill("Address", "https://id.example.org/").Press().WantStatus(422); !moved.Says("Twinlock itself lives at this host") {
		t.Errorf("of a move it says\n%s", moved.Text())
	}
	recipe := browser.Get("/admin/apps?recipe=uptime-kuma").Form("Add application").Fill("Address", "https://id.example.org:3001/").Press().WantStatus(422)
	if !recipe.Says("Twinlock itself lives at this host") {
		t.Errorf("of a program it says\n%s", recipe.Text())
	}
	if all, err := site.Store.Applications(t.Context()); err != nil || len(all) != 1 || all[0].URL != "https://wiki.example.org/start" {
		t.Errorf("kept: %+v, %v", all, err)
	}
}

// Whoever changes an application changes the one that they have seen.
func TestAnApplicationThatSomebodyChangedMeanwhileIsLookedAtAgain(t *testing.T) {
	site, browser := behind(t)
	a, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Kind: auth.Link, Name: "Wiki", URL: "https://wiki.example.org", Everyone: true}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	form := browser.Get("/admin/apps/" + string(a.ID)).Form("Save")
	site.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })

	form = form.Fill("Name", "").Press().WantStatus(422).Form("Save").Fill("Name", "Wiki") // a slip in between tells nothing
	again := form.Fill("Description", "What we know").Press().WantStatus(409)
	if !again.Says("Somebody has changed this application meanwhile") || again.Form("Save").Values.Get("description") != "What we know" {
		t.Errorf("it says\n%s", again.Text())
	}
	if is, err := site.Store.Application(t.Context(), a.ID); err != nil || is.Everyone || is.Description != "" {
		t.Errorf("it was changed all the same: %+v, %v", is, err)
	}
	again.Form("Save").Press().WantDone("The application is saved.")
	if is, err := site.Store.Application(t.Context(), a.ID); err != nil || is.Description != "What we know" {
		t.Errorf("what was seen and pressed again is not saved: %+v, %v", is, err)
	}
}

// The same holds for how it speaks OpenID Connect.
func TestAClientThatSomebodyChangedMeanwhileIsLookedAtAgain(t *testing.T) {
	site, browser := behind(t)
	a, _, err := site.Store.AddClient(t.Context(), apptest.Command, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"},
		auth.Client{RedirectURIs: []string{"https://wiki.example.org/a", "https://wiki.example.org/b"}}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	form := browser.Get("/admin/apps/" + string(a.ID)).Form("Save OpenID Connect")
	site.ChangeClient(a.ID, func(c *auth.Client) { c.RedirectURIs = c.RedirectURIs[:1] })

	form = form.Fill("Redirect URIs", "").Press().WantStatus(422).Form("Save OpenID Connect") // a slip in between tells nothing
	again := form.Fill("Redirect URIs", "https://wiki.example.org/b\nhttps://wiki.example.org/c").Press().WantStatus(409)
	if !again.Says("Somebody has changed this application meanwhile") || !again.Says("https://wiki.example.org/c") {
		t.Errorf("it says\n%s", again.Text())
	}
	if c, err := site.Store.Client(t.Context(), a.ID); err != nil || len(c.RedirectURIs) != 1 {
		t.Errorf("it was changed all the same: %+v, %v", c, err)
	}
	again.Form("Save OpenID Connect").Press().WantDone("The application is saved.")
	if c, err := site.Store.Client(t.Context(), a.ID); err != nil || len(c.RedirectURIs) != 2 {
		t.Errorf("what was seen and pressed again is not saved: %+v, %v", c, err)
	}
}

func TestWhatAnApplicationMayAskForIsTickedOnItsPage(t *testing.T) {
	site, browser := behind(t)
	a, _, err := site.Store.AddClient(t.Context(), apptest.Command, auth.Application{Name: "Wiki", URL: "https://wiki.example.org"},
		auth.Client{RedirectURIs: []string{"https://wiki.example.org/a"}}, site.Now())
	must(t, err)
	page := browser.Get("/admin/apps/" + string(a.ID))
	page.Form("Save OpenID Connect").Untick("Names of their groups (groups)").Press().WantDone("The application is saved.")
	if c, err := site.Store.Client(t.Context(), a.ID); err != nil || c.Scopes.String() != "openid profile email offline_access" {
		t.Errorf("kept: %v, %v", c.Scopes, err)
	}
	slip := browser.Get("/admin/apps/"+string(a.ID)).Form("Save OpenID Connect").Untick("Email address (email)").Fill("Redirect URIs", "").Press().WantStatus(422)
	if _, ticked := slip.Form("Save OpenID Connect").Values["scope-email"]; ticked {
		t.Error("what was unticked is ticked again")
	}
	slip.Form("Save OpenID Connect").Untick("All of it while the person is away (offline_access)").Untick("Name and language (profile)").
		Fill("Redirect URIs", "https://wiki.example.org/a").Press().WantDone("The application is saved.")
	if c, err := site.Store.Client(t.Context(), a.ID); err != nil || c.Scopes.String() != "openid" {
		t.Errorf("kept: %v, %v", c.Scopes, err)
	}
}

// Nobody asks here who opens a link: what it cannot do is not offered. A demand of
// before can be lifted.
func TestALinkIsOfferedNoDemandAndNoChart(t *testing.T) {
	site, browser, _ := withApplication(t)
	link, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Name: "Board", URL: "https://board.example.org/"}, site.Now())
	must(t, err)
	at := "/admin/apps/" + string(link.ID)
	if page := browser.Get(at); page.HasButton("Require two-factor authentication") || page.Says("Sign-ins in the last 30 days") {
		t.Errorf("it offers\n%s", page.Text())
	}
	browser.Post(at+"/two-factor", map[string][]string{"require": {"yes"}, "really": {"yes"}}).WantStatus(404)
	must(t, site.Store.RequireTwoFactor(t.Context(), apptest.Command, link.ID, true, site.Now()))
	browser.Get(at).Form("Require it no longer").Press().Form("Require it no longer").Press().WantDone("The application no longer requires two-factor authentication.")
}

func TestWhoDeletesAnApplicationSeesWhatGoesWithIt(t *testing.T) {
	site, browser, a := withApplication(t)
	must(t, site.Store.SetApplicationRules(t.Context(), apptest.Command, a.ID, []auth.Rule{{Path: "/a", Access: auth.Public}, {Path: "/b", Access: auth.Public}}, site.Now()))
	page := browser.Get("/admin/apps/" + string(a.ID)).Form("Delete application").Press().WantStatus(200)
	if !page.Says("2 rules about what its addresses ask") || !page.Says("through the proxy is refused") || page.Says("logo") || page.Says("client secret") {
		t.Errorf("it says\n%s", page.Text())
	}
	page.Form("Delete application").Press().WantDone("The application is deleted.")
	for _, public := range []bool{false, true} {
		a, _, err := site.Store.AddClient(t.Context(), apptest.Command, auth.Application{Name: "Notes", URL: "https://notes.example.org/"}, auth.Client{Public: public}, site.Now())
		must(t, err)
		page := browser.Get("/admin/apps/" + string(a.ID)).Form("Delete application").Press().WantStatus(200)
		if !page.Says("Its client ID") || page.Says("client secret") == public {
			t.Errorf("public: %v; it says\n%s", public, page.Text())
		}
		page.Form("Delete application").Press().WantDone("The application is deleted.")
	}
}
