package admin_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// Whether people are asked what an application may learn is answered as it is:
// for the first time, remembered, every time, or by an administrator for all.
func TestWhatAPersonWillBeAskedTellsOfConsent(t *testing.T) {
	site, browser, _ := withApplication(t)
	carol := site.Person("carol@example.org")
	a, _, err := site.Store.AddClient(t.Context(), apptest.Command,
		auth.Application{Name: "Board", URL: "https://board.example.org/", Everyone: true, Kind: auth.SpeaksOpenID},
		auth.Client{RedirectURIs: []string{"https://board.example.org/callback"}, Algorithm: auth.ES256}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := func(sentence string) {
		t.Helper()
		if page := browser.Get("/admin/apps/" + string(a.ID) + "?person=carol@example.org").WantStatus(200); !page.Says(sentence) {
			t.Errorf("the page does not say %q", sentence)
		}
	}
	want("The first time, they are asked what the application may learn of them.")

	hers := site.Browser()
	hers.SignIn(carol)
	hers.Get("/oidc/authorize?" + url.Values{"client_id": {string(a.ID)}, "redirect_uri": {"https://board.example.org/callback"},
		"response_type": {"code"}, "scope": {"openid"}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}.Encode()).
		Form("Allow").Press().WantStatus(200)
	want("They agreed on")

	site.ChangeClient(a.ID, func(c *auth.Client) { c.WithoutConsent = true })
	want("They are not asked what the application may learn of them: you agreed for everybody.")
}

func TestWhatAPersonWillBeAskedTellsOfPublicClients(t *testing.T) {
	site, browser, _ := withApplication(t)
	a, _, err := site.Store.AddClient(t.Context(), apptest.Command,
		auth.Application{Name: "Shell", URL: "https://shell.example.org/", Everyone: true, Kind: auth.SpeaksOpenID},
		auth.Client{Public: true, RedirectURIs: []string{"http://127.0.0.1/callback"}, Algorithm: auth.ES256}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	if page := browser.Get("/admin/apps/" + string(a.ID) + "?person=ada@example.org"); !page.Says("Each time, they are asked") {
		t.Error("the page does not say that consent to a program on their machine is not remembered")
	}
}

func TestWhatAPersonWillBeAskedTellsOfEachRule(t *testing.T) {
	site, browser, _ := withApplication(t)
	staff, err := site.Store.AddGroup(t.Context(), apptest.Command, "Staff", site.Now())
	if err != nil {
		t.Fatal(err)
	}
	a, err := site.Store.AddApplication(t.Context(), apptest.Command,
		auth.Application{Name: "Handbook", URL: "https://handbook.example.org/", Everyone: true, Kind: auth.BehindProxy}, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	rules := []auth.Rule{{Path: "/assets", Access: auth.Public}, {Path: "/staff", Access: auth.InGroup, Group: staff.ID},
		{Path: "/safe", Access: auth.TwoFactor}, {Path: "/payroll", Access: auth.RecentCode, Within: 15 * time.Minute}, {Path: "/", Access: auth.Signed}}
	if err := site.Store.SetApplicationRules(t.Context(), apptest.Command, a.ID, rules, site.Now()); err != nil {
		t.Fatal(err)
	}
	want := func(person string, at map[string]string) {
		t.Helper()
		page := browser.Get("/admin/apps/" + string(a.ID) + "?person=" + person).WantStatus(200)
		for path, sentence := range at {
			if got := page.Definition(path); got != sentence {
				t.Errorf("%s at %s: %q, want %q", person, path, got, sentence)
			}
		}
	}
	setUp := "Two-factor authentication, which they have not enabled. They are led to the set-up and back."
	want("ada@example.org", map[string]string{"/assets": "Nothing, not even a login.", "/": "The login alone.",
		"/staff": "They are refused: they are not in the group Staff.", "/safe": setUp, "/payroll": setUp})
	want("eli@example.org", map[string]string{"/assets": "Nothing, not even a login.", "/safe": "The login alone.", "/payroll": "A code not older than 15 minutes."})

	eli, err := site.Store.UserByAddress(t.Context(), "eli@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := site.Store.JoinGroup(t.Context(), apptest.Command, staff, eli.ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	want("eli@example.org", map[string]string{"/staff": "To be in the group Staff. They are."})
	site.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })
	want("ada@example.org", map[string]string{"/assets": "Nothing, not even a login.", "/": "They are refused."})
}
