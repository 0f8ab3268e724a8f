package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/redirect"
	"github.com/twinlock/twinlock/internal/secret"
)

// openIDFlags say how an application speaks OpenID Connect.
type openIDFlags struct {
	RedirectURI []string `help:"An address that sign-ins are answered to, exactly as the application has it; it makes the application speak OpenID Connect." sep:"none" placeholder:"URI"`
	Scope       []string `help:"What it may ask for, besides openid: profile, email, groups, offline_access. Unless one is named, all; whatever else it asks for is left out." placeholder:"SCOPE"`
	openIDAlone
}

// openIDAlone are of no use without a redirect URI.
type openIDAlone struct {
	LogoutURI      string `help:"An address that people may be led to after a logout." placeholder:"URI"`
	LogoutNotice   string `help:"An address that is told when somebody's session ends (back-channel logout). A name that leads into a private network needs logout_notice_networks." placeholder:"URI"`
	Public         bool   `help:"It runs in a browser or on a phone and can keep no secret."`
	WithoutPKCE    bool   `name:"without-pkce" help:"It keeps a secret and knows no code challenge (PKCE)."`
	WithoutConsent bool   `help:"Nobody is asked what it may learn: the administrator agrees for everybody. Public applications with http or a scheme of their own ask all the same."`
	RS256          bool   `name:"rs256" help:"Sign its ID tokens with RSA, for applications that know nothing newer."`
}

func (f openIDFlags) client() (auth.Client, error) {
	c := auth.Client{Public: f.Public, WithoutPKCE: f.WithoutPKCE, WithoutConsent: f.WithoutConsent,
		RedirectURIs: f.RedirectURI, LogoutNotice: f.LogoutNotice, Algorithm: algorithm(f.RS256)}
	if f.LogoutURI != "" {
		c.LogoutURIs = []string{f.LogoutURI}
	}
	if len(f.Scope) > 0 {
		var err error
		if c.Scopes, err = readScopes(f.Scope); err != nil {
			return c, err
		}
	}
	return c, checkClient(c)
}

// readScopes reads what an application may ask for. Without openid it could not
// sign anybody in: that is always among them.
func readScopes(words []string) (auth.Scopes, error) {
	for _, word := range words {
		if !auth.AllScopes.Has(auth.Scope(word)) {
			return nil, fmt.Errorf("there is no scope %q; there are %s", word, auth.AllScopes)
		}
	}
	return auth.ParseScopes(strings.Join(append(words, string(auth.ScopeOpenID)), " ")), nil
}

func algorithm(rsa bool) auth.Algorithm {
	if rsa {
		return auth.RS256
	}
	return auth.ES256
}

// checkClient refuses what could lead people astray.
func checkClient(c auth.Client) error {
	return cmp.Or(redirect.CheckClient(c))
}

func (c *appAdd) addClient(s *surroundings, a auth.Application) (auth.Application, secret.Token, error) {
	client, err := c.client()
	if err != nil {
		return a, secret.Token{}, err
	}
	return s.app.Store.AddClient(s.ctx, s.by, a, client, s.app.Now())
}

// shownClient is an application that speaks OpenID Connect as JSON shows one.
type shownClient struct {
	shownApp
	Issuer         string             `json:"issuer"`
	ClientID       auth.ApplicationID `json:"client_id"`
	ClientSecret   string             `json:"client_secret,omitempty"` // once, when it was made
	Public         bool               `json:"public"`
	RedirectURIs   []string           `json:"redirect_uris"`
	LogoutURIs     []string           `json:"logout_uris"`
	LogoutNotice   string             `json:"logout_notice"`
	Scopes         auth.Scopes        `json:"scopes"`
	WithoutPKCE    bool               `json:"without_pkce"`
	WithoutConsent bool               `json:"without_consent"`
	Algorithm      auth.Algorithm     `json:"algorithm"`
}

func (s *surroundings) printClient(a shownApp, made secret.Token, asJSON bool) error {
	c, err := s.app.Store.Client(s.ctx, a.ID)
	if err != nil {
		return err
	}
	shown := shownClient{shownApp: a, Issuer: string(s.app.Config.PublicURL), ClientID: a.ID, Public: c.Public,
		RedirectURIs: with([]string{}, c.RedirectURIs), LogoutURIs: with([]string{}, c.LogoutURIs), LogoutNotice: c.LogoutNotice,
		Scopes: c.Scopes, WithoutPKCE: c.WithoutPKCE, WithoutConsent: c.WithoutConsent, Algorithm: c.Algorithm}
	if !made.IsZero() {
		shown.ClientSecret = made.Reveal()
	}
	if asJSON {
		return s.json(shown)
	}
	return s.table(shown.lines())
}

// tellOtherSide prints what is copied into the application, the secret only
// here.
func (s *surroundings) tellOtherSide(a auth.Application, made secret.Token) error {
	fmt.Fprintf(s.out, "  issuer: %s\n  client ID: %s\n", s.app.Config.PublicURL, a.ID)
	if made.IsZero() {
		_, err := fmt.Fprintln(s.out, "  no client secret: it is a public client, with PKCE")
		return err
	}
	_, err := fmt.Fprintf(s.out, "  client secret: %s\n  The secret is shown this once.\n", made.Reveal())
	return err
}

func (c shownClient) lines() [][2]string {
	return append(c.shownApp.lines(), [][2]string{
		{"issuer", c.Issuer}, {"client ID", string(c.ClientID)}, {"public", yesNo(c.Public)},
		{"redirect URIs", strings.Join(c.RedirectURIs, " ")}, {"logout URIs", strings.Join(c.LogoutURIs, " ")},
		{"logout notice", c.LogoutNotice}, {"may ask for", c.Scopes.String()}, {"PKCE demanded", yesNo(c.Public || !c.WithoutPKCE)},
		{"consent asked", yesNo(!c.WithoutConsent)}, {"signed with", string(c.Algorithm)},
	}...)
}
