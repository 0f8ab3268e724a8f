package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
	"github.com/twinlock/twinlock/internal/written"
)

type userCommands struct {
	Add         userAdd         `cmd:"" help:"Make an account; without a password on standard input, its owner is invited by mail."`
	Invite      userInvite      `cmd:"" help:"Mail an invitation, again if need be, or one to each address of a list."`
	List        userList        `cmd:"" help:"List people."`
	Show        userShow        `cmd:"" help:"Show one person."`
	Disable     userDisable     `cmd:"" help:"Keep a person out; every session ends."`
	Enable      userEnable      `cmd:"" help:"Let a disabled person in again."`
	Delete      userDelete      `cmd:"" help:"Remove an account and everything that is its own."`
	Reset       userReset       `cmd:"" name:"reset-password" help:"Mail a person a link to a new password."`
	Reset2FA    userReset2FA    `cmd:"" name:"reset-2fa" help:"Remove a person's second factors; the person is told the reason."`
	EndSessions userEndSessions `cmd:"" name:"end-sessions" help:"End every session of a person."`
	Unlock      userUnlock      `cmd:"" help:"Unlock an account that too many failed tries locked."`
	Must2FA     userMust2FA     `cmd:"" name:"must-use-2fa" help:"Make a person enable two-factor authentication at the next login, or no longer."`
	Role        userRole        `cmd:"" help:"Make a person an administrator, or no longer."`
}

// person names one account.
type person struct {
	onDataFlags
	Email string `arg:"" help:"The address of the account."`
}

func (p person) find(s *surroundings) (auth.User, error) {
	parsed, err := address.Parse(p.Email)
	if err != nil {
		return auth.User{}, fmt.Errorf("%s is not an e-mail address", p.Email)
	}
	u, err := s.app.Store.UserByAddress(s.ctx, parsed.Canonical)
	if errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("nobody has the address %s; see twinlock user list", p.Email)
	}
	return u, err
}

// changed does one thing to one account and says what was done.
func (p person) changed(s *surroundings, what string, change func(auth.User, time.Time) error) error {
	u, err := p.find(s)
	if err != nil {
		return err
	}
	shown, err := s.personShown(u)
	if err != nil {
		return err
	}
	if err := change(u, s.app.Now()); err != nil {
		return err
	}
	if !p.JSON {
		_, err = fmt.Fprintf(s.out, "%s: %s\n", u.Address, what)
		return err
	}
	if now, err := s.app.Store.User(s.ctx, u.ID); err == nil { // it may be gone
		if shown, err = s.personShown(now); err != nil {
			return err
		}
	}
	return s.json(shown)
}

// personShown is a person with what a list and the groups tell.
func (s *surroundings) personShown(u auth.User) (shownPerson, error) {
	listed, err := s.app.Store.ListedUser(s.ctx, u.ID, s.app.Now())
	if errors.Is(err, store.ErrNotFound) { // it may be gone
		listed, err = store.ListedUser{User: u}, nil
	}
	p := personOf(listed)
	if err != nil {
		return p, err
	}
	groups, err := s.app.Store.GroupsOf(s.ctx, u.ID)
	p.Groups = []string{}
	for _, g := range groups {
		p.Groups = append(p.Groups, g.Name)
	}
	return p, err
}

type userAdd struct {
	person
	Name          string `help:"What the person is called."`
	Admin         bool   `help:"Makes an administrator."`
	PasswordStdin bool   `help:"Reads the password from standard input instead of mailing an invitation."`
}

func (c *userAdd) reads() bool { return c.PasswordStdin }

func (c *userAdd) runOn(s *surroundings) error {
	n, err := newUser(c.Email, c.Name)
	if err != nil {
		return err
	}
	n.Administrator = c.Admin
	if _, err := s.app.Store.UserByAddress(s.ctx, n.Address.Canonical); err == nil {
		return fmt.Errorf("%s has an account already", n.Address.Spelling)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !c.PasswordStdin {
		return c.invited(s, n)
	}
	if n.Hash, err = s.readPassword(n); err != nil {
		return err
	}
	return c.made(s, n, "added", func() (auth.User, error) { return s.app.Store.AddUser(s.ctx, s.by, n, s.app.Now()) })
}

// newUser reads what an account is to be called.
func newUser(email, called string) (n store.NewUser, err error) {
	if n.Address, err = address.Parse(email); err != nil {
		return n, fmt.Errorf("%s is not an e-mail address", email)
	}
	if n.Name, err = written.Name.Read(called); err != nil {
		return n, fmt.Errorf("the name cannot be taken: %w", err)
	}
	return n, nil
}

func (p person) invited(s *surroundings, n store.NewUser) error {
	return p.made(s, n, "invited", func() (auth.User, error) {
		return s.app.Store.InviteUser(s.ctx, s.by, n, s.app.InvitationLink(), s.app.Now())
	})
}

func (p person) made(s *surroundings, n store.NewUser, what string, add func() (auth.User, error)) error {
	u, err := add()
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("%s has an account already", n.Address.Spelling)
	} else if err != nil {
		return err
	}
	if p.JSON {
		return s.json(personOf(store.ListedUser{User: u}))
	}
	_, err = fmt.Fprintf(s.out, "%s: %s\n", u.Address, what)
	return err
}

