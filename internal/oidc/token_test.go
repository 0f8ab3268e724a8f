package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// codeFor gets a code and leaves it to the test.
func (a *application) codeFor(b *apptest.Browser, parameters ...string) (string, visit) {
	a.t.Helper()
	v := a.begin(parameters...)
	return a.code(allow(b, v), v), v
}

// form is a right request for tokens, to be spoilt.
func (a *application) form(code string, v visit) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.OAuth.RedirectURL}, "code_verifier": {v.Verifier}}
}

func TestACodeThatComesASecondTimeEndsWhatItGave(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	code, v := app.codeFor(browser, "scope=openid offline_access")
	got := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient)
	access, _ := got.JSON["access_token"].(string)
	refresh, _ := got.JSON["refresh_token"].(string)
	if !app.opens(access) || refresh == "" {
		t.Fatalf("the first time it gives %s", got.Body)
	}
	site.Clock.Turn(30 * time.Second)
	app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient).wantRefused(t, 400, "invalid_grant")
	if app.opens(access) {
		t.Error("the access token still opens something")
	}
	app.ask(http.MethodPost, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}, app.asClient).
		wantRefused(t, 400, "invalid_grant")
	if !recorded(t, site, auth.EventGrantMisused) {
		t.Error("nothing of it in the record")
	}
}

// However late it comes again, and whatever newer tokens were had for the first.
func TestACodeThatComesAgainEndsWhatWasRefreshedSince(t *testing.T) {
	for name, later := range map[string]time.Duration{"at once": 0, "after its time": 20 * time.Minute, "after days": 72 * time.Hour} {
		site := apptest.New(t)
		app := register(t, site)
		_, browser := signedIn(site, "ada@example.org")
		code, v := app.codeFor(browser, "scope=openid offline_access")
		first := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient)
		site.Clock.Turn(later)
		second := app.refresh(first.word("refresh_token"))
		if !app.opens(second.word("access_token")) {
			t.Fatalf("%s: %d %s", name, second.Status, second.Body)
		}
		wrong := app.form(code, v)
		wrong.Set("code_verifier", oauth2.GenerateVerifier()) // whoever has only the code
		app.ask(http.MethodPost, "/oidc/token", wrong, app.asClient).wantRefused(t, 400, "invalid_grant")
		if app.opens(second.word("access_token")) {
			t.Errorf("%s: the access token still opens something", name)
		}
		app.refresh(second.word("refresh_token")).wantRefused(t, 400, "invalid_grant")
	}
}

// Whoever was slower by a moment found the code unused, and comes too late all
// the same.
func TestOfTwoWhoBringOneTokenAtOnceNeitherKeepsAnything(t *testing.T) {
	for name, tt := range map[string]struct{ reads, faster string }{
		"a code":          {"WHERE g.code_hash = $1", `UPDATE grants SET code_used_at = 1`},
		"a refresh token": {"FROM tokens t JOIN grants g", `UPDATE tokens SET used_at = 1 WHERE kind = 'refresh'`},
	} {
		t.Run(name, func(t *testing.T) {
			var wire storetest.Wire
			site := apptest.NewWith(t, app.Options{Through: wire.Through})
			app := register(t, site)
			_, browser := signedIn(site, "ada@example.org")
			code, v := app.codeFor(browser, "scope=openid offline_access")
			form := app.form(code, v)
			if name == "a refresh token" {
				got := app.ask(http.MethodPost, "/oidc/token", form, app.asClient)
				form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.word("refresh_token")}}
			}
			came := meanwhile(t, site, &wire, tt.reads, tt.faster)
			app.ask(http.MethodPost, "/oidc/token", form, app.asClient).wantRefused(t, 400, "invalid_grant")
			if !came() || !recorded(t, site, auth.EventGrantMisused) {
				t.Errorf("somebody was faster: %v, and the record tells of it: %v", came(), recorded(t, site, auth.EventGrantMisused))
			}
		})
	}
}

