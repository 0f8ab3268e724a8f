package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
)

// Work is how much a store has done since it was opened. Answers that must not
// differ must not take different work either.
type Work struct {
	Queries      int64 // outside of transactions
	Transactions int64 // begun; each waits for its turn to write, and for the disk
	Statements   int64 // inside of transactions; each is a way to the database and back
}

// Work counts what was done so far.
func (s *Store) Work() Work {
	return Work{Queries: s.read.queries.Load(), Transactions: s.begun.Load(), Statements: s.statements.Load()}
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

func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.store.statements.Add(1)
	return t.Tx.ExecContext(ctx, query, args...)
}

func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.store.statements.Add(1)
	return t.Tx.QueryContext(ctx, query, args...)
}

func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.store.statements.Add(1)
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// feign runs so many statements that change nothing, in the place of those that
// write what nobody is to have. Whoever measures how long an answer takes must
// not learn from it who has an address.
func (t *tx) feign(ctx context.Context, statements int) error {
	for range statements {
		if _, err := t.exec(ctx, `UPDATE letters SET tries = tries WHERE id = ''`); err != nil {
			return fmt.Errorf("write nothing: %w", err)
		}
	}
	return nil
}
