package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// Imported counts what came of an import.
type Imported struct {
	Added           int `json:"added"`
	Known           int `json:"known"`            // have an account already, which stays as it is
	WithoutPassword int `json:"without_password"` // among the added: to be invited
	Wrong           int `json:"wrong"`
}

// importBatch is how many people one transaction adds: many enough to be quick,
// few enough that a login beside it hardly waits. Each holds a lock of its own
// address until the end, and PostgreSQL has room for some thousand locks of all.
const importBatch = 500

// ImportPeople makes the accounts of a list. A line that is wrong is told and the
// others are kept. Whoever has an account keeps it, so that an import which was
// broken off is simply run again. The next people are read while some are added.
func ImportPeople(ctx context.Context, s *store.Store, by auth.Actor, from *Reader, progress Progress, tell func(Fault), now func() time.Time) (done Imported, err error) {
	err = s.InBulk(ctx, func() error {
		done, err = importPeople(ctx, s, by, from, progress, tell, now)
		return err
	})
	return done, err
}

func importPeople(ctx context.Context, s *store.Store, by auth.Actor, from *Reader, progress Progress, tell func(Fault), now func() time.Time) (done Imported, err error) {
	from.Import = true
	reading, stop := context.WithCancel(ctx)
	batches := make(chan batch, 2)
	go from.readBatches(reading, batches)
	defer func() { // nobody reads any more once it returns
		stop()
		for range batches {
		}
	}()
	for b := range batches {
		for _, fault := range b.faults {
			done.Wrong++
			tell(fault)
		}
		if err := cmp.Or(b.err, ctx.Err()); err != nil {
			return done, err
		}
		made, err := s.AddUsers(ctx, by, b.people, now())
		if err != nil {
			return done, err
		}
		done.count(b.people, made)
		progress("people", b.read, 0)
	}
	return done, ctx.Err()
}

// batch is what was read of a list at a time.
type batch struct {
	people []store.NewUser
	faults []Fault
	read   int64 // bytes, of the whole list so far
	err    error
}

// readBatches reads to the end of the list, or until nobody wants to know.
func (r *Reader) readBatches(ctx context.Context, batches chan<- batch) {
	defer close(batches)
	for ended := false; !ended; {
		var b batch
		b, ended = r.nextBatch()
		select {
		case batches <- b:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Reader) nextBatch() (b batch, ended bool) {
	for len(b.people) < importBatch && !ended {
		p, fault, err := r.Next()
		switch {
		case err == io.EOF:
			ended = true
		case err != nil:
			b.err, ended = fmt.Errorf("line %d: %w", r.line+1, err), true
		case fault != nil:
			b.faults = append(b.faults, *fault)
		default:
			b.people = append(b.people, p.NewUser)
		}
	}
	b.read = r.Read()
	return b, ended
}

func (d *Imported) count(batch []store.NewUser, made []bool) {
	for i, added := range made {
		switch {
		case !added:
			d.Known++
		case batch[i].Hash == "":
			d.WithoutPassword++
			fallthrough
		default:
			d.Added++
		}
	}
}

// Invited is what came of one line of a list of invitations.
type Invited struct {
	Person
	Was  store.Invitation // what the address was before
	Many bool             // it had its letters of this hour, and was not invited
}

// InvitePeople invites the people of a list, each in a transaction of their own.
// A line that is wrong is told and the others are kept. Whoever has an account,
// or an invitation that still works, gets no letter.
func InvitePeople(ctx context.Context, s *store.Store, by auth.Actor, from *Reader, m store.Mailed, tell func(Invited), fault func(Fault), now func() time.Time) error {
	for {
		p, wrong, err := from.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", from.line+1, err)
		case wrong != nil:
			fault(*wrong)
			continue
		}
		was, err := s.InviteOnce(ctx, by, p.NewUser, m, now())
		many := errors.Is(err, store.ErrTooManyLetters)
		if err != nil && !many {
			return err
		}
		tell(Invited{p, was, many})
	}
}
