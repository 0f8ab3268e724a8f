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
)

// commands is everything that the program can do.
type commands struct {
	Serve   serve          `cmd:"" help:"Start the server."`
	User    userCommands   `cmd:"" help:"See and change people."`
	Group   groupCommands  `cmd:"" help:"See and change groups."`
	Plugin  pluginCommands `cmd:"" help:"See and change what is active, and for whom."`
	App     appCommands    `cmd:"" help:"See and change applications."`
	Keys    keysCommands   `cmd:"" help:"Make the keys anew that sign what applications are told."`
	Config  configCommands `cmd:"" help:"Check and show the settings."`
	Version version        `cmd:"" help:"Print the version."`
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
	exited := false
	parser, err := kong.New(&commands{}, kong.Name("twinlock"),
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
	typed, err := typedIn(command, s.in)
	if err != nil {
		return s.ended(err)
	}
	answer, alone, err := app.Turn(s.ctx, c, app.Options{}, app.Line{Args: args, In: typed})
	switch {
	case err != nil:
		return s.ended(err)
	case answer != nil:
		_, outErr := s.out.Write(answer.Out)
		_, errsErr := s.errs.Write(answer.Errors)
		return max(answer.Status, s.ended(errors.Join(outErr, errsErr)))
	}
	s.in, s.app = bytes.NewReader(typed), alone.App
	return s.ended(errors.Join(command.runOn(s), alone.Close(), alone.Release()))
}

// longestTyped bounds what is read from standard input.
const longestTyped = 64 << 10

// typing is a command that may read standard input.
type typing interface{ reads() bool }

// typedIn reads standard input where the command wants it: nothing else waits
// for it.
func typedIn(command onData, in io.Reader) ([]byte, error) {
	if t, ok := command.(typing); !ok || !t.reads() {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(in, longestTyped))
}

// inServer runs a line that came through the control socket.
func inServer(ctx context.Context, a *app.App, args []string, in io.Reader, out, errs io.Writer) int {
	var wrong bytes.Buffer
	l, status, ended := parse(args, out, &wrong)
	if ended { // the program that was typed understood it
		fmt.Fprintf(errs, "twinlock: the running server, %s, is of another version and does not know this; restart it with this program (%s)\n",
			app.Version(), strings.TrimSpace(wrong.String()))
		return status
	}
	s := &surroundings{ctx: ctx, in: in, out: out, errs: errs, app: a, by: auth.Actor{Command: true}}
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
	fmt.Fprintln(s.errs, "twinlock:", strings.ReplaceAll(err.Error(), "\n", "; "))
	return failed
}

// onDataFlags are the flags of every command that works on data.
type onDataFlags struct {
	config.DataFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (f onDataFlags) load() (config.Config, error) { return f.DataFlags.Load(os.Environ()) }
