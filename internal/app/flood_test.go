package app_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
)

// A thousand requests for a new password, and as many sign-ups, from one network
// leave little behind, and the letter that somebody else waits for goes first.
func TestAFloodOfRequestsLeavesLittleAndHoldsNoLetterUp(t *testing.T) {
	site := apptest.New(t, "throttle_requests=20")
	ada := site.Person("ada@example.org")
	before := len(dump(t, site))
	flood := site.Browser()
	held := map[string]int{}
	for i := range 1000 {
		flood.Network = fmt.Sprintf("2001:db8:1:1::%x", i+1) // one customer
		email := fmt.Sprintf("stranger%d@example.org", i)
		for path, form := range map[string]url.Values{
			"/forgot-password": {"email": {email}},
			"/register":        {"email": {email}, "password": {guessed}, "next": {""}},
		} {
			page := flood.Once(path, form)
			if page.Status == http.StatusOK {
				continue
			}
			held[path]++
			if page.WantStatus(http.StatusTooManyRequests).Header.Get("Retry-After") == "" || !strings.Contains(page.Body, email) {
				t.Fatalf("%s says no time to come back, or not what was typed:\n%s", path, page.Body)
			}
		}
		site.Clock.Turn(100 * time.Millisecond)
	}
	if held["/forgot-password"] < 900 || held["/register"] < 900 {
		t.Errorf("of a thousand each, held back: %v", held)
	}
	const most = 30 // of a kind: twenty, and one after each doubled wait
	if grown := len(dump(t, site)) - before; grown > most*4 {
		t.Errorf("%d rows more", grown)
	}
	if letters := texts(t, database(t, site), `SELECT id FROM letters`); len(letters) > most {
		t.Errorf("%d letters", len(letters))
	}
	if counts := texts(t, database(t, site), `SELECT bucket FROM throttle`); len(counts) > 3*most {
		t.Errorf("%d counts", len(counts))
	}
	if told := texts(t, database(t, site), `SELECT detail FROM events WHERE kind = $1`, auth.EventRequestsHeld); len(told) == 0 || len(told) > most {
		t.Errorf("recorded %q", told)
	}

	elsewhere := site.Browser()
	elsewhere.Network = "192.0.2.77"
	elsewhere.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press().WantStatus(http.StatusOK)
	must(t, site.SendLetters(t.Context())) // a batch a second
	if waiting := texts(t, database(t, site), `SELECT id FROM letters WHERE kind = $1 AND done_at = 0`, auth.LetterReset); len(waiting) > 0 {
		t.Error("the link to a new password waits behind the flood")
	}
}

func TestAsLongAsANetworkMustWaitEveryAddressIsAnsweredAlike(t *testing.T) {
	site := apptest.New(t, "throttle_requests=20")
	emails := append(addresses(t, site), unknown)
	for path, form := range map[string]url.Values{
		"/forgot-password":       {},
		"/forgot-password/again": {},
		"/register":              {"password": {guessed}, "next": {""}},
		"/register/again":        {},
	} {
		t.Run(path, func(t *testing.T) {
			b := site.Browser()
			b.Network = "198.51.100." + fmt.Sprint(len(path))
			ask := func(email string) seen { return sent(b, site, path, email, form) }
			for range 20 {
				if got := ask("first@example.org").Status; got != http.StatusOK {
					t.Fatalf("answered %d", got)
				}
			}
			want := ask("first@example.org")
			if want.Status != http.StatusTooManyRequests || want.Work.Transactions != 0 || want.Work.Hashes != 0 {
				t.Fatalf("answered %d, and it took %+v", want.Status, want.Work)
			}
			for _, email := range emails {
				if got := ask(email); got != want {
					t.Errorf("%s: answered %d, took %+v; nobody %d, %+v", email, got.Status, got.Work, want.Status, want.Work)
				}
			}
			site.Clock.Turn(time.Second)
			if got := ask("first@example.org").Status; got != http.StatusOK {
				t.Errorf("after the wait %d", got)
			}
		})
	}
}

// No neighbour keeps the owner of an account out of a new password, in a browser
// that has finished a login of it.
func TestAKnownBrowserAsksForANewPasswordAlthoughItsNetworkWaits(t *testing.T) {
	site := apptest.New(t, "throttle_requests=20")
	ada, bea := site.Person("ada@example.org"), site.Person("bea@example.org")
	hers, neighbours := site.Browser(), site.Browser()
	hers.SignIn(ada)
	ask := func(b *apptest.Browser, email string, status int) {
		t.Helper()
		b.Once("/forgot-password", url.Values{"email": {email}}).WantStatus(status)
	}
	for range 20 {
		ask(neighbours, "stranger@example.org", http.StatusOK)
	}
	ask(neighbours, ada.Address, http.StatusTooManyRequests)
	ask(hers, bea.Address, http.StatusTooManyRequests)
	ask(hers, unknown, http.StatusTooManyRequests)
	for range 20 {
		ask(hers, ada.Address, http.StatusOK)
	}
	ask(hers, ada.Address, http.StatusTooManyRequests)
	another := site.Browser()
	another.SignIn(ada)
	ask(another, ada.Address, http.StatusTooManyRequests) // a login more brings no request more
}

// What was not looked at is not paid for, and what was looked at is: a refused
// password takes a processor as long as any other.
func TestASignUpPaysForWhatWasLookedAt(t *testing.T) {
	hashes, judges := slots.New(1, 0, time.Second), slots.New(1, 0, time.Second)
	site := apptest.NewWith(t, app.Options{Slots: hashes, Judges: judges}, "throttle_requests=20")
	b := site.Browser()
	begin := func(password string) *apptest.Page {
		return b.Once("/register", url.Values{"email": {"ada@example.org"}, "password": {password}, "next": {""}})
	}
	letGo := occupied(t, judges)
	for range 25 {
		begin(guessed).WantStatus(http.StatusServiceUnavailable)
	}
	letGo()
	letGo = occupied(t, hashes)
	for range 10 {
		begin(guessed).WantStatus(http.StatusServiceUnavailable)
	}
	letGo()
	for range 10 {
		begin("too short").WantStatus(http.StatusUnprocessableEntity)
	}
	begin("too short").WantStatus(http.StatusTooManyRequests)
}

// Many networks together fill no outbox: as long as too many sign-ups wait for
// their letter no other begins, and whoever comes is told.
func TestSignUpsDoNotFillTheOutbox(t *testing.T) {
	var log strings.Builder
	site := apptest.NewWith(t, app.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	begin := func(i int) *apptest.Page {
		site.Clock.Turn(time.Millisecond)
		b := site.Browser()
		b.Network = fmt.Sprintf("2001:db8:%x::1", i)
		return b.Once("/register", url.Values{"email": {fmt.Sprintf("p%d@example.org", i)}, "password": {guessed}, "next": {""}})
	}
	for i := range store.SignupsThatWait {
		begin(i).WantStatus(http.StatusOK)
	}
	page := begin(store.SignupsThatWait).WantStatus(http.StatusServiceUnavailable)
	if page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "p1000@example.org") {
		t.Errorf("no time to come back, or not what was typed:\n%s", page.Body)
	}
	if !strings.Contains(log.String(), "too many sign-ups wait for their letters") {
		t.Error("the log does not say why nobody signs up")
	}
	must(t, site.SendLetters(t.Context()))
	begin(store.SignupsThatWait).WantStatus(http.StatusOK)
}
