package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// schema is every table as the engine tells of it.
func schema(t *testing.T, url string) string {
	t.Helper()
	driver, at := "sqlite", strings.TrimPrefix(url, "sqlite:")
	query := `SELECT COALESCE(sql, name) FROM sqlite_master ORDER BY type, name`
	if strings.HasPrefix(url, "postgres") {
		driver, at = "pgx", url
		query = `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '')
			FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`
	}
	db, err := sql.Open(driver, at)
	must(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		all = append(all, line)
	}
	must(t, rows.Err())
	return strings.Join(all, "\n")
}

// wantWhole opens a database whose schema may be any of the way, and then finds it
// whole.
func wantWhole(t *testing.T, url, whole string) {
	t.Helper()
	s := storetest.Open(t, url, keys.New())
	storetest.Person(t, s, "ada@example.org")
	must(t, s.Close())
	if got := schema(t, url); got != whole {
		t.Errorf("the schema is\n%s\nand from an empty database\n%s", got, whole)
	}
}

// A start goes on from wherever another stopped: each of these is stopped after
// one step.
func TestAStartGoesOnFromWhereverAnotherStopped(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, whole := address(t), schema(t, storetest.Migrated[name](t))
			for steps := 1; ; steps++ {
				more, err := store.MigrateBy(t.Context(), url, steps)
				must(t, err)
				if !more {
					break
				}
				if schema(t, url) == whole {
					t.Errorf("after %d steps the schema is whole: this shows nothing", steps)
				}
			}
			wantWhole(t, url, whole)
		})
	}
}

// Whoever reads for a long time, as a backup does, keeps a step of a migration
// from its table, and whoever asks for a table that somebody waits for waits too. A
// step does not wait for so long.
func TestWhileAStepWaitsForItsTableOthersReadIt(t *testing.T) {
	url, whole := storetest.Engines["PostgreSQL"](t), schema(t, storetest.Migrated["PostgreSQL"](t))
	_, err := store.MigrateBy(t.Context(), url, 1)
	must(t, err)
	db, keys := rawPostgres(t, url), keys.New()
	backup, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	readEveryTable(t, backup)
	gaveWay := 0
	migrated := begin(t, db, 1, func() error {
		return migrateTelling(t, url, keys, func(s store.Step) {
			if s.State == store.StepGaveWay {
				gaveWay++
			}
		})
	})
	read, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = read.ExecContext(t.Context(), `SET LOCAL statement_timeout = '20s'`)
	must(t, err)
	readEveryTable(t, read)
	must(t, read.Rollback())
	select {
	case err := <-migrated:
		t.Errorf("it did not try again: %v", err)
	default:
	}
	must(t, backup.Rollback())
	must(t, <-migrated)
	if gaveWay == 0 {
		t.Error("nothing tells that a step gave way")
	}
	if got := schema(t, url); got != whole {
		t.Errorf("the schema is\n%s\nand from an empty database\n%s", got, whole)
	}
}

// migrateTelling opens a database, and tells of its steps.
func migrateTelling(t *testing.T, url string, ring *keys.Ring, tell func(store.Step)) error {
	s, err := store.OpenTelling(t.Context(), url, ring, storetest.Rules, nil, tell)
	if err != nil {
		return err
	}
	return s.Close()
}