// meanwhile lets somebody else write once, when the next request has read and is
// about to write itself. It gives whether that came about.
func meanwhile(t *testing.T, site *apptest.Site, wire *storetest.Wire, reads, faster string) (came func() bool) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	var mu sync.Mutex
	var read, done bool
	wire.Break(func(_ context.Context, c storetest.Call) error {
		mu.Lock()
		defer mu.Unlock()
		read = read || strings.Contains(c.Statement, reads)
		if begins := c.Statement == "" && !c.Commit; !begins || !read || done {
			return nil
		}
		done = true
		_, err := db.Exec(faster)
		return err
	}, nil)
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done
	}
}

func TestACodeIsGoodForOneMinute(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	for after, good := range map[time.Duration]bool{59 * time.Second: true, 60 * time.Second: false, 20 * time.Minute: false} {
		code, v := app.codeFor(browser)
		site.Clock.Turn(after)
		if _, err := app.exchange(code, v); (err == nil) != good {
			t.Errorf("after %s: %v", after, err)
		}
	}
}

func TestACodeIsGoodForItsApplicationAlone(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	code, v := app.codeFor(browser)
	other.ask(http.MethodPost, "/oidc/token", app.form(code, v), other.asClient).wantRefused(t, 400, "invalid_grant")
	if _, err := app.exchange(code, v); err != nil {
		t.Errorf("another's try cost the right one its code: %v", err)
	}
}

// Whoever presents a code wrongly may have it from somebody else: it is spent.
func TestACodeThatIsPresentedWronglyIsSpent(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	for name, spoil := range map[string]func(url.Values){
		"no verifier":      func(f url.Values) { f.Del("code_verifier") },
		"another verifier": func(f url.Values) { f.Set("code_verifier", oauth2.GenerateVerifier()) },
		"short verifier":   func(f url.Values) { f.Set("code_verifier", f.Get("code_verifier")[:42]) },
		"long verifier":    func(f url.Values) { f.Set("code_verifier", strings.Repeat("a", 129)) },
		"the challenge":    func(f url.Values) { f.Set("code_verifier", oauth2.S256ChallengeFromVerifier(f.Get("code_verifier"))) },
		"no address":       func(f url.Values) { f.Del("redirect_uri") },
		"another address":  func(f url.Values) { f.Set("redirect_uri", callback+"/") },
	} {
		code, v := app.codeFor(browser)
		wrong := app.form(code, v)
		spoil(wrong)
		if got := app.ask(http.MethodPost, "/oidc/token", wrong, app.asClient); got.JSON["error"] != "invalid_grant" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if got := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient); got.JSON["error"] != "invalid_grant" {
			t.Errorf("%s: the code is still good: %d %s", name, got.Status, got.Body)
		}
	}
}

// A challenge that somebody took out of the request on its way is noticed by the
// verifier that comes without one.
func TestAVerifierWithoutAChallengeIsRefused(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutPKCE = true })
	_, browser := signedIn(site, "ada@example.org")
	code, v := app.codeFor(browser, "code_challenge=", "code_challenge_method=")
	app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient).wantRefused(t, 400, "invalid_grant")
}

// What could be guessed is refused although it is what was challenged.
func TestAVerifierHasTheFormThatTheStandardSays(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	for verifier, good := range map[string]bool{
		strings.Repeat("a", 42): false, strings.Repeat("a", 43): true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false,
		strings.Repeat("-._~", 11): true, strings.Repeat("a", 43) + "+": false, strings.Repeat("a", 43) + "\n": false, strings.Repeat("ä", 43): false,
	} {
		code, v := app.codeFor(browser, "code_challenge="+oauth2.S256ChallengeFromVerifier(verifier))
		v.Verifier = verifier
		got := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient)
		if good && got.Status != http.StatusOK || !good && got.JSON["error"] != "invalid_grant" {
			t.Errorf("%q: %d %v", verifier, got.Status, got.JSON["error"])
		}
	}
}

