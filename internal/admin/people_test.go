package admin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

// administered is an administrator at work, and somebody to work on.
func administered(t *testing.T) (site *apptest.Site, browser *apptest.Browser, ada *apptest.Person, page string) {
	t.Helper()
	site = apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	eli, browser := site.Administrator("eli@example.org"), site.Browser()
	browser.SignIn(eli)
	browser.EnableTwoFactor(eli)
	ada = site.Person("ada@example.org")
	return site, browser, ada, "/admin/users/" + string(ada.ID)
}

func TestEveryButtonOfAPersonsPageDoesWhatItSays(t *testing.T) {
	site, browser, ada, page := administered(t)
	hers := site.Browser()
	hers.SignIn(ada)
	hers.EnableTwoFactor(ada)
	press := func(button, done string) *apptest.Page {
		t.Helper()
		return browser.Get(page).Form(button).Press().WantStatus(http.StatusOK).WantPath(page).WantDone(done)
	}
	told := func(kind mail.Kind) {
		t.Helper()
		if kinds := site.Mail.Kinds(t, ada.Address); !slices.Contains(kinds, kind) {
			t.Errorf("letters %v, want %s", kinds, kind)
		}
	}

	press("Must use two-factor authentication", "Saved.")
	if !ada.User().MustUseTwoFactor {
		t.Error("nothing is demanded")
	}
	press("Need not use two-factor authentication", "Saved.")
	if ada.User().MustUseTwoFactor {
		t.Error("it is still demanded")
	}
	press("Make administrator", "The role is changed.")
	if !ada.User().Administrator {
		t.Error("she is no administrator")
	}
	press("Take administration away", "The role is changed.")
	if ada.User().Administrator {
		t.Error("she still is an administrator")
	}

	hers = site.Browser()
	hers.SignIn(ada)
	press("End sessions", "The sessions have ended.")
	hers.Get("/apps").WantPath("/login")
	told(mail.SessionsEnded)

	press("Mail a password reset", "A letter with a link to a new password is on its way.")
	told(mail.ResetStarted)

	browser.Get(page).Form("Clear second factors").Fill("Reason", "Lost the phone").Press().WantDone("The second factors are cleared, and the person is told.")
	if ada.User().TwoFactor() || !strings.Contains(site.Mail.Last(t, ada.Address).Text, "Lost the phone") {
		t.Error("the factors are there, or the reason is not told")
	}

	press("Disable account", "The account is disabled, and its sessions have ended. To undo this, enable it again.")
	site.Browser().SignIn(ada).WantStatus(http.StatusUnprocessableEntity)
	press("Enable account", "The account is enabled.")
	site.Browser().SignIn(ada).WantPath("/apps")

	asked := browser.Get(page).Form("Delete account").Press().WantStatus(http.StatusOK)
	if ada.User().ID == "" || !asked.Says("Delete ada@example.org?") {
		t.Errorf("nobody was asked once more: %s", asked.Text())
	}
	asked.Form("Delete account").Press().WantPath("/admin/users").WantDone("The account is deleted.")
	browser.Get(page).WantStatus(http.StatusNotFound)
	for _, stale := range []string{"disable", "enable", "end-sessions", "must", "may", "administrator", "user", "reset-password", "invite", "unlock", "delete", "no-such-change"} {
		browser.Post(page+"/"+stale, nil).WantStatus(http.StatusNotFound)
	}
}

