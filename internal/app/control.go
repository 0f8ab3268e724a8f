package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinlock/twinlock/internal/transfer"
)

// Command runs one command line as if it had been typed beside the server,
// and gives its exit status. The command line program provides it.
type Command func(ctx context.Context, a *App, line Line) int

// Line is a command line, and where what goes in and out of it goes.
type Line struct {
	Args        []string
	In          io.Reader // nil: the command reads nothing
	Out, Errors io.Writer
	Progress    transfer.Progress
}

// protocol is the number of what a command and a server say to each other
// through the socket. It rises with every change.
const protocol = 2

// greeting is what a server says first: that it is there, and who it is.
type greeting struct {
	Protocol int
	Version  string
}

// asked is a command line on its way to the server.
type asked struct {
	Args  []string
	Reads bool // frames with what goes in follow
}

// frame is a piece of what follows, in either direction.
type frame struct {
	In, Out, Errors []byte    `json:",omitempty"`
	Progress        *progress `json:",omitempty"`
	Ended           bool      `json:",omitempty"`
	Status          int       `json:",omitempty"`
}

type progress struct {
	What        string
	Done, Total int64
}

const (
	commandPatience  = 10 * time.Minute // for the next frame, in either direction
	greetingPatience = 10 * time.Second
	linePatience     = 10 * time.Second // for a command line after the greeting
	lastLinePatience = time.Second      // the same once the server stops
)

// controlFile is the socket of a data folder under a name that a socket may
// have: sockaddr_un holds about a hundred bytes (unix(7)), and a folder may lie
// deeper. What the name needs is let go by done.
func controlFile(data string) (name string, done func(), err error) {
	const longest = 100
	name = filepath.Join(data, "control.sock")
	if len(name) <= longest {
		return name, func() {}, nil
	}
	folder, err := os.Open(data)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/control.sock", folder.Fd()), func() { _ = folder.Close() }, nil
}

// control is the socket that commands of other processes come through.
type control struct {
	net.Listener
	done func()
}

// listenControl opens the socket of the data folder, which must be locked. Only
// its owner may open it.
func listenControl(data string) (*control, error) {
	name, done, err := controlFile(data)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Remove(name); err != nil && !isMissing(err) { // left by a server that was killed
		done()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	old := unix.Umask(0o177)
	listener, err := net.Listen("unix", name)
	unix.Umask(old)
	if err != nil {
		done()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &control{listener, done}, nil
}

func (c *control) Close() error {
	defer c.done()
	return c.Listener.Close()
}

// serveControl answers commands until the background work is to end. Those that
// have begun are finished first.
func (a *App) serveControl(c *control, run Command) {
	ctx := a.work.ctx
	context.AfterFunc(ctx, func() { _ = c.Close() })
	a.work.group.Go(func() {
		for {
			connection, err := c.Accept()
			if err != nil {
				return // closed: the server stops
			}
			a.work.group.Go(func() { a.answerControl(ctx, connection, run) })
		}
	})
}

func (a *App) answerControl(ctx context.Context, connection net.Conn, run Command) {
	defer connection.Close()
	t := newTalk(connection)
	question, err := a.receive(ctx, t)
	if errors.Is(err, io.EOF) { // somebody only asked whether we are here
		return
	} else if err != nil {
		a.log.Warn("control socket", "error", err)
		return
	}
	if err := t.say(frame{Ended: true, Status: a.answer(t, question, run)}); err != nil {
		a.log.Warn("control socket", "error", err)
	}
}

// receive greets and reads one command line.
func (a *App) receive(ctx context.Context, t *talk) (question asked, err error) {
	_ = t.connection.SetDeadline(time.Now().Add(linePatience))
	stopping := context.AfterFunc(ctx, func() { _ = t.connection.SetDeadline(time.Now().Add(lastLinePatience)) })
	defer stopping()
	if err := t.out.Encode(greeting{protocol, Version()}); err != nil {
		return question, err
	}
	return question, t.in.Decode(&question)
}

// answer runs a command line. It may go on after the order to stop until requests
// may no longer.
func (a *App) answer(t *talk, question asked, run Command) (status int) {
	ctx, cancel := context.WithCancel(a.work.late)
	defer cancel()
	defer context.AfterFunc(ctx, func() { t.hurry(lastLinePatience) })() // whoever does not listen holds nobody up
	line := Line{Args: question.Args, Out: t.output(asOut), Errors: t.output(asErrors), Progress: t.progress()}
	if question.Reads {
		line.In = &input{talk: t}
	}
	defer func() {
		if crash := recover(); crash != nil {
			a.log.Error("a command crashed", "error", crash)
			_ = t.say(frame{Errors: []byte("twinlock: the server could not do this; its log says why\n")})
			status = 1
		}
	}()
	return run(ctx, a, line)
}

// reach greets the server of a data folder; nil where none runs. A socket that
// a killed server left behind answers nobody.
func reach(data string) (connection net.Conn, server greeting, err error) {
	name, done, err := controlFile(data)
	if isMissing(err) {
		return nil, server, nil
	} else if err != nil {
		return nil, server, err
	}
	defer done()
	connection, err = net.Dial("unix", name)
	if err != nil {
		return nil, server, nil
	}
	_ = connection.SetReadDeadline(time.Now().Add(greetingPatience))
	err = json.NewDecoder(connection).Decode(&server)
	if err == nil {
		return connection, server, nil
	}
	_ = connection.Close()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, server, fmt.Errorf("%s: the server that runs on this data does not answer", data)
	}
	return nil, server, nil // it stopped at this moment
}

func runs(data string) bool {
	connection, _, err := reach(data)
	if connection != nil {
		_ = connection.Close()
	}
	return connection != nil || err != nil
}

// ask sends a command line to the server that runs on the same data, and gives
// its exit status; false where none runs.
func ask(ctx context.Context, data string, line Line) (status int, running bool, err error) {
	connection, server, err := reach(data)
	if connection == nil {
		return 0, false, err
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
	if err := server.understands(); err != nil {
		return 0, true, err
	}
	t := newTalk(connection)
	if err := t.out.Encode(asked{line.Args, line.In != nil}); err != nil {
		return 0, true, fmt.Errorf("ask the running server: %w", err)
	}
	if line.In != nil {
		go t.sendTyped(line.In)
	}
	status, err = t.listen(line)
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted; the server may have done a part of it: %w", context.Cause(ctx))
	}
	return status, true, err
}

// understands refuses a server that speaks otherwise than this program.
func (g greeting) understands() error {
	switch {
	case g.Protocol > protocol:
		return fmt.Errorf("the running server, %s, is newer than this program, %s: use the program that it was started with", g.Version, Version())
	case g.Protocol < protocol:
		return fmt.Errorf("the running server, %s, is older than this program, %s: restart it with this one", g.Version, Version())
	}
	return nil
}
