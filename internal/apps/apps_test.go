package apps_test

import (
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

const setUp = "Enable two-factor authentication"

func add(t *testing.T, site *apptest.Site, a auth.Application) auth.Application {
	t.Helper()
	a, err := site.Store.AddApplication(t.Context(), apptest.Command, a, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wiki() auth.Application {
	return auth.Application{Name: "Wiki", Description: "What we know", URL: "https://wiki.example.org/?a=1&b=2", Everyone: true}
}

func TestTheListLeadsToWhatAPersonMayOpen(t *testing.T) {
	site := apptest.New(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	add(t, site, wiki())
	hers := wiki()
	hers.Name, hers.URL, hers.Everyone, hers.Users = "Hers", "https://hers.example.org/", false, []auth.UserID{ada.ID}
	add(t, site, hers)
	closed := wiki()
	closed.Name, closed.Everyone = "Closed", false
	add(t, site, closed)

	page := browser.SignIn(ada).WantPath("/apps")
	for name, address := range map[string]string{"Wiki": "https://wiki.example.org/?a=1&b=2", "Hers": "https://hers.example.org/"} {
		if got := page.Href(name); got != address {
			t.Errorf("%s leads to %q, want %q", name, got, address)
		}
	}
	if page.HasLink("Closed") {
		t.Error("the list shows an application that nobody may open")
	}
}

// Whoever lacks what an application demands is refused there alone, learns why,
// and is brought back once it is done.
func TestAnApplicationThatDemandsACodeRefusesWhoHasNone(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	guarded := wiki()
	guarded.RequireTwoFactor = true
	guarded = add(t, site, guarded)
	other := wiki()
	other.Name, other.URL = "Other", "https://other.example.org/"
	add(t, site, other)

	list := browser.SignIn(ada).WantPath("/apps")
	if got := list.Href("Other"); got != other.URL {
		t.Errorf("an application that demands nothing leads to %q", got)
	}
	if !list.Says("Needs two-factor authentication") {
		t.Error("the list does not say what is missing")
	}
	door := list.Follow("Wiki").WantStatus(403).WantPath("/apps/" + string(guarded.ID))
	if !door.Says("Wiki needs two-factor authentication") || strings.Contains(door.Body, guarded.URL) {
		t.Error("the door does not say why it is closed, or leads through")
	}
	page := door.Follow(setUp).WantStatus(200)
	ada.SetUpPhone(page.Definition("Secret key"))
	page = page.Form("Activate").Fill("Login code", ada.Code()).Press().WantStatus(200)
	opened := page.Form("Continue").Tick("I have saved these codes").Press().WantStatus(200).WantPath("/apps/" + string(guarded.ID))
	if got := opened.Href("Continue"); got != guarded.URL {
		t.Errorf("afterwards the way leads to %q, want the application", got)
	}
	if got := browser.Get("/apps").Href("Wiki"); got != guarded.URL {
		t.Errorf("the list leads to %q, want the application", got)
	}
}

// Where passkeys are all that there is the door leads to one.
func TestAnApplicationThatDemandsACodeLeadsToAPasskeyWhereThereIsNoApp(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.PasskeysPlugin)
	guarded := wiki()
	guarded.RequireTwoFactor = true
	guarded = add(t, site, guarded)
	browser := site.Browser()
	browser.SignIn(site.Person("ada@example.org"))
	page := browser.Get("/apps/" + string(guarded.ID)).WantStatus(403).Follow(setUp).WantStatus(200).WantPath("/account/passkeys/new")
	page = page.NewPasskey(passkeytest.New(t)).Press().WantStatus(200)
	opened := page.Form("Continue").Tick("I have saved these codes").Press().WantStatus(200).WantPath("/apps/" + string(guarded.ID))
	if got := opened.Href("Continue"); got != guarded.URL {
		t.Errorf("afterwards the way leads to %q, want the application", got)
	}
}

func TestAnApplicationThatDemandsACodeNobodyIsAskedForStaysClosed(t *testing.T) {
	site := apptest.New(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	guarded := wiki()
	guarded.RequireTwoFactor = true
	guarded = add(t, site, guarded)
	browser.SignIn(ada)
	door := browser.Get("/apps/" + string(guarded.ID)).WantStatus(403)
	if !door.Says("cannot be opened at the moment") || door.HasLink(setUp) {
		t.Error("the door offers a set-up that there is not, or does not say what is wrong")
	}
}

func TestADoorDoesNotTellWhatItIsNotFor(t *testing.T) {
	site := apptest.New(t)
	ada, browser := site.Person("ada@example.org"), site.Browser()
	secret := wiki()
	secret.Everyone = false
	secret = add(t, site, secret)
	browser.SignIn(ada)
	there := browser.Get("/apps/" + string(secret.ID)).WantStatus(403)
	missing := browser.Get("/apps/nothing-of-the-kind").WantStatus(403)
	if there.Says("Wiki") || strings.Contains(there.Body, "wiki.example.org") {
		t.Error("the door names an application to whoever may not open it")
	}
	if there.Heading() != missing.Heading() {
		t.Errorf("%q there, %q where there is none", there.Heading(), missing.Heading())
	}
	site.Browser().Get("/apps/" + string(secret.ID)).WantPath("/login")
}

// applicationsOf adds one application of each kind that a plug-in is for. It
// answers where nobody is signed in, which tells whether the kind works at all.
func applicationsOf(t *testing.T, site *apptest.Site) {
	t.Helper()
	add(t, site, auth.Application{Kind: auth.BehindProxy, Name: "Photos", URL: "https://photos.example.org/", Everyone: true})
	_, _, err := site.Store.AddClient(t.Context(), apptest.Command,
		auth.Application{Kind: auth.SpeaksOpenID, Name: "Notes", URL: "https://notes.example.org/", Everyone: true},
		auth.Client{RedirectURIs: []string{"https://notes.example.org/callback"}}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
}

const discovery = "/.well-known/openid-configuration"

func TestAnApplicationWhosePluginIsOffLeavesNoCard(t *testing.T) {
	for plugin, name := range map[auth.PluginID]string{auth.ForwardAuthPlugin: "Photos", auth.OpenIDConnectPlugin: "Notes"} {
		t.Run(string(plugin), func(t *testing.T) {
			site := apptest.New(t)
			applicationsOf(t, site)
			browser := site.Browser()
			browser.SignIn(site.Person("ada@example.org"))
			if page := browser.Get("/apps"); !page.HasLink("Photos") || !page.HasLink("Notes") {
				t.Fatalf("the list is not whole before: %s", page.Text())
			}
			site.SetActivation(auth.Activation{Plugin: plugin, Everyone: true})
			page := browser.Get("/apps")
			if page.Says(name) || page.HasLink("Photos") == page.HasLink("Notes") {
				t.Errorf("the list says %s", page.Text())
			}
			site.Activate(plugin)
			if !browser.Get("/apps").HasLink(name) {
				t.Error("the card does not come back with the plug-in")
			}
		})
	}
}

// In the cloud edition the operator's settings say what works.
func TestBothKindsOfApplicationsWorkWhereTheSettingsGiveTheirPlugins(t *testing.T) {
	for plugins, cards := range map[string]map[string]bool{
		"two-factor,openid-connect,forward-auth": {"Photos": true, "Notes": true},
		"two-factor,openid-connect":              {"Photos": false, "Notes": true},
		"two-factor,forward-auth":                {"Photos": true, "Notes": false},
		"two-factor":                             {"Photos": false, "Notes": false},
	} {
		t.Run(plugins, func(t *testing.T) {
			site := apptest.New(t, "edition=cloud", "plugins="+plugins, "trusted_proxies=192.0.2.0/24")
			applicationsOf(t, site)
			browser := site.Browser()
			page := browser.SignIn(site.Person("ada@example.org")).WantPath("/apps")
			for name, shown := range cards {
				if page.HasLink(name) != shown {
					t.Errorf("%s is shown: %v, want %v", name, page.HasLink(name), shown)
				}
			}
			want := map[bool]int{true: 200, false: 404}
			browser.Get(discovery).WantStatus(want[cards["Notes"]])
			question := site.Browser().Request("GET", "/forward-auth/caddy", nil)
			for header, value := range map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "photos.example.org",
				"X-Forwarded-Uri": "/", "X-Forwarded-Method": "GET", "Sec-Fetch-Mode": "navigate"} {
				question.Header.Set(header, value)
			}
			if got, want := site.Browser().Ask(question).Status, map[bool]int{true: 302, false: 403}[cards["Photos"]]; got != want {
				t.Errorf("the proxy's question is answered with %d, want %d", got, want)
			}
		})
	}
}
