package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

const sessionColumns = `s.id, s.user_id, s.generation, s.began_at, s.last_seen_at, s.password_at,
	s.password_by, s.code_at, s.code_by, s.returned_at, s.device, s.network, s.window_failures, s.ended_at, s.ended_by`

func sessionTargets(s *auth.Session) (targets []any, done func()) {
	var began, seen, password, code, returned, ended int64
	targets = []any{
		&s.ID, &s.User, &s.Generation, &began, &seen, &password,
		&s.PasswordBy, &code, &s.CodeBy, &returned, &s.Device, &s.Network, &s.WindowFailures, &ended, &s.EndedBy,
	}
	return targets, func() {
		s.Began, s.LastSeen, s.PasswordAt = fromMillis(began), fromMillis(seen), fromMillis(password)
		s.CodeAt, s.ReturnedAt, s.Ended = fromMillis(code), fromMillis(returned), fromMillis(ended)
	}
}

func scanSession(r row) (s auth.Session, err error) {
	targets, done := sessionTargets(&s)
	if err := r.Scan(targets...); err != nil {
		return auth.Session{}, notFound(err)
	}
	done()
	return s, nil
}

// Holder is a session with everything its standing depends on.
type Holder struct {
	Session auth.Session
	User    auth.User
	Groups  []auth.Group
}

// Holder reads whose session a token opens; ErrNotFound where it opens none.
// Ended and lapsed sessions are found as well: what they are worth is for
// auth.StandingOf to say.
func (s *Store) Holder(ctx context.Context, token secret.Hash) (Holder, error) {
	var h Holder
	var hash string
	session, sessionDone := sessionTargets(&h.Session)
	user, userDone := userTargets(&h.User, &hash)
	err := s.read.QueryRowContext(ctx, `
		SELECT `+sessionColumns+`, `+userColumns+`
		  FROM sessions s JOIN users u ON u.id = s.user_id
		 WHERE s.token_hash = $1`, token).Scan(append(session, user...)...)
	if err != nil {
		return Holder{}, notFound(err)
	}
	sessionDone()
	userDone()
	h.Groups, err = s.GroupsOf(ctx, h.User.ID)
	return h, err
}

// Sessions lists what a person has not ended, newest activity first, lapsed
// ones included.
func (s *Store) Sessions(ctx context.Context, user auth.UserID) ([]auth.Session, error) {
	return list(ctx, s.read, scanSession, `
		SELECT `+sessionColumns+` FROM sessions s
		 WHERE s.user_id = $1 AND s.ended_at = 0
		 ORDER BY s.last_seen_at DESC, s.id`, user)
}

// goingOn is the condition under which a session s is not over by its own times:
// see auth.StandingOf. Its arguments are the clause's.
func (s *Store) goingOn(c *clause, now time.Time) string {
	return c.arg(`s.ended_at = 0 AND s.began_at > ? AND s.began_at <= ?`,
		millis(now.Add(-s.rules.Policy.SessionOverall)), s.latestBeginning(now))
}

// NewSession is a session that was just made, with the secrets that only the
// browser keeps.
type NewSession struct {
	Session auth.Session
	Token   secret.Token
	Device  secret.Token // zero where the browser keeps the one it has

	OffersPasskey bool // a passkey is to be offered, and counts as offered
}

