package admin_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/store"
)

func TestAListOfPeopleIsInvitedAfterItIsSeenWhatWillHappen(t *testing.T) {
	site := apptest.New(t)
	site.Person("known@example.org")
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	form := root.Get("/admin/users").Follow("Invite a list of people").Form("See what will happen")
	list := "ada@example.org, Ada Lovelace\nknown@example.org\nnonsense\nADA@example.org\nbob@example.org, Bob, Staff\n"
	seen := form.Fill("Addresses", list).Press().WantStatus(http.StatusOK)
	for _, words := range []string{"1 person is invited.", "1 has an account already", "3 lines are wrong", "Line 3: “nonsense” is not an email address.",
		"Line 4: the address stands in line 1 already.", "Line 5: there is no group “Staff”."} {
		if !seen.Says(words) {
			t.Errorf("%q is missing in %s", words, seen.Text())
		}
	}
	if got := site.Mail.To(t, "ada@example.org"); len(got) != 0 {
		t.Errorf("looking sent %d letters", len(got))
	}
	if _, found, err := site.Store.Invitees(t.Context(), 10); err != nil || found != 0 {
		t.Errorf("looking made %d accounts (%v)", found, err)
	}

	done := seen.Form("Send 1 invitation").Press().WantPath("/admin/invitations").WantDone("1 invitation is on its way.")
	if !done.Says("Ada Lovelace") || done.Header.Get("Refresh") == "" {
		t.Errorf("while a letter waits the page says %s, and loads again %q", done.Text(), done.Header.Get("Refresh"))
	}
	if still := done.Follow("Stop that"); still.Header.Get("Refresh") != "" {
		t.Error("it loads again against the person's will")
	}
	apptest.Link(t, site.Mail.Last(t, "ada@example.org"))
	after := root.Get("/admin/invitations")
	if after.Header.Get("Refresh") != "" || after.Definition("Sent") != "1" || after.Definition("On their way") != "0" {
		t.Errorf("afterwards the page says %s", after.Text())
	}

	again := root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", list).Press()
	if !again.Says("1 was invited before by a link that still works") || again.HasButton("Send 1 invitation") {
		t.Errorf("the second time the page says %s", again.Text())
	}
	after.Form("Invite again: Ada Lovelace").Press().WantDone("The invitation is on its way.")
	if got := site.Mail.To(t, "ada@example.org"); len(got) != 2 {
		t.Errorf("%d letters, want 2", len(got))
	}
}

// Whoever administers chooses nobody's password, in whatever form the list is
// written.
func TestAPastedListBringsNoPasswordIn(t *testing.T) {
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	list := `{"email":"ada@example.org","password_hash":"$2y$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy"}` + "\n" + `{"email":"bob@example.org"}`
	seen := root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", list).Press().WantStatus(http.StatusOK)
	if !seen.Says("Line 1: a list of invitations has no “password_hash”, only addresses, names and groups.") {
		t.Errorf("the page says %s", seen.Text())
	}
	seen.Form("Send 1 invitation").Press().WantPath("/admin/invitations")
	if people, found, err := site.Store.Invitees(t.Context(), 10); err != nil || found != 1 || people[0].Address != "bob@example.org" {
		t.Errorf("%d wait for their invitation: %+v (%v)", found, people, err)
	}
	if _, err := site.Store.UserByAddress(t.Context(), "ada@example.org"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the line with the password made an account (%v)", err)
	}
}

func TestWhoWasNotInvitedIsNamed(t *testing.T) {
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	cem, err := address.Parse("cem@example.org")
	lapses := site.InvitationLink()
	for lapses.Life = 0; err == nil; {
		_, err = site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: cem}, lapses, site.Now())
	}
	if !errors.Is(err, store.ErrTooManyLetters) {
		t.Fatal(err)
	}
	invite := func(list, button string) *apptest.Page {
		return root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", list).Press().Form(button).Press()
	}
	for list, said := range map[string]string{"cem@example.org": "0 invitations are on their way.", "ada@example.org\ncem@example.org": "1 invitation is on its way."} {
		button := map[bool]string{true: "Send 2 invitations", false: "Send 1 invitation"}[strings.Contains(list, "ada")]
		page := invite(list, button).WantStatus(http.StatusOK)
		if !page.Says(said) || !page.Says("1 address has had as many letters as it gets in an hour, and was not invited. Send the list again later. cem@example.org") {
			t.Errorf("of %q the page says %s", list, page.Text())
		}
	}
	if len(site.Mail.To(t, "ada@example.org")) != 1 {
		t.Error("ada was not invited")
	}
}

// What is sent is what was looked at: a list that was changed since is shown
// once more.
func TestAListThatWasChangedIsLookedAtAgain(t *testing.T) {
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	seen := root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", "ada@example.org").Press()
	changed := seen.Form("Send 1 invitation").Fill("Addresses", "eve@example.org").Press().WantPath("/admin/invitations/list")
	if !changed.HasButton("Send 1 invitation") || len(site.Mail.To(t, "eve@example.org")) != 0 {
		t.Errorf("it was sent without being looked at: %s", changed.Text())
	}
	root.Once("/admin/invitations/list", url.Values{"list": {"ada@example.org"}, "send": {"yes"}, "checked": {""}}).WantStatus(http.StatusOK)
	if len(site.Mail.To(t, "ada@example.org")) != 0 {
		t.Error("it was sent without being looked at")
	}
	root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", " \n# nobody\n").Press().WantStatus(http.StatusUnprocessableEntity)
}

// Somebody went away from the page that tells of letters on their way.
func TestAPageThatLoadsItselfKeepsNoSessionAlive(t *testing.T) {
	site := apptest.New(t, "session_idle=5m")
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	page := root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", "ada@example.org").Press().Form("Send 1 invitation").Press()
	for range 2 {
		site.Clock.Turn(2 * time.Minute)
		pause, to, _ := strings.Cut(page.Header.Get("Refresh"), "; url=")
		if pause != "5" || to == "" {
			t.Fatalf("it loads again %q", page.Header.Get("Refresh"))
		}
		page = root.Get(to).WantStatus(http.StatusOK)
	}
	site.Clock.Turn(90 * time.Second)
	root.Get("/admin/invitations").WantPath("/login")
}

// While the mail server takes nothing the page says so, and does not go on
// loading itself.
func TestLettersThatFailAreCounted(t *testing.T) {
	site := apptest.New(t, "mail_retry=1h")
	root := site.Browser()
	admin := site.Administrator("root@example.org")
	root.SignIn(admin)
	var list strings.Builder
	for _, name := range []string{"ada", "bob", "cem"} {
		list.WriteString(name + "@example.org\n")
	}
	root.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", list.String()).Press().Form("Send 3 invitations").Press()
	site.Mail.Refuse(errors.New("no route to host"))
	if err := site.SendLetters(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := root.Get("/admin/invitations")
	if !page.Says("3 were not taken by the mail server yet") || page.Header.Get("Refresh") != "" || page.Definition("On their way") != "3" {
		t.Errorf("after a try the page says %s", page.Text())
	}
	site.Clock.Turn(2 * time.Hour)
	if err := site.SendLetters(t.Context()); err != nil {
		t.Fatal(err)
	}
	root = site.Browser()
	root.SignIn(admin)
	if page := root.Get("/admin/invitations"); page.Definition("Failed") != "3" {
		t.Errorf("at the end the page says %s", page.Text())
	}
}
