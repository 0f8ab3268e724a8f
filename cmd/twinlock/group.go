package main

import (
	"errors"
	"fmt"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/written"
)

type groupCommands struct {
	Add    groupAdd    `cmd:"" help:"Make a group."`
	List   groupList   `cmd:"" help:"List groups."`
	Delete groupDelete `cmd:"" help:"Remove a group; its people stay."`
	Join   groupJoin   `cmd:"" help:"Put a person into a group."`
	Leave  groupLeave  `cmd:"" help:"Take a person out of a group."`
}

// shownGroup is a group as JSON shows one.
type shownGroup struct {
	ID      auth.GroupID `json:"id"`
	Name    string       `json:"name"`
	Members int          `json:"members"`
}

type groupAdd struct {
	onDataFlags
	Name string `arg:"" help:"What the group is called."`
}

func (c *groupAdd) runOn(s *surroundings) error {
	name, err := written.Name.Read(c.Name)
	switch {
	case err != nil:
		return fmt.Errorf("the name cannot be taken: %w", err)
	case !auth.IsGroupName(name):
		return errors.New("a group's name is not empty and has no comma")
	}
	g, err := s.app.Store.AddGroup(s.ctx, s.by, name, s.app.Now())
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("there is a group %s already", name)
	} else if err != nil {
		return err
	}
	return s.didToGroup(g, g.Name+": added", c.JSON)
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
	return s.json(shownGroup{ID: g.ID, Name: g.Name, Members: members[g.ID]})
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
		shown[i] = shownGroup{ID: g.ID, Name: g.Name, Members: members[g.ID]}
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
	err = s.app.Store.JoinGroup(s.ctx, s.by, g, u.ID, s.app.Now())
	if errors.Is(err, store.ErrNotFound) {
		return noGroup(c.Group)
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
	if err := s.app.Store.LeaveGroup(s.ctx, s.by, g, u.ID, c.accepts(), s.app.Now()); err != nil {
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
