package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Reset is a new password that comes through a mailed link.
type Reset struct {
	Link        secret.Hash
	Hash        secret.Text
	KeepFactors bool      // a code was given, or nobody is asked for one
	Code        CodeClaim // what keeps them; zero where there is none to give
	Paid        []Payment
}

// ResetPassword sets a new password for the owner of a mailed link. Everything
// alive of the account ends: sessions, attempts, links. Nobody is signed in.
// The second factors go too, unless they are kept by a code, which is spent in
// the same transaction. Passkeys that are not on go in any case. A link that does not
// work any more, or a code spent meanwhile, is ErrSpent, and nothing changes.
func (s *Store) ResetPassword(ctx context.Context, by auth.Actor, reset Reset, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // as EnableTwoFactor
			return err
		}
		_, u, err := t.useLink(ctx, reset.Link, LinkReset, now)
		if err != nil {
			return err
		}
		if !reset.Code.IsZero() {
			if err := t.claimCode(ctx, by, u, reset.Code, now); err != nil {
				return err
			}
			if err := t.settle(ctx, reset.Paid); err != nil {
				return err
			}
		}
		removed, err := t.removeByReset(ctx, by, u, reset, now)
		if err != nil {
			return err
		}
		if err := t.newPassword(ctx, u, reset.Hash, "password reset", now); err != nil {
			return err
		}
		return t.tellReset(ctx, by, u, removed, reset.KeepFactors, now)
	})
}

// removeByReset removes what goes with a new password, and gives the kinds of which
// there were any. Passkeys that are not on go in any case, and are recorded by their
// names: what is left of another domain opened nothing, and must not count again.
func (t *tx) removeByReset(ctx context.Context, by auth.Actor, u auth.User, reset Reset, now time.Time) ([]string, error) {
	switch {
	case !reset.KeepFactors:
		return t.removeFactors(ctx, u.ID, authenticators, recoveryCodes, passkeys)
	case u.HasPasskeys():
		return nil, nil
	}
	names, err := t.namesOfPasskeys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if err := t.recordRemoved(ctx, by, u, names, now); err != nil {
		return nil, err
	}
	return t.removeFactors(ctx, u.ID, passkeys)
}

// newPassword sets a password, forgets the failures of the old one, and ends
// whatever was begun with it.
func (t *tx) newPassword(ctx context.Context, u auth.User, hash secret.Text, why string, now time.Time) error {
	if _, err := t.exec(ctx, `UPDATE users SET password_hash = $1, password_changed_at = $2 WHERE id = $3`,
		hash.Reveal(), millis(now), u.ID); err != nil {
		return fmt.Errorf("set the password of %s: %w", u.ID, err)
	}
	if _, err := t.raiseGeneration(ctx, u.ID); err != nil {
		return err
	}
	if _, err := t.endSessions(ctx, u.ID, "", why, now); err != nil {
		return err
	}
	if err := t.openDoors(ctx, u.ID, u.Canonical, now); err != nil {
		return err
	}
	return t.forgetWrongFactors(ctx, u.ID)
}

// forgetWrongFactors forgets the month's wrong codes, and the passkeys that were
// refused beside the password: they asked for a new one, and here it is.
func (t *tx) forgetWrongFactors(ctx context.Context, user auth.UserID) error {
	for _, bucket := range []throttle.Bucket{
		throttle.CodesThisMonth(string(user)), throttle.CodesByLetter(string(user)), throttle.PasskeysBesidePassword(string(user)),
	} {
		if err := t.clear(ctx, bucket); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) tellReset(ctx context.Context, by auth.Actor, u auth.User, removed []string, kept bool, now time.Time) error {
	letter := noticeTo(u, auth.LetterPasswordResetDone, by, now)
	letter.Values.Removed, letter.Values.Kept = removed, kept && u.TwoFactor()
	if err := t.queue(ctx, letter, now); err != nil {
		return err
	}
	if !kept {
		if err := t.record(ctx, by, auth.EventTwoFactorCleared, u.ID, "by a mailed reset", now); err != nil {
			return err
		}
	}
	return t.record(ctx, by, auth.EventPasswordReset, u.ID, "", now)
}

// AcceptInvitation sets the first password of an invited person.
func (s *Store) AcceptInvitation(ctx context.Context, by auth.Actor, link secret.Hash, name string, hash secret.Text, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		_, u, err := t.useLink(ctx, link, LinkInvitation, now)
		if err != nil {
			return err
		}
		if u.HasPassword {
			return ErrSpent
		}
		if err := t.newPassword(ctx, u, hash, "invitation accepted", now); err != nil {
			return err
		}
		if name != "" {
			if _, err := t.exec(ctx, `UPDATE users SET name = $1 WHERE id = $2`, name, u.ID); err != nil {
				return err
			}
		}
		return t.record(ctx, by, auth.EventInvitationAccepted, u.ID, "", now)
	})
}
