package app_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// What PostgreSQL keeps in no text comes to no database: the byte zero, and
// bytes that are no UTF-8. Whoever sends them did something wrong, not we.
func TestWhatNoTextHoldsIsRefusedOnBothEngines(t *testing.T) {
	for engine, settings := range map[string]func(*testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"database_url=" + storetest.PostgreSQL(t)} },
	} {
		t.Run(engine, func(t *testing.T) {
			site := apptest.New(t, settings(t)...)
			client, _, err := site.Store.AddClient(t.Context(), apptest.Command, auth.Application{Name: "Wiki", Everyone: true},
				auth.Client{RedirectURIs: []string{"https://wiki.example.org/"}, WithoutPKCE: true, WithoutConsent: true}, site.Now())
			must(t, err)
			site.Activate(auth.ForwardAuthPlugin)
			browser := site.Browser()
			browser.SignIn(site.Administrator("eli@example.org"))
			for _, wrong := range []string{"%00", "%FF", "a%00b"} {
				for _, r := range spoiltRequests(site, browser, client.ID, wrong) {
					asked := r.Method + " " + r.URL.String()
					if page := browser.Ask(r); page.Status < 400 || page.Status >= 500 {
						t.Errorf("%s: %d", asked, page.Status)
					}
				}
			}
		})
	}
}

var pathValue = regexp.MustCompile(`\{[^}$]+\}`)

// spoiltRequests hold something wrong in each place of an address and of what
// applications send, one at a time.
func spoiltRequests(site *apptest.Site, browser *apptest.Browser, client auth.ApplicationID, wrong string) (all []*http.Request) {
	for _, rt := range site.Floor.Routes() {
		if pathValue.MatchString(rt.Path) {
			all = append(all, browser.Request(rt.Method, pathValue.ReplaceAllString(rt.Path, wrong), nil))
		}
	}
	raw, _ := url.QueryUnescape(wrong)
	right := url.Values{"client_id": {string(client)}, "redirect_uri": {"https://wiki.example.org/"}, "response_type": {"code"}, "scope": {"openid"}}
	for _, name := range []string{"client_id", "redirect_uri", "state", "nonce", "scope", "login_hint", "acr_values", "ui_locales", "id_token_hint"} {
		values := url.Values{name: {raw}}
		for other := range right {
			if other != name {
				values.Set(other, right.Get(other))
			}
		}
		all = append(all, browser.Request(http.MethodGet, "/oidc/authorize?"+values.Encode(), nil))
	}
	for _, name := range []string{"client_id", "id_token_hint", "post_logout_redirect_uri", "state"} {
		all = append(all, browser.Request(http.MethodGet, "/oidc/logout?"+url.Values{name: {raw}}.Encode(), nil))
	}
	for _, path := range []string{"/oidc/token", "/oidc/revoke"} {
		for _, name := range []string{"client_id", "client_secret", "grant_type", "code", "token"} {
			all = append(all, browser.Request(http.MethodPost, path, url.Values{name: {raw}}))
		}
		for _, user := range []string{wrong, raw} {
			r := browser.Request(http.MethodPost, path, url.Values{"grant_type": {"refresh_token"}})
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":secret")))
			all = append(all, r)
		}
	}
	for _, address := range []string{"/login?email=", "/register?next=", "/admin/users?search=", "/admin/events?person=", "/apps?search=", "/oidc/continue?waiting="} {
		all = append(all, browser.Request(http.MethodGet, address+wrong, nil))
	}
	return all
}
