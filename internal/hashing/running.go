package hashing

import (
	"bytes"
	"encoding/gob"
	"errors"
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
	waiting map[uint64]chan<- answer // by the question's ID; nil once it has ended
}

func start(c *exec.Cmd, log *slog.Logger) (*running, error) {
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
		r.listen(out)
		if err := c.Wait(); err != nil {
			log.Error("the process that hashes passwords has ended; the next login starts another", "error", err, "it said", firstOf(said.String()))
		}
	}()
	return r, nil
}

// firstOf keeps a trace of a crash out of the log but for its beginning.
func firstOf(said string) string { return said[:min(len(said), 200)] }

// patience is how long a process may take over a question: longer than any hash
// that is read on a machine that has much else to do.
const patience = time.Minute

func (r *running) ask(q question) (answer, error) { return r.askFor(q, patience) }

func (r *running) askFor(q question, patience time.Duration) (answer, error) {
	answered := make(chan answer, 1)
	if err := r.send(q, answered); err != nil {
		return answer{}, err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case a, ok := <-answered:
		if !ok {
			return answer{}, ErrEnded
		}
		return a, nil
	case <-late.C:
		r.kill() // one that stands still would keep everybody out
		return answer{}, ErrEnded
	}
}

func (r *running) send(q question, answered chan<- answer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		return ErrEnded
	}
	r.last++
	q.ID = r.last
	r.waiting[q.ID] = answered
	if err := r.encode.Encode(q); err != nil {
		delete(r.waiting, q.ID)
		return errors.Join(ErrEnded, err)
	}
	return nil
}

// listen hands out the answers until the process ends.
func (r *running) listen(out io.Reader) {
	answers := gob.NewDecoder(out)
	for {
		var a answer
		if answers.Decode(&a) != nil {
			r.end()
			return
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

func (r *running) end() {
	r.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, answered := range r.waiting {
		close(answered)
	}
	r.waiting = nil
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

func (r *running) close() { _ = r.in.Close() }
