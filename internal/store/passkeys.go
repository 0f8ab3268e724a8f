package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Passkey is one of a person's, as it is kept.
type Passkey struct {
	ID       auth.PasskeyID
	User     auth.UserID
	Key      auth.PasskeyKey
	Domain   string // that it was made for
	Name     string
	Created  time.Time
	LastUsed time.Time // zero: never
}

// spendPasskey spends a passkey's answer: its challenge, and the counter that it
// told, which has to be above the one that is kept, unless it counts nothing.
func (t *tx) spendPasskey(ctx context.Context, u auth.User, c CodeClaim, now time.Time) error {
	if err := t.claimCeremony(ctx, c.Ceremony, now); err != nil {
		return err
	}
	err := t.claim(ctx, `
		UPDATE passkeys SET sign_count = $1, synced = $2, last_used_at = $3
		 WHERE id = $4 AND user_id = $5 AND (sign_count < $1 OR sign_count = 0 AND $1 = 0)`,
		c.Count, c.Synced, millis(now), c.Passkey, u.ID)
	if err != nil {
		return fmt.Errorf("claim count %d of passkey %s: %w", c.Count, c.Passkey, err)
	}
	return nil
}
