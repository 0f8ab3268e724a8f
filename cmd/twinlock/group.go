package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

type groupCommands struct {
	Add    groupAdd    `cmd:"" help:"Make a group."`
	Set    groupSet    `cmd:"" help:"Change a group's name, or how long an open window spares its people the code."`
	List   groupList   `cmd:"" help:"List groups."`
	Delete groupDelete `cmd:"" help:"Remove a group; its people stay."`
	Join   groupJoin   `cmd:"" help:"Put a person into a group."`
	Leave  groupLeave  `cmd:"" help:"Take a person out of a group."`
}

// shownGroup is a group as JSON shows one.
type shownGroup struct {
	ID         auth.GroupID `json:"id"`
	Name       string       `json:"name"`
	Members    int          `json:"members"`
	OpenWindow string       `json:"open_window,omitempty"` // none where the settings say
}

func shownAs(g auth.Group, members map[auth.GroupID]int) shownGroup {
	shown := shownGroup{ID: g.ID, Name: g.Name, Members: members[g.ID]}
	if g.OpenWindow >= 0 {
		shown.OpenWindow = config.FormatDuration(g.OpenWindow)
	}
	return shown
}

type groupAdd struct {
	onDataFlags
	Name string `arg:"" help:"What the group is called."`
}

func (c *groupAdd) runOn(s *surroundings) error {
	name, err := groupName(c.Name)
	if err != nil {
		return err
	}
	g, err := s.app.Store.AddGroup(s.ctx, s.by, name, s.app.Now())
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("there is a group %s already", name)
	} else if err != nil {
		return err
	}
	return s.didToGroup(g, g.Name+": added", c.JSON)
}

func groupName(typed string) (string, error) {
	name, err := written.Name.Read(typed)
	switch {
	case err != nil:
		return "", fmt.Errorf("the name cannot be taken: %w", err)
	case !auth.IsGroupName(name):
		return "", errors.New("a group's name is not empty and has no comma")
	}
	return name, nil
}

// groupSet changes what its flags name, and leaves the rest.
type groupSet struct {
	onDataFlags
	agreement
	Group      string  `arg:"" name:"name"`
	Name       *string `help:"What it is called."`
	OpenWindow *string `help:"How long since the last code an open window spares its people the code; 0 never, empty as the settings say." placeholder:"30m"`
}

// Validate refuses a change of nothing; kong asks it.
func (c *groupSet) Validate() error {
	if c.Name == nil && c.OpenWindow == nil {
		return errors.New("say what to change, by --name or --open-window")
	}
	return nil
}

func (c *groupSet) runOn(s *surroundings) error {
	g, err := s.group(c.Group)
	if err != nil {
		return err
	}
	if c.Name != nil {
		if g.Name, err = groupName(*c.Name); err != nil {
			return err
		}
	}
	if c.OpenWindow != nil {
		if g.OpenWindow, err = groupWindow(*c.OpenWindow); err != nil {
			return err
		}
	}
	err = s.app.Store.SetGroup(s.ctx, s.by, g, c.accepts(), s.app.Now())
	switch {
	case errors.Is(err, store.ErrTaken):
		return fmt.Errorf("there is a group %s already", g.Name)
	case errors.Is(err, store.ErrNotFound):
		return noGroup(c.Group)
	case err != nil:
		return toldOfLoss(err)
	}
	return s.didToGroup(g, g.Name+": saved", c.JSON)
}

// groupWindow reads whole minutes up to a day, as the page shows them; nothing
// is a negative time.
func groupWindow(typed string) (time.Duration, error) {
	if typed == "" {
		return -time.Millisecond, nil
	}
	window, err := config.ParseDuration(typed)
	if err != nil || window < 0 || window > 24*time.Hour || window%time.Minute != 0 {
		return 0, errors.New("--open-window is a number of whole minutes or hours up to 24h, such as 30m; 0 for never, empty for what the settings say")
	}
	return window, nil
}

