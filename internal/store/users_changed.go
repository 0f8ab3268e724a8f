package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// lockAdministrators makes changes of who administers wait for one another,
// so that two of them cannot each leave the other's as the last one.
func (t *tx) lockAdministrators(ctx context.Context) error {
	return t.keepSetting(ctx, "administrators", "")
}

// administering is the condition under which somebody can administer: whoever
// was only invited has no password to log in with.
const administering = `administrator AND state = 'active' AND password_hash <> ''`

// keepsAnAdministrator refuses what has just left nobody to administer.
func (t *tx) keepsAnAdministrator(ctx context.Context) error {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE `+administering).Scan(&n)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if n == 0 {
		return ErrLastAdministrator
	}
	return nil
}

// userChange is one change of an account by somebody who administers it.
type userChange struct {
	kind   auth.EventKind
	detail string
	isSo   func(auth.User) bool // it is already as wanted; nil where it never is
	make   func(*tx, auth.User) error
}

// changeUser locks the plug-ins, which may name an account that is deleted, and
// the account, raises its generation, and where an administrator is concerned
// sees to it that one remains. What is so already changes nothing.
func (s *Store) changeUser(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time, change userChange) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := errors.Join(t.lockPlugins(ctx), t.lockAdministrators(ctx)); err != nil {
			return err
		}
		u, err := t.lockUser(ctx, id)
		if err != nil || change.isSo != nil && change.isSo(u) {
			return err
		}
		if _, err := t.raiseGeneration(ctx, id); err != nil {
			return err
		}
		if err := change.make(t, u); err != nil {
			return err
		}
		if u.Administrator && u.State == auth.Active && u.HasPassword {
			if err := t.keepsAnAdministrator(ctx); err != nil {
				return err
			}
		}
		return t.record(ctx, by, change.kind, id, change.detail, now)
	})
}

// DisableUser keeps a person out: every session ends, and nothing that was
// begun goes on. ErrLastAdministrator where nobody would be left to undo it.
func (s *Store) DisableUser(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time) error {
	isSo := func(u auth.User) bool { return u.State == auth.Disabled }
	return s.changeUser(ctx, by, id, now, userChange{auth.EventUserDisabled, "", isSo, func(t *tx, u auth.User) error {
		if _, err := t.exec(ctx, `UPDATE users SET state = $1 WHERE id = $2`, auth.Disabled, id); err != nil {
			return err
		}
		if _, err := t.endSessions(ctx, id, "", "account disabled", now); err != nil {
			return err
		}
		return t.queue(ctx, actOn(u, auth.LetterAccountDisabled, by, now), now)
	}})
}

// EnableUser lets a disabled person in again.
func (s *Store) EnableUser(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time) error {
	isSo := func(u auth.User) bool { return u.State == auth.Active }
	return s.changeUser(ctx, by, id, now, userChange{auth.EventUserEnabled, "", isSo, func(t *tx, u auth.User) error {
		if err := t.openDoors(ctx, id, u.Canonical, now); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE users SET state = $1 WHERE id = $2`, auth.Active, id); err != nil {
			return err
		}
		return t.queue(ctx, actOn(u, auth.LetterAccountEnabled, by, now), now)
	}})
}

// DeleteUser removes an account and everything that is its own. Its events
// stay, under an identifier that is not given out again.
func (s *Store) DeleteUser(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time) error {
	return s.changeUser(ctx, by, id, now, userChange{auth.EventUserDeleted, "", nil, func(t *tx, u auth.User) error {
		if _, err := t.endSessions(ctx, id, "", "account deleted", now); err != nil {
			return err
		}
		if err := t.claim(ctx, `DELETE FROM users WHERE id = $1`, id); err != nil {
			return err
		}
		return t.queue(ctx, actOn(u, auth.LetterAccountDeleted, by, now), now)
	}})
}

// SetAdministrator gives or takes the right to administer.
func (s *Store) SetAdministrator(ctx context.Context, by auth.Actor, id auth.UserID, administrator bool, now time.Time) error {
	detail := fmt.Sprintf("administrator: %v", administrator)
	isSo := func(u auth.User) bool { return u.Administrator == administrator }
	return s.changeUser(ctx, by, id, now, userChange{auth.EventRoleChanged, detail, isSo, func(t *tx, u auth.User) error {
		if _, err := t.exec(ctx, `UPDATE users SET administrator = $1 WHERE id = $2`, administrator, id); err != nil {
			return err
		}
		return t.tellChange(ctx, by, u, administrator, auth.LetterAdministratorMade, auth.LetterAdministratorNoMore, now)
	}})
}

// SetMustUseTwoFactor makes the next login enrol before anything else, or no
// longer.
func (s *Store) SetMustUseTwoFactor(ctx context.Context, by auth.Actor, id auth.UserID, must bool, now time.Time) error {
	detail := fmt.Sprintf("must use two-factor authentication: %v", must)
	isSo := func(u auth.User) bool { return u.MustUseTwoFactor == must }
	return s.changeUser(ctx, by, id, now, userChange{auth.EventMustUseTwoFactor, detail, isSo, func(t *tx, u auth.User) error {
		if _, err := t.exec(ctx, `UPDATE users SET must_use_two_factor = $1 WHERE id = $2`, must, id); err != nil {
			return err
		}
		return t.tellChange(ctx, by, u, must, auth.LetterTwoFactorDemanded, auth.LetterTwoFactorOptional, now)
	}})
}

// tellChange tells a person what was given or taken.
func (t *tx) tellChange(ctx context.Context, by auth.Actor, u auth.User, gives bool, given, taken auth.LetterKind, now time.Time) error {
	kind := taken
	if gives {
		kind = given
	}
	return t.queue(ctx, actOn(u, kind, by, now), now)
}

// ClearFactors removes a person's second factors for a reason, which the
// person is told. Every session ends. ErrNoFactor where there is none: passkeys that
// do not count any more, for they were made for another domain, are some.
func (s *Store) ClearFactors(ctx context.Context, by auth.Actor, id auth.UserID, reason string, now time.Time) error {
	return s.changeUser(ctx, by, id, now, userChange{auth.EventTwoFactorCleared, reason, nil, func(t *tx, u auth.User) error {
		removed, err := t.removeFactors(ctx, id, authenticators, recoveryCodes, passkeys)
		if err != nil {
			return err
		}
		if !u.TwoFactor() && len(removed) == 0 {
			return ErrNoFactor
		}
		if _, err := t.endSessions(ctx, id, "", "second factors cleared", now); err != nil {
			return err
		}
		if err := t.openDoors(ctx, id, u.Canonical, now); err != nil {
			return err
		}
		letter := actOn(u, auth.LetterTwoFactorReset, by, now)
		letter.Values.Reason, letter.Values.Removed = reason, removed
		return t.queue(ctx, letter, now)
	}})
}

// StartReset mails a person a link to a new password because somebody who
// administers wants it so. ErrDisabled where the link would not work, and
// ErrTooManyLetters where the address had its share of the hour.
func (s *Store) StartReset(ctx context.Context, by auth.Actor, id auth.UserID, m Mailed, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, id)
		if err != nil {
			return err
		}
		if u.State == auth.Disabled {
			return ErrDisabled
		}
		if err := t.mailLink(ctx, u, LinkReset, actOn(u, auth.LetterResetStarted, by, now), m, now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventResetRequested, u.ID, "by an administrator", now)
	})
}