func readEveryTable(t *testing.T, in *sql.Tx) {
	t.Helper()
	rows, err := in.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`)
	must(t, err)
	var names []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		names = append(names, name)
	}
	must(t, errors.Join(rows.Err(), rows.Close()))
	for _, name := range names {
		_, err := in.ExecContext(t.Context(), `SELECT 1 FROM "`+name+`" LIMIT 1`)
		must(t, err)
	}
}

// A start that is killed in the middle of a step, as by a loss of power, leaves
// nothing of the step, and is finished by the next start.
func TestAStartThatIsKilledIsFinishedByTheNext(t *testing.T) {
	const opens = "TWINLOCK_TEST_OPENS"
	if url := os.Getenv(opens); url != "" {
		sqlite.MustRegisterScalarFunction("held", 0, holdHere)
		must(t, storetest.Open(t, url, nil).Close())
		return
	}
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := schema(t, storetest.Migrated[name](t))
			for _, steps := range []int{1, 3, 9, 19} {
				url := address(t)
				_, err := store.MigrateBy(t.Context(), url, steps)
				must(t, err)
				before := schema(t, url)
				c := exec.Command(os.Args[0], "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$")
				c.Env = append(os.Environ(), opens+"="+url)
				killInStep[name](t, c, url)
				if by := c.ProcessState.Sys().(syscall.WaitStatus); by.Signal() != syscall.SIGKILL {
					t.Errorf("after %d steps the start was not killed, but ended: %s", steps, c.ProcessState)
				}
				if schema(t, url) != before {
					t.Errorf("a step after %d others left something behind", steps)
				}
				wantWhole(t, url, whole)
			}
		})
	}
}

// killInStep runs a command that migrates a database, and kills it when it has
// done all of a step but to say so and to commit.
var killInStep = map[string]func(t *testing.T, c *exec.Cmd, url string){
	"SQLite": func(t *testing.T, c *exec.Cmd, url string) {
		db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
		must(t, err)
		defer db.Close()
		execute(t, db, `CREATE TRIGGER step BEFORE INSERT ON goose_db_version BEGIN SELECT held(); END`)
		_, err = c.StdinPipe() // it is held until this ends
		must(t, err)
		said, err := c.StdoutPipe()
		must(t, err)
		must(t, child.Start(c))
		if line, _ := bufio.NewReader(said).ReadString('\n'); line != "held\n" {
			t.Errorf("it was not held: %q", line)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		execute(t, db, `DROP TRIGGER step`)
	},
	"PostgreSQL": func(t *testing.T, c *exec.Cmd, url string) {
		db := rawPostgres(t, url)
		holds, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		_, err = holds.ExecContext(t.Context(), `LOCK TABLE goose_db_version IN SHARE MODE`)
		must(t, err)
		must(t, child.Start(c))
		ended := begin(t, db, 1, c.Wait)
		_ = c.Process.Kill()
		<-ended
		must(t, holds.Rollback())
	},
}

// holdHere holds an SQLite statement in the middle.
func holdHere(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	fmt.Println("held")
	return io.Copy(io.Discard, os.Stdin)
}

// Whoever starts a newer version on many people sees what takes so long; on a new
// database, and on one that is up to date, nothing is told.
func TestStepsOfAnOlderDatabaseAreTold(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func(url string, ring *keys.Ring) (told []store.Step) {
				t.Helper()
				must(t, migrateTelling(t, url, ring, func(s store.Step) { told = append(told, s) }))
				return told
			}
			older, ring := address(t), keys.New()
			_, err := store.MigrateBy(t.Context(), older, 15)
			must(t, err)
			told := open(older, ring)
			if len(told) == 0 || len(told)%2 != 0 {
				t.Fatalf("told %v", told)
			}
			for i, s := range told {
				if number := 16 + i/2; s.Number != number || s.Of != 15+len(told)/2 || s.Name == "" || s.State != []store.StepState{store.StepBegins, store.StepDone}[i%2] {
					t.Errorf("told %+v, want step %d to begin and to be done", s, number)
				}
			}
			for _, url := range []string{older, address(t)} {
				if told := open(url, ring); len(told) > 0 {
					t.Errorf("told %v", told)
				}
			}
		})
	}
}

// Of two servers that start at once, whoever comes too late for a step says so.
func TestAStepThatAnotherServerTookIsTold(t *testing.T) {
	url, ring, told := storetest.Engines["PostgreSQL"](t), keys.New(), []store.StepState{}
	_, err := store.MigrateBy(t.Context(), url, stepsBeforePieces+3)
	must(t, err)
	must(t, migrateTelling(t, url, ring, func(s store.Step) {
		if told = append(told, s.State); s.State == store.StepBegins {
			must(t, migrateTelling(t, url, ring, func(store.Step) {}))
		}
	}))
	if !slices.Equal(told, []store.StepState{store.StepBegins, store.StepTaken}) {
		t.Errorf("told %v", told)
	}
}

// A start that has nothing to do does not wait for whoever migrates.
func TestAStartWithoutStepsWaitsForNobody(t *testing.T) {
	url := storetest.Migrated["PostgreSQL"](t)
	other, err := rawPostgres(t, url).Conn(t.Context())
	must(t, err)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), `SELECT pg_advisory_lock($1)`, lock.DefaultLockID)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := store.Open(ctx, url, keys.New(), storetest.Rules)
	must(t, err)
	must(t, s.Close())
}

// stepsBeforePieces are those of the version before people were found by pieces on
// PostgreSQL.
const stepsBeforePieces = 17

const addPerson = `INSERT INTO users (id, address, canonical, name, language, theme, state, administrator, must_use_two_factor,
	two_factor_since, generation, password_hash, password_changed_at, created_at, last_login_at)
	VALUES ($1, $2, $2, $3, 'en', '', 'active', FALSE, FALSE, 0, 1, 'hash', 1, 1, 0)`

func personBefore(t *testing.T, db *sql.DB, name string) {
	t.Helper()
	execute(t, db, addPerson, name, name+"@example.org", "Ms "+name)
}

// rawDatabase opens a database without a store.
func rawDatabase(t *testing.T, url string) *sql.DB {
	t.Helper()
	if at, ok := strings.CutPrefix(url, "sqlite:"); ok {
		db, err := sql.Open("sqlite", at)
		must(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	return rawPostgres(t, url)
}

// Everybody is found after the steps, also whoever was added, renamed or deleted
// between them: a server of before goes on meanwhile. Whoever was there is copied
// before anybody has to wait.
func TestEverybodyIsFoundAfterTheSteps(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := address(t)
			_, err := store.MigrateBy(t.Context(), url, stepsBeforePieces)
			must(t, err)
			db := rawDatabase(t, url)
			for _, person := range []string{"staying", "renamed", "leaving"} {
				personBefore(t, db, person)
			}
			_, err = store.MigrateBy(t.Context(), url, stepsBeforePieces+2)
			must(t, err)
			if name == "PostgreSQL" {
				var copied int
				must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM search_texts`).Scan(&copied))
				if copied != 3 {
					t.Errorf("%d people are copied, want 3", copied)
				}
			}
			personBefore(t, db, "coming")
			execute(t, db, `UPDATE users SET name = 'Ms Married' WHERE id = 'renamed'`)
			execute(t, db, `DELETE FROM users WHERE id = 'leaving'`)
			s := storetest.Open(t, url, keys.New())
			for search, want := range map[string]int{"staying": 1, "renamed": 1, "coming": 1, "married": 1, "ms ": 3, "ms renamed": 0, "leaving": 0} {
				people, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now)
				if err != nil || found != want || len(people) != want {
					t.Errorf("%q finds %d and lists %d (%v), want %d", search, found, len(people), err, want)
				}
			}
		})
	}
}

