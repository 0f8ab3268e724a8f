package oidc_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

const afterLogout = "https://wiki.example.org/"

func logoutAddress(pairs ...string) string {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return "/oidc/logout?" + query.Encode()
}

func hintOf(t *testing.T, app *application, b *apptest.Browser) string {
	t.Helper()
	token, _ := app.signIn(b)
	hint, _ := token.Extra("id_token").(string)
	return hint
}

func isIn(b *apptest.Browser) bool {
	page := b.Get("/account/sessions")
	return page.Status == http.StatusOK && strings.HasPrefix(page.Path, "/account/sessions")
}

func TestAnApplicationThatSpeaksOfThisSessionLogsOutAtOnce(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	for name, later := range map[string]time.Duration{"at once": 0, "with an ID token that ran out": 50 * time.Minute, "of a session that has lapsed": 2 * time.Hour} {
		_, browser := signedIn(site, name[:2]+"@example.org")
		hint := hintOf(t, app, browser)
		site.Clock.Turn(later)
		page := browser.Get(logoutAddress("id_token_hint", hint, "post_logout_redirect_uri", afterLogout, "state", "a b"))
		if page.Status != http.StatusSeeOther || page.SentTo() != afterLogout+"?state=a+b" {
			t.Errorf("%s: %d, sent to %q", name, page.Status, page.SentTo())
		}
		if !strings.Contains(page.Header.Get("Clear-Site-Data"), "storage") || browser.Cookie("twinlock") != "" || isIn(browser) {
			t.Errorf("%s: still logged in", name)
		}
	}
}

func TestWithoutAnAddressPeopleStayHere(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	browser.Get(logoutAddress("id_token_hint", hintOf(t, app, browser), "state", "x")).WantPath("/login").WantDone("You are logged out.")
}

// A link that anybody could have made logs nobody out.
func TestWhoeverCannotBeSureIsAsked(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, beas := signedIn(site, "bea@example.org")
	beaHint := hintOf(t, app, beas)
	ada, browser := signedIn(site, "ada@example.org")
	olderHint := hintOf(t, app, browser)
	browser.Post("/logout", nil)
	browser.SignIn(ada)
	hint := hintOf(t, app, browser)
	for name, try := range map[string]struct {
		address string
		to      string // where "Log out" leads
	}{
		"nothing":                    {logoutAddress(), ""},
		"only a state":               {logoutAddress("state", "x"), ""},
		"only an address":            {logoutAddress("post_logout_redirect_uri", afterLogout), ""},
		"a client":                   {logoutAddress("client_id", string(app.ID), "post_logout_redirect_uri", afterLogout), afterLogout},
		"an unknown client":          {logoutAddress("client_id", "nobody", "post_logout_redirect_uri", afterLogout), ""},
		"another person's token":     {logoutAddress("id_token_hint", beaHint, "post_logout_redirect_uri", afterLogout), afterLogout},
		"another session's token":    {logoutAddress("id_token_hint", olderHint, "post_logout_redirect_uri", afterLogout), afterLogout},
		"a token that was altered":   {logoutAddress("id_token_hint", hint[:len(hint)-8]+"AAAAAAAA", "post_logout_redirect_uri", afterLogout), ""},
		"a token that is none":       {logoutAddress("id_token_hint", "x", "post_logout_redirect_uri", afterLogout), ""},
		"a token and another client": {logoutAddress("id_token_hint", hint, "client_id", "other", "post_logout_redirect_uri", afterLogout), ""},
	} {
		page := browser.Get(try.address).WantStatus(http.StatusOK)
		if !isIn(browser) {
			t.Fatalf("%s: logged out by a link", name)
		}
		page = page.Form("Log out here").Press()
		if isIn(browser) {
			t.Errorf("%s: still logged in", name)
		}
		if to := page.SentTo(); to != try.to {
			t.Errorf("%s: sent to %q, want %q", name, to, try.to)
		}
		browser.SignIn(ada)
	}
}

func TestAfterALogoutPeopleGoOnlyWhereWasRegistered(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	for i, address := range []string{"https://evil.example/", afterLogout + "x", afterLogout + "?a=b", afterLogout + "#a", "https://wiki.example.org", callback, "javascript:alert(1)", "//evil.example"} {
		_, browser := signedIn(site, string(rune('a'+i))+"@example.org")
		page := browser.Get(logoutAddress("id_token_hint", hintOf(t, app, browser), "post_logout_redirect_uri", address))
		if to := page.SentTo(); to != "" && !strings.HasPrefix(to, "/login") {
			t.Errorf("%s: sent to %q", address, to)
		}
	}
	if page := site.Browser().Get(logoutAddress("client_id", string(app.ID), "post_logout_redirect_uri", "https://evil.example/")); page.SentTo() != "" {
		t.Errorf("whoever is not logged in is sent to %q", page.SentTo())
	}
}

