package app_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/apptest"
)

// rows is everything that a database holds, a line a row, but for the counts of
// tries and letters.
type rows []string

func (before rows) wantSame(t *testing.T, after rows) {
	t.Helper()
	for _, row := range before {
		if !slices.Contains(after, row) {
			t.Errorf("gone from the database: %s", row)
		}
	}
	for _, row := range after {
		if !slices.Contains(before, row) {
			t.Errorf("new in the database: %s", row)
		}
	}
}

func database(t *testing.T, site *apptest.Site) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?mode=ro")
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func dump(t *testing.T, site *apptest.Site) (all rows) {
	t.Helper()
	db := database(t, site)
	for _, table := range texts(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'throttle'`) {
		for _, row := range texts(t, db, fmt.Sprintf("SELECT * FROM %q", table)) {
			all = append(all, table+": "+row)
		}
	}
	if len(all) == 0 {
		t.Fatal("the database looks empty")
	}
	return all
}

// texts gives each row of an answer as one text.
func texts(t *testing.T, db *sql.DB, query string, values ...any) (all []string) {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query, values...)
	must(t, err)
	defer found.Close()
	columns, err := found.Columns()
	must(t, err)
	for found.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		must(t, found.Scan(into...))
		all = append(all, strings.Trim(fmt.Sprint(row), "[]"))
	}
	must(t, found.Err())
	return all
}

// pendingAttempt names the one login on its way.
func pendingAttempt(t *testing.T, site *apptest.Site) string {
	t.Helper()
	found := texts(t, database(t, site), `SELECT id FROM attempts WHERE finished_at = 0`)
	if len(found) != 1 {
		t.Fatalf("%d logins on their way", len(found))
	}
	return found[0]
}
