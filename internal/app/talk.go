package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/transfer"
)

// talk is one conversation between a command and the server: frames in both
// directions, so that neither what goes in nor what comes out has to fit into
// memory.
type talk struct {
	connection net.Conn
	in         *json.Decoder

	mu  sync.Mutex // out is written by a command and its progress
	out *json.Encoder

	hurried bool
}

func newTalk(c net.Conn) *talk {
	return &talk{connection: c, in: json.NewDecoder(c), out: json.NewEncoder(c)}
}

func (t *talk) say(f frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hurried {
		_ = t.connection.SetWriteDeadline(time.Now().Add(commandPatience))
	}
	return t.out.Encode(f)
}

func (t *talk) hear() (f frame, err error) {
	t.mu.Lock()
	if !t.hurried {
		_ = t.connection.SetReadDeadline(time.Now().Add(commandPatience))
	}
	t.mu.Unlock()
	return f, t.in.Decode(&f)
}

// hurry ends the conversation soon, whatever anybody waits for. It waits for
// nobody itself.
func (t *talk) hurry(patience time.Duration) {
	_ = t.connection.SetDeadline(time.Now().Add(patience)) // wakes whoever holds mu
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hurried = true
	_ = t.connection.SetDeadline(time.Now().Add(patience))
}

// writer says what is written to it.
type writer struct {
	talk *talk
	as   func([]byte) frame
}

func asOut(p []byte) frame    { return frame{Out: p} }
func asErrors(p []byte) frame { return frame{Errors: p} }

func (t *talk) output(as func([]byte) frame) io.Writer { return writer{t, as} }

func (w writer) Write(p []byte) (int, error) {
	if err := w.talk.say(w.as(p)); err != nil {
		return 0, fmt.Errorf("whoever typed the command is gone: %w", err)
	}
	return len(p), nil
}

// progressPause is how often a progress is told.
const progressPause = 100 * time.Millisecond

// progress tells how far something is, now and then, and at its end.
func (t *talk) progress() transfer.Progress {
	var last time.Time
	return func(what string, done, total int64) {
		if now := time.Now(); now.Sub(last) >= progressPause || done == total {
			last = now
			_ = t.say(frame{Progress: &progress{what, done, total}})
		}
	}
}

// input reads what the other side types, as it comes.
type input struct {
	talk  *talk
	left  []byte
	ended bool
}

func (i *input) Read(p []byte) (int, error) {
	for len(i.left) == 0 {
		if i.ended {
			return 0, io.EOF
		}
		f, err := i.talk.hear()
		if err != nil {
			return 0, fmt.Errorf("whoever typed the command is gone: %w", err)
		}
		i.left, i.ended = f.In, f.Ended
	}
	n := copy(p, i.left)
	i.left = i.left[n:]
	return n, nil
}

// sendTyped sends what is typed until it ends, or nobody listens any more. What
// cannot be read ends the conversation: half a file must not pass for a whole.
func (t *talk) sendTyped(from io.Reader) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 && t.say(frame{In: piece[:n]}) != nil {
			return
		}
		switch {
		case err == io.EOF:
			_ = t.say(frame{Ended: true})
			return
		case err != nil:
			_ = t.connection.Close()
			return
		}
	}
}

// listen passes on what the server says until it gives the exit status.
func (t *talk) listen(line Line) (status int, err error) {
	for {
		f, err := t.hear()
		switch {
		case err != nil:
			return 1, fmt.Errorf("the server ended before it answered, see whether it did this: %w", err)
		case f.Ended:
			return f.Status, nil
		case f.Progress != nil:
			line.Progress(f.Progress.What, f.Progress.Done, f.Progress.Total)
		}
		if _, err := line.Out.Write(f.Out); err != nil {
			return 1, err
		}
		if _, err := line.Errors.Write(f.Errors); err != nil {
			return 1, err
		}
	}
}
