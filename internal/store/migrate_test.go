package store_test

import (
	"bufio"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

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
	migrated := begin(t, db, 1, func() error {
		s, err := store.Open(t.Context(), url, keys, storetest.Rules)
		if err != nil {
			return err
		}
		return s.Close()
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
	if got := schema(t, url); got != whole {
		t.Errorf("the schema is\n%s\nand from an empty database\n%s", got, whole)
	}
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
			for _, steps := range []int{1, 3, 9} {
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
				s, err := store.OpenTelling(t.Context(), url, ring, storetest.Rules, nil, func(s store.Step) { told = append(told, s) })
				must(t, err)
				must(t, s.Close())
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
				if number := 16 + i/2; s.Number != number || s.Of != 15+len(told)/2 || s.Name == "" || (s.Took > 0) != (i%2 == 1) {
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
