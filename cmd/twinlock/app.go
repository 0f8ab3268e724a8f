package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

type appCommands struct {
	Add    appAdd    `cmd:"" help:"Make an application; nobody may open it until somebody is allowed."`
	List   appList   `cmd:"" help:"List applications."`
	Show   appShow   `cmd:"" help:"Show one application."`
	Set    appSet    `cmd:"" help:"Change an application."`
	Allow  appAllow  `cmd:"" help:"Let everyone, a person or a group open an application."`
	Deny   appDeny   `cmd:"" help:"Take back what allow gave."`
	Rules  appRules  `cmd:"" help:"Show or replace what the addresses of an application behind a proxy ask."`
	Secret appSecret `cmd:"" help:"Make the client secret of an application anew; the old one is void at once."`
	Delete appDelete `cmd:"" help:"Remove an application."`
}

// shownApp is an application as JSON shows one.
type shownApp struct {
	ID               auth.ApplicationID `json:"id"`
	Kind             auth.Kind          `json:"kind"`
	Name             string             `json:"name"`
	Description      string             `json:"description"`
	URL              string             `json:"url"`
	Hosts            []string           `json:"hosts"` // further ones, behind a proxy
	RequireTwoFactor bool               `json:"require_2fa"`
	enabledFor
}

func (s *surroundings) appShown(a auth.Application) (shownApp, error) {
	may, err := s.names(a.Everyone, a.Groups, a.Users)
	return shownApp{ID: a.ID, Kind: a.Kind, Name: a.Name, Description: a.Description, URL: a.URL,
		Hosts: with([]string{}, a.Hosts), RequireTwoFactor: a.RequireTwoFactor, enabledFor: may}, err
}

// printApp prints an application as it is, in words or as JSON; one that speaks
// OpenID Connect with what it is registered with, and a secret that was just
// made.
func (s *surroundings) printApp(id auth.ApplicationID, made secret.Token, asJSON bool) error {
	a, err := s.app.Store.Application(s.ctx, id)
	if err != nil {
		return err
	}
	shown, err := s.appShown(a)
	if err != nil {
		return err
	}
	if a.Kind == auth.SpeaksOpenID {
		return s.printClient(shown, made, asJSON)
	}
	if asJSON {
		return s.json(shown)
	}
	return s.table(shown.lines())
}

// lines are an application in words.
func (a shownApp) lines() [][2]string {
	lines := [][2]string{{"id", string(a.ID)}, {"kind", string(a.Kind)}, {"name", a.Name}, {"address", a.URL}}
	if len(a.Hosts) > 0 {
		lines = append(lines, [2]string{"further hosts", strings.Join(a.Hosts, ", ")})
	}
	return append(lines, [2]string{"description", a.Description}, [2]string{"may be opened by", a.enabledFor.String()},
		[2]string{"requires two-factor authentication", yesNo(a.RequireTwoFactor)})
}

// table prints what has a name, a line each.
func (s *surroundings) table(lines [][2]string) error {
	table := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}

