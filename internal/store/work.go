package store

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// Work is how much a store has done since it was opened. Answers that must not
// differ must not take different work either.
type Work struct {
	Queries      int64 // outside of transactions
	Transactions int64 // begun; each waits for its turn to write, and for the disk
}

// Work counts what was done so far.
func (s *Store) Work() Work {
	return Work{Queries: s.read.queries.Load(), Transactions: s.begun.Load()}
}

// reader is where queries go that change nothing.
type reader struct {
	*sql.DB
	queries atomic.Int64
}

func (r *reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.queries.Add(1)
	return r.DB.QueryContext(ctx, query, args...)
}

func (r *reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.queries.Add(1)
	return r.DB.QueryRowContext(ctx, query, args...)
}
