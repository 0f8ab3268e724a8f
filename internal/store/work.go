package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
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
	store   *Store
	counts  *Counts
	queries atomic.Int64
}

func (r *reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.queries.Add(1)
	c, began := r.store.call(ctx), time.Now()
	rows, err := r.DB.QueryContext(c, query, args...)
	c.answered()
	r.counts.ran(ctx, &r.counts.statements, began, err)
	return rows, err
}

func (r *reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.queries.Add(1)
	c, began := r.store.call(ctx), time.Now()
	row := r.DB.QueryRowContext(c, query, args...)
	c.answered()
	r.counts.ran(ctx, &r.counts.statements, began, row.Err())
	return row
}

func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.store.statements.Add(1)
	c, began := t.store.call(ctx), time.Now()
	done, err := t.Tx.ExecContext(c, query, args...)
	c.over()
	t.store.counts.ran(ctx, &t.store.counts.statements, began, err)
	return done, err
}

func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.store.statements.Add(1)
	c, began := t.store.call(ctx), time.Now()
	rows, err := t.Tx.QueryContext(c, query, args...)
	c.answered()
	t.store.counts.ran(ctx, &t.store.counts.statements, began, err)
	return rows, err
}

func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.store.statements.Add(1)
	c, began := t.store.call(ctx), time.Now()
	row := t.Tx.QueryRowContext(c, query, args...)
	c.answered()
	t.store.counts.ran(ctx, &t.store.counts.statements, began, row.Err())
	return row
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
