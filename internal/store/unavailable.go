package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsUnavailable tells whether an error is the database's own: it cannot be
// reached, does not answer in time, has no room, or is none to write to. Whoever
// asked may ask again. What was asked for may have been done all the same, where
// the answer to its commit was lost.
func IsUnavailable(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || isCutOff(err) {
		return true
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return isUnavailableCode(refused.Code)
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && isUnavailableLite(lite.Code())
}

// isCutOff tells whether a connection could not be made, or broke. One that ends
// while an answer is awaited is told by the bare end of what was to be read, and one
// that had ended before by the word that nothing was sent.
func isCutOff(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err) {
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.Timeout(err)
}

// isUnavailableCode knows the classes of PostgreSQL's codes (its manual, Appendix
// A): connection, resources, an operator who intervenes, disk; and that it is
// read-only, as a primary is that became a standby.
func isUnavailableCode(code string) bool {
	for _, class := range []string{"08", "53", "57P", "58", "25006"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// isUnavailableLite knows SQLite's codes (https://www.sqlite.org/rescode.html);
// extended ones have the plain one in their last byte.
func isUnavailableLite(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}
