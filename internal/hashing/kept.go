package hashing

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"time"
)

// ErrEnded is returned for what was asked of a process that ended before it
// answered.
var ErrEnded = errors.New("the process that hashes passwords has ended")

// errNoneLives is returned where no process of the program lives.
var errNoneLives = errors.New("no process that hashes passwords lives")

// kept is one process that is there when it is asked, and rests when it is not.
type kept struct {
	program  string
	args     []string
	rest     time.Duration
	patience time.Duration // with one question
	log      *slog.Logger
	level    slog.Level // of the line that one ended: one that works when the machine is idle is ended for being slow, as is usual on a busy one

	mu        sync.Mutex
	running   *running    // nil while there is none
	resting   *time.Timer // closes it after a while
	why       error       // the last one did not live
	despaired time.Time   // when that was; zero: never
}

func (k *kept) ask(q question) (answer, error) {
	for {
		r, err := k.awake()
		if err != nil {
			return answer{}, err
		}
		a, err := r.ask(q, k.patience)
		switch {
		case errors.Is(err, errNotAsked):
			continue
		case errors.Is(err, ErrEnded) && r.isHopeless():
			return answer{}, k.despair(err)
		}
		return a, err
	}
}

// awake is the running process, started where there is none; errNoneLives where
// none does.
func (k *kept) awake() (*running, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.despaired) < hopeless {
		return nil, k.why
	}
	if k.running == nil || k.running.hasEnded() {
		r, err := start(exec.Command(k.program, k.args...), k.log, k.level)
		if err != nil {
			return nil, k.giveUp(err)
		}
		k.running = r
	}
	if k.resting == nil {
		k.resting = time.AfterFunc(k.rest, k.Close)
	}
	k.resting.Reset(k.rest)
	return k.running, nil
}

// hopeless is how long no other process is started after one that did not live.
const hopeless = time.Minute

func (k *kept) despair(why error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.giveUp(why)
}

// giveUp starts no other for a while. Its caller holds mu.
func (k *kept) giveUp(why error) error {
	k.running, k.despaired = nil, time.Now()
	k.why = fmt.Errorf("%w: %w", errNoneLives, why)
	return k.why
}

// Close lets it end. The next question starts another.
func (k *kept) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running != nil {
		k.running.close()
	}
	k.running = nil
}
