package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
	blocks := make(chan block)
	go from.readBlocks(reading, blocks)
	defer func() { // nobody reads any more once it returns
		stop()
		for range blocks {
		}
	}()
	for b := range blocks {
		for _, fault := range b.faults {
			done.Wrong++
			tell(fault)
		}
		of := len(b.people)
		if of == 0 && b.length > 0 {
			progress("people", b.read, 0)
		}
		for len(b.people) > 0 {
			some := b.people[:min(importBatch, len(b.people))]
			made, err := s.AddUsers(ctx, by, some, now())
			if err != nil {
				return done, err
			}
			done.count(some, made)
			b.people = b.people[len(some):]
			progress("people", b.read-b.length*int64(len(b.people))/int64(of), 0)
		}
		if b.err != nil {
			return done, b.err
		}
	}
	return done, ctx.Err()
}

// block is what was read of a list at a time.
type block struct {
	people []store.NewUser // in the order of their addresses, which is that of an index
	faults []Fault
	read   int64 // bytes, of the whole list so far
	length int64 // bytes, of these people
	err    error
}

// longestBlock is how many people are held in memory while others are added. So
// many that those of one transaction are neighbours in the index of addresses: of a
// large database it changes few pages then.
const longestBlock = 64 * importBatch

// readBlocks reads to the end of the list, or until nobody wants to know. The first
// block is short, for nobody is added meanwhile.
func (r *Reader) readBlocks(ctx context.Context, blocks chan<- block) {
	defer close(blocks)
	for length, ended := importBatch, false; !ended; length = min(2*length, longestBlock) {
		var b block
		b, ended = r.nextBlock(ctx, length)
		select {
		case blocks <- b:
		case <-ctx.Done():
			return
		}
	}
}

// nextBlock stops at the next line once nobody wants to know: lines may be typed.
func (r *Reader) nextBlock(ctx context.Context, length int) (b block, ended bool) {
	before := r.Read()
	for len(b.people) < length && !ended {
		p, fault, err := r.Next()
		switch {
		case ctx.Err() != nil:
			b.err, ended = ctx.Err(), true
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
	slices.SortFunc(b.people, func(a, b store.NewUser) int { return cmp.Compare(a.Address.Canonical, b.Address.Canonical) })
	b.read, b.length = r.Read(), r.Read()-before
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