// readPassword reads a password from standard input, holds it to the rules
// and hashes it.
func (s *surroundings) readPassword(n store.NewUser) (secret.Text, error) {
	typed, err := io.ReadAll(s.in)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	chosen := strings.TrimRight(string(typed), "\r\n")
	if chosen == "" {
		return "", errors.New("no password on standard input")
	}
	if verdict := s.app.JudgePassword(chosen, n.Address, n.Name); !verdict.Accepted() {
		return "", fmt.Errorf("the password is refused: %s", web.PasswordText(verdict).In(s.app.Floor.Bundle.Texts("en")))
	}
	return s.app.HashPassword(chosen), nil
}

// shownPerson is a person as JSON shows one.
type shownPerson struct {
	ID               auth.UserID `json:"id"`
	Email            string      `json:"email"`
	Name             string      `json:"name"`
	State            auth.State  `json:"state"`
	Administrator    bool        `json:"administrator"`
	TwoFactor        bool        `json:"two_factor"`
	MustUseTwoFactor bool        `json:"must_use_two_factor"`
	Authenticators   int         `json:"authenticators"`
	Passkeys         int         `json:"passkeys"`
	RecoveryCodes    int         `json:"recovery_codes"`
	Sessions         int         `json:"sessions"`
	LockedSince      *time.Time  `json:"locked_since"`
	Invited          bool        `json:"invited"`
	Created          time.Time   `json:"created"`
	LastLogin        *time.Time  `json:"last_login"`
	Groups           []string    `json:"groups,omitzero"` // not in a list
}

func personOf(u store.ListedUser) shownPerson {
	p := shownPerson{ID: u.ID, Email: u.Address, Name: u.Name, State: u.State, Administrator: u.Administrator,
		TwoFactor: u.TwoFactor(), MustUseTwoFactor: u.MustUseTwoFactor,
		Authenticators: u.Authenticators, Passkeys: u.Passkeys, RecoveryCodes: u.CodesLeft, Sessions: u.Sessions, Invited: !u.HasPassword, Created: u.Created}
	if !u.LastLogin.IsZero() {
		p.LastLogin = &u.LastLogin
	}
	if !u.Locked.IsZero() {
		p.LockedSince = &u.Locked
	}
	return p
}

type userList struct {
	onDataFlags
	Search string `help:"Only people whose address or name has this in it."`
	Locked bool   `help:"Only people whose account too many failed tries locked."`
}

func (c *userList) runOn(s *surroundings) error {
	people, err := s.everybody(store.UserFilter{Search: c.Search, Locked: c.Locked})
	if err != nil {
		return err
	}
	shown := make([]shownPerson, len(people))
	for i, u := range people {
		shown[i] = personOf(u)
	}
	if c.JSON {
		return s.json(shown)
	}
	table := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tNAME\tSTATE\tADMINISTRATOR\tTWO-FACTOR\tRECOVERY CODES\tSESSIONS\tLOCKED")
	for _, p := range shown {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", p.Email, p.Name, p.standing(),
			yesNo(p.Administrator), yesNo(p.TwoFactor), p.RecoveryCodes, p.Sessions, yesNo(p.LockedSince != nil))
	}
	return table.Flush()
}

