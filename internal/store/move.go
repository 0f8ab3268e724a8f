package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
)

var (
	// ErrOlderSchema is returned for a database that an older version served last.
	ErrOlderSchema = errors.New("an older version of this program served it last; start this one on it once")
	// ErrHalfMoved is returned to a server whose database is not whole yet.
	ErrHalfMoved = errors.New("a database is being moved here and is not whole yet; run twinlock migrate again until it says so")
)

// movingSetting keeps how far a move into this database is.
const movingSetting = "moving"

// Moving is how far a move into a database is: the rows of a table up to one of
// its source, and those of all tables before it, are there.
type Moving struct {
	Source string `json:"source"`
	Table  string `json:"table"`
	After  int64  `json:"after"`
}

// OpenSource opens an SQLite database that is to be moved. Nothing is written to
// it. ErrNewerSchema and ErrOlderSchema where its schema is not this program's.
func OpenSource(ctx context.Context, path string, ring *keys.Ring) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	s := &Store{ring: ring, listener: deaf{}, counts: newCounts()}
	if err := s.connectSQLite(path); err != nil {
		return nil, err
	}
	if err := s.isCurrent(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) isCurrent(ctx context.Context) error {
	newest, err := newestMigration()
	if err != nil {
		return err
	}
	return s.Snapshot(ctx, func(n *Snapshot) error {
		schema, err := n.Schema(ctx)
		switch {
		case err != nil:
			return err
		case schema > newest:
			return ErrNewerSchema
		case schema < newest:
			return ErrOlderSchema
		}
		return nil
	})
}

// newestMigration is the number of the newest one that this program knows.
func newestMigration() (newest int64, err error) {
	files, err := migrations.ReadDir("migrations/sqlite")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		var number int64
		if _, err := fmt.Sscanf(file.Name(), "%d_", &number); err != nil {
			return 0, err
		}
		newest = max(newest, number)
	}
	return newest, nil
}

// Block gives the rows of a table of SQLite after one, in the order of their row
// numbers, at most so many, and the number of the last; after itself where there
// are no more.
func (n *Snapshot) Block(ctx context.Context, table string, columns []Column, after int64, limit int) (rows [][]any, last int64, err error) {
	found, err := n.tx.QueryContext(ctx, `SELECT rowid, `+names(columns)+` FROM `+quoted(table)+
		` WHERE rowid > $1 ORDER BY rowid LIMIT $2`, after, limit)
	if err != nil {
		return nil, after, err
	}
	defer found.Close()
	last = after
	for found.Next() {
		row, into := make([]any, len(columns)), []any{&last}
		for i := range row {
			into = append(into, &row[i])
		}
		if err := found.Scan(into...); err != nil {
			return nil, after, err
		}
		if err := asOnBoth(table, columns, row); err != nil {
			return nil, after, err
		}
		rows = append(rows, row)
	}
	return rows, last, found.Err()
}

// Unsuited names a column of SQLite that holds a zero byte, which PostgreSQL takes
// for no text; "" where there is none.
func (n *Snapshot) Unsuited(ctx context.Context, table string, columns []Column) (column string, err error) {
	for _, c := range columns {
		if c.Kind != TextKind {
			continue
		}
		var found int
		err := n.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+quoted(table)+
			` WHERE instr(CAST(`+quoted(c.Name)+` AS BLOB), x'00') > 0 LIMIT 1)`).Scan(&found)
		if err != nil {
			return "", err
		}
		if found > 0 {
			return c.Name, nil
		}
	}
	return "", nil
}

// Sum is what the rows of a table come to, in whatever order they are read: how
// many they are, and the sum of what each is hashed to.
type Sum struct {
	Rows   int64
	Hashed [4]uint64
}

