package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// preparedAlone is one connection to an empty SQLite database that keeps its
// statements, and how many the library made and still has.
func preparedAlone(t *testing.T) (db *sql.DB, made, open *atomic.Int64) {
	t.Helper()
	library, err := sqlite.NewConnector("")
	must(t, err)
	made, open = new(atomic.Int64), new(atomic.Int64)
	db = store.OpenPreparing(countingDriver{library.Driver(), made, open}, "file:"+filepath.Join(t.TempDir(), "some.db")+"?_pragma=journal_mode(WAL)")
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	_, err = db.Exec(`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)`)
	must(t, err)
	return db, made, open
}

type countingDriver struct {
	driver.Driver
	made, open *atomic.Int64
}

func (d countingDriver) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return countingConn{c.(store.Lite), d}, nil
}

type countingConn struct {
	store.Lite
	of countingDriver
}

func (c countingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.Lite.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.of.made.Add(1)
	c.of.open.Add(1)
	return countingStmt{s.(runs), c.of}, nil
}

type runs interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countingStmt struct {
	runs
	of countingDriver
}

func (s countingStmt) Close() error {
	s.of.open.Add(-1)
	return s.runs.Close()
}

const (
	addNote  = `INSERT INTO notes (text) VALUES ($1)`
	textOf   = `SELECT text FROM notes WHERE id = $1`
	allNotes = `SELECT id FROM notes ORDER BY id`
)

// What is said again is not parsed again, and its arguments are those of this time.
func TestAStatementIsPreparedOnce(t *testing.T) {
	db, made, _ := preparedAlone(t)
	for i := range 10 {
		_, err := db.Exec(addNote, fmt.Sprint("note ", i))
		must(t, err)
		var text string
		must(t, db.QueryRow(textOf, i+1).Scan(&text))
		if want := fmt.Sprint("note ", i); text != want {
			t.Errorf("it says %q, want %q", text, want)
		}
	}
	if made.Load() != 2 {
		t.Errorf("%d were prepared, want 2", made.Load())
	}
}

// Whoever says what is just being read does not read on in the other's rows.
func TestTwoWhoSayTheSameShareNoStatement(t *testing.T) {
	db, made, open := preparedAlone(t)
	for i := range 3 {
		_, err := db.Exec(addNote, fmt.Sprint(i))
		must(t, err)
	}
	tx, err := db.Begin()
	must(t, err)
	defer tx.Rollback()
	outer, err := tx.Query(allNotes)
	must(t, err)
	var read []int
	for outer.Next() {
		var id, inner int
		must(t, outer.Scan(&id))
		must(t, tx.QueryRow(allNotes).Scan(&inner))
		read = append(read, id, inner)
	}
	must(t, outer.Close())
	if got := fmt.Sprint(read); got != "[1 1 2 1 3 1]" {
		t.Errorf("they read %s", got)
	}
	if made.Load() != 3 || open.Load() != 2 {
		t.Errorf("%d were prepared and %d are kept, want 3 and 2", made.Load(), open.Load())
	}
}

// However much is said, no more than so many statements are kept: the ones that
// were used last.
func TestTheStatementThatWasUsedLeastRecentlyGoes(t *testing.T) {
	db, made, open := preparedAlone(t)
	say := func(n int) {
		var one int
		must(t, db.QueryRow(fmt.Sprintf(`SELECT %d`, n)).Scan(&one))
	}
	for n := range store.StatementsKept {
		say(n)
	}
	say(0)
	say(store.StatementsKept) // in the place of 1
	if open.Load() != store.StatementsKept {
		t.Errorf("%d are kept", open.Load())
	}
	before := made.Load()
	say(0)
	if made.Load() != before {
		t.Error("what was said lately had to be prepared again")
	}
	say(1)
	if made.Load() != before+1 {
		t.Error("what was said long ago is still there")
	}
}

