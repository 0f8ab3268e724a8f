package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// appSet changes what its flags name, and leaves the rest.
type appSet struct {
	oneApp
	Name             *string  `help:"What it is called."`
	URL              *string  `help:"Where it is."`
	Description      *string  `help:"A line about it."`
	RequireTwoFactor *bool    `name:"require-2fa" help:"Whether it refuses whoever has not enabled two-factor authentication."`
	Yes              bool     `help:"Refuse people who open it now and have not enabled two-factor authentication, or make public what its rules leave open at a new host."`
	Host             []string `help:"The further hosts that lead to it, behind a proxy, in place of those it has; an empty one stands for none." sep:"none" placeholder:"HOST"`
	clientChange
}

// clientChange is what changes of an application that speaks OpenID Connect.
type clientChange struct {
	RedirectURI    []string `help:"The addresses that sign-ins are answered to, in place of those it has." sep:"none" placeholder:"URI"`
	LogoutURI      []string `help:"The addresses that people may be led to after a logout, in place of those it has; an empty one stands for none." sep:"none" placeholder:"URI"`
	LogoutNotice   *string  `help:"The address that is told when somebody's session ends; empty for none. A name that leads into a private network needs logout_notice_networks." placeholder:"URI"`
	Scope          []string `help:"What it may ask for besides openid, in place of what it may: profile, email, groups, offline_access; an empty one stands for nothing." placeholder:"SCOPE"`
	WithoutPKCE    *bool    `name:"without-pkce" help:"Whether it knows no code challenge (PKCE)."`
	WithoutConsent *bool    `help:"Whether nobody is asked what it may learn."`
	RS256          *bool    `name:"rs256" help:"Whether its ID tokens are signed with RSA."`
}

func (c clientChange) isNone() bool {
	return c.RedirectURI == nil && c.LogoutURI == nil && c.LogoutNotice == nil && c.Scope == nil && c.WithoutPKCE == nil && c.WithoutConsent == nil && c.RS256 == nil
}

// Validate refuses a change of nothing; kong asks it.
func (c *appSet) Validate() error {
	if c.Name == nil && c.URL == nil && c.Description == nil && c.RequireTwoFactor == nil && c.Host == nil && c.isNone() {
		return errors.New("say what to change, such as --name or --url")
	}
	return nil
}

func (c *appSet) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	wanted := a
	c.apply(&wanted)
	if err := readApp(&wanted); err != nil {
		return err
	}
	c.take(wanted)
	if err := c.checkKind(a); err != nil {
		return err
	}
	if err := s.app.Store.Alter(s.ctx, s.by, a.ID, s.app.Now(), c.alteration(a)); err != nil {
		return inWords(err)
	}
	return s.didToApp(wanted, "changed", secret.Token{}, c.JSON)
}

// checkKind refuses what an application of another kind has.
func (c *appSet) checkKind(a auth.Application) error {
	switch {
	case c.Host != nil && a.Kind != auth.BehindProxy:
		return fmt.Errorf("%s does not stand behind a proxy: it has no further hosts", a.Name)
	case c.RequireTwoFactor != nil && *c.RequireTwoFactor && !a.Kind.Asks():
		return fmt.Errorf("%s is only a link: nobody asks here who opens it, and it can demand nothing of them", a.Name)
	case !c.isNone() && a.Kind != auth.SpeaksOpenID:
		return fmt.Errorf("%s does not speak OpenID Connect: it is registered with nothing of that kind", a.Name)
	}
	return nil
}

// alteration is what the flags change of an application.
func (c *appSet) alteration(a auth.Application) (wanted store.Alteration) {
	if !c.isNone() {
		wanted.Client = c.register
	}
	if c.Name != nil || c.URL != nil || c.Description != nil || c.Host != nil {
		wanted.Gate = c.move
	}
	if c.RequireTwoFactor != nil && *c.RequireTwoFactor != a.RequireTwoFactor {
		wanted.Require = c.RequireTwoFactor
	}
	if !c.Yes {
		wanted.Refusing = func(people []auth.User) error { return refusesNobody(a.Name, people) }
	}
	return wanted
}

// move applies the flags, unless that makes something public without --yes.
func (c *appSet) move(g *auth.Gate) error {
	wanted := g.Application
	c.apply(&wanted)
	opened, err := store.OpenedAt(*g, wanted)
	if err != nil {
		return err
	}
	if len(opened) > 0 && !c.Yes {
		return opensNothing(g.Name, opened)
	}
	g.Application = wanted
	return nil
}

// opensNothing names the addresses that would become public.
func opensNothing(name string, opened []auth.Address) error {
	where := make([]string, len(opened))
	for i, at := range opened {
		where[i] = at.Host + at.Path
	}
	return fmt.Errorf("a rule of %s makes %s public, and everything below; say so with --yes", name, strings.Join(where, ", "))
}

// apply changes what a card shows and where it leads.
func (c *appSet) apply(a *auth.Application) {
	for _, text := range []struct{ wanted, is *string }{{c.Name, &a.Name}, {c.URL, &a.URL}, {c.Description, &a.Description}} {
		if text.wanted != nil {
			*text.is = *text.wanted
		}
	}
	if c.Host != nil {
		a.Hosts = given(c.Host)
	}
}

// take keeps what was typed as it was read.
func (c *appSet) take(read auth.Application) {
	if c.Name != nil {
		c.Name = &read.Name
	}
	if c.Description != nil {
		c.Description = &read.Description
	}
}

// given is a list without what is empty.
func given(list []string) (all []string) {
	for _, one := range list {
		if one != "" {
			all = append(all, one)
		}
	}
	return all
}

// register changes what an application is registered with, and refuses what
// could lead people astray.
func (c clientChange) register(client *auth.Client) error {
	if c.RedirectURI != nil {
		client.RedirectURIs = given(c.RedirectURI)
	}
	if c.LogoutURI != nil {
		client.LogoutURIs = given(c.LogoutURI)
	}
	if c.LogoutNotice != nil {
		client.LogoutNotice = *c.LogoutNotice
	}
	if c.Scope != nil {
		var err error
		if client.Scopes, err = readScopes(c.Scope); err != nil {
			return err
		}
	}
	if c.WithoutPKCE != nil {
		client.WithoutPKCE = *c.WithoutPKCE
	}
	if c.WithoutConsent != nil {
		client.WithoutConsent = *c.WithoutConsent
	}
	if c.RS256 != nil {
		client.Algorithm = algorithm(*c.RS256)
	}
	return checkClient(*client)
}

// refusesNobody names whom a demand for two-factor authentication would refuse
// as things are.
func refusesNobody(name string, people []auth.User) error {
	const named = 10
	var who []string
	for _, u := range people[:min(len(people), named)] {
		who = append(who, u.Address)
	}
	switch more := len(people) - len(who); {
	case len(people) == 0:
		return nil
	case more > 0:
		who = append(who, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%s would refuse %s, who may open it and have not enabled two-factor authentication; say so with --yes", name, strings.Join(who, ", "))
}
