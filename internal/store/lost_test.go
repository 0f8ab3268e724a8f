package store

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5/pgconn"
)

// A step that gave way to people who are served is begun again.
func TestAStepThatLostIsBegunAgain(t *testing.T) {
	for code, again := range map[string]bool{"55P03": true, "40P01": true, "42601": false} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			err := untilFree(t.Context(), func() error {
				if tries++; tries == 1 {
					return fmt.Errorf("step 17: %w", &pgconn.PgError{Code: code})
				}
				return nil
			})
			if (err == nil) != again || (tries == 2) != again {
				t.Errorf("%s: %d tries, %v", code, tries, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		lost, tries := &pgconn.PgError{Code: "55P03"}, 0
		err := untilFree(t.Context(), func() error { tries++; return lost })
		if !errors.Is(err, lost) || tries != tableTries {
			t.Errorf("it ends after %d tries with %v", tries, err)
		}
	})
}
