package app_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

// Strangers cost the database nothing where nothing is about a person: what the
// login shows to everybody is remembered.
func TestWhatEverybodySeesAsksTheDatabaseNothing(t *testing.T) {
	site := apptest.New(t)
	site.Administrator("eli@example.org")
	for name, ask := range map[string]func(*apptest.Browser) *apptest.Page{
		"the address itself": func(b *apptest.Browser) *apptest.Page { return b.Get("/") },
		"the login page":     func(b *apptest.Browser) *apptest.Page { return b.Get("/login") },
		"the sign-up page":   func(b *apptest.Browser) *apptest.Page { return b.Get("/register") },
		"an empty form": func(b *apptest.Browser) *apptest.Page {
			return b.Once("/login", url.Values{"email": {""}, "password": {""}, "next": {""}})
		},
		"no address": func(b *apptest.Browser) *apptest.Page {
			return b.Once("/login", url.Values{"email": {"nobody"}, "password": {apptest.Password}, "next": {""}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ask(site.Browser()) // whatever is remembered is, from here on
			before := site.Work()
			page := ask(site.Browser())
			if after := site.Work(); after != before {
				t.Errorf("it took %+v, and it was %+v before", after, before)
			}
			if page.Status != http.StatusOK && page.Status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", page.Status)
			}
		})
	}
}

// A guess asks for the account, for a sign-up in its place and for the wait of its
// network; nothing else, beside what pays for it and records it.
func TestAWrongPasswordAsksForThePersonAlone(t *testing.T) {
	site := apptest.New(t)
	site.Administrator("eli@example.org")
	guess := url.Values{"password": {guessed}, "next": {""}}
	sent(stranger(site, ""), site, "/login", unknown, guess)
	if got := sent(stranger(site, ""), site, "/login", unknown, guess).Work; got.Queries != 3 {
		t.Errorf("it asks %d times, want 3: %+v", got.Queries, got)
	}
}

// Each transaction waits for the disk: a login without a code is its payment and
// what the payment is for.
func TestALoginWithoutACodeWritesTwice(t *testing.T) {
	site := apptest.New(t)
	site.Administrator("eli@example.org")
	ada := site.Person("ada@example.org")
	got := sent(stranger(site, ""), site, "/login", ada.Address, url.Values{"password": {ada.Password}, "next": {""}})
	if got.Status != http.StatusSeeOther || got.Work.Transactions != 2 {
		t.Errorf("status %d after %d transactions, want 2", got.Status, got.Work.Transactions)
	}
}
