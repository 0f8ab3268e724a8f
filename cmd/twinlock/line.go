package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/transfer"
)

// commands is everything that the program can do.
type commands struct {
	serving
	User    userCommands   `cmd:"" help:"See and change people."`
	Group   groupCommands  `cmd:"" help:"See and change groups."`
	Plugin  pluginCommands `cmd:"" help:"See and change what is active, and for whom."`
	App     appCommands    `cmd:"" help:"See and change applications."`
	Keys    keysCommands   `cmd:"" help:"Make the keys anew that sign what applications are told."`
	Config  configCommands `cmd:"" help:"Check and show the settings."`
	Import  importCommands `cmd:"" help:"Bring people from another program."`
	Backup  backup         `cmd:"" help:"Write everything into one file, while the server goes on."`
	Restore restore        `cmd:"" help:"Put a backup in the place of the database; the server must not run."`
	Migrate migrate        `cmd:"" help:"Move from SQLite to PostgreSQL; no server may run."`
	Version version        `cmd:"" help:"Print the version."`
}

// serving is the command that has to be quick: reading the tags of all the
// others takes longer than everything else that a server does before it answers.
type serving struct {
	Serve serve `cmd:"" help:"Start the server."`
}

// grammar is what a command line may say.
func grammar(args []string) any {
	switch {
	case len(args) > 0 && args[0] == "serve":
		return &serving{}
	case len(args) > 0 && args[0] == "hash-passwords":
		return &hashingLine{}
	}
	return &commands{}
}

const (
	done       = 0
	failed     = 1
	wrongUsage = 2
)

// line is a command line that was understood.
type line struct{ parsed *kong.Context }

// parse reads a command line. Where it is wrong, or asked for help, everything
// has been said and the status is the program's.
func parse(args []string, out, errs io.Writer) (l line, status int, ended bool) {
	return parseBy(grammar(args), args, out, errs)
}

func parseBy(grammar any, args []string, out, errs io.Writer) (l line, status int, ended bool) {
	exited := false
	parser, err := kong.New(grammar, kong.Name("twinlock"),
		kong.Description("A sign-in server with two-factor authentication. Start it with: twinlock serve"),
		kong.Writers(out, errs), kong.UsageOnError(), kong.Exit(func(int) { exited = true }))
	if err != nil {
		fmt.Fprintln(errs, "twinlock:", err)
		return line{}, failed, true
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited: // help was printed
		return line{}, done, true
	case err != nil:
		fmt.Fprintf(errs, "twinlock: %v; see twinlock --help\n", err)
		return line{}, wrongUsage, true
	}
	return line{parsed}, done, false
}

// surroundings are what a command works with.
type surroundings struct {
	ctx       context.Context
	in        io.Reader
	out, errs io.Writer
	progress  transfer.Progress
	app       *app.App // nil for commands that need no data
	by        auth.Actor
}

// onData is a command that works on the data of a server: through the running
// one where there is one, straight on the database otherwise.
type onData interface {
	load() (config.Config, error)
	runOn(*surroundings) error
}

// alone is a command that needs no data, or is the server itself.
type alone interface {
	runAlone(*surroundings) error
}

// execute does what the line says, and gives the exit status.
func (l line) execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	s := &surroundings{ctx: ctx, in: in, out: out, errs: errs, by: auth.Actor{Command: true}}
	switch command := l.selected().(type) {
	case alone:
		return s.ended(command.runAlone(s))
	case onData:
		return l.executeOnData(s, command, args)
	}
	return s.ended(errors.New("nothing to do"))
}

func (l line) selected() any { return l.parsed.Selected().Target.Addr().Interface() }

func (l line) executeOnData(s *surroundings, command onData, args []string) int {
	c, err := command.load()
	if err != nil {
		return s.ended(err)
	}
	progress, wipe, above := progressOn(s.errs)
	s.progress, s.out, s.errs = progress, above(s.out), above(s.errs)
	done, err := s.hold(command)
	if err != nil {
		return s.ended(err)
	}
	status := l.inTurn(s, command, c, args)
	wipe()
	return max(status, s.ended(done(status)))
}

// inTurn runs a command when its turn at the data has come.
func (l line) inTurn(s *surroundings, command onData, c config.Config, args []string) int {
	alone, status, err := app.Turn(s.ctx, c, app.Options{},
		app.Line{Args: args, In: s.in, Out: s.out, Errors: s.errs, Progress: s.progress})
	if err != nil {
		return s.ended(err)
	}
	if alone == nil {
		return status
	}
	s.app = alone.App
	return s.ended(errors.Join(command.runOn(s), alone.Close(), alone.Release()))
}

// hold lets a command have the standard input, or a file where it was typed,
// and nothing where it wants neither. done is told the exit status, and ends it.
func (s *surroundings) hold(command onData) (done func(status int) error, err error) {
	done = func(int) error { return nil }
	switch c := command.(type) {
	case filing:
		return c.hold(s)
	case typing:
		if c.reads() {
			s.in = io.LimitReader(s.in, longestTyped)
			return done, nil
		}
	}
	s.in = nil
	return done, nil
}

// filing is a command that reads or writes a file where it was typed: what a
// running server has of it comes and goes through the socket.
type filing interface {
	hold(*surroundings) (done func(status int) error, err error)
}

// longestTyped bounds what is read from standard input.
const longestTyped = 64 << 10

// typing is a command that may read standard input.
type typing interface{ reads() bool }

// inServer runs a line that came through the control socket.
func inServer(ctx context.Context, a *app.App, typed app.Line) int {
	var wrong bytes.Buffer
	l, status, ended := parse(typed.Args, typed.Out, &wrong)
	if ended { // the program that was typed understood it
		fmt.Fprintf(typed.Errors, "twinlock: the running server, %s, is of another version and does not know this; restart it with this program (%s)\n",
			app.Version(), strings.TrimSpace(wrong.String()))
		return status
	}
	s := &surroundings{ctx: ctx, in: typed.In, out: typed.Out, errs: typed.Errors, progress: typed.Progress,
		app: a, by: auth.Actor{Command: true}}
	command, ok := l.selected().(onData)
	if !ok {
		return s.ended(errors.New("this command does not go through a running server"))
	}
	return s.ended(command.runOn(s))
}

// ended says in one line what went wrong.
func (s *surroundings) ended(err error) int {
	if err == nil {
		return done
	}
	if s.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("stopped before the end")
	}
	fmt.Fprintln(s.errs, "twinlock:", strings.ReplaceAll(err.Error(), "\n", "; "))
	return failed
}

// onDataFlags are the flags of every command that works on data.
type onDataFlags struct {
	config.DataFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (f onDataFlags) load() (config.Config, error) { return f.DataFlags.Load(os.Environ()) }
