package kit

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
)

// Application signs its people in by OpenID Connect. Everyone may open it.
type Application struct {
	ID     string
	Secret string

	t    testing.TB
	site *Site
	back string // where people come back to
}

// Application adds one by command, with further flags.
func (s *Site) Application(name string, flags ...string) *Application {
	s.t.Helper()
	a := &Application{t: s.t, site: s, back: "https://" + strings.ToLower(name) + ".example.org/signed-in"}
	var shown struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	out := s.Command("", append([]string{"app", "add", name, "--url", "https://" + strings.ToLower(name) + ".example.org/",
		"--redirect-uri", a.back, "--allow-everyone", "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	a.ID, a.Secret = shown.ID, shown.Secret
	return a
}

// Visit is one sign-in as the application began it.
type Visit struct {
	Address  string // where the application sends the browser
	verifier string
}

// Begin begins a sign-in that lets the application go on while the person is
// away, with further parameters.
func (a *Application) Begin(parameters ...oauth2.AuthCodeOption) Visit {
	v := Visit{verifier: oauth2.GenerateVerifier()}
	c := oauth2.Config{ClientID: a.ID, RedirectURL: a.back, Scopes: []string{"openid", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: "/oidc/authorize"}}
	v.Address = c.AuthCodeURL("state", append(parameters, oauth2.S256ChallengeOption(v.verifier))...)
	return v
}

// CodeOf is the authorization code that an answer brings the application, ""
// for none.
func (a *Application) CodeOf(page *apptest.Page) string {
	to := page.SentTo()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, a.back) {
		return ""
	}
	return u.Query().Get("code")
}

// Tokens are what the application gets.
type Tokens struct {
	Status  int    // of the answer; 0 where none came
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// Exchange gives a code for tokens, at one of the servers.
func (a *Application) Exchange(server int, v Visit, code string) Tokens {
	a.t.Helper()
	return a.ask(server, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.back}, "code_verifier": {v.verifier}})
}

// RefreshBy gives a refresh token for newer ones.
func (a *Application) RefreshBy(server int, token string) Tokens {
	a.t.Helper()
	return a.ask(server, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (a *Application) ask(server int, form url.Values) (got Tokens) {
	a.t.Helper()
	b := a.site.Browser(server, "127.0.0.99")
	r := b.Request(http.MethodPost, "/oidc/token", form)
	r.Header.Del("Origin")
	r.SetBasicAuth(url.QueryEscape(a.ID), url.QueryEscape(a.Secret))
	page := b.Ask(r)
	_ = json.Unmarshal([]byte(page.Body), &got) // a refusal has no tokens
	got.Status = page.Status
	return got
}

// Opens tells whether an access token opens anything.
func (a *Application) Opens(server int, token string) bool {
	a.t.Helper()
	b := a.site.Browser(server, "127.0.0.99")
	r := b.Request(http.MethodGet, "/oidc/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return b.Ask(r).Status == http.StatusOK
}
