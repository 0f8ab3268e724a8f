package oidc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// callback is where the answers to the sample application go.
const callback = "https://wiki.example.org/signed-in"

// application is a sample application. What it knows of OpenID Connect is not
// our own code.
type application struct {
	auth.Application
	Client   auth.Client
	Provider *goidc.Provider
	OAuth    oauth2.Config
	HTTP     *http.Client // to the site, without a network

	t    testing.TB
	site *apptest.Site
}

// register sets an application up that everyone may open, changed as a test
// wants it.
func register(t testing.TB, site *apptest.Site, change ...func(*auth.Application, *auth.Client)) *application {
	t.Helper()
	a := auth.Application{Name: "Wiki", URL: "https://wiki.example.org/", Everyone: true}
	c := auth.Client{RedirectURIs: []string{callback}, LogoutURIs: []string{"https://wiki.example.org/"}}
	for _, f := range change {
		f(&a, &c)
	}
	made, clientSecret, err := site.Store.AddClient(t.Context(), apptest.Command, a, c, site.Now())
	if err != nil {
		t.Fatal(err)
	}
	app := &application{Application: made, t: t, site: site, HTTP: &http.Client{
		Transport:     straight{t, site},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if app.Client, err = site.Store.Client(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	app.Provider = app.discovered()
	app.OAuth = oauth2.Config{
		ClientID: string(made.ID), ClientSecret: clientSecret.Reveal(), Endpoint: app.Provider.Endpoint(),
		RedirectURL: callback, Scopes: []string{"openid", "profile", "email", "groups"},
	}
	if len(c.RedirectURIs) > 0 {
		app.OAuth.RedirectURL = c.RedirectURIs[0]
	}
	return app
}

// straight hands requests to the site.
type straight struct {
	t    testing.TB
	site *apptest.Site
}

func (s straight) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "192.0.2.80:40000"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	s.site.Handler.ServeHTTP(w, in)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

func (a *application) context() context.Context {
	return goidc.ClientContext(a.t.Context(), &http.Client{Transport: straight{a.t, a.site}})
}

// visit is one sign-in as the application began it.
type visit struct {
	State, Nonce, Verifier string
	Address                string // where the application sends the browser
}

// begin begins a sign-in, with parameters that take the place of the usual ones;
// "" leaves one out.
func (a *application) begin(parameters ...string) visit {
	a.t.Helper()
	v := visit{State: "state-" + oauth2.GenerateVerifier(), Nonce: "nonce-" + oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	address, err := url.Parse(a.OAuth.AuthCodeURL(v.State, goidc.Nonce(v.Nonce), oauth2.S256ChallengeOption(v.Verifier)))
	if err != nil {
		a.t.Fatal(err)
	}
	query := address.Query()
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		if query.Set(name, value); value == "" {
			query.Del(name)
		}
	}
	address.RawQuery = query.Encode()
	v.Address = address.RequestURI()
	return v
}

// allow opens a sign-in in a browser whose person is signed in, agrees where
// that is asked, and gives the page that leads back.
func allow(b *apptest.Browser, v visit) *apptest.Page {
	page := b.Get(v.Address)
	if page.HasButton("Allow") {
		page = page.Form("Allow").Press()
	}
	return page
}

// answer is what came back to the application. It fails where nothing did, or
// not to the address that the application named.
func (a *application) answer(page *apptest.Page) url.Values {
	a.t.Helper()
	to := page.SentTo()
	if !strings.HasPrefix(to, a.OAuth.RedirectURL) {
		a.t.Fatalf("at %s (%d), led to %q, want %s\n%s", page.Path, page.Status, to, a.OAuth.RedirectURL, page.Text())
	}
	u, err := url.Parse(to)
	if err != nil {
		a.t.Fatal(err)
	}
	return u.Query()
}

// wantError fails unless the application was told this error.
func (a *application) wantError(page *apptest.Page, v visit, code string) {
	a.t.Helper()
	got := a.answer(page)
	if got.Get("error") != code || got.Get("code") != "" {
		a.t.Errorf("error %q (%s), want %s", got.Get("error"), got.Get("error_description"), code)
	}
	a.checkAnswer(got, v)
}

func (a *application) checkAnswer(got url.Values, v visit) {
	a.t.Helper()
	if got.Get("state") != v.State || got.Get("iss") != string(a.site.Config.PublicURL) {
		a.t.Errorf("state %q, iss %q", got.Get("state"), got.Get("iss"))
	}
}

// code gives the code of an answer.
func (a *application) code(page *apptest.Page, v visit) string {
	a.t.Helper()
	got := a.answer(page)
	if got.Get("code") == "" {
		a.t.Fatalf("no code: %v", got)
	}
	a.checkAnswer(got, v)
	return got.Get("code")
}

// exchange exchanges a code as the library does.
func (a *application) exchange(code string, v visit, more ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	return a.OAuth.Exchange(a.context(), code, append(more, oauth2.VerifierOption(v.Verifier))...)
}

// said are the claims of an ID token.
type said struct {
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Issued   int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce"`
	Class    string   `json:"acr"`
	Methods  []string `json:"amr"`
	Session  string   `json:"sid"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Verified bool     `json:"email_verified"`
	Groups   []string `json:"groups"`
}

// verify checks an ID token as the library does, by the published keys.
func (a *application) verify(token *oauth2.Token, nonce string) said {
	a.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	verifier := a.Provider.VerifierContext(a.context(), &goidc.Config{ClientID: string(a.ID), Now: a.site.Now})
	checked, err := verifier.Verify(a.context(), raw)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := checked.VerifyAccessToken(token.AccessToken); err != nil {
		a.t.Error(err)
	}
	var s said
	if err := checked.Claims(&s); err != nil {
		a.t.Fatal(err)
	}
	if s.Nonce != nonce {
		a.t.Errorf("nonce %q, want %q", s.Nonce, nonce)
	}
	return s
}

// signIn goes through a whole sign-in of somebody who is signed in to the site.
func (a *application) signIn(b *apptest.Browser, parameters ...string) (*oauth2.Token, said) {
	a.t.Helper()
	v := a.begin(parameters...)
	token, err := a.exchange(a.code(allow(b, v), v), v)
	if err != nil {
		a.t.Fatal(err)
	}
	return token, a.verify(token, v.Nonce)
}

// reply is what a program was answered.
type reply struct {
	Status int
	Header http.Header
	Body   string
	JSON   map[string]any
}

// ask sends a request that no library would.
func (a *application) ask(method, path string, form url.Values, change ...func(*http.Request)) reply {
	a.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, string(a.site.Config.PublicURL)+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(r)
	}
	answer, err := a.HTTP.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := reply{Status: answer.StatusCode, Header: answer.Header, Body: string(raw)}
	_ = json.Unmarshal(raw, &got.JSON)
	return got
}

// asClient proves who is asking by the secret, in the header.
func (a *application) asClient(r *http.Request) {
	r.SetBasicAuth(url.QueryEscape(a.OAuth.ClientID), url.QueryEscape(a.OAuth.ClientSecret))
}

// withToken carries an access token.
func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// wantRefused fails unless a program was told this error.
func (got reply) wantRefused(t *testing.T, status int, code string) {
	t.Helper()
	if got.Status != status || got.JSON["error"] != code {
		t.Errorf("%d %s, want %d %s", got.Status, got.Body, status, code)
	}
	if got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", got.Header.Get("Cache-Control"))
	}
}

// opens tells whether an access token still opens something.
func (a *application) opens(token string) bool {
	a.t.Helper()
	return a.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(token)).Status == http.StatusOK
}

// signedIn is a person who is signed in to the site.
func signedIn(site *apptest.Site, email string) (*apptest.Person, *apptest.Browser) {
	p, b := site.Person(email), site.Browser()
	b.SignIn(p)
	return p, b
}

// withPhone is one who uses two-factor authentication.
func withPhone(site *apptest.Site, email string) (*apptest.Person, *apptest.Browser) {
	site.Activate(auth.TwoFactorPlugin)
	p, b := signedIn(site, email)
	b.EnableTwoFactor(p)
	site.Clock.Turn(time.Minute)
	return p, b
}

func parse(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// decode gives the words of one part of a signed token.
func decode(t *testing.T, part string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// discovered reads the configuration, and with it the keys, anew.
func (a *application) discovered() *goidc.Provider {
	a.t.Helper()
	p, err := goidc.NewProvider(a.context(), string(a.site.Config.PublicURL))
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// keyOf is the name of the key that signed an ID token.
func keyOf(t *testing.T, token *oauth2.Token) string {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	var head struct {
		KeyID string `json:"kid"`
	}
	if err := json.Unmarshal([]byte(decode(t, strings.Split(raw, ".")[0])), &head); err != nil {
		t.Fatal(err)
	}
	return head.KeyID
}