// readApp reads what an application is called, what it is and where.
func readApp(a *auth.Application) (err error) {
	where, err := url.Parse(a.URL)
	if err != nil || where.Host == "" || where.User != nil || where.Scheme != "https" && where.Scheme != "http" {
		return fmt.Errorf("%q is not an http or https address", a.URL)
	}
	if a.Name, err = written.Name.Read(a.Name); err != nil {
		return fmt.Errorf("the name cannot be taken: %w", err)
	} else if a.Name == "" {
		return errors.New("an application needs a name")
	}
	if a.Description, err = written.Description.Read(a.Description); err != nil {
		return fmt.Errorf("the description cannot be taken: %w", err)
	}
	return nil
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

// Validate refuses flags of different kinds; kong asks it.
func (c *appAdd) Validate() error {
	behindProxy := len(c.Host)+len(c.Rule) > 0
	switch {
	case c.Link && (behindProxy || len(c.RedirectURI) > 0), behindProxy && len(c.RedirectURI) > 0:
		return errors.New("an application is one of three: a --link, one that speaks OpenID Connect with a --redirect-uri, or one behind a proxy with every --host and --rule")
	case c.Link && c.RequireTwoFactor:
		return errors.New("a --link cannot --require-2fa: nobody asks here who opens it")
	case len(c.RedirectURI) == 0 && (c.openIDAlone != (openIDAlone{}) || len(c.Scope) > 0):
		return errors.New("only an application with a --redirect-uri signs people in by OpenID Connect")
	}
	return nil
}

func (c *appAdd) runOn(s *surroundings) error {
	a := auth.Application{Name: c.Name, Description: c.Description, URL: c.URL, Everyone: c.AllowEveryone,
		RequireTwoFactor: c.RequireTwoFactor}
	err := readApp(&a)
	if err != nil {
		return err
	}
	if a.Users, a.Groups, err = (whom{User: c.AllowUser, Group: c.AllowGroup}).ids(s); err != nil {
		return err
	}
	var made secret.Token
	switch {
	case len(c.RedirectURI) > 0:
		a, made, err = c.addClient(s, a)
	case c.Link:
		a, err = s.app.Store.AddApplication(s.ctx, s.by, a, s.app.Now())
	default:
		a, err = c.addBehindProxy(s, a)
	}
	if err != nil {
		return err
	}
	if err := s.didToApp(a, "added, "+string(a.ID), made, c.JSON); err != nil || c.JSON {
		return err
	}
	switch a.Kind {
	case auth.SpeaksOpenID:
		return s.tellOtherSide(a, made)
	case auth.BehindProxy:
		return s.tellProxy(a, settingsFlag{})
	}
	return nil
}

// didToApp says what was done.
func (s *surroundings) didToApp(a auth.Application, what string, made secret.Token, asJSON bool) error {
	if asJSON {
		return s.printApp(a.ID, made, true)
	}
	_, err := fmt.Fprintf(s.out, "%s: %s\n", a.Name, what)
	return err
}

type appList struct{ onDataFlags }

func (c *appList) runOn(s *surroundings) error {
	all, err := s.app.Store.Applications(s.ctx)
	if err != nil {
		return err
	}
	shown := make([]shownApp, len(all))
	for i, a := range all {
		if shown[i], err = s.appShown(a); err != nil {
			return err
		}
	}
	if c.JSON {
		return s.json(shown)
	}
	table := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	for _, a := range shown {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", a.ID, a.Name, a.URL, a.enabledFor)
	}
	return table.Flush()
}

// oneApp names an application.
type oneApp struct {
	onDataFlags
	App string `arg:"" help:"The application, by its name, or by its identifier as twinlock app list shows it."`
}

// find finds it by identifier first. A name that several have is refused with
// all of them.
func (c oneApp) find(s *surroundings) (auth.Application, error) {
	a, err := s.app.Store.Application(s.ctx, auth.ApplicationID(c.App))
	if !errors.Is(err, store.ErrNotFound) {
		return a, err
	}
	all, err := s.app.Store.Applications(s.ctx)
	if err != nil {
		return a, err
	}
	called := slices.DeleteFunc(all, func(a auth.Application) bool { return !strings.EqualFold(a.Name, strings.TrimSpace(c.App)) })
	switch len(called) {
	case 0:
		return a, fmt.Errorf("there is no application %s; see twinlock app list", c.App)
	case 1:
		return called[0], nil
	}
	candidates := make([]string, len(called))
	for i, a := range called {
		candidates[i] = fmt.Sprintf("%s (%s)", a.ID, a.URL)
	}
	return a, fmt.Errorf("%d applications are called %s; name one by its identifier: %s", len(called), c.App, strings.Join(candidates, ", "))
}

type appShow struct {
	oneApp
	settingsFlag
}

// Validate refuses two ways to print; kong asks it.
func (c *appShow) Validate() error {
	if c.Proxy != "" && c.JSON {
		return errors.New("settings of a proxy are no JSON")
	}
	return nil
}

func (c *appShow) runOn(s *surroundings) error {
	a, err := c.find(s)
	switch {
	case err != nil:
		return err
	case c.Proxy != "" && a.Kind != auth.BehindProxy:
		return fmt.Errorf("%s does not stand behind a proxy", a.Name)
	case c.Proxy != "":
		return s.tellProxy(a, c.settingsFlag)
	}
	return s.printApp(a.ID, secret.Token{}, c.JSON)
}

type appAllow struct {
	oneApp
	whom
}

func (c *appAllow) runOn(s *surroundings) error {
	return c.change(s, c.whom, "allowed", func(a *auth.Application, users []auth.UserID, groups []auth.GroupID) {
		a.Everyone = a.Everyone || c.Everyone
		a.Users, a.Groups = with(a.Users, users), with(a.Groups, groups)
	})
}

type appDeny struct {
	oneApp
	whom
}

func (c *appDeny) runOn(s *surroundings) error {
	return c.change(s, c.whom, "denied", func(a *auth.Application, users []auth.UserID, groups []auth.GroupID) {
		a.Everyone = a.Everyone && !c.Everyone
		a.Users, a.Groups = without(a.Users, users), without(a.Groups, groups)
	})
}

// change changes who may open an application.
func (c oneApp) change(s *surroundings, w whom, what string, change func(*auth.Application, []auth.UserID, []auth.GroupID)) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	users, groups, err := w.ids(s)
	if err != nil {
		return err
	}
	if err := s.app.Store.ChangeApplication(s.ctx, s.by, a.ID, s.app.Now(), func(a *auth.Application) error { change(a, users, groups); return nil }); err != nil {
		return err
	}
	return s.didToApp(a, what, secret.Token{}, c.JSON)
}

type appSecret struct{ oneApp }

func (c *appSecret) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	if a.Kind != auth.SpeaksOpenID {
		return fmt.Errorf("%s does not speak OpenID Connect: it has no secret", a.Name)
	}
	made, err := s.app.Store.NewClientSecret(s.ctx, s.by, a.ID, s.app.Now())
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s is a public client: it has no secret", a.Name)
	} else if err != nil {
		return err
	}
	if err := s.didToApp(a, "has a new secret, and the old one is void", made, c.JSON); err != nil || c.JSON {
		return err
	}
	return s.tellOtherSide(a, made)
}

type appDelete struct{ oneApp }

func (c *appDelete) runOn(s *surroundings) error {
	a, err := c.find(s)
	if err != nil {
		return err
	}
	shown, err := s.appShown(a)
	if err != nil {
		return err
	}
	if err := s.app.Store.DeleteApplication(s.ctx, s.by, a, s.app.Now()); err != nil {
		return err
	}
	if c.JSON {
		return s.json(shown)
	}
	_, err = fmt.Fprintf(s.out, "%s: deleted\n", a.Name)
	return err
}