// insertSession is the one statement of the program that makes a session.
// Only FinishLogin calls it.
func (t *tx) insertSession(ctx context.Context, s auth.Session, token secret.Hash) error {
	_, err := t.exec(ctx, `
		INSERT INTO sessions (id, token_hash, user_id, generation, began_at, last_seen_at, password_at,
			password_by, code_at, code_by, returned_at, device, network, window_failures, ended_at, ended_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, 0, 0, '')`,
		s.ID, token, s.User, s.Generation, millis(s.Began), millis(s.LastSeen), millis(s.PasswordAt),
		s.PasswordBy, millis(s.CodeAt), s.CodeBy, s.Device, s.Network)
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

// Why sessions end that nobody wanted to end. What an application was given for
// the time when the person is away goes on.
const (
	whyReplaced = "replaced" // by the same person's next login in that browser
	whyTooMany  = "too many"
)

// end ends the live sessions that the condition names, and whatever hangs on
// them. It is the one way in which a session ends before its time. The
// condition's placeholders begin at $3.
func (t *tx) end(ctx context.Context, why string, now time.Time, condition string, args ...any) (ended []auth.UserID, err error) {
	sessions, err := list(ctx, t, scanEnded, `
		UPDATE sessions SET ended_at = $1, ended_by = $2
		 WHERE ended_at = 0 AND id IN (SELECT id FROM sessions WHERE ended_at = 0 AND `+condition+` ORDER BY id`+t.forUpdate()+`)
		RETURNING id, user_id`, append([]any{millis(now), why}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("end sessions, %s: %w", why, err)
	}
	for _, s := range sessions {
		t.changed(s.User)
		ended = append(ended, s.User)
		if err := t.queueLogoutNotices(ctx, s, now); err != nil {
			return nil, err
		}
		if err := t.endGrantsOf(ctx, s.ID, why, now); err != nil {
			return nil, err
		}
		if err := t.endApplicationSessions(ctx, s.ID); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

func scanEnded(r row) (s auth.Session, err error) { return s, r.Scan(&s.ID, &s.User) }

// endGrantsOf ends what a session gave to applications.
func (t *tx) endGrantsOf(ctx context.Context, session auth.SessionID, why string, now time.Time) error {
	which := `session_id = $3`
	if why == whyReplaced || why == whyTooMany {
		which += ` AND scopes NOT LIKE '%offline_access%'`
	}
	_, err := t.endGrants(ctx, why, now, which, session)
	return err
}

// endOldest ends whatever is above the limit of sessions at once. Most people have
// fewer: an index counts them, and only then are the sessions themselves read. The
// account is locked, so nobody adds one meanwhile.
func (t *tx) endOldest(ctx context.Context, by auth.Actor, user auth.UserID, now time.Time) error {
	var count int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM sessions WHERE user_id = $1 AND ended_at = 0`, user).Scan(&count); err != nil {
		return fmt.Errorf("count the sessions of %s: %w", user, err)
	}
	above := count - t.store.rules.SessionsAtOnce
	if above <= 0 {
		return nil
	}
	ended, err := t.end(ctx, whyTooMany, now, `id IN (
		SELECT id FROM sessions WHERE user_id = $3 AND ended_at = 0
		 ORDER BY began_at, id LIMIT $4)`, user, above)
	if err != nil || len(ended) == 0 {
		return err
	}
	return t.record(ctx, by, auth.EventSessionEnded, user, whyTooMany, now)
}

// endSessions ends every session of an account but one; "" spares none. What
// applications hold of sessions that are over by themselves ends too.
func (t *tx) endSessions(ctx context.Context, user auth.UserID, but auth.SessionID, why string, now time.Time) (int64, error) {
	ended, err := t.end(ctx, why, now, `user_id = $3 AND id <> $4`, user, but)
	if err != nil {
		return 0, err
	}
	t.changed(user) // of the spared one its account's generation may have risen
	_, err = t.endGrants(ctx, why, now, `user_id = $3 AND session_id <> $4`, user, but)
	return int64(len(ended)), err
}

// endHeld ends the session that a browser held before somebody else proved a
// password there: its owner's record tells. "" is a browser that held none.
func (t *tx) endHeld(ctx context.Context, by auth.Actor, held auth.SessionID, user auth.UserID, now time.Time) error {
	const why = "another person's login"
	if held == "" {
		return nil
	}
	ended, err := t.end(ctx, why, now, `id = $3 AND user_id <> $4`, held, user)
	if err != nil || len(ended) == 0 {
		return err
	}
	return t.record(ctx, by, auth.EventSessionEnded, ended[0], why, now)
}

// replaceHeld ends the session that a browser held before its own login made
// another, whoever's it was. What the same person's gave to applications for the
// time when they are away hangs on the new one from now on, so that its logout
// ends it.
func (t *tx) replaceHeld(ctx context.Context, by auth.Actor, held auth.SessionID, made auth.Session, now time.Time) error {
	if held == "" {
		return nil
	}
	if err := t.endHeld(ctx, by, held, made.User, now); err != nil {
		return err
	}
	ended, err := t.end(ctx, whyReplaced, now, `id = $3`, held)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		UPDATE grants SET session_id = $1, code_given = code_given OR $2
		 WHERE session_id = $3 AND user_id = $4 AND ended_at = 0`,
		made.ID, !made.CodeAt.IsZero(), held, made.User); err != nil {
		return fmt.Errorf("grants of session %s: %w", held, err)
	}
	if len(ended) == 0 {
		return nil
	}
	return t.record(ctx, by, auth.EventSessionEnded, made.User, whyReplaced, now)
}

// EndSession ends one session of a person. Somebody else's is ErrNotFound.
func (s *Store) EndSession(ctx context.Context, by auth.Actor, user auth.UserID, id auth.SessionID, kind auth.EventKind, why string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockUser(ctx, user); err != nil {
			return err
		}
		ended, err := t.end(ctx, why, now, `id = $3 AND user_id = $4`, id, user)
		if err != nil {
			return err
		}
		if len(ended) == 0 {
			return ErrNotFound
		}
		return t.record(ctx, by, kind, user, why, now)
	})
}

// EndSessions ends every session of a person but one, and tells how many.
// Lapsed ones end too, and with them what their open windows were good for.
// Where somebody else did it, the person is told.
func (s *Store) EndSessions(ctx context.Context, by auth.Actor, user auth.UserID, but auth.SessionID, why string, now time.Time) (ended int64, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, user)
		if err != nil {
			return err
		}
		if ended, err = t.endSessions(ctx, user, but, why, now); err != nil {
			return err
		}
		if by.User.ID != user {
			if err := t.queue(ctx, actOn(u, auth.LetterSessionsEnded, by, now), now); err != nil {
				return err
			}
		}
		return t.record(ctx, by, auth.EventSessionEnded, user, fmt.Sprintf("%d ended: %s", ended, why), now)
	})
	return ended, err
}