// everybody reads the list a page at a time, and goes on after a page whose last
// person was deleted meanwhile.
func (s *surroundings) everybody(f store.UserFilter) (all []store.ListedUser, err error) {
	for f.Limit = 500; ; {
		page, _, err := s.app.Store.Users(s.ctx, f, s.app.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < f.Limit {
			return all, nil
		}
		f.Beyond = page[len(page)-1].Canonical
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type userShow struct{ person }

func (c *userShow) runOn(s *surroundings) error {
	u, err := c.find(s)
	if err != nil {
		return err
	}
	p, err := s.personShown(u)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(p)
	}
	return p.print(s)
}

func (p shownPerson) print(s *surroundings) error {
	table := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	for _, line := range [][2]any{
		{"email", p.Email}, {"name", p.Name}, {"state", p.standing()}, {"administrator", yesNo(p.Administrator)},
		{"two-factor authentication", yesNo(p.TwoFactor)}, {"must use it", yesNo(p.MustUseTwoFactor)},
		{"authenticator apps", p.Authenticators}, {"passkeys", p.Passkeys}, {"recovery codes left", p.RecoveryCodes}, {"sessions", p.Sessions}, {"groups", strings.Join(p.Groups, ", ")},
		{"created", p.Created.Format(time.RFC3339)}, {"last login", p.lastLogin()}, {"locked", yesNo(p.LockedSince != nil)},
	} {
		fmt.Fprintf(table, "%s\t%v\n", line[0], line[1])
	}
	return table.Flush()
}

// standing is the account's state as people see it.
func (p shownPerson) standing() string {
	if p.Invited && p.State == auth.Active {
		return "invited"
	}
	return string(p.State)
}

func (p shownPerson) lastLogin() string {
	if p.LastLogin == nil {
		return "never"
	}
	return p.LastLogin.Format(time.RFC3339)
}

type userDisable struct{ person }

func (c *userDisable) runOn(s *surroundings) error {
	return c.changed(s, "disabled", func(u auth.User, now time.Time) error {
		if u.State == auth.Disabled {
			return nil // as it should be, and nobody is told twice
		}
		return s.app.Store.DisableUser(s.ctx, s.by, u.ID, now)
	})
}

type userEnable struct{ person }

func (c *userEnable) runOn(s *surroundings) error {
	return c.changed(s, "enabled", func(u auth.User, now time.Time) error {
		if u.State == auth.Active {
			return nil
		}
		return s.app.Store.EnableUser(s.ctx, s.by, u.ID, now)
	})
}

type userDelete struct{ person }

func (c *userDelete) runOn(s *surroundings) error {
	return c.changed(s, "deleted", func(u auth.User, now time.Time) error {
		return s.app.Store.DeleteUser(s.ctx, s.by, u.ID, now)
	})
}

type userReset struct{ person }

func (c *userReset) runOn(s *surroundings) error {
	return c.changed(s, "a link to a new password is on its way", func(u auth.User, now time.Time) error {
		switch {
		case u.State != auth.Active:
			return fmt.Errorf("%s is disabled; enable it first", u.Address)
		case !u.HasPassword:
			return fmt.Errorf("%s has no password yet; see twinlock user invite", u.Address)
		}
		return s.app.Store.StartReset(s.ctx, s.by, u.ID, s.app.ResetLink(), now)
	})
}

type userReset2FA struct {
	person
	Reason string `required:"" help:"Why; the person is told."`
}

func (c *userReset2FA) runOn(s *surroundings) error {
	reason, err := written.Reason.Read(c.Reason)
	if err != nil {
		return fmt.Errorf("the reason cannot be taken: %w", err)
	} else if reason == "" {
		return errors.New("say why with --reason; the person is told")
	}
	err = c.changed(s, "second factors removed", func(u auth.User, now time.Time) error {
		return s.app.Store.ClearFactors(s.ctx, s.by, u.ID, reason, now)
	})
	if errors.Is(err, store.ErrNoFactor) { // done already is done
		return c.changed(s, "no second factor is on", func(auth.User, time.Time) error { return nil })
	}
	return err
}

type userEndSessions struct{ person }

func (c *userEndSessions) runOn(s *surroundings) error {
	return c.changed(s, "sessions ended", func(u auth.User, now time.Time) error {
		_, err := s.app.Store.EndSessions(s.ctx, s.by, u.ID, "", "ended by command", now)
		return err
	})
}

type userUnlock struct{ person }

func (c *userUnlock) runOn(s *surroundings) error {
	return c.changed(s, "unlocked", func(u auth.User, now time.Time) error {
		return s.app.Store.OpenDoors(s.ctx, s.by, u.ID, now)
	})
}

type userMust2FA struct {
	person
	No bool `help:"No longer."`
}

func (c *userMust2FA) runOn(s *surroundings) error {
	return c.changed(s, "must use two-factor authentication: "+yesNo(!c.No), func(u auth.User, now time.Time) error {
		return s.app.Store.SetMustUseTwoFactor(s.ctx, s.by, u.ID, !c.No, now)
	})
}

type userRole struct {
	person
	Role string `arg:"" enum:"administrator,user" help:"administrator or user"`
}

func (c *userRole) runOn(s *surroundings) error {
	return c.changed(s, c.Role, func(u auth.User, now time.Time) error {
		return s.app.Store.SetAdministrator(s.ctx, s.by, u.ID, c.Role == "administrator", now)
	})
}