func TestAnApplicationProvesItself(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	public := register(t, site, func(_ *auth.Application, c *auth.Client) { c.Public = true })
	_, browser := signedIn(site, "ada@example.org")
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	with := func(pairs ...string) func(url.Values) {
		return func(f url.Values) {
			for i := 0; i < len(pairs); i += 2 {
				f.Add(pairs[i], pairs[i+1])
			}
		}
	}
	id, right := app.OAuth.ClientID, app.OAuth.ClientSecret
	nothing := func(*http.Request) {}
	for name, try := range map[string]struct {
		prove func(*http.Request)
		form  func(url.Values)
		want  string
	}{
		"nothing":                       {nothing, with(), "invalid_client"},
		"no secret":                     {nothing, with("client_id", id), "invalid_client"},
		"an empty secret":               {nothing, with("client_id", id, "client_secret", ""), "invalid_client"},
		"a wrong secret":                {basic(id, "wrong"), with(), "invalid_client"},
		"a secret cut short":            {basic(id, right[:42]), with(), "invalid_client"},
		"another's secret":              {basic(id, other.OAuth.ClientSecret), with(), "invalid_client"},
		"an unknown client":             {basic("nobody", right), with(), "invalid_client"},
		"both places":                   {basic(id, right), with("client_id", id, "client_secret", right), "invalid_request"},
		"two client ids":                {basic(id, right), with("client_id", other.OAuth.ClientID), "invalid_request"},
		"a secret twice":                {nothing, with("client_id", id, "client_secret", right, "client_secret", right), "invalid_request"},
		"a header that is none":         {header("Basic ???"), with(), "invalid_client"},
		"another scheme":                {header("Bearer " + right), with(), "invalid_client"},
		"a public client with a secret": {basic(public.OAuth.ClientID, right), with(), "invalid_client"},
		"an assertion": {nothing, with("client_id", id, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"client_assertion", "eyJhbGciOiJub25lIn0.e30."), "invalid_client"},
	} {
		code, v := app.codeFor(browser)
		form := app.form(code, v)
		try.form(form)
		got := app.ask(http.MethodPost, "/oidc/token", form, try.prove)
		status := http.StatusUnauthorized
		if try.want == "invalid_request" {
			status = http.StatusBadRequest
		}
		if got.Status != status || got.JSON["error"] != try.want {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if _, err := app.exchange(code, v); err != nil {
			t.Errorf("%s: afterwards the code is spent: %v", name, err)
		}
		if got := app.ask(http.MethodPost, "/oidc/revoke", func() url.Values { f := url.Values{"token": {"x"}}; try.form(f); return f }(), try.prove); got.JSON["error"] != try.want {
			t.Errorf("%s, to revoke: %d %s", name, got.Status, got.Body)
		}
	}
}

// Some programs write every character as in a form, as they may (RFC 6749 §2.3.1).
func TestWhatProvesAnApplicationMayBeWrittenAsInAForm(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	written := func(plain string) string {
		var all strings.Builder
		for _, c := range []byte(plain) {
			fmt.Fprintf(&all, "%%%02X", c)
		}
		return all.String()
	}
	code, v := app.codeFor(browser)
	got := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), func(r *http.Request) {
		r.SetBasicAuth(written(app.OAuth.ClientID), written(app.OAuth.ClientSecret))
	})
	if got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestTheTokenAddressTakesNothingElse(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	for kind, want := range map[string]string{
		"": "invalid_request", "password": "unsupported_grant_type", "client_credentials": "unsupported_grant_type",
		"implicit": "unsupported_grant_type", "urn:ietf:params:oauth:grant-type:device_code": "unsupported_grant_type",
	} {
		app.ask(http.MethodPost, "/oidc/token", url.Values{"grant_type": {kind}, "username": {"ada@example.org"}, "password": {apptest.Password}}, app.asClient).
			wantRefused(t, 400, want)
	}
	code, v := app.codeFor(browser)
	if got := app.ask(http.MethodGet, "/oidc/token?"+app.form(code, v).Encode(), nil, app.asClient); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.Status)
	}
	twice := app.form(code, v)
	twice.Add("code", code)
	app.ask(http.MethodPost, "/oidc/token", twice, app.asClient).wantRefused(t, 400, "invalid_request")
	inAddress := app.ask(http.MethodPost, "/oidc/token?"+app.form(code, v).Encode(), url.Values{}, app.asClient)
	inAddress.wantRefused(t, 400, "invalid_request")
	asJSON := app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	asJSON.wantRefused(t, 400, "invalid_request")
	for _, junk := range []string{"", "x", strings.Repeat("a", 43), strings.Repeat("a", 5000)} {
		app.ask(http.MethodPost, "/oidc/token", app.form(junk, v), app.asClient).wantRefused(t, 400, "invalid_grant")
		app.ask(http.MethodPost, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {junk}}, app.asClient).wantRefused(t, 400, "invalid_grant")
	}
	if _, err := app.exchange(code, v); err != nil {
		t.Error(err)
	}
}

