package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/store"
)

// Whoever makes a table says in store.Tables what a backup and a restore do
// with it. Whatever lets somebody in, or is on its way to that, is voided.
func TestEveryTableIsCarriedOrLeftOutForAReason(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		if w.Shared() {
			query = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
		}
		schema := w.words(query)
		for _, table := range store.Tables {
			if !slices.Contains(schema, table.Name) {
				t.Errorf("%s is no table of the schema", table.Name)
			}
			if (table.Treatment == store.Carried) != (table.Why == "") {
				t.Errorf("%s: %s, because %q", table.Name, table.Treatment, table.Why)
			}
		}
		for _, name := range schema {
			n := 0
			for _, table := range store.Tables {
				if table.Name == name {
					n++
				}
			}
			if slices.Contains(store.InStep[w.Shared()], name) {
				n++
			}
			if n != 1 {
				t.Errorf("%s stands %d times in store.Tables and store.InStep, which say what a backup and a restore do with each table", name, n)
			}
		}
	})
}

// A restore empties tables from the last to the first and fills them from the
// first to the last.
func TestEveryTableStandsAfterThoseItRefersTo(t *testing.T) {
	eachWatched(t, func(t *testing.T, w watched) {
		if w.Shared() {
			return // the schemas are the same
		}
		before, treated := map[string]bool{}, map[string]store.Treatment{}
		for _, table := range store.Tables {
			treated[table.Name] = table.Treatment
			for _, parent := range w.words(`SELECT "table" FROM pragma_foreign_key_list('` + table.Name + `')`) {
				if !before[parent] && parent != table.Name {
					t.Errorf("%s stands before %s", table.Name, parent)
				}
				if table.Treatment == store.Added {
					t.Errorf("%s is added, and would be emptied with %s", table.Name, parent)
				}
				if table.Treatment != store.Voided && treated[parent] != store.Carried {
					t.Errorf("%s is %s and refers to %s, which is %s", table.Name, table.Treatment, parent, treated[parent])
				}
			}
			before[table.Name] = true
		}
	})
}

// words gives the first column of an answer.
func (w watched) words(query string) (all []string) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), query)
	must(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var word string
		must(w.t, rows.Scan(&word))
		all = append(all, strings.TrimSpace(word))
	}
	must(w.t, rows.Err())
	return all
}