// didToGroup says what was done, in words or as JSON.
func (s *surroundings) didToGroup(g auth.Group, words string, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintln(s.out, words)
		return err
	}
	members, err := s.app.Store.Members(s.ctx)
	if err != nil {
		return err
	}
	return s.json(shownAs(g, members))
}

type groupList struct{ onDataFlags }

func (c *groupList) runOn(s *surroundings) error {
	groups, err := s.app.Store.Groups(s.ctx)
	if err != nil {
		return err
	}
	members, err := s.app.Store.Members(s.ctx)
	if err != nil {
		return err
	}
	shown := make([]shownGroup, len(groups))
	for i, g := range groups {
		shown[i] = shownAs(g, members)
	}
	if c.JSON {
		return s.json(shown)
	}
	for _, g := range shown {
		fmt.Fprintf(s.out, "%s: %d members\n", g.Name, g.Members)
	}
	return nil
}

// group finds a group by its name.
func (s *surroundings) group(name string) (auth.Group, error) {
	g, err := s.app.Store.GroupByName(s.ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return g, noGroup(name)
	}
	return g, err
}

func noGroup(name string) error {
	return fmt.Errorf("there is no group %s; see twinlock group list", name)
}

type groupDelete struct {
	onDataFlags
	agreement
	Name string `arg:""`
}

func (c *groupDelete) runOn(s *surroundings) error {
	g, err := s.group(c.Name)
	if err != nil {
		return err
	}
	if err := s.app.Store.DeleteGroup(s.ctx, s.by, g, c.accepts(), s.app.Now()); err != nil {
		return toldOfLoss(err)
	}
	return s.didToGroup(g, g.Name+": deleted", c.JSON)
}

type groupJoin struct {
	onDataFlags
	Group string `arg:""`
	Email string `arg:""`
}

func (c *groupJoin) runOn(s *surroundings) error {
	g, u, err := s.groupAndPerson(c.Group, c.Email)
	if err != nil {
		return err
	}
	return c.join(s, g, u)
}

func (c *groupJoin) join(s *surroundings, g auth.Group, u auth.User) error {
	err := s.app.Store.JoinGroup(s.ctx, s.by, g, u.ID, s.app.Now())
	if errors.Is(err, store.ErrNotFound) {
		return s.goneMeanwhile(c.Group, c.Email)
	} else if err != nil {
		return err
	}
	return s.didToGroup(g, u.Address+": joined "+g.Name, c.JSON)
}

type groupLeave struct {
	onDataFlags
	agreement
	Group string `arg:""`
	Email string `arg:""`
}

func (c *groupLeave) runOn(s *surroundings) error {
	g, u, err := s.groupAndPerson(c.Group, c.Email)
	if err != nil {
		return err
	}
	return c.leave(s, g, u)
}

func (c *groupLeave) leave(s *surroundings, g auth.Group, u auth.User) error {
	err := s.app.Store.LeaveGroup(s.ctx, s.by, g, u.ID, c.accepts(), s.app.Now())
	if errors.Is(err, store.ErrNotFound) {
		return s.goneMeanwhile(c.Group, c.Email)
	} else if err != nil {
		return toldOfLoss(err)
	}
	return s.didToGroup(g, u.Address+": left "+g.Name, c.JSON)
}

func (s *surroundings) groupAndPerson(group, email string) (auth.Group, auth.User, error) {
	g, err := s.group(group)
	if err != nil {
		return g, auth.User{}, err
	}
	u, err := person{Email: email}.find(s)
	return g, u, err
}

// goneMeanwhile says which of the two was deleted after it was looked up.
func (s *surroundings) goneMeanwhile(group, email string) error {
	if _, _, err := s.groupAndPerson(group, email); err != nil {
		return err
	}
	return fmt.Errorf("%s or the group %s was deleted and made anew meanwhile; try again", email, group)
}
