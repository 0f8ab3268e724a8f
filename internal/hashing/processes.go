package hashing

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

// Processes are a Hasher in processes of its own: one for each core, that take of the
// machine only what nobody else wants. On a machine that never rests they would
// never answer, so what has not been answered within its leisure is asked of another
// one, which goes after others, but goes.
//
// Each of the first works on one question at a time, and needs nobody for it: where
// two hashed in one process, the one that is just not let on would hold up the other
// at each collection of garbage, which all threads of a process have to agree to.
type Processes struct {
	log     *slog.Logger
	behind  *kept
	leisure time.Duration
	warning sync.Once

	idle  []*kept
	seats chan struct{} // one is held by each question that one of the idle works on
	mu    sync.Mutex
	free  []*kept // those that work on none; the last is asked first, so that the others may rest
}

// WhenIdle is the last argument of a program that is to call [ServeWhenIdle].
const WhenIdle = "--when-idle"

// leisure is how long a login may wait for a machine that has other things to do
// before it is done beside them.
const leisure = time.Second

// New has hashes computed by a program that, with these arguments, comes to [Serve],
// and with [WhenIdle] behind them to [ServeWhenIdle]. A process starts when something
// is to be hashed, and ends when it was asked nothing for so long. Where none lives,
// hashes are computed here, and the log says so once.
func New(log *slog.Logger, rest time.Duration, program string, args ...string) *Processes {
	whenIdle := append(args[:len(args):len(args)], WhenIdle)
	p := &Processes{
		log:     log,
		behind:  &kept{log: log, level: slog.LevelError, rest: rest, patience: patience, program: program, args: args},
		leisure: leisure,
		seats:   make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	for range cap(p.seats) {
		p.idle = append(p.idle, &kept{log: log, level: slog.LevelInfo, rest: rest, patience: time.Minute, program: program, args: whenIdle})
	}
	p.free = slices.Clone(p.idle)
	return p
}

// patience is how long a process may take over a question: longer than any hash
// that is read on a machine that has much else to do, and short enough for whoever
// asked to take back what was paid.
const patience = 15 * time.Second

// Check implements [Hasher].
func (p *Processes) Check(c password.Cost, stored, typed string) (ok, upgrade bool, err error) {
	a, err := p.ask(question{Check: &check{c, stored, typed}})
	return a.OK, a.Upgrade, err
}

// Hash implements [Hasher].
func (p *Processes) Hash(c password.Cost, chosen string) (string, error) {
	a, err := p.ask(question{Hash: &hash{c, chosen}})
	return a.Hash, err
}

// HashCodes implements [Hasher].
func (p *Processes) HashCodes(c password.Cost, all []recovery.Code) (recovery.Set, error) {
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
func (p *Processes) MatchCode(set recovery.Set, signs string) (index int, ok bool, err error) {
	a, err := p.ask(question{Match: &match{set, signs}})
	return a.Index, a.OK, err
}

func (p *Processes) ask(q question) (a answer, err error) {
	a, inTime := p.askIdle(q)
	if !inTime {
		a, err = p.behind.ask(q)
	}
	if errors.Is(err, errNoneLives) {
		p.warning.Do(func() {
			p.log.Warn("passwords are hashed in the server's own process, where they hold up other answers: one of its own does not live", "error", err)
		})
		a, err = q.answer(), nil
	}
	if err == nil && a.Failure != "" {
		err = fmt.Errorf("hash: %s", a.Failure)
	}
	return a, err
}

// askIdle asks a process that works while the machine has nothing else to do;
// false where that has not answered within its leisure. What it then still works
// on keeps it, so that little gathers there.
func (p *Processes) askIdle(q question) (a answer, inTime bool) {
	late := time.NewTimer(p.leisure)
	defer late.Stop()
	select {
	case p.seats <- struct{}{}:
	case <-late.C:
		return answer{}, false
	}
	k := p.take()
	answered := make(chan answer, 1)
	go func() {
		defer close(answered)
		a, err := k.ask(q)
		p.putBack(k, !errors.Is(err, errNoneLives)) // before whoever asked has its answer and asks again
		if err == nil {
			answered <- a
		}
	}()
	select {
	case a, inTime = <-answered:
		return a, inTime
	case <-late.C:
		return answer{}, false
	}
}

// take is for whoever has a seat: there are as many as processes.
func (p *Processes) take() (k *kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	k, p.free = p.free[last], p.free[:last]
	return k
}

// putBack gives a process and its seat to the next: one that does not live is asked
// after all others.
func (p *Processes) putBack(k *kept, lives bool) {
	p.mu.Lock()
	if lives {
		p.free = append(p.free, k)
	} else {
		p.free = slices.Insert(p.free, 0, k)
	}
	p.mu.Unlock()
	<-p.seats
}

// Close implements [Hasher]. The next question starts another process.
func (p *Processes) Close() {
	for _, k := range append(p.idle[:len(p.idle):len(p.idle)], p.behind) {
		k.Close()
	}
}
