package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// RenamePasskey names a passkey of the acting person. One that is not theirs is
// ErrNotFound.
func (s *Store) RenamePasskey(ctx context.Context, by auth.Actor, id auth.PasskeyID, name string, now time.Time) error {
	return s.renameFactor(ctx, by, "passkeys", auth.EventPasskeyRenamed, string(id), name, now)
}

// KeptError tells why a passkey is not removed.
type KeptError struct{ Why auth.Kept }

func (e *KeptError) Error() string { return "the last passkey is kept: " + string(e.Why) }

// PasskeyRemoval is a passkey that its owner removes.
type PasskeyRemoval struct {
	Passkey auth.PasskeyID
	Domain  string // our own: passkeys of another one open nothing
	Policy  auth.Policy
}

// RemovePasskey removes a passkey of the acting person. The last one that works
// turns passkeys off, and takes the recovery codes along where nothing else is on
// that they stand in for. Every other session ends, and the acting one goes on under
// a new token.
//
// A *KeptError where it is the last one and has to stay, and ErrNotFound for one
// that is not theirs.
func (s *Store) RemovePasskey(ctx context.Context, by auth.Actor, r PasskeyRemoval, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // as EnableTwoFactor
			return err
		}
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		last, err := t.isLastPasskey(ctx, u, r)
		if err != nil {
			return err
		}
		if last && u.HasPasskeys() {
			if err := t.mayGoWithoutPasskeys(ctx, u, r.Policy); err != nil {
				return err
			}
		}
		name, err := t.deletePasskey(ctx, u, r.Passkey, last)
		if err != nil {
			return err
		}
		if token, err = t.goOnAlone(ctx, by, by.Session, "passkey removed", now); err != nil {
			return err
		}
		return t.tellPasskey(ctx, by, u, auth.LetterPasskeyRemoved, auth.EventPasskeyRemoved, name, now)
	})
	return token, err
}

// isLastPasskey tells whether no other passkey works here once one is removed.
func (t *tx) isLastPasskey(ctx context.Context, u auth.User, r PasskeyRemoval) (bool, error) {
	var domain string
	err := t.QueryRowContext(ctx, `SELECT domain FROM passkeys WHERE id = $1 AND user_id = $2`, r.Passkey, u.ID).Scan(&domain)
	if err != nil {
		return false, fmt.Errorf("passkey %s of %s: %w", r.Passkey, u.ID, notFound(err))
	}
	here, all, err := t.countPasskeys(ctx, u.ID, r.Domain)
	return all == 1 || here == 1 && domain == r.Domain, err
}

// mayGoWithoutPasskeys is a *KeptError where the last one is kept.
func (t *tx) mayGoWithoutPasskeys(ctx context.Context, u auth.User, p auth.Policy) error {
	readable := true
	if u.HasAuthenticator() {
		_, err := t.store.authenticators(ctx, t, u.ID)
		if err != nil && !errors.Is(err, ErrFactorUnreadable) {
			return err
		}
		readable = err == nil
	}
	if why := auth.MayRemovePasskey(u, p, 1, readable); why != "" {
		return &KeptError{why}
	}
	return nil
}

// deletePasskey removes one and gives its name; with the last one passkeys go off.
// Those of another domain stay, and count again with the next one.
func (t *tx) deletePasskey(ctx context.Context, u auth.User, id auth.PasskeyID, last bool) (name string, err error) {
	err = t.QueryRowContext(ctx, `DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING name`, id, u.ID).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("remove passkey %s: %w", id, notFound(err))
	}
	if !last {
		return name, nil
	}
	if _, err := t.exec(ctx, `UPDATE users SET passkeys_since = 0 WHERE id = $1`, u.ID); err != nil {
		return "", fmt.Errorf("turn the passkeys of %s off: %w", u.ID, err)
	}
	if u.HasAuthenticator() {
		return name, nil
	}
	_, err = t.removeFactors(ctx, u.ID, recoveryCodes)
	return name, err
}
