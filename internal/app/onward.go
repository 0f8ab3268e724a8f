package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
)

const (
	setBackTolerance = time.Second      // the clock may go back so far without more ado: it stands still
	setBackPatience  = 30 * time.Second // how long the database may take over a step back
	setBackPause     = 5 * time.Second  // after a step back that failed, before the next try
	codeTolerance    = 30 * time.Second // a phone's code is still taken by a clock that is ahead by so much
	keepPatience     = 5 * time.Second  // how long the database may take to keep a reading
)

// onward is the program's clock. It goes back only after the database has ended
// for good what was over by its furthest reading; until then it stands still
// there. It is safe for concurrent use.
//
// Where several servers share a database each goes by its own clock, and one that
// is slow must not set the others back: its time stands still until the machine's
// clock has caught up, or until it is the only one. Nor does one that is ahead
// take along whoever starts beside it.
type onward struct {
	read  func() time.Time // the machine's clock
	kept  keptClock
	log   *slog.Logger
	pause time.Duration

	furthest atomic.Int64 // microseconds since the Unix epoch; 0 before the first reading
	setBacks atomic.Int64 // how often it was set back, ever
	stepping sync.Mutex   // held by whoever sets the clock back, and during the pause after that failed
}

// keptClock is the clock as the database keeps it, and what ends there.
type keptClock interface {
	Clock(context.Context) (store.Clock, error)
	KeepClock(context.Context, store.Clock) error
	SetBack(ctx context.Context, furthest, now time.Time) error
	OthersServe(context.Context) (bool, error)
}

// errOthersServe keeps the clock from being set back under other servers.
var errOthersServe = errors.New("another server uses the database: put the clocks right, or stop every server and start them again")

// keptInStore tells the sessions in memory too.
type keptInStore struct {
	*store.Store
	live        *session.Live
	othersServe func(context.Context) (bool, error)
}

func (k keptInStore) SetBack(ctx context.Context, furthest, now time.Time) error {
	if others, err := k.OthersServe(ctx); err != nil {
		return err
	} else if others {
		return errOthersServe
	}
	return k.live.SetBack(ctx, furthest, now)
}

func (k keptInStore) OthersServe(ctx context.Context) (bool, error) { return k.othersServe(ctx) }

// newOnward goes on from what was kept. Where the machine's clock is behind
// that, the first reading sets it back. Beside other servers what was kept may be
// theirs: one whose clock is far ahead would hold this one where no phone's code
// is right.
func newOnward(ctx context.Context, read func() time.Time, kept keptClock, log *slog.Logger) (*onward, error) {
	c := &onward{read: read, kept: kept, log: log, pause: setBackPause}
	was, err := kept.Clock(ctx)
	if err != nil {
		return nil, err
	}
	c.setBacks.Store(was.SetBacks)
	if was.Furthest.IsZero() {
		return c, nil
	}
	if now := read().UTC(); was.Furthest.Sub(now) > codeTolerance {
		others, err := kept.OthersServe(ctx)
		if err != nil {
			return nil, err
		}
		if others {
			log.Warn("the clock of another server on the database is ahead of this machine's, or was: this server goes by its own machine's; compare both with a clock that is right",
				"the other's", was.Furthest.UTC(), "this machine's", now)
			return c, nil
		}
	}
	c.furthest.Store(was.Furthest.UnixMicro())
	return c, nil
}

// SetBacks counts how often the clock was set back, ever: what was begun
// before the last time belongs to another time.
func (c *onward) SetBacks() int64 { return c.setBacks.Load() }

// Stands tells that the machine's clock is behind the furthest reading, so that
// the time waits until what was over by then is ended.
func (c *onward) Stands() bool {
	return c.furthest.Load()-c.read().UnixMicro() > setBackTolerance.Microseconds()
}

// Now reads the clock. A reading is never behind an earlier one, unless the
// clock was set back between them.
func (c *onward) Now() time.Time {
	for {
		furthest := c.furthest.Load() // before the clock is read, so that a slow reader sees no step
		now := c.read().UnixMicro()
		switch {
		case furthest-now > setBackTolerance.Microseconds():
			return c.stepBack(furthest)
		case furthest >= now:
			return time.UnixMicro(furthest).UTC()
		case c.furthest.CompareAndSwap(furthest, now):
			return time.UnixMicro(now).UTC()
		}
	}
}

// stepBack sets the clock back. Whoever comes while somebody is at it waits for
// nothing and goes on with the furthest reading; so does whoever did not
// succeed.
func (c *onward) stepBack(furthest int64) time.Time {
	if !c.stepping.TryLock() {
		return time.UnixMicro(furthest).UTC()
	}
	now, err := c.step()
	if err != nil {
		c.log.Error("the clock was set back, and what was over could not be ended: the time stands still until it is",
			"furthest", time.UnixMicro(furthest).UTC(), "next try in", c.pause, "error", err)
		time.AfterFunc(c.pause, c.stepping.Unlock)
		return now
	}
	c.stepping.Unlock()
	return now
}

// step asks the database to end what was over by the furthest reading, and
// gives the time to go on with. It may be asked for again where an answer was
// lost: the number of steps says whether it is done.
func (c *onward) step() (time.Time, error) {
	reached := c.furthest.Load()
	furthest, now := time.UnixMicro(reached).UTC(), c.read().UTC()
	if furthest.Sub(now) <= setBackTolerance {
		return furthest, nil // somebody else was quicker
	}
	ctx, cancel := context.WithTimeout(context.Background(), setBackPatience)
	defer cancel()
	if err := c.kept.KeepClock(ctx, store.Clock{Furthest: furthest, SetBacks: c.setBacks.Load()}); err != nil {
		return furthest, err
	}
	if err := c.kept.SetBack(ctx, furthest, now); err != nil {
		return furthest, err
	}
	is, err := c.kept.Clock(ctx)
	if err != nil {
		return furthest, err
	}
	c.setBacks.Store(is.SetBacks)
	c.furthest.CompareAndSwap(reached, now.UnixMicro()) // else the clock has run ahead again meanwhile
	c.log.Warn("the clock was set back: what was over stays over", "furthest", furthest, "now", now)
	return now, nil
}

// Keep writes how far the clock has come, for the next start.
func (c *onward) Keep(ctx context.Context) error {
	if !c.stepping.TryLock() {
		return nil // the step back is being written
	}
	defer c.stepping.Unlock()
	if c.furthest.Load() == 0 {
		return nil // nobody asked for the time
	}
	ctx, cancel := context.WithTimeout(ctx, keepPatience)
	defer cancel()
	reading := store.Clock{Furthest: time.UnixMicro(c.furthest.Load()), SetBacks: c.setBacks.Load()}
	if err := c.kept.KeepClock(ctx, reading); err != nil {
		return fmt.Errorf("keep the clock: %w", err)
	}
	return nil
}