// away signs somebody in to an application that may come back while they are
// away.
func away(t *testing.T, app *application, b *apptest.Browser) *oauth2.Token {
	t.Helper()
	token, _ := app.signIn(b, "scope=openid email offline_access")
	if token.RefreshToken == "" {
		t.Fatal("no refresh token")
	}
	return token
}

// refresh spends a refresh token and gives what came of it.
func (a *application) refresh(token string, more ...string) reply {
	a.t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		form.Set(name, value)
	}
	return a.ask(http.MethodPost, "/oidc/token", form, a.asClient)
}

func (got reply) word(name string) string {
	word, _ := got.JSON[name].(string)
	return word
}

func TestARefreshTokenGivesNewerOnesOnce(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	first := away(t, app, browser)
	second := app.refresh(first.RefreshToken)
	if second.Status != http.StatusOK || !app.opens(second.word("access_token")) {
		t.Fatalf("%d %s", second.Status, second.Body)
	}
	app.refresh(first.RefreshToken).wantRefused(t, 400, "invalid_grant")
	app.refresh(second.word("refresh_token")).wantRefused(t, 400, "invalid_grant")
	if app.opens(second.word("access_token")) || app.opens(first.AccessToken) {
		t.Error("an access token outlives the family that was ended")
	}
}

func TestARefreshTellsTheSameLoginAndNoNonce(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin("scope=openid offline_access")
	token, err := app.exchange(app.code(allow(browser, v), v), v)
	must(t, err)
	first := app.verify(token, v.Nonce)
	site.Clock.Turn(time.Hour)
	got := app.refresh(token.RefreshToken)
	again := (&oauth2.Token{AccessToken: got.word("access_token")}).WithExtra(map[string]any{"id_token": got.word("id_token")})
	second := app.verify(again, "")
	if second.Subject != first.Subject || second.AuthTime != first.AuthTime || second.Session != first.Session {
		t.Errorf("%+v after %+v", second, first)
	}
}

func TestARefreshMayAskForLessAndNeverForMore(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser)
	app.refresh(token.RefreshToken, "scope=openid email groups").wantRefused(t, 400, "invalid_scope")
	app.refresh(token.RefreshToken, "scope=email").wantRefused(t, 400, "invalid_scope")
	less := app.refresh(token.RefreshToken, "scope=openid")
	if less.word("scope") != "openid" {
		t.Fatalf("%d %s", less.Status, less.Body)
	}
	if info := app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(less.word("access_token"))); info.JSON["email"] != nil {
		t.Errorf("userinfo says %s", info.Body)
	}
}

func TestARefreshTokenIsItsApplicationsAlone(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser)
	other.refresh(token.RefreshToken).wantRefused(t, 400, "invalid_grant")
	if got := app.refresh(token.RefreshToken); got.Status != http.StatusOK {
		t.Errorf("another's try cost the right one its token: %d %s", got.Status, got.Body)
	}
}

func TestRefreshTokensGoOnForThirtyDaysAndNoLonger(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser).RefreshToken
	for range 29 {
		site.Clock.Turn(24 * time.Hour)
		got := app.refresh(token)
		if got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		token = got.word("refresh_token")
	}
	site.Clock.Turn(24 * time.Hour)
	app.refresh(token).wantRefused(t, 400, "invalid_grant")
}

func TestAnAccessTokenWorksForTenMinutesAndNotBeyondItsSession(t *testing.T) {
	site := apptest.New(t, "session_overall=65m", "session_idle=65m", "open_window=65m")
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	site.Clock.Turn(10*time.Minute - time.Millisecond)
	if !app.opens(token.AccessToken) {
		t.Error("it works no more before its time")
	}
	site.Clock.Turn(time.Millisecond)
	if app.opens(token.AccessToken) {
		t.Error("it works for longer")
	}
	site.Clock.Turn(50 * time.Minute)
	late, _ := app.signIn(browser)
	site.Clock.Turn(5 * time.Minute)
	if app.opens(late.AccessToken) {
		t.Error("it outlives its session")
	}
}

