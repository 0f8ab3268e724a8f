package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinlock/twinlock/internal/config"
)

var (
	// ErrRunning is returned to a server when another one runs on the same data.
	ErrRunning = errors.New("a server already runs on this data; stop it first, or give this one a folder of its own with --data")
	// ErrBusy is returned when others held the data for longer than is waited.
	ErrBusy = errors.New("another command is at work on this data; try again")

	errLocked = errors.New("locked")
)

// lockData takes the data folder for this process, and makes it where there is
// none. The lock goes with the process, however it ends. errLocked where
// another process has it.
func lockData(data string) (*os.File, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return file, nil
}

const (
	turnPatience = 30 * time.Second
	turnPause    = 25 * time.Millisecond
)

// await waits until the data folder is this process's own. Before each try it
// asks whether a server runs there: where that is answered yes, or by an error,
// the wait is over and the folder is not taken. ErrBusy when patience ends.
func await(ctx context.Context, data string, patience time.Duration, serverRuns func() (bool, error)) (*os.File, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrBusy)
	defer cancel()
	again := time.NewTicker(turnPause)
	defer again.Stop()
	for {
		if runs, err := serverRuns(); runs || err != nil {
			return nil, err
		}
		lock, err := lockData(data)
		if !errors.Is(err, errLocked) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", data, context.Cause(ctx))
		case <-again.C:
		}
	}
}

// lockStopped takes the data folder for work that no server may be beside.
func lockStopped(ctx context.Context, data string) (*os.File, error) {
	return await(ctx, data, turnPatience, func() (bool, error) {
		if runs(data) {
			return false, fmt.Errorf("%s: a server runs on this data; stop it first", data)
		}
		return false, nil
	})
}

// Alone is an App that has the data folder to itself.
type Alone struct {
	*App
	lock *os.File
}

// NewServer is New for a program that serves. ErrRunning where another one
// does on the same data; a command that is at work there is waited for.
func NewServer(ctx context.Context, c config.Config, o Options) (*Alone, error) {
	lock, err := await(ctx, c.Data, turnPatience, func() (bool, error) {
		if runs(c.Data) {
			return false, fmt.Errorf("%s: %w", c.Data, ErrRunning)
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	server, err := newAlone(ctx, c, o, lock)
	if err != nil {
		return nil, err
	}
	if err := server.ObeySettings(ctx); err != nil {
		return nil, errors.Join(err, server.Close(), server.Release())
	}
	return server, nil
}

func newAlone(ctx context.Context, c config.Config, o Options, lock *os.File) (*Alone, error) {
	a, err := New(ctx, c, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Alone{App: a, lock: lock}, nil
}

// Release lets another process have the data folder.
func (a *Alone) Release() error { return a.lock.Close() }

// Turn gives a command its turn at the data: through the server that runs on
// it, whose exit status it gives, or alone where none runs: then alone is not
// nil. Other commands are waited for, and so is a server that is just starting.
func Turn(ctx context.Context, c config.Config, o Options, line Line) (alone *Alone, status int, err error) {
	lock, err := await(ctx, c.Data, turnPatience, func() (running bool, err error) {
		status, running, err = ask(ctx, c.Data, line)
		return running, err
	})
	if err != nil || lock == nil {
		return nil, status, err
	}
	alone, err = newAlone(ctx, c, o, lock)
	return alone, 0, err
}
