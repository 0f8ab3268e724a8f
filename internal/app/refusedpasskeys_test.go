package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
	"github.com/twinlock/twinlock/internal/store"
)

// keyOwners is a site where people have passkeys on keys that count.
func keyOwners(t *testing.T, addresses ...string) (site *apptest.Site, people []*apptest.Person) {
	t.Helper()
	site = apptest.New(t)
	site.Activate(auth.PasskeysPlugin)
	for _, address := range addresses {
		p := site.Person(address)
		p.AddPasskey(func(a *passkeytest.Authenticator) { a.Counts, a.Syncs = true, false })
		people = append(people, p)
	}
	site.Clock.Turn(time.Minute)
	return site, people
}

func recorded(t *testing.T, site *apptest.Site, f store.EventFilter) int {
	t.Helper()
	f.Limit = 100
	events, err := site.Store.Events(t.Context(), f)
	must(t, err)
	return len(events)
}

func copiesTold(t *testing.T, site *apptest.Site, to string) (n int) {
	t.Helper()
	for _, kind := range site.Mail.Kinds(t, to) {
		if kind == mail.PasskeyCopied {
			n++
		}
	}
	return n
}

// A browser that sends a form again, or a proxy that does, is no thief.
func TestAnAnswerThatIsSentTwiceIsNoCopy(t *testing.T) {
	site, people := keyOwners(t, "ada@example.org")
	ada := people[0]
	answer := site.Browser().Get("/login").Passkey(ada.Device)
	answer.Press().WantPath("/apps")
	again := answer.Press().WantStatus(http.StatusUnprocessableEntity)
	if again.Alert() != "That took too long. Try again." {
		t.Errorf("the page says %s", again.Alert())
	}
	if n := recorded(t, site, store.EventFilter{Kind: auth.EventPasskeyCounterBack}) + recorded(t, site, store.EventFilter{Kind: auth.EventPasskeyRefused}); n != 0 {
		t.Errorf("%d refusals are recorded", n)
	}
	if n := copiesTold(t, site, ada.Address); n != 0 {
		t.Errorf("%d letters tell of a copy", n)
	}
}

// Whoever tries is somebody who has the password: that stands in the record of its
// owner, whose passkey ever it was.
func TestARefusedPasskeyStandsInTheRecordOfWhoseLoginItIs(t *testing.T) {
	site, people := keyOwners(t, "ada@example.org", "bob@example.org")
	ada, bob := people[0], people[1]
	b := site.Browser()
	page := b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	form := page.Passkey(ada.Device)
	form.Values.Set("passkey", bob.Device.GetWith(bob.Device.Passkeys[0], page.PasskeyOptions(), site.Floor.PublicURL))
	page = form.Press().WantStatus(http.StatusUnprocessableEntity)
	form = page.Passkey(ada.Device)
	form.Values.Set("passkey", "{}")
	form.Press().WantStatus(http.StatusUnprocessableEntity)
	for who, want := range map[auth.UserID]int{ada.ID: 2, bob.ID: 0} {
		if n := recorded(t, site, store.EventFilter{Kind: auth.EventPasskeyRefused, Subject: who}); n != want {
			t.Errorf("%s has %d refused passkeys in the record, want %d", who, n, want)
		}
	}
}

// A browser that is known counts for itself, and it does count.
func TestAKnownBrowserWaitsForThePasskeysThatItShowed(t *testing.T) {
	site, people := keyOwners(t, "ada@example.org")
	ada := people[0]
	b := site.Browser()
	b.SignIn(ada)
	b.Post("/logout", nil)
	spoil := func(a *passkeytest.Answer) { a.Origin = "https://evil.example" }
	waits := false
	for range 40 {
		page := b.Get("/login").Passkey(ada.Device, spoil).Press()
		if waits = page.Status == http.StatusTooManyRequests; waits {
			break
		}
	}
	if !waits {
		t.Error("it may go on for ever")
	}
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
}

func TestOfACopyItsOwnerHearsOnceAnHour(t *testing.T) {
	site, people := keyOwners(t, "ada@example.org")
	ada := people[0]
	site.Browser().Get("/login").Passkey(ada.Device).Press().WantPath("/apps")
	back := func(a *passkeytest.Answer) { a.Count = 1 }
	for range 3 {
		site.Browser().Get("/login").Passkey(ada.Device, back).Press().WantStatus(http.StatusUnprocessableEntity)
	}
	if n := copiesTold(t, site, ada.Address); n != 1 {
		t.Errorf("%d letters tell of a copy, want 1", n)
	}
	if n := recorded(t, site, store.EventFilter{Kind: auth.EventPasskeyCounterBack, Subject: ada.ID}); n != 3 {
		t.Errorf("%d are recorded, want 3", n)
	}
	site.Clock.Turn(time.Hour + time.Second)
	site.Browser().Get("/login").Passkey(ada.Device, back).Press().WantStatus(http.StatusUnprocessableEntity)
	if n := copiesTold(t, site, ada.Address); n != 2 {
		t.Errorf("an hour later %d letters tell of a copy, want 2", n)
	}
}
