package main

import (
	"fmt"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/redirect"
)

// openIDFlags say how an application speaks OpenID Connect.
type openIDFlags struct {
	RedirectURI []string `help:"An address that sign-ins are answered to, exactly as the application has it; it makes the application speak OpenID Connect." sep:"none" placeholder:"URI"`
	openIDAlone
}

// openIDAlone are of no use without a redirect URI.
type openIDAlone struct {
	LogoutURI      string `help:"An address that people may be led to after a logout." placeholder:"URI"`
	LogoutNotice   string `help:"An address that is told when somebody's session ends (back-channel logout)." placeholder:"URI"`
	Public         bool   `help:"It runs in a browser or on a phone and can keep no secret."`
	WithoutPKCE    bool   `name:"without-pkce" help:"It keeps a secret and knows no code challenge (PKCE)."`
	WithoutConsent bool   `help:"Nobody is asked what it may learn: the administrator agrees for everybody."`
	RS256          bool   `name:"rs256" help:"Sign its ID tokens with RSA, for applications that know nothing newer."`
}

// client reads the flags, and refuses what could lead people astray.
func (f openIDFlags) client() (auth.Client, error) {
	c := auth.Client{Public: f.Public, WithoutPKCE: f.WithoutPKCE, WithoutConsent: f.WithoutConsent,
		RedirectURIs: f.RedirectURI, LogoutNotice: f.LogoutNotice, Algorithm: auth.ES256}
	if f.RS256 {
		c.Algorithm = auth.RS256
	}
	if len(c.RedirectURIs) > redirect.Most {
		return c, fmt.Errorf("%d redirect URIs are more than %d", len(c.RedirectURIs), redirect.Most)
	}
	if f.LogoutURI != "" {
		c.LogoutURIs = []string{f.LogoutURI}
	}
	for _, address := range append(c.RedirectURIs, c.LogoutURIs...) {
		if err := redirect.Check(address, c.Public); err != nil {
			return c, fmt.Errorf("%s %w", address, err)
		}
	}
	if c.LogoutNotice != "" {
		if err := redirect.CheckNotice(c.LogoutNotice); err != nil {
			return c, fmt.Errorf("%s %w", c.LogoutNotice, err)
		}
	}
	return c, nil
}

// shownClient is what an application has to be told, once.
type shownClient struct {
	shownApp
	Issuer       string             `json:"issuer"`
	ClientID     auth.ApplicationID `json:"client_id"`
	ClientSecret string             `json:"client_secret"` // "" for a public client
	RedirectURIs []string           `json:"redirect_uris"`
}

func (c *appAdd) addClient(s *surroundings, a auth.Application) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	a, clientSecret, err := s.app.Store.AddClient(s.ctx, s.by, a, client, s.app.Now())
	if err != nil {
		return err
	}
	shown := shownClient{shownApp: appOf(a), Issuer: string(s.app.Config.PublicURL), ClientID: a.ID,
		ClientSecret: clientSecret.Reveal(), RedirectURIs: client.RedirectURIs}
	if c.JSON {
		return s.json(shown)
	}
	fmt.Fprintf(s.out, "%s: added, %s\n  issuer: %s\n  client ID: %s\n", a.Name, a.ID, shown.Issuer, shown.ClientID)
	if client.Public {
		_, err = fmt.Fprintln(s.out, "  no client secret: it is a public client, with PKCE")
		return err
	}
	_, err = fmt.Fprintf(s.out, "  client secret: %s\n  The secret is shown this once.\n", shown.ClientSecret)
	return err
}