// Sum adds up a table. What is kept of a move itself is left out.
func (n *Snapshot) Sum(ctx context.Context, table string, columns []Column) (sum Sum, err error) {
	err = n.Rows(ctx, table, columns, func(row []any) error {
		if table == "settings" && row[0] == movingSetting {
			return nil
		}
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		hash := sha256.Sum256(text)
		for i := range sum.Hashed {
			sum.Hashed[i] += binary.BigEndian.Uint64(hash[8*i:])
		}
		sum.Rows++
		return nil
	})
	return sum, err
}

// LookBeforeMove tells whether the database that a URL names can take what another
// has, before anything is written to it: ErrNotEmpty where it has accounts, and a
// sentence that says what else is in the way.
func LookBeforeMove(ctx context.Context, databaseURL string) error {
	s := &Store{listener: deaf{}, counts: newCounts()}
	if err := s.connect(databaseURL); err != nil {
		return err
	}
	return errors.Join(s.mayMoveIn(ctx), s.Close())
}

func (s *Store) mayMoveIn(ctx context.Context) error {
	if err := s.MayMoveIn(ctx); err != nil {
		return err
	}
	var tables bool
	if err := s.read.QueryRowContext(ctx, `SELECT to_regclass('users') IS NOT NULL`).Scan(&tables); err != nil || !tables {
		return err
	}
	if _, err := s.Moving(ctx); !errors.Is(err, ErrNotFound) {
		return err
	}
	empty, err := s.Empty(ctx)
	if err == nil && !empty {
		err = ErrNotEmpty
	}
	return err
}

// MayMoveIn tells whether a database can take what another has, by a sentence that
// says what is in the way.
func (s *Store) MayMoveIn(ctx context.Context) error {
	if !s.postgres {
		return errors.New("it must be on PostgreSQL")
	}
	return s.fits(ctx)
}

// Moving reads how far a move into this database is; ErrNotFound where none is.
func (s *Store) Moving(ctx context.Context) (m Moving, err error) {
	text, err := setting(ctx, s.read, movingSetting)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(text), &m)
}

// MoveIn takes a block of rows, and keeps how far the move is by then, in one
// transaction. The first block of a table takes the place of what was there.
func (s *Store) MoveIn(ctx context.Context, m Moving, first bool, columns []Column, rows [][]any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.transaction(ctx, func(t *tx) error {
		if first {
			statement := `DELETE FROM ` + quoted(m.Table)
			if m.Table == "settings" {
				statement += ` WHERE name <> '` + movingSetting + `'`
			}
			if _, err := t.exec(ctx, statement); err != nil {
				return err
			}
		}
		into := &inserter{tx: t, table: m.Table, columns: columns}
		for _, row := range rows {
			if err := into.add(ctx, row); err != nil {
				return err
			}
		}
		if err := into.flush(ctx); err != nil {
			return err
		}
		return t.keepSetting(ctx, movingSetting, string(text))
	})
}

// FinishMove says that a database which was moved here is whole.
func (s *Store) FinishMove(ctx context.Context, by auth.Actor, rows int64, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.claim(ctx, `DELETE FROM settings WHERE name = $1`, movingSetting); err != nil {
			return fmt.Errorf("finish the move: %w", err)
		}
		t.plugins, t.everybody, t.applications = true, true, true
		return t.record(ctx, by, auth.EventMoved, "", fmt.Sprintf("%d rows, from SQLite", rows), now)
	})
}

// refuseHalfMoved keeps servers off a database that is not whole.
func (s *Store) refuseHalfMoved(ctx context.Context) error {
	_, err := s.Moving(ctx)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return ErrHalfMoved
}

// Moved are the tables whose rows go along when a database is moved: all but
// those that are about the servers and the schema at hand. The clock goes along,
// so that what is over stays over.
func Moved() (tables []string) {
	for _, t := range Tables {
		switch t.Name {
		case "nodes", "duties", "goose_db_version":
		default:
			tables = append(tables, t.Name)
		}
	}
	return tables
}

// SourceName tells one state of a source from another: by its keys and by how many
// rows it has.
func SourceName(fingerprint string, counts []int64) string {
	return strings.Trim(fmt.Sprint(fingerprint, counts), "[]")
}