// Whatever somebody does to end access ends it at the next request.
func TestNothingGoesOnAfterItsEnd(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *apptest.Site, *application, *apptest.Person, *apptest.Browser){
		"logout": func(t *testing.T, _ *apptest.Site, _ *application, _ *apptest.Person, b *apptest.Browser) {
			b.Post("/logout", nil).WantPath("/login")
		},
		"end of all sessions": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, _ *apptest.Browser) {
			_, err := s.Store.EndSessions(t.Context(), apptest.Command, p.ID, "", "test", s.Now())
			must(t, err)
		},
		"disabled": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, _ *apptest.Browser) {
			must(t, s.Store.DisableUser(t.Context(), apptest.Command, p.ID, s.Now()))
		},
		"deleted": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, _ *apptest.Browser) {
			must(t, s.Store.DeleteUser(t.Context(), apptest.Command, p.ID, s.Now()))
		},
		"password changed": func(t *testing.T, _ *apptest.Site, _ *application, p *apptest.Person, b *apptest.Browser) {
			b.Get("/account").Form("Change password").Fill("Current password", p.Password).Fill("New password", "eleven quiet otters paddle").Press().WantStatus(200)
		},
		"two-factor authentication enabled": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, b *apptest.Browser) {
			s.Activate(auth.TwoFactorPlugin)
			b.EnableTwoFactor(p)
		},
		"no longer allowed": func(_ *testing.T, s *apptest.Site, a *application, _ *apptest.Person, _ *apptest.Browser) {
			s.ChangeApplication(a.ID, func(is *auth.Application) { is.Everyone = false })
		},
		"two-factor authentication demanded": func(t *testing.T, s *apptest.Site, a *application, _ *apptest.Person, _ *apptest.Browser) {
			s.Activate(auth.TwoFactorPlugin)
			must(t, s.Store.RequireTwoFactor(t.Context(), apptest.Command, a.Application.ID, true, s.Now()))
		},
		"password reset by mail": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, _ *apptest.Browser) {
			resetPassword(t, s, p)
		},
		"ended in the list of sessions": func(t *testing.T, s *apptest.Site, _ *application, p *apptest.Person, _ *apptest.Browser) {
			live, err := s.Store.Sessions(t.Context(), p.ID)
			must(t, err)
			must(t, s.Store.EndSession(t.Context(), apptest.Command, p.ID, live[0].ID, auth.EventSessionEnded, "test", s.Now()))
		},
		"revoked by the application": func(t *testing.T, _ *apptest.Site, a *application, _ *apptest.Person, _ *apptest.Browser) {},
	} {
		t.Run(name, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site)
			ada, browser := signedIn(site, "ada@example.org")
			token := away(t, app, browser)
			code, v := app.codeFor(browser)
			end(t, site, app, ada, browser)
			if strings.HasPrefix(name, "revoked") {
				app.ask(http.MethodPost, "/oidc/revoke", url.Values{"token": {token.RefreshToken}}, app.asClient)
				code = "none"
			}
			if app.opens(token.AccessToken) {
				t.Error("the access token opens something")
			}
			app.refresh(token.RefreshToken).wantRefused(t, 400, "invalid_grant")
			app.ask(http.MethodPost, "/oidc/token", app.form(code, v), app.asClient).wantRefused(t, 400, "invalid_grant")
		})
	}
}

func TestWhatARemovedApplicationHasOpensNothing(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser)
	must(t, site.Store.DeleteApplication(t.Context(), apptest.Command, app.Application, site.Now()))
	if got := app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken)); got.Status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d %s", got.Status, got.Body)
	}
	app.refresh(token.RefreshToken).wantRefused(t, 401, "invalid_client")
	browser.Get(app.begin("prompt=none").Address).WantStatus(http.StatusBadRequest)
}

