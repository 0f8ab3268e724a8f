package store

import (
	"context"
	"errors"
	"fmt"
)

// Duty is work that one server of a database does for all of them.
type Duty string

const (
	DutyLetters Duty = "letters"
	DutyNotices Duty = "logout notices"
	DutyPurge   Duty = "purge"
	DutyKeys    Duty = "signing keys"
)

// Does tells whether this server is the one that does a duty, and makes it the
// one where nobody is, or whoever was is gone. Of a server that stood still for
// some seconds, or is out of touch with the others, two may be at work for a
// moment, so each piece of it claims what it takes. Without PostgreSQL, and for a
// nil Use, it is always so.
func (u *Use) Does(ctx context.Context, d Duty) (does bool, err error) {
	if u == nil || u.store == nil || !u.store.postgres {
		return true, nil
	}
	me := u.store.ears().id
	who, err := u.store.onDuty(ctx, d)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return who == me, err
	}
	err = u.store.transaction(ctx, func(t *tx) error {
		return t.claim(ctx, `
			INSERT INTO duties (name, node) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET node = excluded.node
			 WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE id = duties.node)`, d, me)
	})
	if errors.Is(err, ErrSpent) { // another was quicker
		return false, nil
	}
	return err == nil, err
}

// onDuty is the server that does a duty; ErrNotFound where none does.
func (s *Store) onDuty(ctx context.Context, d Duty) (node string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT d.node FROM duties d JOIN nodes n ON n.id = d.node WHERE d.name = $1`, d).Scan(&node)
	if err = notFound(err); err != nil && err != ErrNotFound {
		err = fmt.Errorf("who is on duty for %s: %w", d, err)
	}
	return node, err
}
