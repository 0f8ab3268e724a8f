package hashing

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

// ErrEnded is returned for what was asked of a process that ended before it
// answered.
var ErrEnded = errors.New("the process that hashes passwords has ended")

// Process is a Hasher in a process of its own.
type Process struct {
	program string
	args    []string
	rest    time.Duration
	log     *slog.Logger

	mu        sync.Mutex
	running   *running    // nil while there is none
	resting   *time.Timer // closes it after a while
	told      bool        // the log was told that none lives
	despaired time.Time   // when the last one did not live; zero: never
}

// New is a process of a program that, with these arguments, comes to [Serve]. It
// starts when something is to be hashed, and ends when nothing was for so long.
// Where none lives, hashes are computed here, and the log says so once.
func New(log *slog.Logger, rest time.Duration, program string, args ...string) *Process {
	return &Process{program: program, args: args, rest: rest, log: log}
}

// Check implements [Hasher].
func (p *Process) Check(c password.Cost, stored, typed string) (ok, upgrade bool, err error) {
	a, err := p.ask(question{Check: &check{c, stored, typed}})
	return a.OK, a.Upgrade, err
}

// Hash implements [Hasher].
func (p *Process) Hash(c password.Cost, chosen string) (string, error) {
	a, err := p.ask(question{Hash: &hash{c, chosen}})
	return a.Hash, err
}

// HashCodes implements [Hasher].
func (p *Process) HashCodes(c password.Cost, all []recovery.Code) (recovery.Set, error) {
	q := &codes{Cost: c}
	for _, code := range all {
		q.Codes = append(q.Codes, code.Reveal())
	}
	a, err := p.ask(question{Codes: q})
	if err == nil && len(a.Set.Hashes) != len(all) {
		err = errors.New("hash: not every recovery code came through")
	}
	return a.Set, err
}

// MatchCode implements [Hasher].
func (p *Process) MatchCode(set recovery.Set, signs string) (index int, ok bool, err error) {
	a, err := p.ask(question{Match: &match{set, signs}})
	return a.Index, a.OK, err
}

func (p *Process) ask(q question) (a answer, err error) {
	for err = errNotAsked; errors.Is(err, errNotAsked); {
		r := p.awake()
		if r == nil {
			a, err = q.answer(), nil
			break
		}
		if a, err = r.ask(q); errors.Is(err, ErrEnded) && r.isHopeless() {
			p.despair(err)
			a, err = q.answer(), nil
		}
	}
	if err == nil && a.Failure != "" {
		err = fmt.Errorf("hash: %s", a.Failure)
	}
	return a, err
}

// awake is the running process, started where there is none; nil where none lives.
func (p *Process) awake() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.despaired) < hopeless {
		return nil
	}
	if p.running == nil || p.running.hasEnded() {
		r, err := start(exec.Command(p.program, p.args...), p.log)
		if err != nil {
			p.giveUp(err)
			return nil
		}
		p.running = r
	}
	if p.resting == nil {
		p.resting = time.AfterFunc(p.rest, p.Close)
	}
	p.resting.Reset(p.rest)
	return p.running
}

// hopeless is how long no other process is started after one that did not live.
const hopeless = time.Minute

func (p *Process) despair(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveUp(why)
}

// giveUp starts no other for a while. Its caller holds mu.
func (p *Process) giveUp(why error) {
	p.running, p.despaired = nil, time.Now()
	if !p.told {
		p.log.Warn("passwords are hashed in the server's own process, where they hold up other answers: one of its own does not live", "error", why)
	}
	p.told = true
}

// Close implements [Hasher]. The next question starts another process.
func (p *Process) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		p.running.close()
	}
	p.running = nil
}
