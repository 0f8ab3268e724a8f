package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

const guessed = "seven grey herons over Ghent"

// seen is what a stranger sees of an answer, and what it took.
type seen struct {
	Status  int
	Cookies int
	Body    string
	Work    app.Work
}

// stranger is a browser elsewhere each time, so that no network has to wait.
func stranger(site *apptest.Site, carries string) *apptest.Browser {
	b := site.Browser()
	b.Network = fmt.Sprintf("2001:db8:%x::1", site.Work().Queries)
	if carries != "" {
		b.SetCookie("twinlock-device", carries)
	}
	return b
}

func sent(b *apptest.Browser, site *apptest.Site, path, email string, form url.Values) seen {
	values := url.Values{"email": {email}}
	for name, value := range form {
		values[name] = value
	}
	before := site.Work()
	page := b.Once(path, values)
	after := site.Work()
	return seen{page.Status, len(page.Header["Set-Cookie"]), strings.ReplaceAll(page.Body, email, "ADDRESS"), app.Work{
		Work: store.Work{Queries: after.Queries - before.Queries, Transactions: after.Transactions - before.Transactions,
			Statements: after.Statements - before.Statements},
		Hashes: after.Hashes - before.Hashes,
	}}
}

// addresses are those of everybody whom a stranger must not tell from nobody.
func addresses(t *testing.T, site *apptest.Site) []string {
	t.Helper()
	site.Activate(auth.TwoFactorPlugin)
	site.Person("known@example.org")
	site.Administrator("administrator@example.org")
	protected, inside := site.Person("protected@example.org"), site.Browser()
	inside.SignIn(protected)
	inside.EnableTwoFactor(protected)
	disabled := site.Person("disabled@example.org")
	if err := site.Store.DisableUser(t.Context(), apptest.Command, disabled.ID, site.Now()); err != nil {
		t.Fatal(err)
	}
	invited, err := address.Parse("invited@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Store.InviteUser(t.Context(), apptest.Command, store.NewUser{Address: invited}, site.InvitationLink(), site.Now()); err != nil {
		t.Fatal(err)
	}
	site.Browser().Get("/register").Form("Create account").
		Fill("Email", "begun@example.org").Fill("Password", apptest.Password).Press()
	site.Browser().Get("/login") // whether passkeys are offered is remembered from here on, for whoever comes
	return []string{"known@example.org", "administrator@example.org", "protected@example.org", "disabled@example.org",
		"invited@example.org", "begun@example.org"}
}

const unknown = "nobody@example.org"

// wantAlike asks for everybody what is asked for nobody.
func wantAlike(t *testing.T, site *apptest.Site, path, what string, form url.Values, status int, emails []string, carries string) {
	t.Helper()
	want := sent(stranger(site, carries), site, path, unknown, form)
	if want.Status != status {
		t.Fatalf("%s: status %d, want %d", what, want.Status, status)
	}
	for _, email := range emails {
		got := sent(stranger(site, carries), site, path, email, form)
		switch {
		case got.Work != want.Work:
			t.Errorf("%s, %s: it took %+v, and for nobody %+v", what, email, got.Work, want.Work)
		case got != want:
			t.Errorf("%s, %s: answered %d with %d cookies, same page %v, and nobody %d", what, email, got.Status, got.Cookies,
				got.Body == want.Body, want.Status)
		}
	}
}

// A whole walk of failures, from the first to the closed door and beyond.
func TestALoginTakesTheSameWorkWhoeverHasTheAddress(t *testing.T) {
	site := apptest.New(t, "throttle_closed=12")
	emails := addresses(t, site)
	wrong := url.Values{"password": {guessed}, "next": {""}}
	for failures := range site.Config.ThrottleClosed {
		wantAlike(t, site, "/login", "a wrong password", wrong, http.StatusUnprocessableEntity, emails, "")
		if failures >= site.Config.ThrottleFree-1 && failures < site.Config.ThrottleClosed-1 {
			wantAlike(t, site, "/login", "a wait", wrong, http.StatusTooManyRequests, emails, "")
		}
		site.Clock.Turn(site.Config.ThrottleLongestWait)
	}
	for range 3 {
		wantAlike(t, site, "/login", "a closed door, an hour later", wrong, http.StatusTooManyRequests, emails, "")
		wantAlike(t, site, "/login", "a closed door", wrong, http.StatusTooManyRequests, emails, "")
		site.Clock.Turn(time.Hour)
	}
}

func TestADeviceThatNobodyKnowsTakesTheSameWorkWhoeverHasTheAddress(t *testing.T) {
	site := apptest.New(t)
	emails := addresses(t, site)
	wrong := url.Values{"password": {guessed}, "next": {""}}
	wantAlike(t, site, "/login", "with a device made up", wrong, http.StatusUnprocessableEntity, emails, secret.New().Reveal())
	wantAlike(t, site, "/login", "with no device at all", wrong, http.StatusUnprocessableEntity, emails, "rubbish")
}

// Whoever signs up with somebody's address knows the password of the sign-up,
// if there is one: a right password there must look like a wrong one.
func TestAPasswordOfOnesOwnSignUpTakesTheWorkOfAWrongOne(t *testing.T) {
	site := apptest.New(t)
	addresses(t, site)
	for range site.Config.ThrottleNetwork {
		wantAlike(t, site, "/login", "the sign-up's password", url.Values{"password": {apptest.Password}, "next": {""}},
			http.StatusUnprocessableEntity, []string{"disabled@example.org", "begun@example.org"}, "")
		site.Clock.Turn(site.Config.ThrottleLongestWait)
	}
}

func TestAForgottenPasswordTakesTheSameWorkWhoeverHasTheAddress(t *testing.T) {
	site := apptest.New(t)
	emails := addresses(t, site)
	for range site.Config.LettersPerHour + 1 {
		wantAlike(t, site, "/forgot-password", "a forgotten password", nil, http.StatusOK, emails, "")
		wantAlike(t, site, "/forgot-password/again", "once more", nil, http.StatusOK, emails, "")
	}
}

func TestASignUpTakesTheSameWorkWhoeverHasTheAddress(t *testing.T) {
	site := apptest.New(t)
	emails := addresses(t, site)
	for range site.Config.LettersPerHour + 1 {
		wantAlike(t, site, "/register", "a sign-up", url.Values{"password": {guessed}}, http.StatusOK, emails, "")
		wantAlike(t, site, "/register/again", "once more", nil, http.StatusOK, emails, "")
	}
}

func TestALetterAgainTakesTheSameWorkInTheBrowserThatSignedUp(t *testing.T) {
	for name, settings := range map[string]func(*testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"database_url=" + storetest.PostgreSQL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			site := apptest.New(t, settings(t)...)
			emails := addresses(t, site)
			ask := func(email string) seen {
				b := stranger(site, "")
				sent(b, site, "/register", email, url.Values{"password": {guessed}})
				return sent(b, site, "/register/again", email, nil)
			}
			want := ask(unknown)
			for _, email := range emails {
				if got := ask(email); got != want {
					t.Errorf("%s: answered %d, took %+v; nobody %d, %+v", email, got.Status, got.Work, want.Status, want.Work)
				}
			}
		})
	}
}
