package transfer

import (
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
// few enough that a login beside it does not wait.
const importBatch = 200

// ImportPeople makes the accounts of a list. A line that is wrong is told and the
// others are kept. Whoever has an account keeps it, so that an import which was
// broken off is simply run again.
func ImportPeople(ctx context.Context, s *store.Store, by auth.Actor, from *Reader, progress Progress, tell func(Fault), now func() time.Time) (done Imported, err error) {
	from.Import = true
	for ended := false; !ended; {
		batch := make([]store.NewUser, 0, importBatch)
		for len(batch) < importBatch && !ended {
			p, fault, err := from.Next()
			switch {
			case err == io.EOF:
				ended = true
			case err != nil:
				return done, fmt.Errorf("line %d: %w", from.line+1, err)
			case fault != nil:
				done.Wrong++
				tell(*fault)
			default:
				batch = append(batch, p.NewUser)
			}
		}
		if err := ctx.Err(); err != nil {
			return done, err
		}
		made, err := s.AddUsers(ctx, by, batch, now())
		if err != nil {
			return done, err
		}
		done.count(batch, made)
		progress("people", from.Read(), 0)
	}
	return done, nil
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
