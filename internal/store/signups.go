package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

const signupColumns = `address, canonical, language, began_at, expires_at, password_hash`

func scanSignup(r row) (s auth.Signup, hash string, err error) {
	var began, expires int64
	err = r.Scan(&s.Address, &s.Canonical, &s.Language, &began, &expires, &hash)
	s.Began, s.Expires = fromMillis(began), fromMillis(expires)
	return s, hash, notFound(err)
}

// MailVerification mails whoever began to sign up a new link that confirms the
// address, and voids the one before. An address that had its share of letters
// for this hour gets none, and nobody is told.
func (s *Store) MailVerification(ctx context.Context, signup auth.Signup, m Mailed, by auth.Actor, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		may, err := t.mayWriteTo(ctx, signup.Canonical, now)
		if err != nil || !may {
			return err
		}
		token := secret.New()
		expires := now.Add(m.Life)
		if err := t.claim(ctx, `
			UPDATE signups SET token_hash = $1, expires_at = $2 WHERE canonical = $3 AND expires_at > $4`,
			token.Hash(), millis(expires), signup.Canonical, millis(now)); err != nil {
			return fmt.Errorf("mail a verification: %w", err)
		}
		return t.queue(ctx, auth.Letter{
			Kind: auth.LetterVerify, To: signup.Address, Language: signup.Language,
			Values: auth.LetterValues{Link: m.Path(token), Until: expires, At: now, Device: by.Device, Network: by.Network},
		}, now)
	})
}