// renew gives a live session a new token, and its account's present
// generation. It changes no time but those of proofs that were just made. A
// session that went on meanwhile, under another generation or with another proof,
// is ErrSpent: whoever proved something under the old token gets none of the new.
func (t *tx) renew(ctx context.Context, s, proved auth.Session, generation int64) (secret.Token, error) {
	token := secret.New()
	err := t.claim(ctx, `
		UPDATE sessions SET token_hash = $1, generation = $2, password_at = $3, password_by = $4, code_at = $5, code_by = $6
		 WHERE id = $7 AND user_id = $8 AND ended_at = 0 AND generation = $9 AND password_at = $10 AND code_at = $11`,
		token.Hash(), generation, millis(proved.PasswordAt), proved.PasswordBy, millis(proved.CodeAt), proved.CodeBy,
		s.ID, s.User, s.Generation, millis(s.PasswordAt), millis(s.CodeAt))
	if err != nil {
		return secret.Token{}, fmt.Errorf("renew session %s: %w", s.ID, err)
	}
	t.changed(s.User)
	if proved.CodeAt.IsZero() {
		return token, nil
	}
	if _, err := t.exec(ctx, `UPDATE grants SET code_given = TRUE WHERE session_id = $1 AND ended_at = 0`, s.ID); err != nil {
		return secret.Token{}, fmt.Errorf("the code of session %s for what it gave: %w", s.ID, err)
	}
	return token, nil
}

const ownerOfSession = `SELECT user_id FROM sessions WHERE id = $1`