func TestALookLogsNobodyOut(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	address := logoutAddress("id_token_hint", hintOf(t, app, browser))
	head := browser.Request(http.MethodHead, address, nil)
	browser.Ask(head)
	image := browser.Request(http.MethodGet, address, nil)
	image.Header.Set("Sec-Fetch-Mode", "no-cors")
	browser.Ask(image)
	ahead := browser.Request(http.MethodGet, address, nil)
	ahead.Header.Set("Sec-Purpose", "prefetch")
	browser.Ask(ahead)
	if !isIn(browser) {
		t.Error("logged out")
	}
}

func TestALogoutThatIsPostedWorksToo(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	r := browser.Request(http.MethodPost, "/oidc/logout", url.Values{"id_token_hint": {hintOf(t, app, browser)}, "post_logout_redirect_uri": {afterLogout}})
	r.Header.Set("Origin", "https://wiki.example.org")
	page := browser.Ask(r).WantStatus(http.StatusSeeOther)
	if !isIn(browser) {
		t.Error("a form of another site logs out")
	}
	if page = browser.Get(page.Header.Get("Location")); page.SentTo() != afterLogout || isIn(browser) {
		t.Errorf("sent to %q", page.SentTo())
	}
}

func TestTheAnswerToALogoutIsBoundToItsBrowser(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	form := browser.Get(logoutAddress("client_id", string(app.ID), "post_logout_redirect_uri", afterLogout)).Form("Log out here")
	_, beas := signedIn(site, "bea@example.org")
	beas.Get("/login")
	if page := beas.Post("/oidc/logout/confirm", form.Values); page.Status != http.StatusBadRequest || !isIn(beas) {
		t.Errorf("%d", page.Status)
	}
}

// receiver is an application that wants to hear of logouts.
type receiver struct {
	*httptest.Server
	answer func(http.ResponseWriter, *http.Request)

	mu     sync.Mutex
	tokens []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		r.tokens = append(r.tokens, q.PostFormValue("logout_token"))
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(w, q)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tokens)
}

func toldAt(address string) func(*auth.Application, *auth.Client) {
	return func(_ *auth.Application, c *auth.Client) { c.LogoutNotice = address }
}