func TestATokenIsRevokedByItsApplicationAlone(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token := away(t, app, browser)
	for _, words := range []string{token.AccessToken, token.RefreshToken, "unknown", strings.Repeat("a", 43)} {
		if got := other.ask(http.MethodPost, "/oidc/revoke", url.Values{"token": {words}}, other.asClient); got.Status != http.StatusOK {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if !app.opens(token.AccessToken) {
		t.Error("another application ended it")
	}
	app.ask(http.MethodPost, "/oidc/revoke", url.Values{"token": {token.AccessToken}, "token_type_hint": {"refresh_token"}}, app.asClient)
	if app.opens(token.AccessToken) {
		t.Error("it is not revoked")
	}
	if got := app.refresh(token.RefreshToken); got.Status != http.StatusOK {
		t.Errorf("giving back an access token ended the refresh token: %s", got.Body)
	}
	app.ask(http.MethodPost, "/oidc/revoke", url.Values{}, app.asClient).wantRefused(t, 400, "invalid_request")
}

func TestUserinfoTakesATokenInOnePlace(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	raw, _ := token.Extra("id_token").(string)
	code, _ := app.codeFor(browser)
	inBody := url.Values{"access_token": {token.AccessToken}}
	for name, got := range map[string]reply{
		"in the header":        app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken)),
		"in the header, POST":  app.ask(http.MethodPost, "/oidc/userinfo", nil, withToken(token.AccessToken)),
		"in the body":          app.ask(http.MethodPost, "/oidc/userinfo", inBody),
		"bearer in lower case": app.ask(http.MethodGet, "/oidc/userinfo", nil, func(r *http.Request) { r.Header.Set("Authorization", "bearer "+token.AccessToken) }),
	} {
		if got.Status != http.StatusOK || got.JSON["sub"] == nil || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	for name, got := range map[string]reply{
		"in the address": app.ask(http.MethodGet, "/oidc/userinfo?"+inBody.Encode(), nil),
		"twice":          app.ask(http.MethodPost, "/oidc/userinfo", inBody, withToken(token.AccessToken)),
	} {
		if got.Status != http.StatusBadRequest || !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_request"`) {
			t.Errorf("%s: %d %s", name, got.Status, got.Header.Get("WWW-Authenticate"))
		}
	}
	for name, got := range map[string]reply{
		"an ID token":     app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(raw)),
		"made up":         app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(strings.Repeat("a", 43))),
		"the session's":   app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(browser.Cookie("twinlock"))),
		"a refresh token": app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(away(t, app, browser).RefreshToken)),
		"a code":          app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(code)),
		"cut short":       app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token.AccessToken[:42])),
		"unsigned":        app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0."+strings.Split(raw, ".")[1]+".")),
		"the secret":      app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(app.OAuth.ClientSecret)),
	} {
		if got.Status != http.StatusUnauthorized || !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %s", name, got.Status, got.Header.Get("WWW-Authenticate"))
		}
	}
	none := app.ask(http.MethodGet, "/oidc/userinfo", nil, func(r *http.Request) { r.Header.Set("Cookie", "twinlock="+browser.Cookie("twinlock")) })
	if none.Status != http.StatusUnauthorized || none.Header.Get("WWW-Authenticate") != `Bearer realm="Twinlock"` {
		t.Errorf("a cookie opens it: %d %s", none.Status, none.Header.Get("WWW-Authenticate"))
	}
}

// What is told of a login is what was proved, and when.
func TestTheIDTokenTellsWhatWasProved(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, plain := signedIn(site, "bea@example.org")
	_, got := app.signIn(plain)
	if !slices.Equal(got.Methods, []string{"pwd"}) || got.Class == acrCode || got.AuthTime != site.Now().Unix() {
		t.Errorf("by password: %+v", got)
	}
	if got.Audience != string(app.ID) || got.Expires-got.Issued != 600 || got.Session == "" {
		t.Errorf("%+v", got)
	}

	ada, browser := withPhone(site, "ada@example.org")
	browser.Post("/logout", nil)
	browser.SignIn(ada)
	began := site.Now().Unix()
	site.Clock.Turn(time.Minute)
	if _, got = app.signIn(browser); !slices.Equal(got.Methods, []string{"pwd", "otp", "mfa"}) || got.Class != acrCode || got.AuthTime != began {
		t.Errorf("by password and code: %+v, began %d", got, began)
	}
}

