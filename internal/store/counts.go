package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/metrics"
)

// Counts are what a store has counted since it was opened.
type Counts struct {
	Events metrics.Tally // by kind, of what was committed
	Logins metrics.Tally // finished ones, by what stood beside the password

	begins, statements, commits metrics.Histogram

	errors atomic.Int64
}

const (
	// PasswordAlone is the factor of a login without a code.
	PasswordAlone = "password"
	// OpenWindow is the factor of a return by the password in a window that was
	// still open.
	OpenWindow = "open window"
)

func newCounts() *Counts {
	kinds := make([]string, len(auth.EventKinds))
	for i, k := range auth.EventKinds {
		kinds[i] = string(k)
	}
	return &Counts{Events: metrics.NewTally(kinds...),
		Logins: metrics.NewTally(PasswordAlone, string(auth.ByAuthenticator), string(auth.ByRecoveryCode),
			string(auth.ByPasskey), string(auth.BySyncedPasskey), OpenWindow)}
}

// Counts gives what was counted so far, and goes on counting.
func (s *Store) Counts() *Counts { return s.counts }

// Spans are what Took tells apart: the wait for a transaction's turn to write,
// a statement, and the wait for the disk.
var Spans = []string{"begin", "statement", "commit"}

// Took tells how long one of the Spans took.
func (c *Counts) Took(span string) *metrics.Histogram {
	return map[string]*metrics.Histogram{"begin": &c.begins, "statement": &c.statements, "commit": &c.commits}[span]
}

// Errors counts what the database did not do, though nobody broke it off and no
// rule of the tables forbade it.
func (c *Counts) Errors() int64 { return c.errors.Load() }

// ran counts what was asked of the database then.
func (c *Counts) ran(ctx context.Context, h *metrics.Histogram, began time.Time, err error) {
	h.Observe(time.Since(began))
	left := errors.Is(ctx.Err(), context.Canceled) // and no deadline, which is ours
	if err != nil && !left && !forbidden(err) {
		c.errors.Add(1)
	}
}

// forbidden tells that a rule of the tables, such as that a name is unique,
// forbade what was asked, or that another transaction came before.
func forbidden(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "23") || undoneByAnother(err)
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

// Pools tell how the connections to the database are used, by what they are for.
// PostgreSQL has one for both.
func (s *Store) Pools() map[string]sql.DBStats {
	pools := map[string]sql.DBStats{"write": s.write.Stats()}
	if s.read.DB != s.write {
		pools["read"] = s.read.Stats()
	}
	return pools
}

// LettersWaiting counts the letters that are neither sent nor given up, and
// tells when the oldest was queued; the zero time where none waits.
func (s *Store) LettersWaiting(ctx context.Context) (n int, oldest time.Time, err error) {
	var queued int64
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MIN(created_at), 0) FROM letters WHERE done_at = 0`).Scan(&n, &queued)
	return n, fromMillis(queued), err
}

// SigningKeyMade tells when the newest signing key was made; the zero time where
// there is none.
func (s *Store) SigningKeyMade(ctx context.Context) (time.Time, error) {
	var made int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(made_at), 0) FROM signing_keys`).Scan(&made)
	return fromMillis(made), err
}
