package app

import (
	"bytes"
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
)

// Command runs one command line as if it had been typed beside the server,
// and gives its exit status. The command line program provides it.
type Command func(ctx context.Context, a *App, args []string, in io.Reader, out, errs io.Writer) int

// protocol is the number of what a command and a server say to each other
// through the socket. It rises with every change.
const protocol = 1

// greeting is what a server says first: that it is there, and who it is.
type greeting struct {
	Protocol int
	Version  string
}

const (
	commandPatience  = 10 * time.Minute // for a command in the server
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
	line, err := a.receive(ctx, connection)
	if errors.Is(err, io.EOF) { // somebody only asked whether we are here
		return
	} else if err != nil {
		a.log.Warn("control socket", "error", err)
		return
	}
	answer := a.answer(ctx, line, run)
	_ = connection.SetWriteDeadline(time.Now().Add(linePatience))
	if err := json.NewEncoder(connection).Encode(answer); err != nil {
		a.log.Warn("control socket", "error", err)
	}
}

// receive greets and reads one command line.
func (a *App) receive(ctx context.Context, connection net.Conn) (line Line, err error) {
	_ = connection.SetDeadline(time.Now().Add(linePatience))
	stopping := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Now().Add(lastLinePatience)) })
	defer stopping()
	if err := json.NewEncoder(connection).Encode(greeting{protocol, Version()}); err != nil {
		return line, err
	}
	return line, json.NewDecoder(connection).Decode(&line)
}

// answer runs a command line. It outlives the order to stop by as long as a
// request does.
func (a *App) answer(ctx context.Context, line Line, run Command) (answer Answer) {
	stop := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandPatience)
	defer cancel()
	defer context.AfterFunc(stop, func() { time.AfterFunc(drain, cancel) })()
	var out, errs bytes.Buffer
	defer func() {
		if crash := recover(); crash != nil {
			a.log.Error("a command crashed", "error", crash)
			answer = Answer{Errors: []byte("twinlock: the server could not do this; its log says why\n"), Status: 1}
		}
	}()
	status := run(ctx, a, line.Args, bytes.NewReader(line.In), &out, &errs)
	return Answer{Out: out.Bytes(), Errors: errs.Bytes(), Status: status}
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
// its answer; nil where none runs.
func ask(data string, line Line) (*Answer, error) {
	connection, server, err := reach(data)
	if connection == nil {
		return nil, err
	}
	defer connection.Close()
	if err := server.understands(); err != nil {
		return nil, err
	}
	_ = connection.SetDeadline(time.Now().Add(commandPatience))
	if err := json.NewEncoder(connection).Encode(line); err != nil {
		return nil, fmt.Errorf("ask the running server: %w", err)
	}
	answer := &Answer{}
	if err := json.NewDecoder(connection).Decode(answer); err != nil {
		return nil, fmt.Errorf("the server ended before it answered, see whether it did this: %w", err)
	}
	return answer, nil
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