// Two pages are open; what is pressed on the older one was done on the other.
func TestAStaleButtonSaysWhatIsTrue(t *testing.T) {
	site, browser, ada, page := administered(t)
	hers := site.Browser()
	hers.SignIn(ada)
	hers.EnableTwoFactor(ada)
	stale := browser.Get(page)
	refused := func(f *apptest.Form, u auth.User, why string) {
		t.Helper()
		letters, events := len(site.Mail.To(t, u.Address)), recorded(t, site, u.ID)
		if answer := f.Press().WantStatus(http.StatusUnprocessableEntity); !strings.Contains(answer.Alert(), why) {
			t.Errorf("the page says %q, want %q", answer.Alert(), why)
		}
		if l, e := len(site.Mail.To(t, u.Address)), recorded(t, site, u.ID); l != letters || e != events {
			t.Errorf("%d letters and %d events, want %d and %d", l, e, letters, events)
		}
	}
	browser.Get(page).Form("Clear second factors").Fill("Reason", "Lost the phone").Press().WantStatus(http.StatusOK)
	refused(stale.Form("Clear second factors").Fill("Reason", "Lost it again"), ada.User(), "No second factor is on any more, so none was cleared.")
	browser.Get(page).Form("Disable account").Press().WantStatus(http.StatusOK)
	refused(stale.Form("Mail a password reset"), ada.User(), "This account is disabled. Enable it first.")

	invite := func() *apptest.Page {
		return browser.Get("/admin/users").Form("Invite").Fill("Email", "fay@example.org").Fill("Name", "Fay").Press()
	}
	invited := invite().WantDone("The invitation is on its way.")
	fay, err := site.Store.UserByAddress(t.Context(), "fay@example.org")
	if err != nil {
		t.Fatal(err)
	}
	her := "/admin/users/" + string(fay.ID)
	browser.Get(her).Form("Disable account").Press().WantStatus(http.StatusOK)
	refused(invited.Form("Invite again"), fay, "This account is disabled. Enable it first.")
	if again := invite().WantStatus(http.StatusUnprocessableEntity); !strings.Contains(again.Alert(), "This account is disabled. Enable it first.") {
		t.Errorf("the page says %q", again.Alert())
	}
	browser.Get(her).Form("Enable account").Press().WantStatus(http.StatusOK)
	site.Clock.Turn(time.Second) // so that the invitation is the newest letter
	invited.Form("Invite again").Press().WantDone("The invitation is on its way.")
	site.Browser().Get(apptest.Link(t, site.Mail.Last(t, fay.Address))).Form("Set new password").Fill("New password", apptest.Password).Press().WantStatus(http.StatusOK)
	refused(invited.Form("Invite again"), fay, "This person accepted the invitation and is here already.")
}

