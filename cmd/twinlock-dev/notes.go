package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// notes is a sample application that signs people in by OpenID Connect, through
// a library that is not ours. It is set up by what `twinlock app add … --json`
// printed.
type notes struct {
	Address   string   `json:"url"`
	Issuer    string   `json:"issuer"`
	ID        string   `json:"client_id"`
	Secret    string   `json:"client_secret"`
	Redirects []string `json:"redirect_uris"`

	provider *oidc.Provider
	mu       sync.Mutex
	begun    map[string]begun  // by state, which is in a cookie too
	people   map[string]person // by cookie
}

type begun struct{ nonce, verifier string }

// readNotes reads the file, and asks the server what it offers.
func readNotes(ctx context.Context, file string) (*notes, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	n := &notes{begun: map[string]begun{}, people: map[string]person{}}
	if err := json.Unmarshal(raw, n); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if n.ID == "" || len(n.Redirects) == 0 {
		return nil, fmt.Errorf("%s is not what twinlock app add NAME --url URL --redirect-uri URI --json prints", file)
	}
	n.provider, err = oidc.NewProvider(ctx, n.Issuer)
	return n, err
}

func (n *notes) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", n.start)
	mux.HandleFunc("GET /sign-in", n.signIn)
	mux.HandleFunc("GET /signed-in", n.signedIn)
	return mux
}

func (n *notes) oauth() *oauth2.Config {
	return &oauth2.Config{ClientID: n.ID, ClientSecret: n.Secret, Endpoint: n.provider.Endpoint(),
		RedirectURL: n.Redirects[0], Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

var samplePage = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>body{font:1.125rem/1.6 system-ui;max-width:36rem;margin:12vh auto;padding:0 1.5rem}</style>
<h1>{{.Title}}</h1>{{if .Person}}<p>Here is {{.Person}}.</p>{{else}}<p>Nobody is signed in.</p>{{end}}{{if .Link}}<p><a href="{{.Link}}">Sign in</a></p>{{end}}`))

func showSample(w http.ResponseWriter, title, person, link string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = samplePage.Execute(w, map[string]string{"Title": title, "Person": person, "Link": link})
}

func (n *notes) start(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("notes"); err == nil {
		n.mu.Lock()
		p, ok := n.people[cookie.Value]
		n.mu.Unlock()
		if ok {
			showSample(w, "Notes", p.Email, "")
			return
		}
	}
	showSample(w, "Notes", "", "/sign-in")
}

func (n *notes) signIn(w http.ResponseWriter, r *http.Request) {
	state, b := rand.Text(), begun{nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	n.mu.Lock()
	n.begun[state] = b
	n.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "notes-state", Value: state, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, n.oauth().AuthCodeURL(state, oidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier)), http.StatusFound)
}

func (n *notes) signedIn(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	n.mu.Lock()
	b, known := n.begun[query.Get("state")]
	delete(n.begun, query.Get("state"))
	n.mu.Unlock()
	cookie, err := r.Cookie("notes-state")
	if err != nil || !known || cookie.Value != query.Get("state") {
		http.Error(w, "this browser did not begin here", http.StatusBadRequest)
		return
	}
	if refused := query.Get("error"); refused != "" {
		http.Error(w, "refused: "+refused, http.StatusForbidden)
		return
	}
	p, err := n.exchange(r.Context(), query.Get("code"), b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	kept := rand.Text()
	n.mu.Lock()
	n.people[kept] = p
	n.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "notes", Value: kept, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusFound)
}

// exchange gives who the code is about.
func (n *notes) exchange(ctx context.Context, code string, b begun) (p person, err error) {
	token, err := n.oauth().Exchange(ctx, code, oauth2.VerifierOption(b.verifier))
	if err != nil {
		return p, err
	}
	raw, _ := token.Extra("id_token").(string)
	checked, err := n.provider.Verifier(&oidc.Config{ClientID: n.ID}).Verify(ctx, raw)
	switch {
	case err != nil:
		return p, err
	case checked.Nonce != b.nonce:
		return p, fmt.Errorf("the nonce is another's")
	}
	return p, checked.Claims(&p)
}

// serveSample serves a sample application at its address until the program is to
// end.
func serveSample(ctx context.Context, name, address string, handler http.Handler) error {
	at, err := url.Parse(address)
	if err != nil {
		return err
	}
	fmt.Printf("%s is at %s\n", name, address)
	server := &http.Server{Addr: "127.0.0.1:" + at.Port(), Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// wiki is a sample application that takes who is there from its proxy.
func wiki(w http.ResponseWriter, r *http.Request) {
	showSample(w, "Wiki", r.Header.Get("Remote-User"), "")
}
