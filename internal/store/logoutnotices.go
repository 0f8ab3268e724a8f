package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// queueLogoutNotices notes, in the transaction of the ending, which applications
// have to be told of it: those that got tokens of the session and have an
// address for it. Nobody waits for them.
func (t *tx) queueLogoutNotices(ctx context.Context, ended auth.Session, now time.Time) error {
	told, err := list(ctx, t, scanID[auth.ApplicationID], `
		SELECT DISTINCT g.application_id FROM grants g JOIN clients c ON c.application_id = g.application_id
		 WHERE g.session_id = $1 AND g.code_used_at > 0 AND c.logout_notice <> ''`, ended.ID)
	if err != nil {
		return fmt.Errorf("who is to be told of the end of session %s: %w", ended.ID, err)
	}
	for _, application := range told {
		if _, err := t.exec(ctx, `
			INSERT INTO logout_notices (id, application_id, user_id, session_id, made_at, next_at, tries, done_at, failure)
			VALUES ($1, $2, $3, $4, $5, $5, 0, 0, '')`,
			secret.NewID(), application, ended.User, ended.ID, millis(now)); err != nil {
			return fmt.Errorf("queue a logout notice: %w", err)
		}
	}
	return nil
}

// LogoutNotice is what an application has yet to be told.
type LogoutNotice struct {
	ID          string
	Application auth.ApplicationID
	User        auth.UserID
	Session     auth.SessionID
	Made        time.Time
	Tries       int
	Address     string // "" where it was taken away meanwhile
	Algorithm   auth.Algorithm
}

// ApplicationsToTell gives the applications that have something to hear now.
func (s *Store) ApplicationsToTell(ctx context.Context, now time.Time) ([]auth.ApplicationID, error) {
	all, err := list(ctx, s.read, scanID[auth.ApplicationID], `
		SELECT DISTINCT application_id FROM logout_notices WHERE done_at = 0 AND next_at <= $1`, millis(now))
	if err != nil {
		return nil, fmt.Errorf("whom to tell of logouts: %w", err)
	}
	return all, nil
}

// ClaimLogoutNotice gives the notice of an application that has been due longest,
// and keeps it from every other server until the given time, when whoever holds it
// is taken for dead. ErrSpent where none is due, or another was faster.
func (s *Store) ClaimLogoutNotice(ctx context.Context, application auth.ApplicationID, until, now time.Time) (n LogoutNotice, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		var made int64
		err := notFound(t.QueryRowContext(ctx, `
			UPDATE logout_notices SET next_at = $1
			 WHERE done_at = 0 AND next_at <= $2 AND id = (
			       SELECT id FROM logout_notices WHERE application_id = $3 AND done_at = 0 AND next_at <= $2
			        ORDER BY next_at, id LIMIT 1)
			RETURNING id, application_id, user_id, session_id, made_at, tries`, millis(until), millis(now), application).Scan(
			&n.ID, &n.Application, &n.User, &n.Session, &made, &n.Tries))
		if err == ErrNotFound {
			return ErrSpent
		} else if err != nil {
			return err
		}
		n.Made = fromMillis(made)
		return t.QueryRowContext(ctx, `SELECT logout_notice, algorithm FROM clients WHERE application_id = $1`, application).Scan(
			&n.Address, &n.Algorithm)
	})
	if err != nil {
		return n, fmt.Errorf("what to tell %s: %w", application, err)
	}
	return n, nil
}

// LogoutNoticeTaken notes that the application has heard.
func (s *Store) LogoutNoticeTaken(ctx context.Context, id string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		return t.claim(ctx, `UPDATE logout_notices SET done_at = $1, tries = tries + 1, failure = '' WHERE id = $2 AND done_at = 0`,
			millis(now), id)
	})
}

// LogoutNoticeFailed keeps what went wrong and when to try again. A zero next
// gives the notice up, and an event tells of it.
func (s *Store) LogoutNoticeFailed(ctx context.Context, n LogoutNotice, why string, next, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if !next.IsZero() {
			return t.claim(ctx, `UPDATE logout_notices SET next_at = $1, tries = tries + 1, failure = $2 WHERE id = $3 AND done_at = 0`,
				millis(next), why, n.ID)
		}
		if err := t.claim(ctx, `UPDATE logout_notices SET done_at = $1, tries = tries + 1, failure = $2 WHERE id = $3 AND done_at = 0`,
			millis(now), why, n.ID); err != nil {
			return err
		}
		return t.record(ctx, auth.Actor{}, auth.EventLogoutNoticeFailed, n.User, string(n.Application)+": "+why, now)
	})
}
