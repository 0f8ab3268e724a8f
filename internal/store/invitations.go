package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// InviteUser makes an account without a password and mails the invitation to
// choose one. An account that was invited before and has none yet gets a new
// letter; one that has a password is ErrTaken, and one that was disabled
// ErrDisabled. ErrTooManyLetters where the address had its share of the hour.
func (s *Store) InviteUser(ctx context.Context, by auth.Actor, n NewUser, m Mailed, now time.Time) (u auth.User, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if u, err = t.knownUser(ctx, n.Address.Canonical); err != nil {
			return err
		}
		switch {
		case u.HasPassword:
			return ErrTaken
		case u.State == auth.Disabled:
			return ErrDisabled
		}
		u, err = t.invite(ctx, by, u, n, m, now)
		return err
	})
	return u, err
}

// knownUser reads and locks the account of an address; zero where there is none,
// and nobody else makes one before the transaction ends.
func (t *tx) knownUser(ctx context.Context, canonical string) (auth.User, error) {
	if err := t.lockAddress(ctx, canonical); err != nil {
		return auth.User{}, err
	}
	u, err := scanUser(t.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`+t.forUpdate(), canonical))
	if err == ErrNotFound {
		return auth.User{}, nil
	}
	return u, err
}

// errBroughtPassword is a mistake of whoever calls: whoever invites somebody
// chooses no password for them.
var errBroughtPassword = errors.New("an invitation brings no password")

// invite mails an invitation to an account, which it makes where there is none.
func (t *tx) invite(ctx context.Context, by auth.Actor, u auth.User, n NewUser, m Mailed, now time.Time) (_ auth.User, err error) {
	if n.Hash != "" {
		return u, errBroughtPassword
	}
	if u.ID == "" {
		if u, err = t.addUser(ctx, by, n, now); err != nil {
			return u, err
		}
	}
	if err := t.mailLink(ctx, u, LinkInvitation, actOn(u, auth.LetterInvitation, by, now), m, now); err != nil {
		return u, err
	}
	return u, t.record(ctx, by, auth.EventUserInvited, u.ID, "", now)
}

// Invitation is how far an address is with an invitation.
type Invitation int

const (
	NotInvited       Invitation = iota // nobody has it: an invitation makes an account
	InvitationLapsed                   // invited before, by a link that no longer works
	InvitationOpen                     // invited before, by a link that still works
	HasAccount                         // it has a password, or was disabled
)

// InvitationOf tells how far an address is, and changes nothing.
func (s *Store) InvitationOf(ctx context.Context, canonical string, now time.Time) (Invitation, error) {
	u, err := s.UserByAddress(ctx, canonical)
	if err == ErrNotFound {
		return NotInvited, nil
	} else if err != nil {
		return 0, fmt.Errorf("invitation: %w", err)
	}
	return s.standingOf(ctx, s.read, u, now)
}

func (s *Store) standingOf(ctx context.Context, q querier, u auth.User, now time.Time) (Invitation, error) {
	if u.HasPassword || u.State != auth.Active {
		return HasAccount, nil
	}
	var works int
	err := q.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM links
		 WHERE user_id = $1 AND purpose = $2 AND used_at = 0 AND expires_at > $3 AND created_at <= $4 AND generation = $5`,
		u.ID, LinkInvitation, millis(now), s.latestBeginning(now), u.Generation).Scan(&works)
	switch {
	case err != nil:
		return 0, fmt.Errorf("invitation of %s: %w", u.ID, err)
	case works > 0:
		return InvitationOpen, nil
	}
	return InvitationLapsed, nil
}

// InviteOnce is InviteUser for a list that may be gone through again: whoever
// has an account, or an invitation that still works, is left as they are, and
// gets no letter. It tells what the address was before.
func (s *Store) InviteOnce(ctx context.Context, by auth.Actor, n NewUser, m Mailed, now time.Time) (was Invitation, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.knownUser(ctx, n.Address.Canonical)
		if err != nil {
			return err
		}
		was = NotInvited
		if u.ID != "" {
			if was, err = s.standingOf(ctx, t, u, now); err != nil || was == InvitationOpen || was == HasAccount {
				return err
			}
		}
		_, err = t.invite(ctx, by, u, n, m, now)
		return err
	})
	return was, err
}

// LetterCount counts letters of one kind.
type LetterCount struct {
	Queued int
	Tried  int // of those, with at least one try that failed
	Sent   int
	Failed int // given up
}

// All is how many there are.
func (c LetterCount) All() int { return c.Queued + c.Done() }

// Done is how many are on nobody's way any more.
func (c LetterCount) Done() int { return c.Sent + c.Failed }

// Letters counts the letters of a kind that were queued since then.
func (s *Store) Letters(ctx context.Context, kind auth.LetterKind, since time.Time) (c LetterCount, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(CASE WHEN done_at = 0 THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN done_at = 0 AND failure <> '' THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN done_at > 0 AND failure = '' THEN 1 ELSE 0 END), 0),
		       COALESCE(SUM(CASE WHEN done_at > 0 AND failure <> '' THEN 1 ELSE 0 END), 0)
		  FROM letters WHERE kind = $1 AND created_at >= $2`, kind, millis(since)).
		Scan(&c.Queued, &c.Tried, &c.Sent, &c.Failed)
	if err != nil {
		return c, fmt.Errorf("count letters: %w", err)
	}
	return c, nil
}

// Invitee is somebody who has not accepted an invitation.
type Invitee struct {
	auth.User
	Invited time.Time // when the newest link was made; zero where none is kept any more
	Until   time.Time // when it ends, or ended
}

// Invitees lists at most limit people who have no password yet, by address, and
// tells how many there are.
func (s *Store) Invitees(ctx context.Context, limit int) (people []Invitee, found int, err error) {
	const waiting = `u.password_hash = '' AND u.state = 'active'`
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM users u WHERE `+waiting).Scan(&found); err != nil {
		return nil, 0, fmt.Errorf("count invitations: %w", err)
	}
	people, err = list(ctx, s.read, scanInvitee, `
		SELECT `+userColumns+`,
		       (SELECT COALESCE(MAX(l.created_at), 0) FROM links l WHERE l.user_id = u.id AND l.purpose = 'invitation' AND l.used_at = 0),
		       (SELECT COALESCE(MAX(l.expires_at), 0) FROM links l WHERE l.user_id = u.id AND l.purpose = 'invitation' AND l.used_at = 0)
		  FROM users u WHERE `+waiting+` ORDER BY u.canonical LIMIT $1`, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list invitations: %w", err)
	}
	return people, found, nil
}

func scanInvitee(r row) (i Invitee, err error) {
	var hash string
	var made, until int64
	targets, done := userTargets(&i.User, &hash)
	if err := r.Scan(append(targets, &made, &until)...); err != nil {
		return i, err
	}
	done()
	i.Invited, i.Until = fromMillis(made), fromMillis(until)
	return i, nil
}
