package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

// Wherever something is written, one rule holds: characters are counted, not
// bytes, and the page says the limit beside the field.
func TestWhatIsWrittenHasOneRule(t *testing.T) {
	site, browser, app := withApplication(t)
	ada := site.Person("bea@example.org")
	protected := site.Browser()
	protected.SignIn(ada)
	protected.EnableTwoFactor(ada)
	staff, err := site.Store.AddGroup(t.Context(), apptest.Command, "Staff", site.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		about, page, button, field string
		limit                      string
		most                       int
		needed                     bool
	}{
		{"one's own name", "/account", "Save", "Name", "Use at most 100 characters.", 100, false},
		{"an invited person", "/admin/users", "Invite", "Name", "Use at most 100 characters.", 100, false},
		{"a new group", "/admin/groups", "Add group", "Name of the group", "Use at most 100 characters.", 100, true},
		{"a group", "/admin/groups", "Save", "Name", "Use at most 100 characters.", 100, true},
		{"a new application", "/admin/apps", "Add application", "Name", "Use at most 100 characters.", 100, true},
		{"an application", "/admin/apps/" + string(app.ID), "Save", "Name", "Use at most 100 characters.", 100, true},
		{"its description", "/admin/apps/" + string(app.ID), "Save", "Description", "Use at most 300 characters.", 300, false},
		{"a reason", "/admin/users/" + string(ada.ID), "Clear second factors", "Reason", "Use at most 500 characters.", 500, true},
	} {
		t.Run(tt.about, func(t *testing.T) {
			form := func(text string) *apptest.Form {
				form := browser.Get(tt.page).Form(tt.button).Fill(tt.field, text)
				switch tt.about {
				case "an invited person":
					form.Fill("Email", "cara@example.org")
				case "a new application":
					form.Fill("Address", "https://wiki.example.org/")
				}
				return form
			}
			for text, why := range map[string]string{
				strings.Repeat("ä", tt.most+1): tt.limit,
				"Zo\u202ee":                    "Leave out line breaks and other invisible signs.",
				"Zoe\nEve":                     "Leave out line breaks and other invisible signs.",
				" \u00a0 ":                     "Type something that can be seen.",
			} {
				page := form(text).Press().WantStatus(http.StatusUnprocessableEntity)
				if !strings.Contains(page.Alert(), why) {
					t.Errorf("to %q the page says %q, want %q", text, page.Alert(), why)
				}
			}
			if tt.needed {
				form("").Press().WantStatus(http.StatusUnprocessableEntity)
			}
			if page := form(strings.Repeat(string(rune('à'+i)), tt.most)).Press(); page.Status != http.StatusOK {
				t.Errorf("%d letters of two bytes: status %d, %q", tt.most, page.Status, page.Alert())
			}
		})
	}
	groups, err := site.Store.Groups(t.Context())
	if err != nil || len(groups) != 2 || groups[1].ID != staff.ID && groups[0].ID != staff.ID {
		t.Errorf("the groups are %+v (%v)", groups, err)
	}
}

func TestAGroupThatIsRefusedKeepsWhatWasTyped(t *testing.T) {
	site, browser, _ := withApplication(t)
	for _, name := range []string{"Editors", "Staff"} {
		if _, err := site.Store.AddGroup(t.Context(), apptest.Command, name, site.Now()); err != nil {
			t.Fatal(err)
		}
	}
	refused := browser.Get("/admin/groups").Form("Save").Fill("Name", "Staff").Fill("Open window (minutes)", "soon").Press().WantStatus(422)
	if !strings.Contains(refused.Alert(), "Type minutes from 0 to 1440, or nothing.") {
		t.Errorf("the page says %q", refused.Alert())
	}
	again := refused.Form("Save")
	if again.Values.Get("name") != "Staff" || again.Values.Get("window") != "soon" {
		t.Errorf("typed before: %v", again.Values)
	}
	taken := again.Fill("Open window (minutes)", "5").Press().WantStatus(422)
	if !strings.Contains(taken.Alert(), "There is a group of this name already.") {
		t.Errorf("the page says %q", taken.Alert())
	}
}
