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
	"time"
)

// BusyError refuses work when the line is full, or the wait was too long.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string { return "too much work is waiting" }

// Slots runs work. It is safe for concurrent use.
type Slots struct {
	line    chan *piece
	wait    time.Duration
	closing chan struct{}
	threads sync.WaitGroup
}

// piece is work that waits. Whoever takes it out of claimed decides: the
// thread that begins it, or the caller who gives it up.
type piece struct {
	work    func()
	claimed chan struct{} // holds one token
	ended   chan error
}

// New starts so many threads, with a line of at most queue pieces behind them
// that each wait no longer than wait. Close ends them.
func New(slots, queue int, wait time.Duration) *Slots {
	s := &Slots{line: make(chan *piece, queue), wait: wait, closing: make(chan struct{})}
	for range slots {
		s.threads.Go(s.thread)
	}
	return s
}

// Do runs work in a slot and returns when it has ended. Work that has begun is
// always waited for, even when ctx ends: its slot is held, and what it wrote is
// the caller's to read. Work that never began never will: then the error is a
// *BusyError, or the one of ctx. A panic in work is an error.
func (s *Slots) Do(ctx context.Context, work func()) error {
	p := &piece{work: work, claimed: make(chan struct{}, 1), ended: make(chan error, 1)}
	p.claimed <- struct{}{}
	select {
	case s.line <- p:
	default:
		return &BusyError{RetryAfter: s.wait}
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case err := <-p.ended:
		return err
	case <-timer.C:
		return p.giveUp(&BusyError{RetryAfter: s.wait})
	case <-ctx.Done():
		return p.giveUp(ctx.Err())
	case <-s.closing:
		return p.giveUp(&BusyError{RetryAfter: s.wait})
	}
}

// giveUp takes back work that has not begun; otherwise it waits for its end.
func (p *piece) giveUp(why error) error {
	select {
	case <-p.claimed:
		return why
	default:
		return <-p.ended
	}
}

// thread works through the line. It keeps its thread for good: one that was
// locked and lowered must not be given back to others.
func (s *Slots) thread() {
	runtime.LockOSThread()
	lowerPriority()
	for {
		select {
		case p := <-s.line:
			p.run()
		case <-s.closing:
			return
		}
	}
}

func (p *piece) run() {
	select {
	case <-p.claimed:
	default:
		return // given up
	}
	p.ended <- p.recovered()
}

func (p *piece) recovered() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a slot: %v\n%s", cause, debug.Stack())
		}
	}()
	p.work()
	return nil
}

// Close lets work that has begun end, and refuses the rest. It is to be called
// once.
func (s *Slots) Close() {
	close(s.closing)
	s.threads.Wait()
}
