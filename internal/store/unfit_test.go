package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Whoever names a database that cannot be worked on hears what it must be, before
// a table is made.
func TestADatabaseOfAnotherEncodingIsRefusedAtTheStart(t *testing.T) {
	url := storetest.PostgreSQL(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var beside string
	if err := db.QueryRow(`SELECT current_database()`).Scan(&beside); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE DATABASE ` + beside + `_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`); err != nil {
		t.Fatal(err)
	}
	ascii := strings.Replace(url, "/"+beside, "/"+beside+"_ascii", 1)
	s, err := store.Open(t.Context(), ascii, keys.New(), storetest.Rules)
	if err == nil {
		_ = s.Close()
	}
	if err == nil || err.Error() != "database_url: its encoding is SQL_ASCII, and must be UTF8" {
		t.Errorf("opened: %v", err)
	}
	untouched, err := sql.Open("pgx", ascii)
	if err != nil {
		t.Fatal(err)
	}
	defer untouched.Close()
	var without bool
	if err := untouched.QueryRow(`SELECT to_regclass('goose_db_version') IS NULL`).Scan(&without); err != nil || !without {
		t.Errorf("a table was made: %v", err)
	}
}

func TestAnOldPostgreSQLIsRefused(t *testing.T) {
	for version, want := range map[int]string{
		13_00_22: "its PostgreSQL is 13, and must be 14 or newer",
		9_06_24:  "its PostgreSQL is 9, and must be 14 or newer",
		14_00_00: "", 18_00_01: "",
	} {
		if err := store.Unfit(version, "UTF8"); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%d: %v, want %q", version, err, want)
		}
	}
}
