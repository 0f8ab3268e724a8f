package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// record writes the event of an act in the act's own transaction: where it
// cannot be written, the act is undone.
func (t *tx) record(ctx context.Context, by auth.Actor, kind auth.EventKind, subject auth.UserID, detail string, now time.Time) error {
	return t.recordEach(ctx, by, kind, []auth.UserID{subject}, detail, now)
}

// recordEach is record for an act that concerns several people.
func (t *tx) recordEach(ctx context.Context, by auth.Actor, kind auth.EventKind, subjects []auth.UserID, detail string, now time.Time) error {
	events := t.into("events", "id", "at", "kind", "actor", "subject", "session", "device", "network", "detail")
	for _, subject := range subjects {
		err := events.add(ctx, []any{secret.NewIDAt(now), millis(now), kind, by.EventName(), subject, by.Session.ID, by.Device, by.Network, detail})
		if err != nil {
			return fmt.Errorf("record %s: %w", kind, err)
		}
		t.events = append(t.events, kind)
	}
	if err := events.flush(ctx); err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}

// Record writes an event that goes with no other change, such as a refusal.
func (s *Store) Record(ctx context.Context, by auth.Actor, kind auth.EventKind, subject auth.UserID, detail string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		return t.record(ctx, by, kind, subject, detail, now)
	})
}
