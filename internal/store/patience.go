package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// answerPatience is how long whoever asks waits for PostgreSQL to answer one
// call. With the second that an ending may take, and a page, it is under five.
const answerPatience = 3500 * time.Millisecond

// errSilent ends what a database did not answer.
var errSilent = errors.New("the database does not answer")

// call is the context of one call to PostgreSQL. Silence ends it as a deadline
// does.
type call struct {
	context.Context
	store *Store
	end   context.CancelCauseFunc

	mu      sync.Mutex
	silent  *time.Timer // nil: nobody waits
	waiting bool        // for an answer
	missed  bool        // the database said nothing at the last look
}

// call bounds how long whoever asks waits for an answer: a database that is gone
// without a word, or stands still, tells nobody so. Only what has a deadline is
// broken off, for that is what somebody waits for; a migration, a backup and the
// purge take the time that they take.
func (s *Store) call(ctx context.Context) *call {
	if _, asked := ctx.Deadline(); !s.postgres || !asked {
		return &call{Context: ctx}
	}
	c := &call{store: s, waiting: true}
	c.Context, c.end = context.WithCancelCause(ctx)
	c.silent = time.AfterFunc(time.Hour, c.late)
	c.silent.Reset(answerPatience)
	return c
}

// late ends the call, but for one that waits behind a lock: then the database
// answers what this server says meanwhile. One beat that is late says nothing of
// the database where this machine is busy, so two looks must find it silent.
func (c *call) late() {
	c.mu.Lock()
	defer c.mu.Unlock()
	hears := c.store.Hears()
	switch {
	case !c.waiting:
	case hears || !c.missed:
		c.missed = !hears
		c.silent.Reset(memoryLasts)
	default:
		c.end(errSilent)
	}
}

// again waits for the next answer of what was begun with the call.
func (c *call) again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent != nil {
		c.waiting, c.missed = true, false
		c.silent.Reset(answerPatience)
	}
}

// answered stops the wait. The context lives on: rows may still be read under it.
func (c *call) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent != nil {
		c.waiting = false
		c.silent.Stop()
	}
}

// over ends the context too, for what gave its whole answer.
func (c *call) over() {
	c.answered()
	if c.end != nil {
		c.end(nil)
	}
}

// Err is the deadline's where the database was silent: nobody else has gone.
func (c *call) Err() error {
	if context.Cause(c.Context) == errSilent {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}

// why is err, as that of a database which is not there where it was silent.
func (c *call) why(err error) error {
	if err != nil && context.Cause(c.Context) == errSilent {
		return errors.Join(errSilent, context.DeadlineExceeded, err)
	}
	return err
}
