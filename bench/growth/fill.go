package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/password"
	_ "github.com/twinlock/twinlock/internal/store" // has what SQLite is taught
)

// markFilled is the setting of a database that is full.
const markFilled = "growth.filled"

// prepare makes the database, or takes the one that was filled before, and has its
// first people be signed in now.
func (s *site) prepare(ctx context.Context) error {
	if !s.isFilled(ctx) {
		began := time.Now()
		if err := s.fill(ctx); err != nil {
			return err
		}
		fmt.Printf("%s filled in %.0f s\n", s.name(), time.Since(began).Seconds())
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now().UnixMilli()
	for i := range min(known, s.people) {
		if _, err := db.ExecContext(ctx, `UPDATE sessions SET began_at = $1, last_seen_at = $1, password_at = $1, ended_at = 0, ended_by = '' WHERE token_hash = $2`,
			now, hashed(token(ofSession, i))); err != nil {
			return err
		}
	}
	return nil
}

// isFilled opens the database by the program itself, which brings its tables up to
// date.
func (s *site) isFilled(ctx context.Context) bool {
	db, err := s.open()
	if err != nil {
		return false
	}
	defer db.Close()
	var at string
	if db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, markFilled).Scan(&at) != nil {
		return false
	}
	began := time.Now()
	if err := s.command("", "user", "show", administrator); err != nil {
		return false
	}
	fmt.Printf("%s was filled before; the program opened it in %.1f s\n", s.name(), time.Since(began).Seconds())
	return true
}

func (s *site) fill(ctx context.Context) error {
	if err := s.make(); err != nil {
		return err
	}
	hash := password.Usual.Hash(phrase)
	f := filling{people: s.people, hash: hash, now: time.Now()}
	pour := s.pourSQLite
	if *engine == "postgres" {
		pour = s.pourPostgres
	}
	if err := pour(ctx, f.tables()); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if *engine == "postgres" { // as autovacuum would have by then
		if _, err := db.ExecContext(ctx, `VACUUM (ANALYZE)`); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, markFilled, fmt.Sprint(s.people))
	return err
}

// make lets the program make an empty database, and two administrators and the
// application that is asked about.
func (s *site) make() error {
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	if err := s.makeDatabase(); err != nil {
		return err
	}
	if err := s.command(phrase, "user", "add", administrator, "--admin", "--password-stdin"); err != nil {
		return err
	}
	return s.command("", "app", "add", "Wiki", "--url", serving.Wiki+"/", "--allow-everyone")
}

// rowsAtOnce is how many rows one INSERT holds.
const rowsAtOnce = 100

// pourSQLite fills tables by statements of many rows, without care for the power:
// what is cut short is filled anew.
func (s *site) pourSQLite(ctx context.Context, tables []table) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, pragma := range []string{"journal_mode = OFF", "synchronous = OFF", "cache_size = -3000000", "locking_mode = EXCLUSIVE"} {
		if _, err := db.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	for _, t := range tables {
		again, err := withoutIndexes(ctx, db, t.name, `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL`)
		if err != nil {
			return err
		}
		if err := pourTable(ctx, db, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := again(); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// withoutIndexes takes a table's indexes away until again is called: made at once
// they are made faster.
func withoutIndexes(ctx context.Context, db *sql.DB, table, query string) (again func() error, err error) {
	found, err := db.QueryContext(ctx, query, table)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var names, made []string
	for found.Next() {
		var name, statement string
		if err := found.Scan(&name, &statement); err != nil {
			return nil, err
		}
		names, made = append(names, name), append(made, statement)
	}
	if err := found.Close(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := db.ExecContext(ctx, `DROP INDEX "`+name+`"`); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, statement := range made {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}, found.Err()
}

func pourTable(ctx context.Context, db *sql.DB, t table) error {
	begun, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	one := "(" + strings.Repeat("?, ", len(t.columns)-1) + "?)"
	statement := func(rows int) string {
		return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + strings.Repeat(one+", ", rows-1) + one
	}
	many, err := begun.PrepareContext(ctx, statement(rowsAtOnce))
	if err != nil {
		return err
	}
	for i := 0; i < t.rows; i += rowsAtOnce {
		var values row
		rows := min(rowsAtOnce, t.rows-i)
		for n := range rows {
			values = append(values, t.make(i+n)...)
		}
		if rows == rowsAtOnce {
			_, err = many.ExecContext(ctx, values...)
		} else {
			_, err = begun.ExecContext(ctx, statement(rows), values...)
		}
		if err != nil {
			return err
		}
	}
	return begun.Commit()
}

// pourPostgres fills tables by COPY.
func (s *site) pourPostgres(ctx context.Context, tables []table) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	c, err := pgx.Connect(ctx, s.url())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, t := range tables {
		again, err := withoutIndexes(ctx, db, t.name, `
			SELECT i.indexname, i.indexdef FROM pg_indexes i
			 WHERE i.schemaname = 'public' AND i.tablename = $1
			   AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)`)
		if err != nil {
			return err
		}
		source := pgx.CopyFromSlice(t.rows, func(i int) ([]any, error) { return t.make(i), nil })
		if _, err := c.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, source); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := again(); err != nil {
			return err
		}
	}
	return nil
}
