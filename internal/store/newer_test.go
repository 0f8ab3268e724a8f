package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// What a newer program demands of an SQLite file an older one does not know.
func TestAFileOfANewerProgramIsNotOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "twinlock.db")
	storetest.WriteSQLite(t, file)
	db, err := sql.Open("sqlite", file)
	must(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
	must(t, errors.Join(err, db.Close()))
	s, err := store.Open(t.Context(), "sqlite:"+file, keys.New(), storetest.Rules)
	if !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("%v, want ErrNewerSchema", err)
	}
	if err == nil {
		must(t, s.Close())
	}
}
