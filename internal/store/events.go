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
	_, err := t.exec(ctx, `
		INSERT INTO events (id, at, kind, actor, subject, session, device, network, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		secret.NewID(), millis(now), kind, by.EventName(), subject, by.Session.ID, by.Device, by.Network, detail)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	t.events = append(t.events, kind)
	return nil
}

// Record writes an event that goes with no other change, such as a refusal.
func (s *Store) Record(ctx context.Context, by auth.Actor, kind auth.EventKind, subject auth.UserID, detail string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		return t.record(ctx, by, kind, subject, detail, now)
	})
}
