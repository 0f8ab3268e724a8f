// Package slots limits how much heavy work is done at once. As many pieces of
// work run as there are slots, each on a thread of its own with the lowest
// priority; the rest wait in a bounded line for a bounded time. A flood of
// logins so never starves the sessions that exist, nor fills the memory.
package slots

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// BusyError refuses work when the line is full, or the wait was too long.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string { return "too much work is waiting" }

// Slots runs work. It is safe for concurrent use.
type Slots struct {
	slots   int
	places  chan struct{} // one is held by each piece that runs or waits
	desks   chan struct{} // one is held by each piece that is prepared, runs or is put away
	next    chan piece    // unbuffered: what nobody has taken has not begun
	wait    time.Duration
	closing chan struct{}
	threads sync.WaitGroup
	begun   atomic.Int64
	running atomic.Int64
	refused atomic.Int64
	waited  atomic.Int64 // nanoseconds
	usual   average      // how long a piece holds its slot
}

type piece struct {
	work  func()
	ended chan error // has room for the one answer
}

// New starts so many threads, with a line of at most queue pieces behind them
// that each wait no longer than wait. Work that would wait for more than half of
// that, by what work took lately, is refused at once: who is sent away is to know
// it soon, and who is let in is to be served. Close ends them.
func New(slots, queue int, wait time.Duration) *Slots {
	return begin(slots, queue, wait, (*Slots).lowThread)
}

// NewWaiting is New for work that only waits for another process to do it: what
// it waits for is to be heard at once, at the usual priority.
func NewWaiting(slots, queue int, wait time.Duration) *Slots {
	return begin(slots, queue, wait, (*Slots).thread)
}

func begin(slots, queue int, wait time.Duration, thread func(*Slots)) *Slots {
	s := &Slots{
		slots:   slots,
		places:  make(chan struct{}, slots+queue),
		desks:   make(chan struct{}, slots+slots/2+1),
		next:    make(chan piece),
		wait:    wait,
		closing: make(chan struct{}),
	}
	for range slots {
		s.threads.Go(func() { thread(s) })
	}
	return s
}

// Do runs work in a slot and returns when it has ended. Work that has begun is
// always waited for, even when ctx ends: its slot is held, and what it wrote is
// the caller's to read. Work that never began never will, and leaves its place
// in the line to others: then the error is a *BusyError, or the one of ctx. A
// panic in work is an error. The longest waiting goes first.
func (s *Slots) Do(ctx context.Context, work func()) error {
	return s.inLine(func(came time.Time) error { return s.run(ctx, came, work) })
}

// DoAround is Do for work that something has to go before and after which takes
// time but no processor, as a database does. Around gets what runs work in a
// slot, as Do does but though ctx has ended; it may use it more than once.
//
// Half as many more than there are slots are around theirs at once, so that none
// stands empty, and no more: what is looked at before the work has not changed
// much when it is over.
func (s *Slots) DoAround(ctx context.Context, around func(inSlot func(work func()) error) error) error {
	return s.inLine(func(came time.Time) error {
		if err := offer(ctx, s, came, s.desks, struct{}{}); err != nil {
			return err
		}
		defer func() { <-s.desks }()
		return around(func(work func()) error { return s.run(context.WithoutCancel(ctx), came, work) })
	})
}

// inLine holds a place in the line for what is done there.
func (s *Slots) inLine(do func(came time.Time) error) error {
	if s.expected() > s.wait/2 {
		return s.busy()
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return s.busy()
	}
	return do(time.Now())
}

// expected is how long whoever comes now is going to wait for a slot.
func (s *Slots) expected() time.Duration {
	before := len(s.places) - s.slots
	return time.Duration(before) * s.usual.get() / time.Duration(s.slots)
}

// run waits for a thread to take the work, and for its end. After an error none
// has begun it, unless the work itself failed.
func (s *Slots) run(ctx context.Context, came time.Time, work func()) error {
	p := piece{work: work, ended: make(chan error, 1)}
	if err := offer(ctx, s, came, s.next, p); err != nil {
		return err
	}
	s.waited.Add(int64(time.Since(came)))
	return <-p.ended
}

// offer waits until what is offered is taken, for as long as whoever came then
// may wait.
func offer[T any](ctx context.Context, s *Slots, came time.Time, to chan<- T, what T) error {
	if ctx.Err() != nil {
		return ctx.Err() // a free thread must not be quicker
	}
	timer := time.NewTimer(time.Until(came.Add(s.wait)))
	defer timer.Stop()
	select {
	case to <- what:
		return nil
	case <-timer.C:
		return s.busy()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return s.busy()
	}
}

func (s *Slots) busy() error {
	s.refused.Add(1)
	return &BusyError{RetryAfter: s.wait}
}

// lowThread keeps its thread for good: one that was locked and lowered must not be
// given back to others.
func (s *Slots) lowThread() {
	runtime.LockOSThread()
	lowerPriority()
	s.thread()
}

// thread works through the line.
func (s *Slots) thread() {
	for {
		select {
		case p := <-s.next:
			s.begun.Add(1)
			s.running.Add(1)
			began := time.Now()
			failure := p.run()
			s.usual.add(time.Since(began))
			s.running.Add(-1)
			p.ended <- failure
		case <-s.closing:
			return
		}
	}
}

func (p piece) run() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a slot: %v\n%s", cause, debug.Stack())
		}
	}()
	p.work()
	return nil
}

// Begun counts the pieces of work that have begun since New.
func (s *Slots) Begun() int64 { return s.begun.Load() }

// Load is how much work there is. What it counts, it counts since New.
type Load struct {
	Slots, Running, Waiting int
	Begun, Refused          int64
	Waited                  time.Duration // of all that have begun, together
}

// Load tells how much work there is now.
func (s *Slots) Load() Load {
	running, held := int(s.running.Load()), len(s.places)
	return Load{Slots: s.slots, Running: running, Waiting: max(0, held-running),
		Begun: s.begun.Load(), Refused: s.refused.Load(), Waited: time.Duration(s.waited.Load())}
}

// Close lets work that has begun end, and refuses the rest. It is to be called
// once.
func (s *Slots) Close() {
	close(s.closing)
	s.threads.Wait()
}
