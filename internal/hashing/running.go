package hashing

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"sync"
	"time"
)

// running is one process, from its start to its end.
type running struct {
	in   io.WriteCloser
	pid  int
	kill func()

	mu      sync.Mutex
	encode  *gob.Encoder
	last    uint64
	known   bool                     // that it answers
	failure error                    // why it has ended
	killed  bool                     // by somebody, or for want of memory
	waiting map[uint64]chan<- answer // by the question's ID; nil once it has ended
}

func start(c *exec.Cmd, log *slog.Logger, level slog.Level) (*running, error) {
	var said bytes.Buffer
	c.Args[0] = "twinlock"                          // as lists of processes show it
	c.Env, c.Dir, c.Stderr = []string{}, "/", &said // it needs nothing of its surroundings
	apart(c)
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lowerPriority(c.Process.Pid)
	r := &running{in: in, pid: c.Process.Pid, kill: func() { _ = c.Process.Kill() }, encode: gob.NewEncoder(in), waiting: map[uint64]chan<- answer{}}
	go func() {
		if err := r.listen(out); !errors.Is(err, io.EOF) {
			r.kill() // what it says is none of our words
		}
		err := c.Wait()
		if err != nil && r.hasAnswered() {
			log.Log(context.Background(), level, "the process that hashes passwords has ended; the next login starts another", "error", err, "it said", firstOf(said.String()))
		}
		r.end(fmt.Errorf("%w: %v: %s", ErrEnded, err, firstOf(said.String())), wasKilled(c.ProcessState))
	}()
	return r, nil
}

// firstOf keeps a trace of a crash out of the log but for its beginning.
func firstOf(said string) string { return said[:min(len(said), 200)] }

// ask gives a process so long for its answer. One that takes longer is ended.
func (r *running) ask(q question, patience time.Duration) (answer, error) {
	answered := make(chan answer, 1)
	if !r.send(q, answered) {
		return answer{}, errNotAsked
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case a, ok := <-answered:
		if !ok {
			return answer{}, r.why()
		}
		return a, nil
	case <-late.C:
		r.kill() // one that stands still would keep everybody out
		return answer{}, ErrEnded
	}
}

// errNotAsked is returned where the process had ended before it was asked.
var errNotAsked = errors.New("not asked")

func (r *running) send(q question, answered chan<- answer) (sent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		return false
	}
	r.last++
	q.ID = r.last
	r.waiting[q.ID] = answered
	if r.encode.Encode(q) != nil {
		delete(r.waiting, q.ID)
		return false
	}
	return true
}

// listen hands out the answers, until there is none any more.
func (r *running) listen(out io.Reader) error {
	answers := gob.NewDecoder(out)
	for {
		var a answer
		if err := answers.Decode(&a); err != nil {
			return err
		}
		r.mu.Lock()
		r.known = true
		if answered := r.waiting[a.ID]; answered != nil {
			answered <- a
			delete(r.waiting, a.ID)
		}
		r.mu.Unlock()
	}
}

// end tells whoever still waits.
func (r *running) end(why error, killed bool) {
	_ = r.in.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure, r.killed = why, killed
	for _, answered := range r.waiting {
		close(answered)
	}
	r.waiting = nil
}

func (r *running) why() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// isHopeless tells of a process that ended by itself before it gave any answer:
// another would do the same.
func (r *running) isHopeless() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting == nil && !r.known && !r.killed
}

func (r *running) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting == nil
}

func (r *running) hasAnswered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known
}

// close lets the process end once it has answered. One that does not is killed.
func (r *running) close() {
	_ = r.in.Close()
	time.AfterFunc(2*patience, func() {
		if !r.hasEnded() {
			r.kill()
		}
	})
}