// ReturnThroughWindow brings a lapsed session back for the window that was
// still open: a new token, seen now, and nothing else. One call wins; an
// ending, a change of the account or another return makes it ErrSpent, and so do
// so many wrong codes that the password must be taken for known to somebody else.
func (s *Store) ReturnThroughWindow(ctx context.Context, by auth.Actor, lapsed auth.Session, old secret.Hash, paid Payment, now time.Time) (secret.Token, error) {
	token := secret.New()
	err := s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockOwner(ctx, ownerOfSession, lapsed.ID); err != nil {
			return fmt.Errorf("return to session %s: %w", lapsed.ID, err)
		}
		if err := t.claim(ctx, `
			UPDATE sessions SET token_hash = $1, last_seen_at = $2, returned_at = $2, window_failures = 0
			 WHERE id = $3 AND token_hash = $5 AND user_id = $4 AND ended_at = 0
			   AND window_failures < $6
			   AND generation = (SELECT generation FROM users WHERE id = $4 AND state = 'active')`,
			token.Hash(), millis(now), lapsed.ID, lapsed.User, old, t.store.rules.WindowTries); err != nil {
			return fmt.Errorf("return to session %s: %w", lapsed.ID, err)
		}
		owed, err := t.owesNewPassword(ctx, lapsed.User, now)
		if err != nil {
			return err
		} else if owed {
			return fmt.Errorf("return to session %s with a password that is owed anew: %w", lapsed.ID, ErrSpent)
		}
		t.changed(lapsed.User)
		if err := t.clear(ctx, paid.Bucket); err != nil {
			return err
		}
		t.login = OpenWindow
		return t.record(ctx, by, auth.EventReturned, lapsed.User, "", now)
	})
	return token, err
}

// RefuseReturn counts a wrong password against the open window. The last one
// that it survives ends the session: closed tells so. One that has ended
// meanwhile is ErrSpent.
func (s *Store) RefuseReturn(ctx context.Context, by auth.Actor, lapsed auth.Session, now time.Time) (closed bool, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockOwner(ctx, ownerOfSession, lapsed.ID); err != nil {
			return fmt.Errorf("refuse the return to session %s: %w", lapsed.ID, err)
		}
		if err := t.claim(ctx, `
			UPDATE sessions SET window_failures = window_failures + 1
			 WHERE id = $1 AND ended_at = 0`, lapsed.ID); err != nil {
			return fmt.Errorf("refuse the return to session %s: %w", lapsed.ID, err)
		}
		ended, err := t.end(ctx, "wrong passwords", now, `id = $3 AND window_failures >= $4`, lapsed.ID, t.store.rules.WindowTries)
		if err != nil {
			return err
		}
		closed = len(ended) > 0
		t.changed(lapsed.User)
		return t.record(ctx, by, auth.EventReturnRefused, lapsed.User, "", now)
	})
	return closed, err
}

// seenAtOnce is how many times one transaction writes: whoever else wants to
// write waits for no more.
const seenAtOnce = 200

// Seen keeps when sessions were last used by their owners, many at once. A
// time that is older than the one kept changes nothing.
func (s *Store) Seen(ctx context.Context, seen map[auth.SessionID]time.Time) error {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(seen)), seenAtOnce) {
		err := s.transaction(ctx, func(t *tx) error {
			for _, id := range some {
				if _, err := t.exec(ctx, `
					UPDATE sessions SET last_seen_at = $1
					 WHERE id = $2 AND ended_at = 0 AND last_seen_at < $1`, millis(seen[id]), id); err != nil {
					return fmt.Errorf("seen session %s: %w", id, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Confirmation is a proof made again inside a session.
type Confirmation struct {
	Password bool
	Code     CodeClaim // zero: no code was proved
}

// Confirm makes the proofs of a live session fresh and gives it a new token. A
// passkey that held its owner to be who they are is password and code. A code that
// was spent meanwhile is ErrSpent, and nothing changes.
func (s *Store) Confirm(ctx context.Context, by auth.Actor, c Confirmation, paid []Payment, now time.Time) (secret.Token, error) {
	var token secret.Token
	err := s.transaction(ctx, func(t *tx) (err error) {
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		session := by.Session
		if c.Password {
			session.PasswordAt, session.PasswordBy = now, ""
		}
		if !c.Code.IsZero() {
			if err := t.claimCode(ctx, by, u, c.Code, now); err != nil {
				return err
			}
			session = c.Code.proves(session, now)
		}
		if token, err = t.renew(ctx, by.Session, session, session.Generation); err != nil {
			return err
		}
		if err := t.settle(ctx, paid); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventConfirmed, u.ID, "", now)
	})
	return token, err
}
