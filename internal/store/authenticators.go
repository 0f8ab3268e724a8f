package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// MostAuthenticators is how many authenticator apps one person may have.
const MostAuthenticators = 5

// AddAuthenticator keeps one more authenticator app of the acting person, which has
// shown a right code. The recovery codes stay as they are. Every other session
// ends, and the acting one goes on under a new token.
//
// ErrTooMany where there is no room for it, and ErrSpent where the account changed
// since the set-up began, or has no authenticator app to which another is added.
func (s *Store) AddAuthenticator(ctx context.Context, by auth.Actor, e Enrolment, now time.Time) (secret.Token, error) {
	return s.moreAuthenticators(ctx, by, e, now, authenticatorChange{
		event: auth.EventAuthenticatorAdded, letter: auth.LetterAuthenticatorAdded, why: "authenticator app added",
		make: func(t *tx) (string, error) {
			n, err := t.countAuthenticators(ctx, e.User)
			if err == nil && n >= MostAuthenticators {
				err = ErrTooMany
			}
			return e.Name, err
		}})
}

// ReplaceAuthenticator puts an authenticator app, which has shown a right code, in
// the place of another, whose codes no longer count; the new one has its name. The
// rest is as AddAuthenticator. ErrSpent also where the other one is gone.
func (s *Store) ReplaceAuthenticator(ctx context.Context, by auth.Actor, old string, e Enrolment, now time.Time) (secret.Token, error) {
	return s.moreAuthenticators(ctx, by, e, now, authenticatorChange{
		event: auth.EventAuthenticatorReplaced, letter: auth.LetterAuthenticatorReplaced, why: "authenticator app replaced",
		make: func(t *tx) (name string, err error) {
			err = t.QueryRowContext(ctx, `DELETE FROM authenticators WHERE id = $1 AND user_id = $2 RETURNING name`, old, e.User).Scan(&name)
			if notFound(err) == ErrNotFound {
				err = ErrSpent
			}
			return name, err
		}})
}

// authenticatorChange is a change of one authenticator app among several: what
// tells of it, and what makes room for it and gives its name.
type authenticatorChange struct {
	event  auth.EventKind
	letter auth.LetterKind
	why    string // other sessions end
	make   func(*tx) (name string, err error)
}

func (s *Store) moreAuthenticators(ctx context.Context, by auth.Actor, e Enrolment, now time.Time, c authenticatorChange) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, e.User)
		if err != nil {
			return err
		}
		if err := t.claim(ctx, `
			UPDATE users SET generation = generation
			 WHERE id = $1 AND two_factor_since > 0 AND generation = $2 AND state = 'active'`, e.User, e.Generation); err != nil {
			return fmt.Errorf("change the authenticators of %s: %w", e.User, err)
		}
		kept := e
		if kept.Name, err = c.make(t); err != nil {
			return fmt.Errorf("change the authenticators of %s: %w", e.User, err)
		}
		if err := t.insertAuthenticator(ctx, kept, now); err != nil {
			return err
		}
		if err := t.clear(ctx, e.Paid.Bucket); err != nil {
			return err
		}
		token, err = t.goOnAfter(ctx, by, u, kept.Name, now, c)
		return err
	})
	return token, err
}

// goOnAfter ends every other session and tells the owner and the record which
// authenticator it was.
func (t *tx) goOnAfter(ctx context.Context, by auth.Actor, u auth.User, name string, now time.Time, c authenticatorChange) (secret.Token, error) {
	token, err := t.goOnAlone(ctx, by, by.Session, c.why, now)
	if err != nil {
		return token, err
	}
	return token, t.tellFactor(ctx, by, u, c.letter, c.event, name, now)
}

func (t *tx) countAuthenticators(ctx context.Context, user auth.UserID) (n int, err error) {
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM authenticators WHERE user_id = $1`, user).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the authenticators of %s: %w", user, err)
	}
	return n, nil
}

// RemoveAuthenticator removes one of several authenticator apps of the acting
// person. Every other session ends, and the acting one goes on under a new token.
// The last one is ErrLastFactor, and one that is not theirs ErrNotFound.
func (s *Store) RemoveAuthenticator(ctx context.Context, by auth.Actor, id string, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		var name string
		err = t.QueryRowContext(ctx, `DELETE FROM authenticators WHERE id = $1 AND user_id = $2 RETURNING name`, id, u.ID).Scan(&name)
		if err != nil {
			return fmt.Errorf("remove authenticator %s: %w", id, notFound(err))
		}
		left, err := t.countAuthenticators(ctx, u.ID)
		if err != nil {
			return err
		}
		if left == 0 {
			return ErrLastFactor
		}
		token, err = t.goOnAfter(ctx, by, u, name, now, authenticatorChange{
			event: auth.EventAuthenticatorRemoved, letter: auth.LetterAuthenticatorRemoved, why: "authenticator app removed"})
		return err
	})
	return token, err
}

// RenameAuthenticator names an authenticator app of the acting person. One that is
// not theirs is ErrNotFound.
func (s *Store) RenameAuthenticator(ctx context.Context, by auth.Actor, id, name string, now time.Time) error {
	return s.renameFactor(ctx, by, "authenticators", auth.EventAuthenticatorRenamed, id, name, now)
}

// renameFactor names a row of the acting person's. A name that it has is no news.
func (s *Store) renameFactor(ctx context.Context, by auth.Actor, table string, event auth.EventKind, id, name string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		var was string
		err := t.QueryRowContext(ctx, `SELECT name FROM `+table+` WHERE id = $1 AND user_id = $2`+t.forUpdate(), id, by.User.ID).Scan(&was)
		if err != nil {
			return fmt.Errorf("rename %s of %s: %w", id, table, notFound(err))
		}
		if was == name {
			return nil
		}
		if _, err := t.exec(ctx, `UPDATE `+table+` SET name = $1 WHERE id = $2`, name, id); err != nil {
			return fmt.Errorf("rename %s of %s: %w", id, table, err)
		}
		return t.record(ctx, by, event, by.User.ID, fmt.Sprintf("%s, before: %s", name, was), now)
	})
}
