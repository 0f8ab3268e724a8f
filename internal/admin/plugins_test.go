package admin_test

import (
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// In the cloud edition the operator's settings alone say what works, whatever
// an administrator sends.
func TestInTheCloudEditionNoAdministratorChangesAPlugin(t *testing.T) {
	site := apptest.New(t, "edition=cloud", "plugins=forward-auth")
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
