package kit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Application is a sample application that signs people in through a server, by
// a library that is not ours. It is on 127.0.0.1 and the server on localhost, so
// that to a browser they are two sites.
//
//	/           says who is signed in, or has the link "Sign in"
//	/sign-in    sends the browser to the server; its query is added to the request
//	/signed-in  takes the answer
//	/log-out    forgets who is signed in, and logs out of the server too
//	/in-window  has the button "Sign in in a window", which says who signed in there
type Application struct {
	Server   *httptest.Server
	ID       string
	Secret   string
	Provider *goidc.Provider

	t       testing.TB
	name    string
	mu      sync.Mutex
	begun   map[string]begun          // by state
	people  map[string]map[string]any // by cookie: the claims of the ID token
	tokens  map[string]string         // by cookie: the ID token
	Notices []string                  // logout tokens that came
}

type begun struct{ nonce, verifier, to string }

// Application adds an application by command, as an operator does, and starts
// it. Flags are further ones of `twinlock app add`.
func (s *Server) Application(t testing.TB, name string, flags ...string) *Application {
	t.Helper()
	a := &Application{t: t, name: name, begun: map[string]begun{}, people: map[string]map[string]any{}, tokens: map[string]string{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", a.start)
	routes.HandleFunc("GET /sign-in", a.signIn)
	routes.HandleFunc("GET /signed-in", a.signedIn)
	routes.HandleFunc("GET /log-out", a.logOut)
	routes.HandleFunc("GET /in-window", a.inWindow)
	routes.HandleFunc("POST /notice", a.notice)
	a.Server = httptest.NewServer(routes)
	t.Cleanup(a.Server.Close)
	added := struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}{}
	out := s.Run("", append([]string{"app", "add", name, "--url", a.Server.URL + "/", "--redirect-uri", a.Server.URL + "/signed-in",
		"--logout-uri", a.Server.URL + "/", "--logout-notice", a.Server.URL + "/notice", "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &added); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a.ID, a.Secret = added.ID, added.Secret
	var err error
	if a.Provider, err = goidc.NewProvider(context.Background(), s.URL); err != nil {
		t.Fatal(err)
	}
	return a
}

// URL is an address of the application.
func (a *Application) URL(path string) string { return a.Server.URL + path }

func (a *Application) oauth() *oauth2.Config {
	return &oauth2.Config{ClientID: a.ID, ClientSecret: a.Secret, Endpoint: a.Provider.Endpoint(),
		RedirectURL: a.URL("/signed-in"), Scopes: []string{"openid", "profile", "email", "groups"}}
}

func (a *Application) page(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>%[1]s</title><h1>%[1]s</h1>%[2]s`, html.EscapeString(a.name), body)
}

func (a *Application) who(r *http.Request) (claims map[string]any, token string) {
	cookie, err := r.Cookie("sample")
	if err != nil {
		return nil, ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.people[cookie.Value], a.tokens[cookie.Value]
}

func (a *Application) start(w http.ResponseWriter, r *http.Request) {
	if code := r.URL.Query().Get("error"); code != "" {
		a.page(w, "<p>Refused: "+html.EscapeString(code)+"</p>")
		return
	}
	if claims, _ := a.who(r); claims != nil {
		a.page(w, `<p>Signed in as `+html.EscapeString(fmt.Sprint(claims["email"]))+`</p><p>By `+
			html.EscapeString(fmt.Sprint(claims["amr"]))+`</p><p><a href="/log-out">Log out</a></p>`)
		return
	}
	a.page(w, `<p>Nobody is signed in</p><p><a href="/sign-in">Sign in</a></p>`)
}

func (a *Application) signIn(w http.ResponseWriter, r *http.Request) {
	state, b := rand.Text(), begun{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), to: "/"}
	more := []oauth2.AuthCodeOption{goidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier)}
	for name, values := range r.URL.Query() {
		if name == "window" {
			b.to = "/in-window"
			continue
		}
		more = append(more, oauth2.SetAuthURLParam(name, values[0]))
	}
	a.mu.Lock()
	a.begun[state] = b
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "state", Value: state, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, a.oauth().AuthCodeURL(state, more...), http.StatusFound)
}

func (a *Application) signedIn(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie("state")
	if err != nil || cookie.Value != query.Get("state") {
		http.Error(w, "another state than this browser's", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	b, ok := a.begun[query.Get("state")]
	delete(a.begun, query.Get("state"))
	a.mu.Unlock()
	if !ok {
		http.Error(w, "unknown state", http.StatusBadRequest)
		return
	}
	if code := query.Get("error"); code != "" {
		http.Redirect(w, r, "/?error="+url.QueryEscape(code), http.StatusFound)
		return
	}
	token, err := a.oauth().Exchange(r.Context(), query.Get("code"), oauth2.VerifierOption(b.verifier))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	raw, _ := token.Extra("id_token").(string)
	checked, err := a.Provider.Verifier(&goidc.Config{ClientID: a.ID, SkipExpiryCheck: true}).Verify(r.Context(), raw) // the server's clock is turned by tests
	if err != nil || checked.Nonce != b.nonce {
		http.Error(w, fmt.Sprintf("ID token: %v, nonce right: %v", err, err == nil && checked.Nonce == b.nonce), http.StatusBadGateway)
		return
	}
	var claims map[string]any
	if err := checked.Claims(&claims); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	kept := rand.Text()
	a.mu.Lock()
	a.people[kept], a.tokens[kept] = claims, raw
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "sample", Value: kept, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	if b.to == "/in-window" {
		a.page(w, `<script>opener.postMessage(`+quoted(claims["email"])+`, location.origin); close()</script><p>The window that opened this one is gone.</p>`)
		return
	}
	http.Redirect(w, r, b.to, http.StatusFound)
}

func quoted(v any) string {
	raw, _ := json.Marshal(fmt.Sprint(v))
	return string(raw)
}

func (a *Application) logOut(w http.ResponseWriter, r *http.Request) {
	_, token := a.who(r)
	http.SetCookie(w, &http.Cookie{Name: "sample", Path: "/", MaxAge: -1})
	var found struct {
		Logout string `json:"end_session_endpoint"`
	}
	if err := a.Provider.Claims(&found); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, found.Logout+"?"+url.Values{"id_token_hint": {token}, "post_logout_redirect_uri": {a.URL("/")}}.Encode(), http.StatusFound)
}

func (a *Application) inWindow(w http.ResponseWriter, _ *http.Request) {
	a.page(w, `<button onclick="open('/sign-in?window=1', 'sign-in', 'width=500,height=700')">Sign in in a window</button>
<p id="said">Nobody yet</p><script>addEventListener("message", e => { document.getElementById("said").textContent = "The window says " + e.data })</script>`)
}

func (a *Application) notice(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Notices = append(a.Notices, r.PostFormValue("logout_token"))
	clear(a.people) // one person at a time is enough for a sample
}

// Told tells how many logout notices came.
func (a *Application) Told() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.Notices)
}

// On tells whether a tab is at a path of the application.
func (a *Application) On(tab *Tab, path string) bool {
	at, _, _ := strings.Cut(tab.Address(), "?")
	return at == a.URL(path)
}
