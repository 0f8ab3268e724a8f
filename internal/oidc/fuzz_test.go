package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
)

// visitor asks the site without the kit, which belongs to the test around a
// fuzz target and not to the target.
type visitor struct {
	site    *apptest.Site
	cookies string
}

func visiting(site *apptest.Site, b *apptest.Browser) visitor {
	return visitor{site, "twinlock=" + b.Cookie("twinlock") + "; twinlock-login=" + b.Cookie("twinlock-login")}
}

func (v visitor) authorize(query string) (status int, to string) {
	r := httptest.NewRequest(http.MethodGet, "/oidc/authorize", nil)
	r.URL.RawQuery = query
	r.Header.Set("Cookie", v.cookies)
	w := httptest.NewRecorder()
	v.site.Handler.ServeHTTP(w, r)
	if to = w.Header().Get("Location"); to == "" {
		_, to, _ = strings.Cut(w.Header().Get("Refresh"), "url=")
	}
	return w.Code, to
}

// FuzzAuthorize: whatever an application sends, nobody is led anywhere but to
// the address that was registered, and nothing falls over.
func FuzzAuthorize(f *testing.F) {
	site := apptest.New(f)
	app := register(f, site)
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	v, id := visiting(site, browser), string(app.ID)
	for _, more := range []string{
		"", "&prompt=none", "&prompt=login", "&prompt=consent", "&max_age=0", "&response_mode=form_post", "&request=x", "&request_uri=y", "&state=a%0d%0ab",
		"&redirect_uri=https://evil.example/", "&scope=openid&scope=openid", "&acr_values=x", "&id_token_hint=a.b.c", "&ui_locales=de%00", "&login_hint=%ff", "%", ";a=b",
		"&nonce=<script>", "&state=%F0%9F%94%91", "&code_challenge_method=plain",
	} {
		f.Add("client_id=" + id + "&redirect_uri=" + url.QueryEscape(callback) + "&response_type=code&scope=openid&code_challenge=" +
			strings.Repeat("a", 43) + "&code_challenge_method=S256" + more)
	}
	f.Fuzz(func(t *testing.T, query string) {
		status, to := v.authorize(query)
		inside := strings.HasPrefix(to, "/login") || strings.HasPrefix(to, "/oidc/")
		if status >= 500 || to != "" && !inside && !strings.HasPrefix(to, callback+"?") {
			t.Errorf("%q: %d, sent to %q", query, status, to)
		}
		if strings.ContainsAny(to, "\r\n \"<>") {
			t.Errorf("%q: sent to %q", query, to)
		}
	})
}

// FuzzToken: whatever is asked with whatever proof, nothing is given for
// nothing, and nothing falls over.
func FuzzToken(f *testing.F) {
	site := apptest.New(f)
	app := register(f, site)
	signedIn(site, "ada@example.org")
	id, secret := app.OAuth.ClientID, app.OAuth.ClientSecret
	for _, header := range []string{"", "Basic ", "Basic Og==", "Bearer x", "basic " + id} {
		for _, body := range []string{
			"", "grant_type=authorization_code&code=x", "grant_type=refresh_token&refresh_token=" + strings.Repeat("a", 43),
			"client_id=" + id + "&client_secret=" + secret + "&grant_type=authorization_code&code=" + strings.Repeat("a", 43) + "&code_verifier=x&redirect_uri=y",
			"client_id=" + id + "&client_id=" + id, "token=x&client_id=" + id, "%zz", "a=%ff", "grant_type=password&username=a&password=b",
		} {
			f.Add(header, body)
		}
	}
	f.Fuzz(func(t *testing.T, header, body string) {
		for _, path := range []string{"/oidc/token", "/oidc/revoke", "/oidc/userinfo"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, string(site.Config.PublicURL)+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if header != "" {
				r.Header["Authorization"] = []string{header}
			}
			answer, err := app.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if given := answer.StatusCode == http.StatusOK && path != "/oidc/revoke"; answer.StatusCode >= 500 || given {
				t.Errorf("%s with %q and %q: %d", path, header, body, answer.StatusCode)
			}
		}
	})
}

// FuzzHint: no token is taken for one of ours but those that are.
func FuzzHint(f *testing.F) {
	site := apptest.New(f)
	app := register(f, site)
	_, browser := signedIn(site, "ada@example.org")
	token, _ := app.signIn(browser)
	ours, _ := token.Extra("id_token").(string)
	_, right, _ := strings.Cut(app.begin("prompt=none").Address, "?")
	v := visiting(site, browser)
	f.Add(ours)
	f.Add(ours + "x")
	f.Add(strings.ToUpper(ours))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Add("{}")
	f.Add(strings.Repeat("[", 9000))
	f.Fuzz(func(t *testing.T, hint string) {
		status, to := v.authorize(right + "&id_token_hint=" + url.QueryEscape(hint))
		refused := status == http.StatusBadRequest || strings.Contains(to, "error=invalid_request")
		if status >= 500 || hint != ours && hint != "" && !refused {
			t.Errorf("%q is taken for a token of ours: %d, sent to %q", hint, status, to)
		}
	})
}
