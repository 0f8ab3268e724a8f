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

// ErrRunning is returned when another process works on the same data.
var ErrRunning = errors.New("another twinlock is running on this data")

// lockData keeps a second server, and a restore, off the data folder. The lock
// goes with the process, however it ends.
func lockData(data string) (*os.File, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%w: %s", ErrRunning, data)
	}
	return file, nil
}

func controlPath(data string) string { return filepath.Join(data, "control.sock") }

// asked is a command line on its way through the socket, and answered what it
// gave. What is typed in goes along: a password from standard input.
type asked struct {
	Args []string
	In   []byte
}

type answered struct {
	Out    []byte
	Errors []byte
	Status int
}

// patience is how long a command may take in the server.
const patience = 10 * time.Minute

// serveControl answers the commands of other processes until ctx ends. Only
// the owner of the data folder may open the socket.
func (a *App) serveControl(ctx context.Context, run Command) error {
	path := controlPath(a.Config.Data)
	if err := os.Remove(path); err != nil && !isMissing(err) { // left by a process that was killed; we hold the lock
		return fmt.Errorf("control socket: %w", err)
	}
	old := unix.Umask(0o177)
	listener, err := net.Listen("unix", path)
	unix.Umask(old)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	a.work.group.Add(1)
	go func() {
		defer a.work.group.Done()
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed: the server stops
			}
			go a.answerControl(ctx, connection, run)
		}
	}()
	return nil
}

func (a *App) answerControl(ctx context.Context, connection net.Conn, run Command) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	var question asked
	if err := json.NewDecoder(connection).Decode(&question); err != nil {
		a.log.Warn("control socket", "error", err)
		return
	}
	var out, errs bytes.Buffer
	status := run(ctx, a, question.Args, bytes.NewReader(question.In), &out, &errs)
	answer := answered{Out: out.Bytes(), Errors: errs.Bytes(), Status: status}
	if err := json.NewEncoder(connection).Encode(answer); err != nil {
		a.log.Warn("control socket", "error", err)
	}
}

// Ask sends a command line to the server that runs on the same data, and
// gives its exit status; false where none runs.
func Ask(data string, args []string, in []byte, out, errs io.Writer) (status int, running bool, err error) {
	connection, err := net.Dial("unix", controlPath(data))
	if err != nil {
		return 0, false, nil
	}
	defer connection.Close()
	if err := json.NewEncoder(connection).Encode(asked{Args: args, In: in}); err != nil {
		return 1, true, fmt.Errorf("ask the running server: %w", err)
	}
	var answer answered
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return 1, true, fmt.Errorf("the running server did not answer: %w", err)
	}
	_, outErr := out.Write(answer.Out)
	_, errsErr := errs.Write(answer.Errors)
	return answer.Status, true, errors.Join(outErr, errsErr)
}
