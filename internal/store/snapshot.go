package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// Snapshot is one moment of the whole database, read table by table while
// others go on writing.
type Snapshot struct {
	tx       *sql.Tx
	postgres bool
}

// Kind is what a column holds, on both engines.
type Kind string

// The kinds of columns, and the Go type of their values: string, int64, bool
// and []byte.
const (
	TextKind    Kind = "text"
	IntegerKind Kind = "integer"
	BooleanKind Kind = "boolean"
	BytesKind   Kind = "bytes"
)

// Column is one column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// kinds are the types that migrations may use, as either engine names them.
var kinds = map[string]Kind{
	"TEXT": TextKind, "BIGINT": IntegerKind, "INTEGER": IntegerKind, "INT8": IntegerKind, "INT4": IntegerKind,
	"BOOLEAN": BooleanKind, "BOOL": BooleanKind, "BLOB": BytesKind, "BYTEA": BytesKind,
}

// Snapshot shows one moment of the database to read. Writers do not wait for
// it, nor does it for them.
func (s *Store) Snapshot(ctx context.Context, read func(*Snapshot) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if s.postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	begun, err := s.read.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = begun.Rollback() }()
	// On both engines the first query, not the beginning, chooses the moment.
	if _, err := begun.ExecContext(ctx, `SELECT COUNT(*) FROM settings`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return read(&Snapshot{begun, s.postgres})
}

// Schema is the number of the newest migration.
func (n *Snapshot) Schema(ctx context.Context) (version int64, err error) {
	err = n.tx.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&version)
	return version, err
}

// Fingerprint names the keys that what is sealed was sealed by; ErrNotFound
// where none was ever used.
func (n *Snapshot) Fingerprint(ctx context.Context) (string, error) {
	return setting(ctx, n.tx, fingerprintSetting)
}

// Count is how many rows a table has.
func (n *Snapshot) Count(ctx context.Context, table string) (rows int64, err error) {
	err = n.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(table)).Scan(&rows)
	return rows, err
}

// Columns are what each row of a table holds, in the order of Rows.
func (n *Snapshot) Columns(ctx context.Context, table string) ([]Column, error) {
	rows, err := n.tx.QueryContext(ctx, `SELECT * FROM `+quoted(table)+` WHERE 1 = 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(types))
	for i, t := range types {
		kind, known := kinds[strings.ToUpper(t.DatabaseTypeName())]
		if !known {
			return nil, fmt.Errorf("%s.%s is a %s, which is not the same on both engines", table, t.Name(), t.DatabaseTypeName())
		}
		columns[i] = Column{t.Name(), kind}
	}
	return columns, rows.Err()
}

// Rows gives each row of a table, in no order. The slice and its bytes are
// good until each returns.
func (n *Snapshot) Rows(ctx context.Context, table string, columns []Column, each func(row []any) error) error {
	rows, err := n.tx.QueryContext(ctx, `SELECT `+names(columns)+` FROM `+quoted(table))
	if err != nil {
		return err
	}
	defer rows.Close()
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := asOnBoth(table, columns, row); err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// asOnBoth makes a row of what a driver gave one that both engines' would give.
func asOnBoth(table string, columns []Column, row []any) (err error) {
	for i, c := range columns {
		if row[i], err = c.Kind.value(row[i]); err != nil {
			return fmt.Errorf("%s.%s: %w", table, c.Name, err)
		}
	}
	return nil
}

// value is a driver's value as both engines' would give it; nil is NULL.
func (k Kind) value(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if k == TextKind {
			return v, nil
		}
	case int64:
		switch k {
		case IntegerKind:
			return v, nil
		case BooleanKind:
			return v != 0, nil
		}
	case bool:
		if k == BooleanKind {
			return v, nil
		}
	case []byte:
		switch k {
		case BytesKind:
			return v, nil
		case TextKind:
			return string(v), nil
		}
	}
	return nil, fmt.Errorf("holds a %T where %s is wanted", v, k)
}

// quoted is a name that a statement may hold, wherever it came from.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func names(columns []Column) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = quoted(c.Name)
	}
	return strings.Join(all, ", ")
}

// rowsAtOnce and valuesAtOnce bound one INSERT; both engines take 32,766 values.
const (
	rowsAtOnce   = 500
	valuesAtOnce = 30_000
)

// inserter adds rows to a table, many with one statement.
type inserter struct {
	tx      *tx
	table   string
	columns []Column
	unless  string // " ON CONFLICT DO NOTHING", or ""
	waiting []any
}

// into adds rows to columns of a table.
func (t *tx) into(table string, columns ...string) *inserter {
	i := &inserter{tx: t, table: table}
	for _, name := range columns {
		i.columns = append(i.columns, Column{Name: name})
	}
	return i
}

func (i *inserter) add(ctx context.Context, row []any) error {
	i.waiting = append(i.waiting, row...)
	if n := len(i.waiting) / len(i.columns); n < rowsAtOnce && len(i.waiting)+len(i.columns) <= valuesAtOnce {
		return nil
	}
	return i.flush(ctx)
}

func (i *inserter) flush(ctx context.Context) error {
	if len(i.waiting) == 0 {
		return nil
	}
	_, err := i.tx.exec(ctx, i.tx.store.insertInto(i.table, i.columns, len(i.waiting)/len(i.columns))+i.unless, i.waiting...)
	clear(i.waiting) // may hold what is large
	i.waiting = i.waiting[:0]
	if err != nil {
		return fmt.Errorf("fill %s: %w", i.table, err)
	}
	return nil
}

// insertInto is a statement that adds so many rows.
func (s *Store) insertInto(table string, columns []Column, rows int) string {
	var statement strings.Builder
	statement.WriteString(`INSERT INTO ` + quoted(table) + ` (` + names(columns) + `) VALUES `)
	for n := range rows {
		if n > 0 {
			statement.WriteString(", ")
		}
		statement.WriteString("(" + s.marksFrom(n*len(columns)+1, len(columns)) + ")")
	}
	return statement.String()
}

// marks are as many placeholders, where no other stands in the statement. SQLite
// takes $1 for a name, and looks through all names for each.
func (s *Store) marks(count int) string { return s.marksFrom(1, count) }

func (s *Store) marksFrom(first, count int) string {
	if !s.postgres {
		return strings.Repeat("?, ", count-1) + "?"
	}
	all := make([]string, count)
	for i := range all {
		all[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(all, ", ")
}
