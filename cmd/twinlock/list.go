package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/transfer"
)

// listFile is a file with people, a line each, that lies where the command was
// typed.
type listFile string

// hold reads the file, and lets the progress be told in parts of it.
func (f listFile) hold(s *surroundings) (done func(status int) error, err error) {
	nothing := func(int) error { return nil }
	if f == "" {
		s.in = nil
		return nothing, nil
	}
	if f == "-" {
		return nothing, nil
	}
	file, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is a folder", f), file.Close())
	}
	progress := s.progress
	s.in = file
	s.progress = func(what string, read, _ int64) { progress(what, read, info.Size()) }
	return func(int) error { return file.Close() }, nil
}

// reader reads people from what was typed, or from the file.
func (s *surroundings) reader() (*transfer.Reader, error) {
	groups, err := s.app.Store.Groups(s.ctx)
	return transfer.NewReader(s.in, groups), err
}

// inWordsOf says what is wrong with a line of a list.
func inWordsOf(f transfer.Fault) string {
	words := map[transfer.Why]string{
		transfer.NoAddress:     "%q is not an e-mail address",
		transfer.Twice:         "the address stands in line %s already",
		transfer.WrongName:     "%q is not a name: at most 100 characters, none of them a control character or an @",
		transfer.UnknownGroup:  "there is no group %q; see twinlock group add",
		transfer.NoUTF8:        "is not text in UTF-8",
		transfer.LongLine:      "is too long",
		transfer.Unreadable:    "%s",
		transfer.UnknownHash:   "the password_hash is none that can be checked: argon2id, bcrypt, scrypt, pbkdf2-sha256 or pbkdf2-sha512",
		transfer.Administrator: "would be an administrator; say so with --administrators",
		transfer.OtherLanguage: "there is no language %q for pages and letters",
		transfer.ImportOnly:    "a list of invitations has no %q; see twinlock import users",
	}[f.Why]
	if !strings.Contains(words, "%") {
		return fmt.Sprintf("line %d: %s", f.Line, words)
	}
	return fmt.Sprintf("line %d: "+words, f.Line, f.Detail)
}

// shownFault is a line that was not taken as JSON shows one.
type shownFault struct {
	Line int          `json:"line"`
	Why  transfer.Why `json:"why"`
	Text string       `json:"text"`
}

// faults tells lines that are wrong as they come, and keeps them where they are
// shown as JSON in the end.
type faults struct {
	to    io.Writer
	quiet bool
	all   []shownFault
	n     int
}

func (f *faults) tell(wrong transfer.Fault) {
	f.n++
	if f.quiet {
		f.all = append(f.all, shownFault{wrong.Line, wrong.Why, inWordsOf(wrong)})
		return
	}
	fmt.Fprintln(f.to, inWordsOf(wrong))
}

// err is what a command ends with: lines that were not taken are a failure, for
// a program that runs it.
func (f *faults) err() error {
	switch f.n {
	case 0:
		return nil
	case 1:
		return errors.New("1 line was not taken, the others were")
	}
	return fmt.Errorf("%d lines were not taken, the others were", f.n)
}

type userInvite struct {
	onDataFlags
	Email string `arg:"" optional:"" help:"The address to invite."`
	Name  string `help:"What the person is called."`
	File  string `help:"A list: an address a line, or CSV of email, name and groups; - is standard input." placeholder:"LIST"`
}

// Validate refuses what is neither one address nor a list.
func (c *userInvite) Validate() error {
	switch {
	case (c.Email == "") == (c.File == ""):
		return errors.New("expected an address, or a list with --file")
	case c.File != "" && c.Name != "":
		return errors.New("--name is for one address; a list has a column for it")
	}
	return nil
}

func (c *userInvite) hold(s *surroundings) (func(int) error, error) { return listFile(c.File).hold(s) }

func (c *userInvite) runOn(s *surroundings) error {
	if c.File != "" {
		return c.everyone(s)
	}
	n, err := newUser(c.Email, c.Name)
	if err != nil {
		return err
	}
	return person{c.onDataFlags, c.Email}.invited(s, n)
}

