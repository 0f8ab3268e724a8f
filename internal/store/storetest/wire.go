package storetest

import (
	"context"
	"database/sql/driver"
	"path/filepath"
	"sync"
	"testing"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
)

// Wired is a store on a migrated SQLite database, and the wire to it and its file.
// It is closed with the test.
func Wired(t testing.TB) (s *store.Store, wire *Wire, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "twinlock.db")
	WriteSQLite(t, file)
	s, wire = WiredTo(t, "sqlite:"+file)
	return s, wire, file
}

// WiredTo is a store on a migrated database, and the wire to it. It is closed with
// the test.
func WiredTo(t testing.TB, url string) (s *store.Store, wire *Wire) {
	t.Helper()
	wire = new(Wire)
	s, err := store.OpenTelling(t.Context(), url, keys.New(), Rules, wire.Through, func(store.Step) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, wire
}

// Call is one thing said to a database: Begin, Commit, or a statement.
type Call struct {
	Statement string // "" for Begin and Commit
	Commit    bool
	Args      []driver.NamedValue
}

// Wire is what a store says to its database. Its hooks are called before and
// after each call, with its context, and break it by what they return; nil ones
// do nothing.
type Wire struct {
	mu            sync.Mutex
	before, after func(context.Context, Call) error
}

// Break sets the hooks from now on.
func (w *Wire) Break(before, after func(context.Context, Call) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after = before, after
}

func (w *Wire) hooks() (before, after func(context.Context, Call) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.before, w.after
}

// call does a call between its hooks.
func call[T any](ctx context.Context, w *Wire, c Call, do func() (T, error)) (answer T, err error) {
	before, after := w.hooks()
	if before != nil {
		if err := before(ctx, c); err != nil {
			return answer, err
		}
	}
	if answer, err = do(); err != nil || after == nil {
		return answer, err
	}
	return answer, after(ctx, c)
}

// Through is for store.OpenTelling.
func (w *Wire) Through(d driver.Driver) driver.Driver { return wiredDriver{d, w} }

type wiredDriver struct {
	driver.Driver
	wire *Wire
}

func (d wiredDriver) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return &wiredConn{c.(connection), d.wire}, nil
}

// connection is what the connections of both drivers can do.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

type wiredConn struct {
	connection
	wire *Wire
}

func (c *wiredConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	t, err := call(ctx, c.wire, Call{}, func() (driver.Tx, error) { return c.connection.BeginTx(ctx, o) })
	if err != nil {
		return nil, err
	}
	return wiredTx{t, c.wire, ctx}, nil
}

func (c *wiredConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	return call(ctx, c.wire, Call{Statement: statement, Args: args}, func() (driver.Result, error) {
		return c.connection.ExecContext(ctx, statement, args)
	})
}

func (c *wiredConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := call(ctx, c.wire, Call{Statement: statement, Args: args}, func() (driver.Rows, error) {
		return c.connection.QueryContext(ctx, statement, args)
	})
	if err != nil && rows != nil {
		_ = rows.Close()
	}
	return rows, err
}

// CheckNamedValue leaves to a driver what it checks by itself.
func (c *wiredConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.connection.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type wiredTx struct {
	driver.Tx
	wire  *Wire
	begun context.Context // of Begin: Commit is given none
}

func (t wiredTx) Commit() error {
	_, err := call(t.begun, t.wire, Call{Commit: true}, func() (struct{}, error) { return struct{}{}, t.Tx.Commit() })
	return err
}
