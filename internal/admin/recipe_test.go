package admin_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recipe"
)

// One choice, a name and an address are all that a known program takes.
func TestAProgramIsAddedByItsRecipe(t *testing.T) {
	site, browser, _ := withApplication(t)
	page := browser.Get("/admin/apps?recipe=nextcloud").WantStatus(200)
	form := page.Form("Add application")
	if got := form.Values.Get("name"); got != "Nextcloud" || form.Values.Has("redirect-uris") {
		t.Fatalf("the form begins with %q, or asks what follows from the address", got)
	}
	if wrong := form.Fill("Address", "http://cloud.example.org/").Press().WantStatus(422); !wrong.Says("http://cloud.example.org/ cannot be used") {
		t.Error("an address that answers could be read at is not refused")
	}
	shown := form.Fill("Address", "https://cloud.example.org/files/").Press().WantStatus(200).WantDone("The application is added.")
	id, made := auth.ApplicationID(shown.Definition("Client ID")), shown.Definition("Client secret")
	for _, want := range []string{"--clientid=" + string(id), "--clientsecret=" + made, "--discoveryuri=http://localhost:8080/.well-known/openid-configuration"} {
		if !strings.Contains(shown.Body, want) {
			t.Errorf("the settings do not say %s", want)
		}
	}
	if !shown.Says("Untried.") || !shown.Says("Read on") || shown.Href("Where it was read") == "" {
		t.Error("the page does not say where the settings were read, when, and whether they were tried")
	}
	client, err := site.Store.Client(t.Context(), id)
	if err != nil || client.WithoutPKCE || client.Algorithm != auth.ES256 ||
		!slices.Contains(client.RedirectURIs, "https://cloud.example.org/files/apps/user_oidc/code") ||
		client.LogoutNotice != "https://cloud.example.org/files/index.php/apps/user_oidc/backchannel-logout/twinlock" {
		t.Errorf("kept: %+v, %v", client, err)
	}

	again := browser.Get("/admin/apps/" + string(id) + "?recipe=nextcloud").WantStatus(200)
	if !strings.Contains(again.Body, "--clientid="+string(id)) || strings.Contains(again.Body, made) || !strings.Contains(again.Body, "--clientsecret=CLIENT-SECRET") {
		t.Error("the application's page does not show the settings, or shows the secret a second time")
	}
	if again.Says("not among the redirect URIs") {
		t.Error("the page misses an address that is registered")
	}
	if other := browser.Get("/admin/apps/" + string(id) + "?recipe=grafana").WantStatus(200); !other.Says("not among the redirect URIs") || !other.Says("https://cloud.example.org/files/login/generic_oauth") {
		t.Error("the page does not miss an address that the program needs")
	}
}

func TestAProgramBehindAProxyIsAddedWithWhatItLeavesOpen(t *testing.T) {
	site, browser, _ := withApplication(t)
	shown := browser.Get("/admin/apps?recipe=uptime-kuma").Form("Add application").Fill("Address", "https://status.example.org/").
		Press().WantStatus(200).WantDone("The application is added.")
	if !strings.Contains(shown.Body, "status.example.org {") || shown.Says("CLIENT-SECRET") {
		t.Error("the settings of the proxy are not shown, or speak of a secret")
	}
	if strings.Count(shown.Body, "forward_auth 127.0.0.1:") != 1 || !strings.Contains(shown.Body, "reverse_proxy 127.0.0.1:3001") || strings.Contains(shown.Body, "127.0.0.1:3000") {
		t.Error("the page shows settings of Caddy twice, or they do not lead to where the program listens")
	}
	all, err := site.Store.Applications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a auth.Application) bool { return a.Name == "Uptime Kuma" })
	if i < 0 || all[i].Kind != auth.BehindProxy {
		t.Fatalf("kept: %+v", all)
	}
	rules, err := site.Store.ApplicationRules(t.Context(), all[i].ID)
	if err != nil || len(rules) == 0 || rules[0] != (auth.Rule{Path: "/status", Access: auth.Public}) {
		t.Errorf("kept: %+v, %v", rules, err)
	}
}

func TestAProgramThatNobodyKnowsIsRefused(t *testing.T) {
	_, browser, a := withApplication(t)
	browser.Get("/admin/apps?recipe=telepathy").WantStatus(400)
	browser.Get("/admin/apps/" + string(a.ID) + "?recipe=telepathy").WantStatus(400)
	form := browser.Get("/admin/apps?recipe=grafana").Form("Add application").Fill("Address", "https://grafana.example.org/")
	form.Values.Set("recipe", "telepathy")
	form.Press().WantStatus(400)
}

var ourAddresses = regexp.MustCompile(`http://localhost:8080/[^\s",&?]+`)

// What recipes say of our own addresses is what we announce.
func TestRecipesNameAddressesThatThereAre(t *testing.T) {
	site, browser, _ := withApplication(t)
	site.Activate(auth.OpenIDConnectPlugin)
	var announced map[string]any
	if err := json.Unmarshal([]byte(browser.Get("/.well-known/openid-configuration").WantStatus(200).Body), &announced); err != nil {
		t.Fatal(err)
	}
	known := []string{"http://localhost:8080/.well-known/openid-configuration"}
	for _, value := range announced {
		if address, ok := value.(string); ok {
			known = append(known, address)
		}
	}
	for _, r := range recipe.All() {
		filled, err := r.Filled(recipe.Values{App: "https://app.example.org", Issuer: "http://localhost:8080", ClientID: "c", Secret: "s"})
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range ourAddresses.FindAllString(filled.Snippet, -1) {
			if !slices.Contains(known, address) {
				t.Errorf("%s: %s is not an address of ours", r.ID, address)
			}
		}
	}
}