// invitedList is what came of a list of invitations, as JSON shows it.
type invitedList struct {
	Invited        []string     `json:"invited"`
	InvitedBefore  []string     `json:"invited_before"` // by a link that still works
	HaveAccount    []string     `json:"have_account"`
	TooManyLetters []string     `json:"too_many_letters"`
	Wrong          []shownFault `json:"wrong"`
}

// everyone invites a list. Run again, it writes to nobody twice.
func (c *userInvite) everyone(s *surroundings) error {
	from, err := s.reader()
	if err != nil {
		return err
	}
	list := invitedList{Invited: []string{}, InvitedBefore: []string{}, HaveAccount: []string{}, TooManyLetters: []string{}, Wrong: []shownFault{}}
	wrong := &faults{to: s.errs, quiet: c.JSON, all: list.Wrong}
	tell := func(i transfer.Invited) {
		what := list.add(i)
		if !c.JSON {
			fmt.Fprintf(s.out, "%s: %s\n", i.Address.Spelling, what)
		}
		s.progress("invitations", from.Read(), 0)
	}
	err = transfer.InvitePeople(s.ctx, s.app.Store, s.by, from, s.app.InvitationLink(), tell, wrong.tell, s.app.Now)
	if err != nil {
		return err
	}
	if c.JSON {
		list.Wrong = wrong.all
		return errors.Join(s.json(list), wrong.err())
	}
	fmt.Fprintf(s.out, "%d invited, %d invited before, %d with an account, %d with too many letters, %d wrong.\n",
		len(list.Invited), len(list.InvitedBefore), len(list.HaveAccount), len(list.TooManyLetters), wrong.n)
	return wrong.err()
}

// add sorts one address in, and says what became of it.
func (l *invitedList) add(i transfer.Invited) string {
	at := i.Address.Spelling
	switch {
	case i.Many:
		l.TooManyLetters = append(l.TooManyLetters, at)
		return "not invited: it had as many letters as it gets in an hour"
	case i.Was == store.HasAccount:
		l.HaveAccount = append(l.HaveAccount, at)
		return "has an account already"
	case i.Was == store.InvitationOpen:
		l.InvitedBefore = append(l.InvitedBefore, at)
		return "invited before, by a link that still works; not mailed again"
	}
	l.Invited = append(l.Invited, at)
	if i.Was == store.InvitationLapsed {
		return "invited again"
	}
	return "invited"
}

type importCommands struct {
	Users importUsers `cmd:"" help:"Make accounts from a list, with the password hashes of another program."`
}

type importUsers struct {
	onDataFlags
	File           string `arg:"" help:"JSON, an object a line, or CSV whose first line names the columns; - is standard input."`
	Administrators bool   `help:"Takes lines that make administrators; without it they are refused."`
}

func (c *importUsers) hold(s *surroundings) (func(int) error, error) { return listFile(c.File).hold(s) }

func (c *importUsers) runOn(s *surroundings) error {
	from, err := s.reader()
	if err != nil {
		return err
	}
	from.Administrators = c.Administrators
	for _, l := range s.app.Floor.Bundle.Languages() {
		from.Languages = append(from.Languages, l.Tag)
	}
	wrong := &faults{to: s.errs, quiet: c.JSON, all: []shownFault{}}
	done, err := transfer.ImportPeople(s.ctx, s.app.Store, s.by, from, s.progress, wrong.tell, s.app.Now)
	if err != nil {
		return fmt.Errorf("%w; %d people were added before: run it again to go on", err, done.Added)
	}
	if c.JSON {
		err := s.json(struct {
			transfer.Imported
			Lines []shownFault `json:"lines"`
		}{done, wrong.all})
		return errors.Join(err, wrong.err())
	}
	fmt.Fprintf(s.out, "%d added, %d have an account already, %d wrong.\n", done.Added, done.Known, done.Wrong)
	if done.WithoutPassword > 0 {
		fmt.Fprintf(s.out, "%d of the added have no password: invite them by twinlock user invite --file, or in the console.\n", done.WithoutPassword)
	}
	return wrong.err()
}
