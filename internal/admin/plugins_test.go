package admin_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// In the cloud edition the operator's settings alone say what works, whatever
// an administrator sends.
func TestInTheCloudEditionNoAdministratorChangesAPlugin(t *testing.T) {
	site := apptest.New(t, "edition=cloud", "plugins=forward-auth,two-factor:group=Staff,two-factor:user=ada@example.org")
	if _, err := site.Store.AddGroup(t.Context(), apptest.Command, "Staff", site.Now()); err != nil {
		t.Fatal(err)
	}
	site.Person("ada@example.org")
	browser := site.Browser()
	browser.SignIn(site.Administrator("root@example.org"))
	before, err := site.Store.Activations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Get("/admin/plugins").WantStatus(http.StatusOK)
	if !page.Says("is set by the operator of this server") {
		t.Errorf("the page says %s", page.Text())
	}
	for _, button := range []string{"Activate", "Deactivate", "Save"} {
		if page.HasButton(button) {
			t.Errorf("%s is offered", button)
		}
	}
	if named := page.List("Which groups and users"); !slices.Equal(named, []string{"Staff", "ada@example.org"}) {
		t.Errorf("it is shown as enabled for %q", named)
	}
	for _, plugin := range []auth.PluginID{auth.TwoFactorPlugin, auth.ForwardAuthPlugin} {
		for _, change := range []url.Values{{"active": {"yes"}}, {"active": {"no"}}, {"whom": {"everyone"}, "people": {""}}} {
			browser.Post("/admin/plugins/"+string(plugin), change).WantStatus(http.StatusNotFound)
		}
	}
	after, err := site.Store.Activations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("it was %+v and is %+v", before, after)
	}
}

func TestAPluginSaysWhomItConcernsBeforeItIsActivated(t *testing.T) {
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	says := func(words string, want bool) {
		t.Helper()
		if page := root.Get("/admin/plugins"); page.Says(words) != want {
			t.Errorf("%q is said: %v, want %v, by %s", words, !want, want, page.Text())
		}
	}
	const nobody, again = "It is active, but enabled for nobody", "1 person has it set up and is asked for a code again at once."
	says(nobody, false)
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin, Active: true})
	says(nobody, true)
	ada, hers := site.Person("ada@example.org"), site.Browser()
	hersAlone := auth.Activation{Plugin: auth.TwoFactorPlugin, Active: true, Users: []auth.UserID{ada.ID}}
	site.SetActivation(hersAlone)
	says(nobody, false)
	hers.SignIn(ada)
	hers.EnableTwoFactor(ada)
	says("1 person has enabled it and is asked for a code at login.", true)
	says(again, false)
	hersAlone.Active = false
	site.SetActivation(hersAlone)
	says(again, true)
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	says("set up and", false)
}

// What closes applications is asked about once more, and what closes none is not.
func TestAPluginThatClosesApplicationsIsDeactivatedAtTheSecondPress(t *testing.T) {
	for plugin, add := range map[auth.PluginID]func(*apptest.Site, string) error{
		auth.OpenIDConnectPlugin: func(s *apptest.Site, name string) error {
			_, _, err := s.Store.AddClient(t.Context(), apptest.Command, auth.Application{Name: name, URL: "https://" + name + ".example.org"}, auth.Client{}, s.Now())
			return err
		},
		auth.ForwardAuthPlugin: func(s *apptest.Site, name string) error {
			_, err := s.Store.AddGate(t.Context(), apptest.Command, auth.Gate{Application: auth.Application{Name: name, URL: "https://" + name + ".example.org"}}, s.Now())
			return err
		},
	} {
		t.Run(string(plugin), func(t *testing.T) {
			site := apptest.New(t)
			root := site.Browser()
			root.SignIn(site.Administrator("root@example.org"))
			isActive := func() bool {
				all, err := site.Store.Activations(t.Context())
				must(t, err)
				for _, a := range all {
					if a.Plugin == plugin {
						return a.Active
					}
				}
				return false
			}
			site.Activate(plugin)
			root.Get("/admin/plugins").Form("Deactivate").Press().WantDone("The plug-in is inactive.")
			must(t, add(site, "wiki"))
			must(t, add(site, "git"))
			page := root.Get("/admin/plugins")
			if !page.Says("2 applications can only be opened while it is active.") {
				t.Errorf("the page says %s", page.Text())
			}
			asked := page.Form("Deactivate").Press().WantStatus(http.StatusOK)
			if !asked.Says("2 applications can then no longer be opened.") || !isActive() {
				t.Errorf("active: %v; the page says %s", isActive(), asked.Text())
			}
			asked.Form("Deactivate").Press().WantDone("The plug-in is inactive.")
			if isActive() {
				t.Error("it is still active")
			}
			if page := root.Get("/admin/plugins"); strings.Count(page.Text(), "2 applications can only be opened while it is active.") != 1 {
				t.Errorf("afterwards the page says %s", page.Text())
			}
			events, err := site.Store.Events(t.Context(), store.EventFilter{Kind: auth.EventPluginDeactivated})
			if err != nil || len(events) != 2 {
				t.Errorf("%d events (%v)", len(events), err)
			}
		})
	}
}
