package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

type appCommands struct {
	Add    appAdd    `cmd:"" help:"Make an application; nobody may open it until somebody is allowed."`
	List   appList   `cmd:"" help:"List applications."`
	Show   appShow   `cmd:"" help:"Show one application."`
	Rules  appRules  `cmd:"" help:"Show or replace what the addresses of an application behind a proxy ask."`
	Delete appDelete `cmd:"" help:"Remove an application."`
}

// shownApp is an application as JSON shows one.
type shownApp struct {
	ID          auth.ApplicationID `json:"id"`
	Kind        auth.Kind          `json:"kind"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	URL         string             `json:"url"`
	Hosts       []string           `json:"hosts"` // further ones, behind a proxy
	Everyone    bool               `json:"everyone"`
	Groups      []auth.GroupID     `json:"groups"`
	Users       []auth.UserID      `json:"users"`
}

func appOf(a auth.Application) shownApp {
	return shownApp{ID: a.ID, Kind: a.Kind, Name: a.Name, Description: a.Description, URL: a.URL, Hosts: with([]string{}, a.Hosts),
		Everyone: a.Everyone, Groups: with([]auth.GroupID{}, a.Groups), Users: with([]auth.UserID{}, a.Users)}
}

type appAdd struct {
	onDataFlags
	Name             string   `arg:"" help:"What the application is called."`
	URL              string   `required:"" help:"Where it is."`
	Description      string   `help:"A line about it."`
	AllowEveryone    bool     `help:"Everyone may open it."`
	AllowGroup       []string `help:"A group that may open it."`
	AllowUser        []string `help:"A person who may open it."`
	RequireTwoFactor bool     `name:"require-2fa" help:"Refuse whoever has not enabled two-factor authentication."`
	Link             bool     `help:"It is only a link on the list: nobody asks here who opens it."`
	proxyFlags
	openIDFlags
}

func (c *appAdd) runOn(s *surroundings) error {
	where, err := url.Parse(c.URL)
	if err != nil || where.Host == "" || where.Scheme != "https" && where.Scheme != "http" {
		return fmt.Errorf("%s is not an http or https address", c.URL)
	}
	a := auth.Application{URL: c.URL, Everyone: c.AllowEveryone, RequireTwoFactor: c.RequireTwoFactor}
	if err := c.call(&a); err != nil {
		return err
	}
	if len(c.AllowUser)+len(c.AllowGroup) > 0 {
		if a.Users, a.Groups, err = (whom{User: c.AllowUser, Group: c.AllowGroup}).ids(s); err != nil {
			return err
		}
	}
	behindProxy := len(c.Host)+len(c.Rule) > 0
	if c.Link && (behindProxy || len(c.RedirectURI) > 0) || behindProxy && len(c.RedirectURI) > 0 {
		return errors.New("an application is one of three: a --link, one that speaks OpenID Connect with a --redirect-uri, or one behind a proxy with every --host and --rule")
	}
	if len(c.RedirectURI) > 0 {
		return c.addClient(s, a)
	}
	if c.openIDAlone != (openIDAlone{}) {
		return errors.New("only an application with a --redirect-uri signs people in by OpenID Connect")
	}
	if c.Link {
		a, err = s.app.Store.AddApplication(s.ctx, s.by, a, s.app.Now())
	} else {
		a, err = c.addBehindProxy(s, a)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(appOf(a))
	}
	_, err = fmt.Fprintf(s.out, "%s: added, %s\n", a.Name, a.ID)
	return err
}

// call says what the application is called, and what it is.
func (c *appAdd) call(a *auth.Application) (err error) {
	if a.Name, err = written.Name.Read(c.Name); err != nil {
		return fmt.Errorf("the name cannot be taken: %w", err)
	} else if a.Name == "" {
		return errors.New("an application needs a name")
	}
	if a.Description, err = written.Description.Read(c.Description); err != nil {
		return fmt.Errorf("the description cannot be taken: %w", err)
	}
	return nil
}

type appList struct{ onDataFlags }

func (c *appList) runOn(s *surroundings) error {
	all, err := s.app.Store.Applications(s.ctx)
	if err != nil {
		return err
	}
	shown := make([]shownApp, len(all))
	for i, a := range all {
		shown[i] = appOf(a)
	}
	if c.JSON {
		return s.json(shown)
	}
	for _, a := range shown {
		fmt.Fprintf(s.out, "%s  %s  %s\n", a.ID, a.Name, a.URL)
	}
	return nil
}

// oneApp names an application by its identifier.
type oneApp struct {
	onDataFlags
	ID string `arg:"" help:"The application, as twinlock app list names it."`
}

func (c oneApp) find(s *surroundings) (auth.Application, error) {
	a, err := s.app.Store.Application(s.ctx, auth.ApplicationID(c.ID))
	if errors.Is(err, store.ErrNotFound) {
		return a, fmt.Errorf("there is no application %s; see twinlock app list", c.ID)
	}
	return a, err
}

type appShow struct{ oneApp }

func (c *appShow) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(appOf(a))
	}
	_, err = fmt.Fprintf(s.out, "%s\n  name: %s\n  address: %s\n  description: %s\n  everyone: %s, %d groups, %d people\n",
		a.ID, a.Name, a.URL, a.Description, yesNo(a.Everyone), len(a.Groups), len(a.Users))
	return err
}

type appDelete struct{ oneApp }

func (c *appDelete) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	if err := s.app.Store.DeleteApplication(s.ctx, s.by, a, s.app.Now()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: deleted\n", a.Name)
	return err
}
