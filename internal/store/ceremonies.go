package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// Ceremony is one that was answered. It is spent by whatever its answer is good
// for; nothing is kept of one that was only begun, so nobody can fill the table
// by asking.
type Ceremony struct {
	Challenge secret.Hash
	Expires   time.Time
}

// CeremonyOf is the ceremony that asked for an answer to this challenge until it
// expires.
func CeremonyOf(c auth.Challenge, expires time.Time) Ceremony {
	return Ceremony{Challenge: sha256.Sum256([]byte(c)), Expires: expires}
}

// claimCeremony spends a challenge. One that was answered before, or too late, is
// ErrSpent.
func (t *tx) claimCeremony(ctx context.Context, c Ceremony, now time.Time) error {
	if !now.Before(c.Expires) {
		return fmt.Errorf("claim a ceremony that is over: %w", ErrSpent)
	}
	err := t.claim(ctx, `INSERT INTO ceremonies (challenge_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		c.Challenge, millis(c.Expires))
	if err != nil {
		return fmt.Errorf("claim a ceremony: %w", err)
	}
	return nil
}
