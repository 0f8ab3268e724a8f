package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
)

type pluginCommands struct {
	List       pluginList       `cmd:"" help:"List plug-ins: active or not, and for whom."`
	Activate   pluginActivate   `cmd:"" help:"Make a plug-in work, for whom it is allowed."`
	Deactivate pluginDeactivate `cmd:"" help:"Make a plug-in stop, for everybody."`
	Allow      pluginAllow      `cmd:"" help:"Enable a plug-in for everyone, a person or a group."`
	Deny       pluginDeny       `cmd:"" help:"Take back what allow gave."`
}

// shownPlugin is a plug-in as JSON shows one.
type shownPlugin struct {
	ID         auth.PluginID `json:"id"`
	Active     bool          `json:"active"`
	EnabledFor enabledFor    `json:"enabled_for"`
}

type enabledFor struct {
	Everyone bool     `json:"everyone"`
	Groups   []string `json:"groups"`
	Users    []string `json:"users"`
}

type pluginList struct{ onDataFlags }

func (c *pluginList) runOn(s *surroundings) error {
	activations, err := s.app.Live.Activations(s.ctx)
	if err != nil {
		return err
	}
	shown := make([]shownPlugin, len(activations))
	for i, a := range activations {
		if shown[i], err = s.pluginShown(a); err != nil {
			return err
		}
	}
	if c.JSON {
		return s.json(shown)
	}
	for _, p := range shown {
		fmt.Fprintf(s.out, "%s: active %s, enabled for %s\n", p.ID, yesNo(p.Active), p.EnabledFor)
	}
	return nil
}

func (e enabledFor) String() string {
	switch {
	case e.Everyone:
		return "everyone"
	case len(e.Groups)+len(e.Users) == 0:
		return "nobody"
	}
	return strings.Join(append(slices.Clone(e.Groups), e.Users...), ", ")
}

// pluginShown says names where the store has identifiers.
func (s *surroundings) pluginShown(a auth.Activation) (shownPlugin, error) {
	p := shownPlugin{ID: a.Plugin, Active: a.Active,
		EnabledFor: enabledFor{Everyone: a.Everyone, Groups: []string{}, Users: []string{}}}
	groups, err := s.app.Store.Groups(s.ctx)
	if err != nil {
		return p, err
	}
	for _, g := range groups {
		if slices.Contains(a.Groups, g.ID) {
			p.EnabledFor.Groups = append(p.EnabledFor.Groups, g.Name)
		}
	}
	for _, id := range a.Users {
		u, err := s.app.Store.User(s.ctx, id)
		if err != nil {
			return p, err
		}
		p.EnabledFor.Users = append(p.EnabledFor.Users, u.Address)
	}
	return p, nil
}

// named is a command about one plug-in.
type named struct {
	onDataFlags
	ID string `arg:"" help:"The plug-in, as twinlock plugin list names it."`
}

// change reads a plug-in's state, changes it and writes it.
func (c named) change(s *surroundings, what string, change func(*auth.Activation) error) error {
	if s.app.Config.Edition == config.Cloud {
		return errors.New("in the cloud edition the setting plugins says which plug-ins are active, and for whom; change it there and restart")
	}
	if _, ok := auth.PluginByID(auth.PluginID(c.ID)); !ok {
		return fmt.Errorf("there is no plug-in %s; see twinlock plugin list", c.ID)
	}
	activations, err := s.app.Store.Activations(s.ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(activations, func(a auth.Activation) bool { return string(a.Plugin) == c.ID })
	if err := change(&activations[i]); err != nil {
		return err
	}
	if err := s.app.Store.SetActivation(s.ctx, s.by, activations[i], s.app.Now()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %s\n", c.ID, what)
	return err
}

type pluginActivate struct{ named }

func (c *pluginActivate) runOn(s *surroundings) error {
	return c.change(s, "active", func(a *auth.Activation) error {
		a.Active = true
		return nil
	})
}

type pluginDeactivate struct {
	named
	Yes bool `help:"Really: whoever uses it loses its protection, and is told by mail."`
}

func (c *pluginDeactivate) runOn(s *surroundings) error {
	return c.change(s, "inactive", func(a *auth.Activation) error {
		asked, err := s.app.Store.AskedForCode(s.ctx, *a)
		if err != nil {
			return err
		}
		if !c.Yes {
			return fmt.Errorf("%d people would no longer be asked for a code; say so with --yes", len(asked))
		}
		a.Active = false
		return nil
	})
}

// whom is for whom a plug-in is allowed or denied.
type whom struct {
	Everyone bool     `help:"Everyone."`
	User     []string `help:"A person, by address."`
	Group    []string `help:"A group, by name."`
}

// ids turns names into identifiers.
func (w whom) ids(s *surroundings) (users []auth.UserID, groups []auth.GroupID, err error) {
	if !w.Everyone && len(w.User)+len(w.Group) == 0 {
		return nil, nil, errors.New("say for whom: --everyone, --user EMAIL or --group NAME")
	}
	for _, email := range w.User {
		u, err := person{Email: email}.find(s)
		if err != nil {
			return nil, nil, err
		}
		users = append(users, u.ID)
	}
	for _, name := range w.Group {
		g, err := s.group(name)
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, g.ID)
	}
	return users, groups, nil
}

type pluginAllow struct {
	named
	whom
}

func (c *pluginAllow) runOn(s *surroundings) error {
	users, groups, err := c.ids(s)
	if err != nil {
		return err
	}
	return c.change(s, "allowed", func(a *auth.Activation) error {
		a.Everyone = a.Everyone || c.Everyone
		a.Users, a.Groups = with(a.Users, users), with(a.Groups, groups)
		return nil
	})
}

type pluginDeny struct {
	named
	whom
}

func (c *pluginDeny) runOn(s *surroundings) error {
	users, groups, err := c.ids(s)
	if err != nil {
		return err
	}
	return c.change(s, "denied", func(a *auth.Activation) error {
		a.Everyone = a.Everyone && !c.Everyone
		a.Users, a.Groups = without(a.Users, users), without(a.Groups, groups)
		return nil
	})
}

func with[ID comparable](all, more []ID) []ID {
	for _, id := range more {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func without[ID comparable](all, fewer []ID) []ID {
	return slices.DeleteFunc(all, func(id ID) bool { return slices.Contains(fewer, id) })
}
