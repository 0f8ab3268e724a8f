package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// wiki is an application that people sign in to.
type wiki struct {
	auth.Application
	name   string // of its host
	secret secret.Token

	verifier string // of the visit that began last
	code     string // that came back of it
	tokens   tokens // that a flow began with
	newer    tokens // that came last
	ticket   string // the address that leads somebody in
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

func (w wiki) url() string  { return "https://" + w.name + ".example.org/" }
func (w wiki) back() string { return w.url() + "signed-in" }

var brokenApplications = map[string]brokenFlow{
	"sign-in to an application": {
		route: "POST /oidc/authorize",
		begin: func(s *scene) {
			s.speaks()
			s.signedIn()
			s.allows()
		},
		fill: func(s *scene) sending { return s.comingBack(posting(s.browser, "/oidc/authorize", s.visit())) },
		done: func(s *scene) bool { return s.wiki.code != "" },
	},
	"consent": {
		route: "POST /oidc/consent",
		begin: func(s *scene) {
			s.speaks()
			s.signedIn()
		},
		fill: func(s *scene) sending { return s.comingBack(s.browser.Get(s.visited()).Form("Allow")) },
		done: func(s *scene) bool { return s.wiki.code != "" },
	},
	"tokens for a code": {
		route: "POST /oidc/token",
		begin: func(s *scene) {
			s.speaks()
			s.signedIn()
			s.allows()
		},
		fill: (*scene).exchanges,
		done: func(s *scene) bool { return s.opensBy(s.wiki.newer) },
	},
	"newer tokens": {
		route: "POST /oidc/token",
		begin: (*scene).holdsTokens,
		fill: func(s *scene) sending {
			return s.byProgram("/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.wiki.tokens.Refresh}})
		},
		done: func(s *scene) bool { return s.opensBy(s.wiki.newer) },
	},
	"tokens revoked": {
		route: "POST /oidc/revoke",
		begin: (*scene).holdsTokens,
		fill: func(s *scene) sending {
			return s.byProgram("/oidc/revoke", url.Values{"token": {s.wiki.tokens.Access}})
		},
		done: func(s *scene) bool { return !s.opensBy(s.wiki.tokens) },
	},
	"logout by an application": {
		route: "POST /oidc/logout",
		begin: (*scene).holdsTokens,
		fill: func(s *scene) sending {
			return posting(s.browser, "/oidc/logout", url.Values{"id_token_hint": {s.wiki.tokens.ID}})
		},
		done: func(s *scene) bool { return s.sessions() == 0 },
	},
	"logout that an application asks for": {
		route: "POST /oidc/logout/confirm",
		begin: (*scene).holdsTokens,
		fill: func(s *scene) sending {
			return s.browser.Get("/oidc/logout?" + url.Values{"client_id": {string(s.wiki.ID)}}.Encode()).Form("Log out here")
		},
		done: func(s *scene) bool { return s.sessions() == 0 },
	},
	"access withdrawn": {
		route: "POST /account/applications/withdraw",
		begin: (*scene).holdsTokens,
		fill: func(s *scene) sending {
			return s.browser.Get("/account/applications").Form("Withdraw the access of " + s.wiki.Name)
		},
		done: func(s *scene) bool { return !s.opensBy(s.wiki.tokens) },
	},
	"hand-over to an application's host": {
		route: "GET /forward-auth/hand-over",
		begin: func(s *scene) {
			s.standsBehindProxy()
			s.signedIn()
		},
		fill: func(s *scene) sending {
			way := s.handOver()
			return request(func() *apptest.Page {
				page := s.browser.Get(way)
				s.wiki.ticket = page.SentTo()
				return page
			})
		},
		done: func(s *scene) bool { return s.wiki.ticket != "" && s.arrives() },
	},
	"arrival at an application's host": {
		route: "GET /forward-auth/caddy",
		begin: func(s *scene) {
			s.standsBehindProxy()
			s.signedIn()
		},
		fill: func(s *scene) sending {
			s.wiki.ticket = s.browser.Get(s.handOver()).SentTo()
			return request(func() *apptest.Page { return s.proxyAsks(s.wiki.ticket) })
		},
		done: func(s *scene) bool { return s.proxyAsks(s.wiki.url()).Status == http.StatusOK },
	},
}

// speaks adds an application that speaks OpenID Connect.
func (s *scene) speaks() {
	s.Helper()
	s.Activate(auth.OpenIDConnectPlugin)
	var err error
	s.wiki.Application, s.wiki.secret, err = s.Store.AddClient(s.Context(), apptest.Command,
		auth.Application{Name: s.wiki.name, URL: s.wiki.url(), Everyone: true}, auth.Client{RedirectURIs: []string{s.wiki.back()}}, s.Now())
	must(s.T, err)
}

// visited is where the application sends a browser that begins to sign in.
func (s *scene) visited() string { return "/oidc/authorize?" + s.visit().Encode() }

func (s *scene) visit() url.Values {
	s.Helper()
	s.wiki.verifier, s.wiki.code = oauth2.GenerateVerifier(), ""
	c := oauth2.Config{ClientID: string(s.wiki.ID), RedirectURL: s.wiki.back(), Scopes: []string{"openid", "groups", "offline_access"}}
	_, query, _ := strings.Cut(c.AuthCodeURL("state", oauth2.S256ChallengeOption(s.wiki.verifier)), "?")
	values, err := url.ParseQuery(query)
	must(s.T, err)
	return values
}

// comingBack keeps the code that an answer brings the application.
func (s *scene) comingBack(form sending) sending {
	return request(func() *apptest.Page {
		page := form.Press()
		to, err := url.Parse(page.SentTo())
		must(s.T, err)
		if strings.HasPrefix(to.String(), s.wiki.back()) {
			s.wiki.code = to.Query().Get("code")
		}
		return page
	})
}

// allows lets the person sign in to the application for the first time.
func (s *scene) allows() {
	s.Helper()
	s.comingBack(s.browser.Get(s.visited()).Form("Allow")).Press()
}

func (s *scene) exchanges() sending {
	return s.byProgram("/oidc/token", url.Values{"grant_type": {"authorization_code"}, "code": {s.wiki.code},
		"redirect_uri": {s.wiki.back()}, "code_verifier": {s.wiki.verifier}})
}

// holdsTokens is a scene in which the application has tokens.
func (s *scene) holdsTokens() {
	s.Helper()
	s.speaks()
	s.signedIn()
	s.allows()
	s.exchanges().Press()
	s.wiki.tokens, s.wiki.newer = s.wiki.newer, tokens{}
	if !s.opensBy(s.wiki.tokens) {
		s.Fatal("the application has no tokens")
	}
}

// byProgram sends what the application sends by itself.
func (s *scene) byProgram(path string, values url.Values) sending {
	return request(func() *apptest.Page {
		b := s.Browser()
		r := b.Request(http.MethodPost, path, values)
		r.Header.Del("Origin")
		r.SetBasicAuth(url.QueryEscape(string(s.wiki.ID)), url.QueryEscape(s.wiki.secret.Reveal()))
		page := b.Ask(r)
		s.wiki.newer = tokens{}
		_ = json.Unmarshal([]byte(page.Body), &s.wiki.newer) // a refusal has none
		return page
	})
}

// opensBy tells whether tokens open anything.
func (s *scene) opensBy(t tokens) bool {
	s.Helper()
	b := s.Browser()
	r := b.Request(http.MethodGet, "/oidc/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+t.Access)
	return b.Ask(r).Status == http.StatusOK
}

// standsBehindProxy adds an application behind a proxy, which asks for another
// browser from now on.
func (s *scene) standsBehindProxy() {
	s.Helper()
	s.Activate(auth.ForwardAuthPlugin)
	a, err := s.Store.AddApplication(s.Context(), apptest.Command,
		auth.Application{Kind: auth.BehindProxy, Name: s.wiki.name, URL: s.wiki.url(), Everyone: true}, s.Now())
	must(s.T, err)
	s.wiki.Application, s.there = a, s.Browser()
	s.there.Network = "10.0.0.1"
}

// proxyAsks asks about a visit of the browser at the application's host.
func (s *scene) proxyAsks(address string) *apptest.Page {
	s.Helper()
	at, err := url.Parse(address)
	must(s.T, err)
	r := s.there.Request(http.MethodGet, "/forward-auth/caddy", nil)
	for name, value := range map[string]string{"X-Forwarded-Proto": at.Scheme, "X-Forwarded-Host": at.Host,
		"X-Forwarded-Uri": at.RequestURI(), "X-Forwarded-Method": "GET", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"} {
		r.Header.Set(name, value)
	}
	return s.there.Ask(r)
}

// handOver is the address that the browser at the application's host is sent to,
// once its person is known here.
func (s *scene) handOver() string {
	s.Helper()
	login, err := url.Parse(s.proxyAsks(s.wiki.url()).Header.Get("Location"))
	must(s.T, err)
	return login.Query().Get("next")
}

// arrives follows the ticket, and tells whether it opened the application.
func (s *scene) arrives() bool {
	s.Helper()
	s.proxyAsks(s.wiki.ticket)
	return s.proxyAsks(s.wiki.url()).Status == http.StatusOK
}