// Statements see the tables as they are now, not as they were when they were prepared.
func TestAStatementOutlivesAChangeOfTheSchema(t *testing.T) {
	db, made, _ := preparedAlone(t)
	_, err := db.Exec(addNote, "one")
	must(t, err)
	columns := func() int {
		rows, err := db.Query(`SELECT * FROM notes`)
		must(t, err)
		defer rows.Close()
		all, err := rows.Columns()
		must(t, err)
		return len(all)
	}
	if columns() != 2 {
		t.Fatal("it begins with another table")
	}
	_, err = db.Exec(`ALTER TABLE notes ADD COLUMN at INTEGER`)
	must(t, err)
	if n := columns(); n != 3 {
		t.Errorf("%d columns after one was added to 2", n)
	}
	_, err = db.Exec(`DROP TABLE notes; CREATE TABLE notes (text TEXT)`)
	must(t, err)
	if n := columns(); n != 1 {
		t.Errorf("%d columns of a new table with 1", n)
	}
	if made.Load() != 2 {
		t.Errorf("%d were prepared, want 2", made.Load())
	}
}

// A statement that failed, or that nobody waits for any more, is not used again,
// and the next one does what it says.
func TestAStatementThatFailedIsNotKept(t *testing.T) {
	db, _, open := preparedAlone(t)
	_, err := db.Exec(addNote, "one")
	must(t, err)
	if _, err := db.Exec(addNote, "one"); err == nil {
		t.Fatal("a rule of the table was not kept")
	}
	if open.Load() != 0 {
		t.Errorf("%d are kept", open.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := db.QueryContext(ctx, allNotes)
	must(t, err)
	cancel()
	for rows.Next() {
	}
	_ = rows.Close()
	_, err = db.Exec(addNote, "two")
	must(t, err)
	var n int
	must(t, db.QueryRow(`SELECT COUNT(*) FROM notes`).Scan(&n))
	if n != 2 {
		t.Errorf("%d notes", n)
	}
}

// A statement at rest holds nothing: what others wrote is seen by the next, and
// the log of what was written can be emptied.
func TestAStatementAtRestHoldsNoMoment(t *testing.T) {
	db, _, open := preparedAlone(t)
	for i := range 3 {
		_, err := db.Exec(addNote, fmt.Sprint(i))
		must(t, err)
	}
	var id int
	must(t, db.QueryRow(allNotes).Scan(&id)) // two rows are left unread
	if open.Load() != 2 {
		t.Fatalf("%d are kept", open.Load())
	}
	var busy, log, copied int
	must(t, db.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &copied))
	if busy != 0 {
		t.Error("a moment is held")
	}
	_, err := db.Exec(`VACUUM`)
	must(t, err)
}

// What is no single statement about rows is left to the library, and a connection
// that is closed leaves nothing open.
func TestWhatIsNotKept(t *testing.T) {
	db, made, open := preparedAlone(t)
	for _, text := range []string{
		`PRAGMA foreign_keys = 1`, `CREATE TABLE more (id INTEGER)`, `ATTACH ':memory:' AS other`, `DETACH other`, `VACUUM`,
		`INSERT INTO more VALUES (1); INSERT INTO more VALUES (2)`, `SELECT ';'`,
	} {
		_, err := db.Exec(text)
		must(t, err)
	}
	if made.Load() != 0 {
		t.Errorf("%d were prepared to be kept", made.Load())
	}
	_, err := db.Exec(addNote, "one")
	must(t, err)
	must(t, db.Close())
	if open.Load() != 0 {
		t.Errorf("%d are open after the connection", open.Load())
	}
}

// An import says the same for each five hundred people, and none of it is parsed
// twice.
func TestWhatAnImportSaysIsKept(t *testing.T) {
	s, wire, _ := storetest.Wired(t)
	said := statementsOf(wire)
	people := make([]store.NewUser, 500)
	for i := range people {
		at := fmt.Sprintf("person%d@example.org", i)
		people[i] = store.NewUser{Address: address.Address{Spelling: at, Canonical: at}, Hash: "the hash"}
	}
	_, err := s.AddUsers(t.Context(), command, people, now)
	must(t, err)
	for _, c := range said() {
		if len(c.Statement) > store.LongestKept {
			t.Errorf("%d bytes: %.60s", len(c.Statement), c.Statement)
		}
	}
}