// A return through the open window proves the password alone: it claims no new
// code, and moves no time.
func TestAReturnThroughTheOpenWindowClaimsNoCode(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := withPhone(site, "ada@example.org")
	_, before := app.signIn(browser)
	returnThroughWindow(t, site, browser, ada)

	_, got := app.signIn(browser)
	if got.AuthTime != before.AuthTime || slices.Contains(got.Methods, "mfa") || got.Class == acrCode {
		t.Errorf("after the return: %+v, before it auth_time %d", got, before.AuthTime)
	}
	v := app.begin("acr_values=" + acrCode)
	page := browser.Get(v.Address).WantPath("/login/confirm")
	if page.HasButton("Confirm") {
		t.Error("the password is asked for, which was just given")
	}
	site.Clock.Turn(time.Second)
	page = page.Form("Send code").Fill("Login code", ada.Code()).Press()
	token, err := app.exchange(app.code(page, v), v)
	must(t, err)
	if got = app.verify(token, v.Nonce); got.Class != acrCode {
		t.Errorf("after a code: %+v", got)
	}
}

// prompt=login and max_age are not satisfied by a return either.
func TestAReturnIsNoFreshLogin(t *testing.T) {
	for _, parameter := range []string{"prompt=login", "max_age=59"} {
		site := apptest.New(t, "session_idle=30m") // a request waits for an hour
		app := register(t, site)
		ada, browser := withPhone(site, "ada@example.org")
		app.signIn(browser)
		v := app.begin(parameter)
		browser.Get(v.Address).WantPath("/login/confirm")
		next := browser.Get(v.Address).Form("Confirm").Values.Get("next")
		returnThroughWindow(t, site, browser, ada)
		if page := browser.Get(next).WantPath("/login/confirm"); page.SentTo() != "" {
			t.Errorf("%s: a return is enough", parameter)
		}
	}
}

// returnThroughWindow lets a session lapse and brings it back, as a page that
// stayed open does.
func returnThroughWindow(t *testing.T, site *apptest.Site, b *apptest.Browser, p *apptest.Person) {
	t.Helper()
	state := b.Once("/login/window/state", url.Values{})
	var answer struct{ Secret, Standing string }
	must(t, json.Unmarshal([]byte(state.Body), &answer))
	site.Clock.Turn(site.Config.SessionIdle)
	back := b.Once("/login/window", url.Values{"password": {p.Password}, "secret": {answer.Secret}})
	if back.Status != http.StatusOK {
		t.Fatalf("no return: %d %s", back.Status, back.Body)
	}
}

