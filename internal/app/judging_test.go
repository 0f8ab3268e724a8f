package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
)

// occupied is a slot that is at work until the test lets it go.
func occupied(t *testing.T, s *slots.Slots) (letGo func()) {
	t.Helper()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() { ended <- s.Do(t.Context(), func() { close(begun); <-end }) }()
	<-begun
	return func() {
		close(end)
		must(t, <-ended)
	}
}

// Judging a password takes a processor for a while, and anybody may ask for it:
// so many at once and no more, and no request waits in line for a bar.
func TestJudgingWhileItIsTypedIsRefusedAtOnceWhereOthersAreAtIt(t *testing.T) {
	bar := slots.New(1, 0, time.Second)
	site := apptest.NewWith(t, app.Options{Bar: bar})
	ask := func() *apptest.Page {
		return site.Browser().Once("/password-strength", url.Values{"password": {guessed}, "email": {""}, "name": {manyWords(60 << 10)}})
	}
	ask().WantStatus(http.StatusOK)
	letGo := occupied(t, bar)
	before := bar.Begun()
	for range 50 {
		if page := ask().WantStatus(http.StatusServiceUnavailable); page.Header.Get("Retry-After") == "" {
			t.Fatal("no word on when to come back")
		}
	}
	if bar.Begun() != before {
		t.Error("something was judged all the same")
	}
	site.Browser().Once("/register", url.Values{"email": {"ada@example.org"}, "password": {guessed}, "next": {""}}).
		WantStatus(http.StatusOK) // forms do not wait for bars
	letGo()
	ask().WantStatus(http.StatusOK)
}

// Strangers wait behind strangers alone.
func TestFormsAreJudgedInALineOfTheirOwn(t *testing.T) {
	judges, linked := slots.New(1, 0, time.Second), slots.New(1, 0, time.Second)
	site := apptest.NewWith(t, app.Options{Judges: judges, Linked: linked})
	ada := site.Person("ada@example.org")
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	reset := strings.TrimPrefix(apptest.Link(t, site.Mail.Last(t, ada.Address)), "/forgot-password/new?token=")
	invited, err := site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: address.Address{Spelling: "fay@example.org", Canonical: "fay@example.org"}}, site.InvitationLink(), site.Now())
	must(t, err)
	invitation := strings.TrimPrefix(apptest.Link(t, site.Mail.Last(t, invited.Address)), "/invitation?token=")
	hashed := site.Hashed()
	letGo, letLinkedGo := occupied(t, judges), occupied(t, linked)
	for path, form := range map[string]url.Values{
		"/register":            {"email": {"new@example.org"}, "next": {""}},
		"/invitation":          {"token": {invitation}, "name": {"Fay"}},
		"/forgot-password/new": {"token": {reset}},
	} {
		form.Set("password", guessed)
		page := site.Browser().Once(path, form).WantStatus(http.StatusServiceUnavailable)
		if page.Header.Get("Retry-After") == "" || strings.Contains(page.Body, guessed) || !strings.Contains(page.Body, form.Get("name")+form.Get("email")) {
			t.Errorf("%s: no time to come back, a password, or something typed was lost:\n%s", path, page.Body)
		}
	}
	letLinkedGo()
	if site.Hashed() != hashed {
		t.Error("something was hashed that was not judged")
	}
	// Strangers still hold their line, and whoever has a link does not stand in it.
	site.Browser().Once("/invitation", url.Values{"token": {invitation}, "name": {"Fay"}, "password": {guessed}}).WantStatus(http.StatusSeeOther)
	site.Browser().Once("/forgot-password/new", url.Values{"token": {reset}, "password": {guessed}}).WantStatus(http.StatusSeeOther)
	letGo()
}

// A name of any length costs what the longest does that a person may have.
func TestALongNameCostsNoMoreThanAShortOne(t *testing.T) {
	site := apptest.New(t)
	judge := func(name string) float64 {
		return testing.AllocsPerRun(3, func() { site.JudgePassword(guessed, address.Address{}, name) })
	}
	short, long := judge(manyWords(100)), judge(manyWords(60<<10))
	if long > short*1.2 {
		t.Errorf("%.0f allocations for a hundred characters, %.0f for sixty thousand", short, long)
	}
}

func manyWords(length int) string {
	var name strings.Builder
	for name.Len() < length {
		name.WriteString(secret.NewID()[:3] + " ")
	}
	return name.String()[:length]
}
