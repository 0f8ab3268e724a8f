package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
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
	whom, err := s.names(a.Everyone, a.Groups, a.Users)
	return shownPlugin{ID: a.Plugin, Active: a.Active, EnabledFor: whom}, err
}

// names says the names of groups, and the addresses of people who are still
// there.
func (s *surroundings) names(everyone bool, ofGroups []auth.GroupID, ofUsers []auth.UserID) (enabledFor, error) {
	named := enabledFor{Everyone: everyone, Groups: []string{}, Users: []string{}}
	groups, err := s.app.Store.Groups(s.ctx)
	if err != nil {
		return named, err
	}
	for _, g := range groups {
		if slices.Contains(ofGroups, g.ID) {
			named.Groups = append(named.Groups, g.Name)
		}
	}
	for _, id := range ofUsers {
		u, err := s.app.Store.User(s.ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return named, err
		}
		named.Users = append(named.Users, u.Address)
	}
	slices.Sort(named.Users)
	return named, nil
}

// named is a command about one plug-in.
type named struct {
	onDataFlags
	ID string `arg:"" help:"The plug-in, as twinlock plugin list names it."`
}

// change changes a plug-in's state.
func (c named) change(s *surroundings, what string, accepts store.Accepts, change func(*auth.Activation)) error {
	p, ok := auth.PluginByID(auth.PluginID(c.ID))
	if !ok {
		return fmt.Errorf("there is no plug-in %s; see twinlock plugin list", c.ID)
	}
	err := s.app.Store.ChangeActivation(s.ctx, s.by, p.ID, accepts, s.app.Now(), change)
	switch {
	case errors.Is(err, store.ErrGiven):
		return errors.New("in the cloud edition the setting plugins says which plug-ins are active, and for whom; change it there and restart")
	case err != nil:
		return toldOfLoss(err)
	}
	if !c.JSON {
		_, err = fmt.Fprintf(s.out, "%s: %s\n", c.ID, what)
		return err
	}
	activations, err := s.app.Live.Activations(s.ctx)
	if err != nil {
		return err
	}
	for _, a := range activations {
		if a.Plugin == p.ID {
			shown, err := s.pluginShown(a)
			return errors.Join(err, s.json(shown))
		}
	}
	return nil
}

// agreement is asked of every command that may take the code away from people.
type agreement struct {
	Yes bool `help:"Do it even if people who use two-factor authentication are no longer asked for a code; each of them is told by mail."`
}

func (a agreement) accepts() store.Accepts {
	if a.Yes {
		return store.AnyLoss
	}
	return store.NoLoss
}

// toldOfLoss says how many people a command would take the code from, and how
// to do it all the same.
func toldOfLoss(err error) error {
	var loss *store.LossError
	if !errors.As(err, &loss) {
		return err
	}
	if len(loss.People) == 1 {
		return fmt.Errorf("1 person, %s, would no longer be asked for a code; say so with --yes", loss.People[0].Address)
	}
	return fmt.Errorf("%d people would no longer be asked for a code; say so with --yes", len(loss.People))
}

type pluginActivate struct{ named }

func (c *pluginActivate) runOn(s *surroundings) error {
	return c.change(s, "active", store.NoLoss, func(a *auth.Activation) { a.Active = true })
}

type pluginDeactivate struct {
	named
	agreement
}

func (c *pluginDeactivate) runOn(s *surroundings) error {
	return c.change(s, "inactive", c.accepts(), func(a *auth.Activation) { a.Active = false })
}

// whom is for whom something is allowed or denied.
type whom struct {
	Everyone bool     `help:"Everyone."`
	User     []string `help:"A person, by address."`
	Group    []string `help:"A group, by name."`
}

// Validate refuses nobody; kong asks it.
func (w whom) Validate() error {
	if !w.Everyone && len(w.User)+len(w.Group) == 0 {
		return errors.New("say for whom: --everyone, --user EMAIL or --group NAME")
	}
	return nil
}

// ids turns names into identifiers.
func (w whom) ids(s *surroundings) (users []auth.UserID, groups []auth.GroupID, err error) {
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
	return c.change(s, "allowed", store.NoLoss, func(a *auth.Activation) {
		a.Everyone = a.Everyone || c.Everyone
		a.Users, a.Groups = with(a.Users, users), with(a.Groups, groups)
	})
}

type pluginDeny struct {
	named
	whom
	agreement
}

func (c *pluginDeny) runOn(s *surroundings) error {
	users, groups, err := c.ids(s)
	if err != nil {
		return err
	}
	return c.change(s, "denied", c.accepts(), func(a *auth.Activation) {
		a.Everyone = a.Everyone && !c.Everyone
		a.Users, a.Groups = without(a.Users, users), without(a.Groups, groups)
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
