package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
)

// NewPasskey is one that has just been made.
type NewPasskey struct {
	User       auth.UserID
	Generation int64 // of the account, when it began to be made
	Ceremony   Ceremony
	Key        auth.PasskeyKey
	Handle     []byte // that the authenticator now knows the person by
	Domain     string
	Name       string
	Codes      recovery.Set   // zero: the account has some, and keeps them
	Attempt    auth.AttemptID // the login that owed a second factor; "" inside a session
	Limit      int            // how many one person may have that were made for this domain
}

// AddPasskey keeps a passkey. The first one turns passkeys on; where it is the first
// second factor at all, recovery codes come with it. Whatever was begun before is
// outdated, and every other session ends. The acting one goes on under a new token;
// an attempt that owed a second factor goes on as one that has shown it, and gives
// no token.
//
// ErrSpent where the challenge was answered before, or the account changed since it
// was asked; ErrTooMany where there is no room for it; ErrTaken where it is kept
// already.
func (s *Store) AddPasskey(ctx context.Context, by auth.Actor, n NewPasskey, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // as EnableTwoFactor
			return err
		}
		u, err := t.lockUser(ctx, n.User)
		if err != nil {
			return err
		}
		if err := t.keepPasskey(ctx, n, now); err != nil {
			return err
		}
		if err := t.addRecoveryCodes(ctx, n.User, n.Codes, now); err != nil {
			return err
		}
		if token, err = t.goOnWithPasskey(ctx, by, u, n, now); err != nil {
			return err
		}
		return t.tellFactor(ctx, by, u, auth.LetterPasskeyAdded, auth.EventPasskeyAdded, n.Name, now)
	})
	return token, err
}

// keepPasskey turns passkeys on, spends the challenge and keeps the passkey.
func (t *tx) keepPasskey(ctx context.Context, n NewPasskey, now time.Time) error {
	if err := t.claim(ctx, `
		UPDATE users SET passkeys_since = CASE WHEN passkeys_since = 0 THEN $1 ELSE passkeys_since END,
		       passkey_handle = COALESCE(passkey_handle, $2)
		 WHERE id = $3 AND generation = $4 AND state = 'active' AND (passkey_handle IS NULL OR passkey_handle = $2)`,
		millis(now), n.Handle, n.User, n.Generation); err != nil {
		return fmt.Errorf("add a passkey to %s: %w", n.User, err)
	}
	if err := t.claimCeremony(ctx, n.Ceremony, now); err != nil {
		return err
	}
	var here int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM passkeys WHERE user_id = $1 AND domain = $2`, n.User, n.Domain).Scan(&here); err != nil {
		return fmt.Errorf("count the passkeys of %s: %w", n.User, err)
	}
	if here >= n.Limit {
		return ErrTooMany
	}
	return t.insertPasskey(ctx, Passkey{ID: auth.PasskeyID(secret.NewID()), User: n.User, Key: n.Key,
		Domain: n.Domain, Name: n.Name, Created: now})
}

// goOnWithPasskey lets whoever made a passkey go on. The first one was shown in the
// code's place; a further one says nothing of how old a proof is.
func (t *tx) goOnWithPasskey(ctx context.Context, by auth.Actor, u auth.User, n NewPasskey, now time.Time) (secret.Token, error) {
	const why = "passkey added"
	if n.Attempt != "" || !u.HasPasskeys() {
		return t.goOnWithCode(ctx, by, u, n.Attempt, n.Key.By(), why, now)
	}
	return t.goOnAlone(ctx, by, by.Session, why, now)
}

// tellFactor tells the owner and the record which passkey or authenticator app it
// was.
func (t *tx) tellFactor(ctx context.Context, by auth.Actor, u auth.User, kind auth.LetterKind, event auth.EventKind, name string, now time.Time) error {
	letter := noticeTo(u, kind, by, now)
	letter.Values.Factor = name
	if err := t.queue(ctx, letter, now); err != nil {
		return err
	}
	return t.record(ctx, by, event, u.ID, name, now)
}
