package store

import (
	"context"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/throttle"
)

// PassingColumns are the columns after whose moment something is over, as
// table.column.
func PassingColumns() (all []string) {
	for _, p := range passing {
		for _, column := range p.columns {
			all = append(all, p.table+"."+column)
		}
	}
	return all
}

// UnconcernedColumns say why the other columns are no such moment.
var UnconcernedColumns = unconcerned

// CountSignIn counts one sign-in in a transaction of its own.
func (s *Store) CountSignIn(ctx context.Context, id auth.ApplicationID, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.countSignIn(ctx, id, now) })
}

// HasRule tells whether the counts of a kind are thought of when the clock is
// set back.
func (r Rules) HasRule(kind throttle.Kind) bool { _, ok := r.ofKind()[kind]; return ok }