func recorded(t *testing.T, site *apptest.Site, of auth.UserID) int {
	t.Helper()
	events, err := site.Store.Events(t.Context(), store.EventFilter{Subject: of, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(events)
}

func TestTheLastAdministratorStays(t *testing.T) {
	site := apptest.New(t)
	eli, browser := site.Administrator("eli@example.org"), site.Browser()
	browser.SignIn(eli)
	page := "/admin/users/" + string(eli.ID)
	const why = "This is the last administrator. Make somebody else one first; who was only invited does not count yet."
	for _, button := range []string{"Take administration away", "Disable account"} {
		if refused := browser.Get(page).Form(button).Press().WantStatus(http.StatusUnprocessableEntity); refused.Alert() != why {
			t.Errorf("%s: the page says %q", button, refused.Alert())
		}
	}
	if refused := browser.Get(page).Form("Delete account").Press().Form("Delete account").Press().WantStatus(http.StatusUnprocessableEntity); refused.Alert() != why {
		t.Errorf("the page says %q", refused.Alert())
	}
	browser.Get(page).Form("End sessions").Press().WantPath(page).WantDone("The sessions have ended.") // but for the one at work
}

func TestPeopleAreInvitedFoundAndPutIntoGroups(t *testing.T) {
	site, browser, ada, page := administered(t)
	invite := func(email string) *apptest.Page {
		return browser.Get("/admin/users").Form("Invite").Fill("Email", email).Fill("Name", "Bea").Press()
	}
	for email, why := range map[string]string{
		"bea": "That is not an email address. It looks like name@example.org.", ada.Address: "This address already has an account.",
	} {
		if refused := invite(email).WantStatus(http.StatusUnprocessableEntity); !strings.Contains(refused.Alert(), why) {
			t.Errorf("%s: the page says %q", email, refused.Alert())
		}
	}
	invited := invite("bea@example.org").WantStatus(http.StatusOK).WantDone("The invitation is on its way.")
	invited.Form("Invite again").Press().WantDone("The invitation is on its way.")
	invited.Form("Invite again").Press().WantDone("The invitation is on its way.")
	if refused := invited.Form("Invite again").Press().WantStatus(http.StatusUnprocessableEntity); !strings.Contains(refused.Alert(), "as many letters as it gets in an hour") {
		t.Errorf("the page says %q", refused.Alert())
	}
	found := browser.Get("/admin/users").Form("Search").Fill("Search", " bea ").Press()
	if !found.HasLink("Bea") || found.HasLink(ada.Address) {
		t.Errorf("found: %s", found.Text())
	}
	if nobody := browser.Get("/admin/users?search=zoe&page=x"); !nobody.Says("Nobody found") {
		t.Errorf("found: %s", nobody.Text())
	}

	browser.Get("/admin/groups").Form("Add group").Fill("Name of the group", "Staff").Press().WantDone("The group is added.")
	browser.Get(page).Form("Save").Tick("Staff").Press().WantDone("The groups are saved.")
	if groups := browser.Get("/admin/groups"); !groups.Says("1 member") {
		t.Errorf("the groups: %s", groups.Text())
	}
	stale := browser.Get(page).Form("Save")
	renamed := browser.Get("/admin/groups").Form("Save").Fill("Name", "Crew").Fill("Open window (minutes)", "30").Press().WantDone("The group is saved.")
	if !renamed.Says("Crew") || renamed.Form("Save").Values.Get("window") != "30" {
		t.Errorf("the group: %s", renamed.Text())
	}
	asked := renamed.Form("Delete group").Press().WantStatus(http.StatusOK)
	again := asked.Form("Delete group")
	asked.Form("Delete group").Press().WantPath("/admin/groups").WantDone("The group is deleted.")
	again.Press().WantStatus(http.StatusNotFound)
	stale.Press().WantStatus(http.StatusBadRequest) // it ticks a group that is gone
	if in, err := site.Store.GroupsOf(t.Context(), ada.ID); err != nil || len(in) > 0 {
		t.Errorf("groups %v, %v", in, err)
	}
}

func TestSettingsAndRecord(t *testing.T) {
	site, browser, ada, _ := administered(t)
	browser.Get("/admin/settings").Form("Save").Tick("Whoever was invited").Press().WantDone("Saved.")
	site.Browser().Get("/register").WantStatus(http.StatusForbidden)
	browser.Post("/admin/settings/registration", url.Values{"registration": {"anybody"}}).WantStatus(http.StatusBadRequest)
	browser.Get("/admin/settings").Form("Send me a test letter").Press().WantStatus(http.StatusOK)
	if kinds := site.Mail.Kinds(t, "eli@example.org"); !slices.Contains(kinds, mail.Test) {
		t.Errorf("letters %v", kinds)
	}
	record := browser.Get("/admin/events").WantStatus(http.StatusOK)
	if !record.Says("eli@example.org") || !record.Says("setting.changed") {
		t.Errorf("the record: %s", record.Text())
	}
	if only := browser.Get("/admin/events?person=" + string(ada.ID) + "&kind=user.added"); !only.Says("user.added") || only.Says("setting.changed") {
		t.Errorf("of one person and kind: %s", only.Text())
	}
	browser.Get("/admin/events?before=never&kind=nonsense").WantStatus(http.StatusOK)
}

// Whoever may not is refused each page and each change, and so is an
// administrator whose code is no longer fresh.
func TestWhoMayNotAdministerChangesNothing(t *testing.T) {
	site, browser, ada, page := administered(t)
	hers := site.Browser()
	hers.SignIn(ada)
	for _, at := range []string{"/admin/users", page, "/admin/groups", "/admin/settings", "/admin/events"} {
		hers.Get(at).WantStatus(http.StatusForbidden)
		site.Browser().Get(at).WantPath("/login")
	}
	changes := map[string]url.Values{
		"/admin/users/invite": {"email": {"bea@example.org"}, "name": {""}}, page + "/disable": nil, page + "/administrator": nil,
		"/admin/groups": {"name": {"Staff"}}, "/admin/settings/registration": {"registration": {"closed"}}, "/admin/settings/test-letter": nil,
	}
	for at, values := range changes {
		hers.Post(at, values).WantStatus(http.StatusForbidden)
		site.Browser().Post(at, values).WantPath("/login")
	}
	site.Clock.Turn(15 * time.Minute)
	for at, values := range changes {
		if asked := browser.Post(at, values).WantStatus(http.StatusForbidden); !asked.HasButton("Send code") {
			t.Errorf("%s: %s", at, asked.Text())
		}
	}
	groups, err := site.Store.Groups(t.Context())
	if u := ada.User(); err != nil || len(groups) > 0 || u.Administrator || u.State != auth.Active {
		t.Errorf("something changed: %v %+v (%v)", groups, u, err)
	}
}

// A session is shown to whoever administers as long as it can come back.
func TestASessionPastItsOverallLimitIsNoSession(t *testing.T) {
	site, browser, ada, page := administered(t)
	site.Browser().SignIn(ada)
	counted := func(want int, sessions string) {
		t.Helper()
		people, _, err := site.Store.Users(t.Context(), store.UserFilter{Search: ada.Address}, site.Now())
		if err != nil || len(people) != 1 || people[0].Sessions != want {
			t.Errorf("counted %+v, want %d sessions (%v)", people, want, err)
		}
		if got := browser.Get("/admin").Definition("Sessions"); got != sessions {
			t.Errorf("the overview counts %s sessions, want %s", got, sessions)
		}
		if shown := browser.Get(page); shown.Says("None.") != (want == 0) || shown.HasButton("End sessions") != (want > 0) {
			t.Errorf("with %d sessions the page says %s", want, shown.Text())
		}
	}
	counted(1, "2")
	if shown := browser.Get(page); !shown.Says("Firefox · Linux") {
		t.Errorf("the page names the browser so: %s", shown.Text())
	}
	site.Clock.Turn(24 * time.Hour)
	root := site.Administrator("root@example.org")
	browser = site.Browser()
	browser.SignIn(root)
	browser.EnableTwoFactor(root)
	counted(0, "1")
}

func TestAnAdministratorWithoutAFactorIsLedToTheSetUpAndBack(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	eli, browser := site.Administrator("eli@example.org"), site.Browser()
	browser.SignIn(eli)
	const why = "The administration opens to accounts with two-factor authentication."
	setUp := browser.Get("/admin/users?search=ada").WantPath("/account/two-factor")
	if !setUp.Says(why) || setUp.Href("Back") != "/account" {
		t.Errorf("Back leads to %s, and the page says %s", setUp.Href("Back"), setUp.Text())
	}
	wrong := setUp.Form("Activate").Fill("Login code", "000000").Press().WantStatus(http.StatusUnprocessableEntity)
	if !wrong.Says(why) {
		t.Errorf("after a wrong code the page says %s", wrong.Text())
	}
	eli.SetUpPhone(wrong.Definition("Secret key"))
	codes := wrong.Form("Activate").Fill("Login code", eli.Code()).Press().WantStatus(http.StatusOK)
	back := codes.Form("Continue").Tick("I have saved these codes").Press().WantPath("/admin/users").WantStatus(http.StatusOK)
	if got := back.Form("Search").Values.Get("search"); got != "ada" {
		t.Errorf("searched for is %q", got)
	}
	if mine := site.Browser(); mine.SignIn(site.Person("ada@example.org")).Status == http.StatusOK && mine.Get("/account/two-factor?next=/apps").Says(why) {
		t.Error("whoever does not administer reads of the administration")
	}
}

func TestInGermanTheSettingsSayWhereTheyCameFrom(t *testing.T) {
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	page := root.Get("/admin/settings").Form("Deutsch").Press().WantPath("/admin/settings")
	if !page.Says("Voreinstellung") || !page.Says("Flag") || page.Says("default") {
		t.Errorf("the page says %s", page.Text())
	}
}

// Whoever follows the advice to keep administrators' factors must know the way out.
func TestTheOverviewNamesTheWayOutOfWhatItRecommends(t *testing.T) {
	for setting, want := range map[string]bool{"reset": true, "keep": false} {
		site := apptest.New(t, "on_password_reset_administrators="+setting)
		root := site.Browser()
		root.SignIn(site.Administrator("root@example.org"))
		page := root.Get("/admin").WantStatus(http.StatusOK)
		if page.Says("on_password_reset_administrators = keep") != want || page.Says("twinlock user reset-2fa") != want {
			t.Errorf("under %s the page says %s", setting, page.Text())
		}
	}
}
