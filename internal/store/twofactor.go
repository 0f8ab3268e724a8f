package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/totp"
)

// Enrolment is an authenticator that has just shown a right code.
type Enrolment struct {
	User       auth.UserID
	Generation int64 // of the account, when the set-up began
	Name       string
	Key        totp.Key
	Step       int64          // whose code was shown; it counts as spent
	Codes      recovery.Set   // zero: the account has some, and keeps them
	Attempt    auth.AttemptID // the login that owed the set-up; "" inside a session
	Paid       Payment
}

// EnableTwoFactor turns the authenticator app on. The key and the recovery codes
// are kept, whatever was begun before is outdated, and every other
// session ends. The acting session goes on under a new token; an attempt that
// owed the set-up goes on as one that has shown its code, and gives no token.
//
// ErrSpent where it is on already, or the account changed since the set-up
// began: of two activations at once one wins.
func (s *Store) EnableTwoFactor(ctx context.Context, by auth.Actor, e Enrolment, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // whoever counts who is asked for a code waits, or is waited for
			return err
		}
		u, err := t.lockUser(ctx, e.User)
		if err != nil {
			return err
		}
		if err := t.claim(ctx, `
			UPDATE users SET two_factor_since = $1
			 WHERE id = $2 AND two_factor_since = 0 AND generation = $3 AND state = 'active'`,
			millis(now), e.User, e.Generation); err != nil {
			return fmt.Errorf("enable two-factor authentication of %s: %w", e.User, err)
		}
		if err := t.insertAuthenticator(ctx, e, now); err != nil {
			return err
		}
		if err := t.addRecoveryCodes(ctx, e.User, e.Codes, now); err != nil {
			return err
		}
		if token, err = t.goOnWithCode(ctx, by, u, e.Attempt, auth.ByAuthenticator, "two-factor authentication enabled", now); err != nil {
			return err
		}
		if err := t.clear(ctx, e.Paid.Bucket); err != nil {
			return err
		}
		if err := t.queue(ctx, noticeTo(u, auth.LetterTwoFactorEnabled, by, now), now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventTwoFactorEnabled, u.ID, "", now)
	})
	return token, err
}

// goOnWithCode lets the session or the attempt that turned a second factor on go
// on, as one that has just shown a code, or what stands in its place.
func (t *tx) goOnWithCode(ctx context.Context, by auth.Actor, u auth.User, attempt auth.AttemptID, code auth.CodeBy, why string, now time.Time) (secret.Token, error) {
	if attempt == "" {
		proved := by.Session
		proved.CodeAt, proved.CodeBy = now, code
		return t.goOnAlone(ctx, by, proved, why, now)
	}
	generation, err := t.raiseGeneration(ctx, u.ID)
	if err != nil {
		return secret.Token{}, err
	}
	if err := t.claim(ctx, `
		UPDATE attempts SET generation = $1, code_at = $2, code_by = $3
		 WHERE id = $4 AND user_id = $5 AND generation = $6
		   AND password_at > 0 AND finished_at = 0 AND expires_at > $2`,
		generation, millis(now), code, attempt, u.ID, u.Generation); err != nil {
		return secret.Token{}, fmt.Errorf("go on with attempt %s: %w", attempt, err)
	}
	_, err = t.endSessions(ctx, u.ID, "", why, now)
	return secret.Token{}, err
}

// DisableTwoFactor spends a code and removes the acting person's authenticator
// apps, and the recovery codes where no passkeys are on that they stand in for.
// Every other session ends, and the acting one goes on under a new token. ErrSpent
// where the code was spent meanwhile, or went with two-factor authentication: then
// nothing changes.
func (s *Store) DisableTwoFactor(ctx context.Context, by auth.Actor, c CodeClaim, paid []Payment, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // as EnableTwoFactor
			return err
		}
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		if _, err := t.spendCode(ctx, by, u, c, now); err != nil {
			return err
		}
		if _, err := t.removeFactors(ctx, u.ID, without(u.HasPasskeys(), authenticators)...); err != nil {
			return err
		}
		proved := c.proves(by.Session, now)
		if token, err = t.goOnAlone(ctx, by, proved, "two-factor authentication disabled", now); err != nil {
			return err
		}
		if err := t.settle(ctx, paid); err != nil {
			return err
		}
		if err := t.queue(ctx, noticeTo(u, auth.LetterTwoFactorDisabled, by, now), now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventTwoFactorDisabled, u.ID, string(c.By()), now)
	})
	return token, err
}

// MakeRecoveryCodes spends a code and puts a new set of recovery codes in the
// place of the acting person's old one. Whatever was begun before is outdated;
// live sessions go on, the acting one under a new token. ErrSpent as for
// DisableTwoFactor.
func (s *Store) MakeRecoveryCodes(ctx context.Context, by auth.Actor, set recovery.Set, c CodeClaim, paid []Payment, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		if _, err := t.spendCode(ctx, by, u, c, now); err != nil {
			return err
		}
		if err := t.replaceRecoveryCodes(ctx, u.ID, set, now); err != nil {
			return err
		}
		generation, err := t.raiseGeneration(ctx, u.ID)
		if err != nil {
			return err
		}
		proved := c.proves(by.Session, now)
		if token, err = t.renew(ctx, by.Session, proved, generation); err != nil {
			return err
		}
		if err := t.settle(ctx, paid); err != nil {
			return err
		}
		if err := t.queue(ctx, noticeTo(u, auth.LetterRecoveryCodesAnew, by, now), now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventRecoveryCodesMade, u.ID, string(c.By()), now)
	})
	return token, err
}
