package store

import (
	linked "container/list"
	"context"
	"database/sql/driver"
	"strings"
)

// statementsKept is how many statements a connection to SQLite keeps: all that
// logins and pages say, and room for lists whose length differs.
const statementsKept = 256

// longestKept is the length of the longest text that is kept, in bytes: of one that
// adds as many people as an import does at a time.
const longestKept = 32 << 10

// preparing is SQLite's driver with connections that keep what they prepared.
// PostgreSQL's keeps its statements itself.
type preparing struct{ driver.Driver }

func (d preparing) Open(dsn string) (driver.Conn, error) {
	c, err := d.Driver.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &preparingConn{lite: c.(lite), resting: map[string]*linked.Element{}, byUse: linked.New()}, nil
}

// lite is what a connection of SQLite's driver can do.
type lite interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparingConn is a connection that has a statement parsed and planned when it is
// said for the first time, and rests it for the next. SQLite itself prepares it
// anew where the schema has changed since. Like every connection of a driver it is
// used by one caller at a time.
type preparingConn struct {
	lite
	resting map[string]*linked.Element // by text; of byUse
	byUse   *linked.List               // of *statement; what was used last stands first
}

// statement is one that was prepared. While it runs, and until its rows are
// closed, it does not rest: two who say the same at once never share it.
type statement struct {
	driver.Stmt
	text string
}

func (c *preparingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if !mayRest(text) {
		return c.lite.ExecContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	done, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	c.giveBack(s, err)
	return done, err
}

func (c *preparingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if !mayRest(text) {
		return c.lite.QueryContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.giveBack(s, err)
		return nil, err
	}
	return &preparedRows{rows.(liteRows), c, s}, nil
}

// mayRest tells which texts are worth keeping: one statement that reads or writes
// rows, and no sentence about the connection or the schema. A semicolon may end a
// statement, so a text with one is left alone.
func mayRest(text string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(text, " \t\n"), " ")
	switch first {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
		return len(text) <= longestKept && !strings.Contains(text, ";")
	}
	return false
}

// take gives a statement to run once: the one that rests, or a new one.
func (c *preparingConn) take(ctx context.Context, text string) (*statement, error) {
	if e, rests := c.resting[text]; rests {
		delete(c.resting, text)
		return c.byUse.Remove(e).(*statement), nil
	}
	prepared, err := c.lite.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return &statement{prepared, text}, nil
}

// giveBack lets a statement rest that has done what it was taken for. One that
// failed is not trusted again, and of two with one text one is enough.
func (c *preparingConn) giveBack(s *statement, err error) {
	if _, rests := c.resting[s.text]; rests || err != nil {
		_ = s.Close()
		return
	}
	c.resting[s.text] = c.byUse.PushFront(s)
	if c.byUse.Len() > statementsKept {
		oldest := c.byUse.Remove(c.byUse.Back()).(*statement)
		delete(c.resting, oldest.text)
		_ = oldest.Close()
	}
}

// Close closes the statements first: a connection stays open as long as one does.
func (c *preparingConn) Close() error {
	for _, e := range c.resting {
		_ = e.Value.(*statement).Close()
	}
	clear(c.resting)
	c.byUse.Init()
	return c.lite.Close()
}

// liteRows is what rows of SQLite's driver can do.
type liteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	liteRows
	from *preparingConn
	of   *statement
}

func (r *preparedRows) Close() error {
	err := r.liteRows.Close()
	r.from.giveBack(r.of, err)
	return err
}
