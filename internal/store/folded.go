package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"golang.org/x/text/cases"
	"modernc.org/sqlite"
)

// SQLite's own LOWER knows the letters A to Z only.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("folded", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		return cases.Fold().String(text), nil
	})
}

// folded is an expression of SQL without regard to its capitals, in whatever
// script: for both sides of a comparison, and for nothing that is kept.
func (s *Store) folded(expression string) string {
	if !s.postgres {
		return `folded(` + expression + `)`
	}
	return `UPPER((` + expression + `)` + s.collation + `)`
}

// findCollation looks for what knows the capitals of all scripts: PostgreSQL has
// it from ICU, from itself since version 17, or from the system, each only if it
// was built so. Where it has none the database's own has to do.
func (s *Store) findCollation(ctx context.Context) error {
	if !s.postgres {
		return nil
	}
	var name string
	err := s.read.QueryRowContext(ctx, `
		SELECT collname FROM pg_collation
		 WHERE collnamespace = 'pg_catalog'::regnamespace
		   AND collname IN ('und-x-icu', 'pg_c_utf8', 'C.utf8') AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
		 ORDER BY CASE collname WHEN 'und-x-icu' THEN 1 WHEN 'pg_c_utf8' THEN 2 ELSE 3 END LIMIT 1`).Scan(&name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("find a collation: %w", err)
	}
	s.collation = ` COLLATE pg_catalog."` + name + `"`
	return nil
}
