package admin_test

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// withGate is a site with an application behind a proxy, and an administrator at
// its page.
func withGate(t *testing.T, rules ...auth.Rule) (site *apptest.Site, browser *apptest.Browser, a auth.Application, address string) {
	t.Helper()
	site, browser = behind(t)
	a, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Kind: auth.BehindProxy, Name: "Wiki",
		URL: "https://wiki.example.org/", Hosts: []string{"docs.example.org"}, Everyone: true}, site.Now())
	if err == nil {
		err = site.Store.SetApplicationRules(t.Context(), apptest.Command, a.ID, rules, site.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	return site, browser, a, "/admin/apps/" + string(a.ID)
}

func wantRules(t *testing.T, site *apptest.Site, a auth.Application, want ...auth.Rule) {
	t.Helper()
	kept, err := site.Store.ApplicationRules(t.Context(), a.ID)
	if err != nil || len(kept)+len(want) > 0 && !reflect.DeepEqual(kept, want) {
		t.Errorf("kept %+v, %v, want %+v", kept, err, want)
	}
}

func TestRulesAreAddedMovedAndDeletedOnThePage(t *testing.T) {
	site, browser, a, address := withGate(t)
	staff, err := site.Store.AddGroup(t.Context(), apptest.Command, "Staff", site.Now())
	if err != nil {
		t.Fatal(err)
	}
	add := func(path string, values url.Values) *apptest.Page {
		form := browser.Get(address).WantStatus(200).Form("Add rule").Fill("Path", path)
		for name, value := range values {
			form.Values[name] = value
		}
		return form.Press()
	}
	admin := auth.Rule{Path: "/admin", Access: auth.InGroup, Group: staff.ID}
	money := auth.Rule{Host: "docs.example.org", Path: "/money", Access: auth.RecentCode, Within: 15 * time.Minute}
	deep := auth.Rule{Path: "/admin/deep", Access: auth.TwoFactor}
	add("/admin", url.Values{"access": {"group"}, "group": {string(staff.ID)}}).WantDone("The rule is added.")
	add("/money", url.Values{"access": {"code"}, "minutes": {" 15 "}, "host": {"docs.example.org"}}).WantDone("The rule is added.")
	wantRules(t, site, a, admin, money)
	page := add("/admin/deep", url.Values{"access": {"two-factor"}}).WantDone("The rule is added.")
	wantRules(t, site, a, deep, admin, money) // where it has an effect
	for _, words := range []string{"/admin at every host A login, and to be in the group Staff", "docs.example.org/money A code not older than 15 minutes", "Everything else A login"} {
		if !page.Says(words) {
			t.Errorf("the page does not say %q; it says\n%s", words, page.Text())
		}
	}

	page = page.Form("Down: /admin/deep at every host").Press().WantDone("The rule is moved.")
	wantRules(t, site, a, admin, deep, money)
	if !page.Says("Never reached") {
		t.Error("nothing says that a rule is never reached")
	}
	page = page.Form("Up: docs.example.org/money").Press().WantDone("The rule is moved.")
	wantRules(t, site, a, admin, money, deep)
	page.Form("Delete: docs.example.org/money").Press().WantDone("The rule is deleted.")
	wantRules(t, site, a, admin, deep)
}

func TestBeforeARuleMakesSomethingPublicTheAdministratorIsWarned(t *testing.T) {
	admin, public := auth.Rule{Path: "/admin", Access: auth.TwoFactor}, auth.Rule{Path: "/", Access: auth.Public}
	site, browser, a, address := withGate(t, admin)
	form := browser.Get(address).Form("Add rule").Fill("Path", "/")
	form.Values.Set("access", "public")
	warning := form.Press().WantStatus(200)
	if !warning.Says("everybody on the network comes in at wiki.example.org/, docs.example.org/ and below") {
		t.Errorf("the warning says\n%s", warning.Text())
	}
	wantRules(t, site, a, admin)
	back := warning.Form("Back").Press().WantStatus(200)
	if typed := back.Form("Add rule").Values; typed.Get("path") != "/" || typed.Get("access") != "public" {
		t.Errorf("back from the warning, the form has %v", typed)
	}
	wantRules(t, site, a, admin)
	page := back.Form("Add rule").Press().Form("Make public").Press().WantDone("The rule is added.")
	wantRules(t, site, a, admin, public)

	for _, button := range []string{"Up: / at every host", "Down: /admin at every host", "Delete: /admin at every host"} {
		warning := page.Form(button).Press().WantStatus(200)
		if !warning.Says("comes in at wiki.example.org/admin, docs.example.org/admin and below") {
			t.Errorf("%s: the warning says\n%s", button, warning.Text())
		}
		wantRules(t, site, a, admin, public)
	}
	page.Form("Delete: /admin at every host").Press().Form("Make public").Press().WantDone("The rule is deleted.")
	wantRules(t, site, a, public)
	browser.Get(address).Form("Delete: / at every host").Press().WantDone("The rule is deleted.")
	wantRules(t, site, a)
}

// A rule without a host stands for every host, one that is added later too.
func TestBeforeAHostMakesSomethingPublicTheAdministratorIsWarned(t *testing.T) {
	public := auth.Rule{Path: "/", Access: auth.Public}
	site, browser, a, address := withGate(t, public)
	want := func(url string, hosts ...string) {
		t.Helper()
		if is, err := site.Store.Application(t.Context(), a.ID); err != nil || is.URL != url || !slices.Equal(is.Hosts, hosts) {
			t.Fatalf("kept: %+v, %v", is, err)
		}
	}
	form := browser.Get(address).Form("Save").Fill("Further hosts", "docs.example.org\nSecret.example.org").Fill("Description", "What we know")
	warning := form.Press().WantStatus(200)
	if !warning.Says("everybody on the network comes in at secret.example.org/ and below") {
		t.Errorf("of a further host it says\n%s", warning.Text())
	}
	want("https://wiki.example.org/", "docs.example.org")
	back := warning.Form("Back").Press().WantStatus(200)
	if typed := back.Form("Save").Values; typed.Get("hosts") != "docs.example.org\nSecret.example.org" || typed.Get("description") != "What we know" {
		t.Errorf("back from the warning, the form has %v", typed)
	}
	want("https://wiki.example.org/", "docs.example.org")
	page := back.Form("Save").Press().Form("Make public").Press().WantDone("The application is saved.")
	want("https://wiki.example.org/", "docs.example.org", "secret.example.org")
	if page.Form("Save").Values.Get("description") != "What we know" {
		t.Error("what was typed beside is lost")
	}

	moved := page.Form("Save").Fill("Address", "https://moved.example.org/").Press().WantStatus(200)
	if !moved.Says("comes in at moved.example.org/ and below") {
		t.Errorf("of a move it says\n%s", moved.Text())
	}
	want("https://wiki.example.org/", "docs.example.org", "secret.example.org")
	moved.Form("Make public").Press().WantDone("The application is saved.")

	browser.Get(address).Form("Save").Fill("Further hosts", "").Press().WantDone("The application is saved.")
	want("https://moved.example.org/")
}

func TestWhatIsNoRuleIsRefusedBesideItsField(t *testing.T) {
	kept := auth.Rule{Path: "/admin", Access: auth.TwoFactor}
	site, browser, a, address := withGate(t, kept)
	for name, tt := range map[string]struct {
		path   string
		values url.Values
		says   string
	}{
		"no path":          {"", nil, "A path begins with a slash"},
		"no slash":         {"admin", nil, "A path begins with a slash"},
		"a slash at end":   {"/admin/", nil, "A path begins with a slash"},
		"dots":             {"/a/../b", nil, "A path begins with a slash"},
		"an escape":        {"/a%20b", nil, "A path begins with a slash"},
		"a query":          {"/a?b", nil, "A path begins with a slash"},
		"the same again":   {"/admin", nil, "Rule 1 is for this path already"},
		"no group":         {"/a", url.Values{"access": {"group"}}, "Choose a group."},
		"no minutes":       {"/a", url.Values{"access": {"code"}}, "Type a number of minutes"},
		"minutes in words": {"/a", url.Values{"access": {"code"}, "minutes": {"soon"}}, "Type a number of minutes"},
		"too many minutes": {"/a", url.Values{"access": {"code"}, "minutes": {"1441"}}, "Type a number of minutes"},
		"none at all":      {"/a", url.Values{"access": {"code"}, "minutes": {"0"}}, "Type a number of minutes"},
	} {
		form := browser.Get(address).Form("Add rule").Fill("Path", tt.path)
		for field, value := range tt.values {
			form.Values[field] = value
		}
		if page := form.Press().WantStatus(422); !page.Says(tt.says) {
			t.Errorf("%s: the page does not say %q; it says\n%s", name, tt.says, page.Text())
		}
	}
	for name, values := range map[string]url.Values{
		"another access": {"access": {"open"}}, "another host": {"host": {"evil.example"}}, "another group": {"access": {"group"}, "group": {"x"}},
	} {
		form := browser.Get(address).Form("Add rule").Fill("Path", "/a")
		for field, value := range values {
			form.Values[field] = value
		}
		if got := form.Press().Status; got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
	for _, values := range []url.Values{{}, {"up": {"0"}}, {"down": {"0"}}, {"delete": {"1"}}, {"delete": {"-1"}}, {"delete": {"x"}}} {
		seen := browser.Get(address).Form("Add rule").Values.Get("seen")
		values.Set("seen", seen)
		browser.Post(address+"/rules/change", values).WantStatus(400)
	}
	wantRules(t, site, a, kept)
}

// Whoever changes rules changes those that they have seen.
func TestRulesThatAnotherAdministratorChangedMeanwhileAreLookedAtAgain(t *testing.T) {
	first, second := auth.Rule{Path: "/a", Access: auth.TwoFactor}, auth.Rule{Path: "/b", Access: auth.TwoFactor}
	site, browser, a, address := withGate(t, first, second)
	page := browser.Get(address)
	if err := site.Store.SetApplicationRules(t.Context(), apptest.Command, a.ID, []auth.Rule{second, first}, site.Now()); err != nil {
		t.Fatal(err)
	}
	for _, form := range []*apptest.Form{page.Form("Delete: /a at every host"), page.Form("Add rule").Fill("Path", "/c")} {
		if again := form.Press().WantStatus(409); !again.Says("Somebody has changed the rules meanwhile") {
			t.Errorf("it says\n%s", again.Text())
		}
	}
	wantRules(t, site, a, second, first)
}

func TestAnApplicationWithoutAProxyHasNoRules(t *testing.T) {
	_, browser := behind(t)
	form := browser.Get("/admin/apps").Form("Add application").Fill("Name", "Link").Fill("Address", "https://link.example.org/")
	form.Values.Set("kind", "link")
	page := form.Press().WantDone("The application is added.")
	if page.HasButton("Add rule") {
		t.Error("the page offers rules")
	}
	browser.Post(page.Path+"/rules", url.Values{"path": {"/"}, "access": {"public"}}).WantStatus(404)
}

// What was typed stands in its own field, with what is wrong beside it.
func TestFurtherHostsAreChangedOnTheApplicationsPage(t *testing.T) {
	site, browser := behind(t)
	add := func(a auth.Application) auth.Application {
		a, err := site.Store.AddApplication(t.Context(), apptest.Command, a, site.Now())
		must(t, err)
		return a
	}
	wiki := add(auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org/", Hosts: []string{"docs.example.org"}})
	add(auth.Application{Kind: auth.BehindProxy, Name: "Shop", URL: "https://shop.example.org/"})
	must(t, site.Store.SetApplicationRules(t.Context(), apptest.Command, wiki.ID, []auth.Rule{{Host: "docs.example.org", Path: "/", Access: auth.Public}}, site.Now()))
	form := browser.Get("/admin/apps/" + string(wiki.ID)).Form("Save")
	for typed, why := range map[string]string{
		"docs.example.org\nshop.example.org":     "shop.example.org belongs to another application",
		"docs.example.org\nSHOP.example.org:443": "shop.example.org belongs to another application",
		"docs.example.org\ndocs.example.org.":    "docs.example.org. is no host",
		"docs.example.org\nhttps://x/":           "https://x/ is no host",
		"manual.example.org":                     "A rule of this application stands for docs.example.org",
	} {
		page := form.Fill("Further hosts", typed).Press().WantStatus(422)
		if !page.Says(why) || !strings.Contains(page.Body, `id="hosts-error"`) || page.Form("Save").Values.Get("hosts") != typed {
			t.Errorf("%q: it says\n%s", typed, page.Text())
		}
	}
	form.Fill("Further hosts", "docs.example.org\n MANUAL.example.org:8443 \nDOCS.example.org:443\nwiki.example.org\nWiki.Example.org\nbücher.example.org\nxn--bcher-kva.example.org").Press().WantDone("The application is saved.")
	if is, err := site.Store.Application(t.Context(), wiki.ID); err != nil || strings.Join(is.Hosts, " ") != "docs.example.org manual.example.org:8443 xn--bcher-kva.example.org" {
		t.Errorf("kept: %v, %v", is.Hosts, err)
	}
	form.Press().WantStatus(409)
	link := add(auth.Application{Name: "Board", URL: "https://board.example.org/"})
	if page := browser.Get("/admin/apps/" + string(link.ID)); page.Says("Further hosts") {
		t.Error("a link has further hosts")
	} else if page = page.Form("Delete application").Press().WantStatus(200); page.Says("With it goes") {
		t.Error("something goes with a link that nothing belongs to")
	}
}

// A line that is not set is not shown as one that is.
func TestThePageOfAnApplicationBehindAProxySaysWhetherAnyProxyIsTrusted(t *testing.T) {
	for setting, trusting := range map[string]bool{"trusted_proxies=": false, "trusted_proxies=10.0.0.5": true} {
		site, browser := behind(t, setting)
		a, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Kind: auth.BehindProxy, Name: "Wiki", URL: "https://wiki.example.org/"}, site.Now())
		must(t, err)
		if page := browser.Get("/admin/apps/" + string(a.ID)).WantStatus(200); page.Says("trusts none yet") == trusting {
			t.Errorf("%s: it says the opposite", setting)
		}
	}
}

func TestThePageOfAnApplicationBehindAProxyHasWhatToPutBeforeIt(t *testing.T) {
	site, browser := behind(t, "public_url=https://id.example.org")
	form := browser.Get("/admin/apps").Form("Add application").Fill("Name", "Wiki").Fill("Address", "https://wiki.example.org/start")
	form.Values.Set("kind", "forward-auth")
	page := form.Press().WantDone("The application is added.")
	body := html.UnescapeString(page.Body)
	for _, file := range []string{"nginx.conf", "Caddyfile", "traefik.yml"} {
		documented, err := os.ReadFile(filepath.Join("..", "..", "docs", "proxies", file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(body, ">"+string(documented)+"<") {
			t.Errorf("the settings of %s are not those of the documentation", file)
		}
	}
	if !page.Says("What to put before it") || !page.Says(`trusted_proxies = ["127.0.0.1"]`) || page.Href("Proxy check") != "/admin/proxy-check" {
		t.Errorf("it says\n%s", page.Text())
	}

	link, err := site.Store.AddApplication(t.Context(), apptest.Command, auth.Application{Name: "Notes", URL: "https://notes.example.org"}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	if browser.Get("/admin/apps/" + string(link.ID)).Says("What to put before it") {
		t.Error("something is to be put before a link")
	}
}