func TestApplicationsAreToldWhenASessionEnds(t *testing.T) {
	site := apptest.New(t)
	wiki, notes := newReceiver(t), newReceiver(t)
	app, second := register(t, site, toldAt(wiki.URL)), register(t, site, toldAt(notes.URL), func(_ *auth.Application, c *auth.Client) { c.Algorithm = auth.RS256 })
	_, browser := signedIn(site, "ada@example.org")
	_, got := app.signIn(browser)
	second.signIn(browser)
	second.signIn(browser)
	browser.Post("/logout", nil)
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	if len(notes.heard()) != 1 || len(wiki.heard()) != 1 {
		t.Fatalf("heard %d and %d times", len(wiki.heard()), len(notes.heard()))
	}

	token, err := jwt.ParseSigned(wiki.heard()[0], []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	if kind := token.Headers[0].ExtraHeaders["typ"]; kind != "logout+jwt" {
		t.Errorf("typ %v", kind)
	}
	var keys jose.JSONWebKeySet
	must(t, json.Unmarshal([]byte(app.ask(http.MethodGet, "/oidc/keys", nil).Body), &keys))
	var all map[string]any
	must(t, token.Claims(keys.Key(token.Headers[0].KeyID)[0], &all))
	events, _ := all["events"].(map[string]any)
	event, _ := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	if all["iss"] != string(site.Config.PublicURL) || all["aud"] != string(app.ID) || all["sub"] != got.Subject || all["sid"] != got.Session ||
		event == nil || len(event) != 0 || all["jti"] == "" {
		t.Errorf("%v", all)
	}
	if _, has := all["nonce"]; has {
		t.Error("it has a nonce")
	}
	if life := all["exp"].(float64) - all["iat"].(float64); life <= 0 || life > 120 {
		t.Errorf("good for %v seconds", life)
	}
}

// An application that keeps the names of tokens takes none twice.
func TestEachLogoutTokenHasANameOfItsOwn(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	app := register(t, site, toldAt(wiki.URL))
	for _, email := range []string{"ada@example.org", "bea@example.org"} {
		_, browser := signedIn(site, email)
		app.signIn(browser)
		browser.Post("/logout", nil)
	}
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	names := map[string]bool{}
	for _, token := range wiki.heard() {
		var told struct {
			Name string `json:"jti"`
		}
		must(t, json.Unmarshal([]byte(decode(t, strings.Split(token, ".")[1])), &told))
		names[told.Name] = true
	}
	if len(names) != 2 || names[""] {
		t.Errorf("two tokens are called %v", names)
	}
}

// Nobody ended it: what the documentation promises is word of an ending.
func TestNobodyIsToldOfASessionThatRanOut(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	app := register(t, site, toldAt(wiki.URL))
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	for what, later := range map[string]time.Duration{"it lapsed": 2 * time.Hour, "it is over": 25 * time.Hour} {
		site.Clock.Turn(later)
		if isIn(browser) {
			t.Fatalf("%s: it is live", what)
		}
		must(t, site.OpenID.SendLogoutNotices(t.Context()))
		if n := len(wiki.heard()); n != 0 {
			t.Errorf("%s: heard %d times", what, n)
		}
	}
}

// A logout token is none of the other kinds.
func TestALogoutTokenIsNoHint(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	app := register(t, site, toldAt(wiki.URL))
	ada, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	browser.Post("/logout", nil)
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	browser.SignIn(ada)
	v := app.begin("prompt=none", "id_token_hint="+wiki.heard()[0])
	app.wantError(browser.Get(v.Address), v, "invalid_request")
}

// An application that is gone, slow or hostile is tried again, for a while, and
// nobody's logout waits for it.
func TestAnApplicationThatDoesNotHearIsToldAgainForAWhile(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	wiki.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	app := register(t, site, toldAt(wiki.URL))
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	browser.Post("/logout", nil)
	for range 400 {
		must(t, site.OpenID.SendLogoutNotices(t.Context()))
		site.Clock.Turn(2 * time.Minute)
	}
	if n := len(wiki.heard()); n != 6 {
		t.Errorf("told %d times", n)
	}
	if !recorded(t, site, auth.EventLogoutNoticeFailed) {
		t.Error("nothing in the record")
	}
}

func TestAnApplicationThatRefusesIsNotToldAgain(t *testing.T) {
	site := apptest.New(t)
	wiki := newReceiver(t)
	wiki.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }
	app := register(t, site, toldAt(wiki.URL))
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	browser.Post("/logout", nil)
	for range 3 {
		must(t, site.OpenID.SendLogoutNotices(t.Context()))
		site.Clock.Turn(time.Hour)
	}
	if n := len(wiki.heard()); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A name that leads into a private network leads there the next time, too. The
// record says which setting allows it.
func TestANoticeIntoAPrivateNetworkIsGivenUpAtOnceAndTheRecordSaysWhatToSet(t *testing.T) {
	for networks, told := range map[string]int{"": 0, "logout_notice_networks=127.0.0.0/8": 1} {
		site := apptest.New(t, strings.Fields(networks)...)
		wiki := newReceiver(t)
		app := register(t, site, toldAt(strings.Replace(wiki.URL, "127.0.0.1", "LOCALHOST", 1)))
		_, browser := signedIn(site, "ada@example.org")
		app.signIn(browser)
		browser.Post("/logout", nil)
		must(t, site.OpenID.SendLogoutNotices(t.Context()))
		if n := len(wiki.heard()); n != told {
			t.Errorf("with %q it is told %d times", networks, n)
		}
		events, err := site.Store.Events(t.Context(), store.EventFilter{Kind: auth.EventLogoutNoticeFailed})
		must(t, err)
		if len(events) != 1-told || told == 0 && !strings.Contains(events[0].Detail, "logout_notice_networks") {
			t.Errorf("with %q the record says %+v", networks, events)
		}
	}
}

func TestANoticeFollowsNoRedirectAndReadsLittle(t *testing.T) {
	site := apptest.New(t)
	var visited atomic.Bool
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Store(true) }))
	defer inside.Close()
	var written atomic.Int64
	wiki := newReceiver(t)
	wiki.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", inside.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		n, _ := io.Copy(w, io.LimitReader(endless{}, 50<<20))
		written.Store(n)
	}
	app := register(t, site, toldAt(wiki.URL))
	_, browser := signedIn(site, "ada@example.org")
	app.signIn(browser)
	browser.Post("/logout", nil)
	must(t, site.OpenID.SendLogoutNotices(t.Context()))
	wiki.Close() // waits for the handler
	if visited.Load() {
		t.Error("the redirect was followed")
	}
	if n := written.Load(); n > 40<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
