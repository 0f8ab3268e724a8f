package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/secret"
)

// HandOver is a session on its way to an application's own host.
type HandOver struct {
	Session     auth.Session
	Application auth.ApplicationID
	Origin      origin.Origin // of the application, where the ticket is good
	Browser     secret.Hash   // of what the browser holds there, and nobody else
}

// BeginHandOver makes a one-time ticket for a live session. One that ended or
// went on under another generation meanwhile is ErrSpent.
func (s *Store) BeginHandOver(ctx context.Context, h HandOver, life time.Duration, now time.Time) (secret.Token, error) {
	ticket := secret.New()
	err := s.transaction(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `DELETE FROM hand_overs WHERE session_id = $1 AND expires_at <= $2`, h.Session.ID, millis(now)); err != nil {
			return fmt.Errorf("hand over session %s: %w", h.Session.ID, err)
		}
		if err := t.claim(ctx, `
			INSERT INTO hand_overs (ticket_hash, browser_hash, session_id, application_id, origin, generation, expires_at, claimed_at)
			SELECT $1, $2, s.id, a.id, $3, s.generation, $4, 0 FROM sessions s, applications a
			 WHERE s.id = $5 AND s.generation = $6 AND s.ended_at = 0 AND a.id = $7`,
			ticket.Hash(), h.Browser, h.Origin.String(), millis(now.Add(life)),
			h.Session.ID, h.Session.Generation, h.Application); err != nil {
			return fmt.Errorf("hand over session %s: %w", h.Session.ID, err)
		}
		return nil
	})
	return ticket, err
}

// FinishHandOver takes a ticket at an application's host, from the browser that
// it was made for, and gives what the browser is known by there from now on. A
// ticket that was used, is too old, belongs elsewhere, or whose session ended
// meanwhile is ErrSpent.
func (s *Store) FinishHandOver(ctx context.Context, by auth.Actor, ticket, browser secret.Hash, at origin.Origin, now time.Time) (secret.Token, error) {
	token := secret.New()
	err := s.transaction(ctx, func(t *tx) error {
		if err := t.claim(ctx, `
			UPDATE hand_overs SET claimed_at = $1
			 WHERE ticket_hash = $2 AND browser_hash = $3 AND origin = $4 AND claimed_at = 0 AND expires_at > $1
			   AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_id AND s.ended_at = 0 AND s.generation = hand_overs.generation)
			   AND EXISTS (SELECT 1 FROM application_origins o WHERE o.origin = hand_overs.origin AND o.application_id = hand_overs.application_id)`,
			millis(now), ticket, browser, at.String()); err != nil {
			return fmt.Errorf("finish a hand-over at %s: %w", at, err)
		}
		return t.beginApplicationSession(ctx, by, ticket, token.Hash(), now)
	})
	return token, err
}

// beginApplicationSession makes the child of the session whose ticket was just
// claimed. A session has one child at each origin.
func (t *tx) beginApplicationSession(ctx context.Context, by auth.Actor, ticket, token secret.Hash, now time.Time) error {
	var id auth.ApplicationID
	var name string
	err := t.QueryRowContext(ctx, `
		SELECT s.id, s.user_id, a.id, a.name FROM hand_overs h
		  JOIN sessions s ON s.id = h.session_id JOIN applications a ON a.id = h.application_id
		 WHERE h.ticket_hash = $1`, ticket).Scan(&by.Session.ID, &by.User.ID, &id, &name)
	if err != nil {
		return fmt.Errorf("begin application session: %w", err)
	}
	if _, err := t.exec(ctx, `
		INSERT INTO application_sessions (token_hash, session_id, application_id, origin, generation, began_at)
		SELECT $1, session_id, application_id, origin, generation, $2 FROM hand_overs WHERE ticket_hash = $3
		ON CONFLICT (session_id, origin) DO UPDATE
		   SET token_hash = excluded.token_hash, application_id = excluded.application_id,
		       generation = excluded.generation, began_at = excluded.began_at`,
		token, millis(now), ticket); err != nil {
		return fmt.Errorf("begin application session: %w", err)
	}
	t.changed(by.User.ID)
	if err := t.countSignIn(ctx, id, now); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventApplicationOpened, by.User.ID, name, now)
}

// endApplicationSessions takes away what an ended session gave to applications'
// hosts, and what was on its way there.
func (t *tx) endApplicationSessions(ctx context.Context, session auth.SessionID) error {
	for _, table := range []string{"application_sessions", "hand_overs"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE session_id = $1`, session); err != nil {
			return fmt.Errorf("end %s of session %s: %w", table, session, err)
		}
	}
	return nil
}

// ApplicationHolder is a session at an application's host, with the session
// that it is a child of and everything that one's standing depends on.
type ApplicationHolder struct {
	Holder
	Application auth.ApplicationID
	Origin      origin.Origin
	Generation  int64 // the parent's, when this began
}

// ApplicationHolder reads what a token is good for at an application's host;
// ErrNotFound where it is good for nothing.
func (s *Store) ApplicationHolder(ctx context.Context, token secret.Hash) (ApplicationHolder, error) {
	var h ApplicationHolder
	var hash, at string
	session, sessionDone := sessionTargets(&h.Session)
	user, userDone := userTargets(&h.User, &hash)
	err := s.read.QueryRowContext(ctx, `
		SELECT c.application_id, c.origin, c.generation, `+sessionColumns+`, `+userColumns+`
		  FROM application_sessions c JOIN sessions s ON s.id = c.session_id JOIN users u ON u.id = s.user_id
		 WHERE c.token_hash = $1`, token).
		Scan(append(append([]any{&h.Application, &at, &h.Generation}, session...), user...)...)
	if err != nil {
		return ApplicationHolder{}, notFound(err)
	}
	sessionDone()
	userDone()
	h.Origin, _ = origin.Parse(at)
	h.Groups, err = s.GroupsOf(ctx, h.User.ID)
	return h, err
}