// forgeries of an ID token that an application was given.
func forgeries(t *testing.T, site *apptest.Site, app *application, raw string) map[string]string {
	t.Helper()
	parts := strings.Split(raw, ".")
	head, payload := parts[0], parts[1]
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	keys, err := site.Store.SigningKeys(t.Context())
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(keys[0].Private().Public())
	must(t, err)
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	hs256 := encode(`{"alg":"HS256","kid":"` + keys[0].ID + `","typ":"JWT"}`)
	mac := func(key []byte) string {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(hs256 + "." + payload))
		return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	stranger := forgersKey(t)
	own, ok := keys[0].Private().(*ecdsa.PrivateKey)
	if !ok {
		t.Fatalf("the first key is a %T", keys[0].Private())
	}
	ours := forger{own}
	says := func(old, other string) string {
		words := decode(t, payload)
		if !strings.Contains(words, old) {
			t.Fatalf("%s has no %s", words, old)
		}
		return encode(strings.Replace(words, old, other, 1))
	}
	kid := `"kid":"` + keys[0].ID + `"`
	return map[string]string{
		"no algorithm":                 encode(`{"alg":"none"}`) + "." + payload + ".",
		"no algorithm, with our kid":   encode(`{"alg":"none","kid":"`+keys[0].ID+`","typ":"JWT"}`) + "." + payload + "." + parts[2],
		"HMAC with our public key":     hs256 + "." + payload + "." + mac(public),
		"HMAC with our PEM":            hs256 + "." + payload + "." + mac(asPEM),
		"another payload":              head + "." + encode(`{"iss":"http://localhost:8080","sub":"x","aud":"`+string(app.ID)+`"}`) + "." + parts[2],
		"no signature":                 head + "." + payload + ".",
		"a stranger's key":             stranger.sign(t, `{"alg":"ES256","kid":"`+keys[0].ID+`","typ":"JWT"}`, payload),
		"a stranger's key, sent along": stranger.sign(t, `{"alg":"ES256","kid":"x","typ":"JWT","jwk":`+stranger.jwk(t)+`}`, payload),
		"a stranger's key, elsewhere":  stranger.sign(t, `{"alg":"ES256","kid":"x","typ":"JWT","jku":"https://evil.example/keys"}`, payload),
		"ours, by another issuer":      ours.sign(t, `{"alg":"ES256",`+kid+`,"typ":"JWT"}`, says(string(site.Config.PublicURL), "https://evil.example")),
		"ours, for several":            ours.sign(t, `{"alg":"ES256",`+kid+`,"typ":"JWT"}`, says(`"`+string(app.ID)+`"`, `["`+string(app.ID)+`","x"]`)),
		"ours, for another":            ours.sign(t, `{"alg":"ES256",`+kid+`,"typ":"JWT"}`, says(`"`+string(app.ID)+`"`, `"x"`)),
		"ours, an access token":        ours.sign(t, `{"alg":"ES256",`+kid+`,"typ":"at+jwt"}`, payload),
		"ours, of no type":             ours.sign(t, `{"alg":"ES256",`+kid+`}`, payload),
		"ours, without a name":         ours.sign(t, `{"alg":"ES256","typ":"JWT"}`, payload),
		"ours, under another name":     ours.sign(t, `{"alg":"ES256","kid":"x","typ":"JWT"}`, payload),
		"ours, with what nobody knows": ours.sign(t, `{"alg":"ES256",`+kid+`,"typ":"JWT","crit":["x"],"x":1}`, payload),
		"ours, in three lines":         strings.ReplaceAll(raw, ".", ".\n"),
		"ours, twice":                  raw + raw,
		"encrypted":                    encode(`{"alg":"dir","enc":"A256GCM"}`) + "....",
		"endless":                      strings.Repeat("a", 9000),
	}
}

// Tokens that are not ours, or not what they say, are no hint.
func TestAForgedHintIsRefused(t *testing.T) {
	site := apptest.New(t)
	app, other := register(t, site), register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	hints := forgeries(t, site, app, hintOf(t, app, browser))
	hints["another's token"] = hintOf(t, other, browser)
	for name, hint := range hints {
		v := app.begin("prompt=none", "id_token_hint="+hint)
		got := app.answer(browser.Get(v.Address))
		if got.Get("error") != "invalid_request" || got.Get("code") != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Nor do they log anybody out, or lead anywhere.
func TestAForgedHintLogsNobodyOut(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	ada, browser := signedIn(site, "ada@example.org")
	for name, hint := range forgeries(t, site, app, hintOf(t, app, browser)) {
		page := browser.Get(logoutAddress("id_token_hint", hint, "post_logout_redirect_uri", afterLogout))
		if page.SentTo() != "" || !isIn(browser) {
			t.Fatalf("%s: sent to %q, still signed in: %v", name, page.SentTo(), isIn(browser))
		}
		if page = page.Form("Log out here").Press(); strings.HasPrefix(page.SentTo(), "https:") {
			t.Errorf("%s: sent to %s", name, page.SentTo())
		}
		browser.SignIn(ada)
	}
}

// forger signs with a key of their own.
type forger struct{ key *ecdsa.PrivateKey }

func forgersKey(t *testing.T) forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return forger{key}
}

func (s forger) jwk(t *testing.T) string {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: s.key.Public()})
	must(t, err)
	return string(raw)
}

func (s forger) sign(t *testing.T, head, payload string) string {
	t.Helper()
	signed := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + payload
	sum := sha256.Sum256([]byte(signed))
	r, sig, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	must(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), sig.FillBytes(make([]byte, 32))...))
}

func recorded(t *testing.T, site *apptest.Site, kind auth.EventKind) bool {
	t.Helper()
	found, err := site.Store.Events(t.Context(), store.EventFilter{Kind: kind})
	must(t, err)
	return len(found) > 0
}