// Whoever has taken or written an account when a step comes to its table goes on,
// and so does the step when they are done: neither is undone.
func TestAStepWaitsForWhoeverHasAnAccountInHand(t *testing.T) {
	for name, c := range map[string]struct {
		steps int
		has   string
	}{
		"who has taken it":                     {stepsBeforePieces, `SELECT 1 FROM users WHERE id = 'ada' FOR UPDATE`},
		"who has written it":                   {stepsBeforePieces, `UPDATE users SET name = 'Ada' WHERE id = 'ada'`},
		"who has taken it, while all is built": {stepsBeforePieces + 1, `SELECT 1 FROM users WHERE id = 'ada' FOR UPDATE`},
		"who has written it, at the swap":      {stepsBeforePieces + 2, `UPDATE users SET name = 'Ada' WHERE id = 'ada'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, ring := storetest.Engines["PostgreSQL"](t), keys.New()
			_, err := store.MigrateBy(t.Context(), url, c.steps)
			must(t, err)
			db := rawPostgres(t, url)
			personBefore(t, db, "ada")
			personBefore(t, db, "bob")
			writer, err := db.BeginTx(t.Context(), nil)
			must(t, err)
			_, err = writer.ExecContext(t.Context(), c.has)
			must(t, err)
			migrated := begin(t, db, 1, func() error { return migrateTelling(t, url, ring, func(store.Step) {}) })
			for _, person := range []string{"ada", "bob"} {
				_, err = writer.ExecContext(t.Context(), `UPDATE users SET name = 'Written ' || id WHERE id = $1`, person)
				must(t, err)
			}
			must(t, writer.Commit())
			must(t, <-migrated)
			wantNoDeadlock(t, db)
			wantFound(t, url, ring, "written ada", "written bob")
		})
	}
}

// Whoever changes an account while the tables are swapped waits, and writes into the
// new one.
func TestWhoeverChangesAnAccountAtTheSwapIsFound(t *testing.T) {
	url, ring := storetest.Engines["PostgreSQL"](t), keys.New()
	_, err := store.MigrateBy(t.Context(), url, stepsBeforePieces+2)
	must(t, err)
	db := rawPostgres(t, url)
	db.SetMaxOpenConns(8)
	personBefore(t, db, "ada")
	writer, err := db.Conn(t.Context())
	must(t, err)
	defer writer.Close()
	rename := func(to string) error { // by one connection, which has planned it for any
		_, err := writer.ExecContext(t.Context(), `UPDATE users SET name = $1 WHERE id = 'ada'`, to)
		return err
	}
	for i := range 10 {
		must(t, rename(fmt.Sprint("Name ", i)))
	}
	holds, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = holds.ExecContext(t.Context(), `LOCK TABLE goose_db_version IN SHARE MODE`)
	must(t, err)
	migrated := begin(t, db, 1, func() error { return migrateTelling(t, url, ring, func(store.Step) {}) })
	written := begin(t, db, 2, func() error { return rename("Lovelace") })
	must(t, holds.Rollback())
	must(t, errors.Join(<-written, <-migrated))
	wantNoDeadlock(t, db)
	wantFound(t, url, ring, "lovelace")
}

func wantNoDeadlock(t *testing.T, db *sql.DB) {
	t.Helper()
	var n int
	must(t, db.QueryRowContext(t.Context(), `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&n))
	if n != 0 {
		t.Errorf("%d transactions were undone so that others could go on", n)
	}
}

func wantFound(t *testing.T, url string, ring *keys.Ring, searches ...string) {
	t.Helper()
	s := storetest.Open(t, url, ring)
	for _, search := range searches {
		if _, found, err := s.Users(t.Context(), store.UserFilter{Search: search}, now); err != nil || found != 1 {
			t.Errorf("%q finds %d (%v)", search, found, err)
		}
	}
}
