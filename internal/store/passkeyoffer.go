package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// offerPasskey tells whether a passkey is to be offered to somebody who has just
// signed in with a code of an authenticator app and has none, which is so once in
// every so long a time.
func (t *tx) offerPasskey(ctx context.Context, u auth.User, code auth.CodeBy, f Finish, now time.Time) (bool, error) {
	if f.PasskeyOffer <= 0 || code != auth.ByAuthenticator || !f.Policy.Passkeys || u.HasPasskeys() {
		return false, nil
	}
	n, err := t.exec(ctx, `
		UPDATE users SET passkey_offered_at = $1
		 WHERE id = $2 AND (passkey_offered_at <= $3 OR passkey_offered_at > $1)`,
		millis(now), u.ID, millis(now.Add(-f.PasskeyOffer)))
	if err != nil {
		return false, fmt.Errorf("offer %s a passkey: %w", u.ID, err)
	}
	return n == 1, nil
}
