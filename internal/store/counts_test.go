package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// Whoever hangs up is no failure of the database; that it did not answer in the
// time it was given is one.
func TestADatabaseThatIsTooSlowIsCountedAndWhoeverLeftIsNot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		gone, leave := context.WithCancel(t.Context())
		leave()
		late, end := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer end()
		for _, tt := range []struct {
			ctx  context.Context
			more int64
		}{{gone, 0}, {late, 1}} {
			before := s.Counts().Errors()
			if _, _, err := s.LettersWaiting(tt.ctx); err == nil {
				t.Error("it answers nevertheless")
			}
			if more := s.Counts().Errors() - before; more != tt.more {
				t.Errorf("%v: %d more", tt.ctx.Err(), more)
			}
		}
	})
}
