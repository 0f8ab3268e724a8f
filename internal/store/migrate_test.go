package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

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

// Whichever step a start was stopped after, the next one goes on from there.
func TestAStartGoesOnFromWhereverAnotherStopped(t *testing.T) {
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := address(t)
			must(t, storetest.Open(t, url, nil).Close())
			whole := schema(t, url)
			for steps := 1; ; steps++ {
				url := address(t)
				more, err := store.MigrateBy(t.Context(), url, steps)
				must(t, err)
				if !more {
					break
				}
				if schema(t, url) == whole {
					t.Errorf("after %d steps the schema is whole: this shows nothing", steps)
				}
				wantWhole(t, url, whole)
			}
		})
	}
}

// A start that is killed at any moment, as a loss of power would, is finished by
// the next.
func TestAStartThatIsKilledIsFinishedByTheNext(t *testing.T) {
	const opens = "TWINLOCK_TEST_OPENS"
	if url := os.Getenv(opens); url != "" {
		must(t, storetest.Open(t, url, nil).Close())
		return
	}
	const moments = 8
	for name, address := range storetest.Engines {
		t.Run(name, func(t *testing.T) {
			start := func(url string) *exec.Cmd {
				c := exec.Command(os.Args[0], "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$")
				c.Env = append(os.Environ(), fmt.Sprintf("%s=%s", opens, url))
				must(t, child.Start(c))
				return c
			}
			url, begun := address(t), time.Now()
			must(t, start(url).Wait())
			takes, whole, killed := time.Since(begun), schema(t, url), 0
			for i := range moments {
				url := address(t)
				c := start(url)
				timer := time.AfterFunc(takes*time.Duration(i+1)/moments, func() { _ = c.Process.Signal(syscall.SIGKILL) })
				if c.Wait() != nil {
					killed++
				}
				timer.Stop()
				wantWhole(t, url, whole)
			}
			if killed == 0 {
				t.Error("no start was killed: the moments are too late to show anything")
			}
		})
	}
}
