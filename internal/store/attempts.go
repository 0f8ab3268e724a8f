package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

const attemptColumns = `id, user_id, purpose, generation, return_to, began_at, expires_at,
	password_at, password_by, code_at, code_by, wrong_codes, new_password_owed`

func scanAttempt(r row) (a auth.Attempt, err error) {
	var began, expires, password, code int64
	err = r.Scan(&a.ID, &a.User, &a.Purpose, &a.Generation, &a.Return, &began, &expires,
		&password, &a.PasswordBy, &code, &a.CodeBy, &a.WrongCodes, &a.NewPasswordOwed)
	a.Began, a.Expires = fromMillis(began), fromMillis(expires)
	a.PasswordAt, a.CodeAt = fromMillis(password), fromMillis(code)
	return a, notFound(err)
}

// Attempt finds a login on its way. One of another browser, or one that is
// finished, is ErrNotFound.
func (s *Store) Attempt(ctx context.Context, id auth.AttemptID, browser secret.Hash) (auth.Attempt, error) {
	a, err := scanAttempt(s.read.QueryRowContext(ctx, `
		SELECT `+attemptColumns+` FROM attempts
		 WHERE id = $1 AND browser_hash = $2 AND finished_at = 0`, id, browser))
	if err != nil {
		return a, fmt.Errorf("attempt: %w", err)
	}
	return a, nil
}

// insertAttempt begins a login whose password has just been proved, or a passkey
// in its place.
func (t *tx) insertAttempt(ctx context.Context, a auth.Attempt, browser secret.Hash) error {
	_, err := t.exec(ctx, `
		INSERT INTO attempts (id, browser_hash, user_id, purpose, generation, return_to, began_at,
			expires_at, password_at, password_by, code_at, code_by, wrong_codes, new_password_owed, finished_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, 0)`,
		a.ID, browser, a.User, a.Purpose, a.Generation, a.Return, millis(a.Began),
		millis(a.Expires), millis(a.PasswordAt), a.PasswordBy, millis(a.CodeAt), a.CodeBy, a.NewPasswordOwed)
	if err != nil {
		return fmt.Errorf("insert attempt: %w", err)
	}
	return nil
}

// ProvedPassword is a right password and what it was right for.
type ProvedPassword struct {
	User    auth.User
	Hash    secret.Text // the stored hash that it was checked against
	Purpose auth.Purpose
	Return  string
	Browser secret.Hash
	Held    auth.SessionID // the session that this browser holds, whatever it is worth; "" for none
	Paid    Payment
	Timeout time.Duration // how long the attempt may take
	Finish  *Finish       // ends the login at once where it owes nothing more; nil leaves that to FinishLogin
}

// ProvePassword begins an attempt, unless the password or the account was
// changed since it was read (ErrSpent). It clears the counter that was paid;
// the code's counter is never touched by a right password. Another person's
// session in this browser ends, and with it what its open window was good for.
//
// Where the password is all that the login owes, p.Finish has the same transaction
// finish it, as [Store.FinishLogin] does, and made is its session: who logs in waits
// for the disk once less. Otherwise made is zero.
func (s *Store) ProvePassword(ctx context.Context, by auth.Actor, p ProvedPassword, now time.Time) (a auth.Attempt, made NewSession, err error) {
	err = s.transaction(ctx, func(t *tx) (err error) {
		made = NewSession{}
		if a, err = t.provePassword(ctx, by, p, now); err != nil {
			return err
		}
		if p.Finish == nil || auth.Next(a, p.User, p.Finish.Policy, now) != auth.StepFinish {
			return nil
		}
		made, _, err = t.finishLogin(ctx, by, a.ID, *p.Finish, now)
		return err
	})
	return a, made, err
}

func (t *tx) provePassword(ctx context.Context, by auth.Actor, p ProvedPassword, now time.Time) (auth.Attempt, error) {
	a := auth.Attempt{
		ID: auth.AttemptID(secret.NewID()), User: p.User.ID, Purpose: p.Purpose,
		Generation: p.User.Generation, Return: p.Return,
		Began: now, Expires: now.Add(p.Timeout), PasswordAt: now,
	}
	err := t.claim(ctx, `
		UPDATE users SET generation = generation
		 WHERE id = $1 AND generation = $2 AND state = 'active' AND password_hash = $3`,
		p.User.ID, p.User.Generation, string(p.Hash))
	if err != nil {
		return a, fmt.Errorf("prove the password of %s: %w", p.User.ID, err)
	}
	if a.NewPasswordOwed, err = t.owesNewPassword(ctx, p.User.ID, now); err != nil {
		return a, err
	}
	if err := t.clear(ctx, p.Paid.Bucket); err != nil {
		return a, err
	}
	if err := t.endHeld(ctx, by, p.Held, p.User.ID, now); err != nil {
		return a, err
	}
	if err := t.insertAttempt(ctx, a, p.Browser); err != nil {
		return a, err
	}
	return a, t.record(ctx, by, auth.EventLoginBegun, p.User.ID, string(p.Purpose), now)
}

// ProveCode spends a code for an attempt: the code and the attempt's step in
// one transaction, so that of two requests with one code only one goes on.
// What was spent meanwhile is ErrSpent.
func (s *Store) ProveCode(ctx context.Context, by auth.Actor, a auth.Attempt, c CodeClaim, wrongCodes int, paid []Payment, now time.Time) (auth.Attempt, error) {
	err := s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, a.User)
		if err != nil {
			return err
		}
		if err := t.claim(ctx, `
			UPDATE attempts SET code_at = $1, code_by = $2
			 WHERE id = $3 AND code_at = 0 AND finished_at = 0 AND expires_at > $1
			   AND wrong_codes < $4 AND generation = $5`,
			millis(now), c.By(), a.ID, wrongCodes, u.Generation); err != nil {
			return fmt.Errorf("prove a code for attempt %s: %w", a.ID, err)
		}
		if err := t.claimCode(ctx, by, u, c, now); err != nil {
			return err
		}
		return t.settle(ctx, paid)
	})
	a.CodeAt, a.CodeBy = now, c.By()
	return a, err
}

// wrongCodesTold is how many wrong codes in a row after a right password the
// owner of the account hears of, whether they came in one login or in several.
// Refused passkeys are counted with them.
const wrongCodesTold = 3

// refusedPasskeys is how long they are counted. No success forgets them, but a new
// password does: whoever signs in by a passkey says nothing of who knows the password.
var refusedPasskeys = throttle.Rule{Window: 24 * time.Hour}

// wrongCodeLetters is how many letters about them one account gets.
var wrongCodeLetters = throttle.Rule{Free: 1, CloseAfter: 1, Window: time.Hour}

// RefuseCode counts a code against the attempt, which limit of them end: a wrong
// one, and one that was right and is spent, which its owner is not told of. The
// account's own counters were paid before the code was looked at.
func (s *Store) RefuseCode(ctx context.Context, by auth.Actor, a auth.Attempt, u auth.User, spent bool, limit int, now time.Time) (auth.Attempt, error) {
	err := s.transaction(ctx, func(t *tx) error {
		err := t.QueryRowContext(ctx, `
			UPDATE attempts SET wrong_codes = wrong_codes + 1 WHERE id = $1
			RETURNING wrong_codes`, a.ID).Scan(&a.WrongCodes)
		if err != nil {
			return fmt.Errorf("refuse a code of attempt %s: %w", a.ID, notFound(err))
		}
		if !spent {
			if err := t.tellWrongFactors(ctx, by, u, 0, now); err != nil {
				return err
			}
		}
		if a.WrongCodes != limit {
			return nil
		}
		return t.record(ctx, by, auth.EventLoginEnded, u.ID, fmt.Sprintf("%d refused tries", limit), now)
	})
	return a, err
}

// tellWrongFactors tells the owner of an account that somebody knows the
// password, after so many more passkeys were refused beside it. The account's count
// knows the wrong codes in a row alone; the attempt's knows spent ones too.
func (t *tx) tellWrongFactors(ctx context.Context, by auth.Actor, u auth.User, passkeys int, now time.Time) error {
	codes, err := t.lockCount(ctx, throttle.Code(string(u.ID)), now)
	if err != nil {
		return err
	}
	refused, err := t.countRefusedPasskeys(ctx, u.ID, passkeys, now)
	if err != nil {
		return err
	}
	wrong := codes.Failures + refused
	if wrong < wrongCodesTold {
		return nil
	}
	may, err := t.mayQueueBy(ctx, throttle.WrongCodesTold(string(u.ID)), wrongCodeLetters, now)
	if err != nil || !may {
		return err
	}
	letter := noticeTo(u, auth.LetterWrongCodes, by, now)
	letter.Values.Wrong, letter.Values.Passkey = wrong, refused > 0
	return t.queue(ctx, letter, now)
}

// countRefusedPasskeys counts so many more, and gives how many there are.
func (t *tx) countRefusedPasskeys(ctx context.Context, user auth.UserID, more int, now time.Time) (int, error) {
	bucket := throttle.PasskeysBesidePassword(string(user))
	count, err := t.lockCount(ctx, bucket, now)
	if err != nil {
		return 0, err
	}
	if more == 0 {
		return refusedPasskeys.Counted(count, now).Failures, nil
	}
	for range more {
		count = refusedPasskeys.Add(count, now)
	}
	return refusedPasskeys.Counted(count, now).Failures, t.keepCount(ctx, bucket, count, "")
}

// DropAttempt gives a pending login up. One that is over already stays so.
func (s *Store) DropAttempt(ctx context.Context, by auth.Actor, a auth.Attempt, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE attempts SET finished_at = $1 WHERE id = $2 AND finished_at = 0`, millis(now), a.ID)
		if err != nil {
			return fmt.Errorf("drop attempt %s: %w", a.ID, err)
		}
		if n == 0 {
			return nil
		}
		return t.record(ctx, by, auth.EventLoginDropped, a.User, "", now)
	})
}

// Finish is what FinishLogin needs beside the attempt.
type Finish struct {
	Policy   auth.Policy
	Replaces auth.SessionID // the session that this browser held; "" for none
	Device   secret.Token   // what the browser already carries; zero for nothing

	PasskeyOffer time.Duration // a passkey may be offered so long after the last time; 0: never
}

// FinishLogin turns an attempt that owes nothing into a session: it consumes
// the attempt, inserts the session, voids mailed reset links, writes the event
// and queues the letter for a browser that was not seen before. An attempt
// that still owes a step, was finished, or outdated, is ErrSpent.
func (s *Store) FinishLogin(ctx context.Context, by auth.Actor, id auth.AttemptID, f Finish, now time.Time) (made NewSession, u auth.User, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		made, u, err = t.finishLogin(ctx, by, id, f, now)
		return err
	})
	return made, u, err
}

func (t *tx) finishLogin(ctx context.Context, by auth.Actor, id auth.AttemptID, f Finish, now time.Time) (NewSession, auth.User, error) {
	u, err := t.lockOwner(ctx, `SELECT user_id FROM attempts WHERE id = $1`, id)
	if err != nil {
		return NewSession{}, u, err
	}
	a, err := scanAttempt(t.QueryRowContext(ctx, `
		UPDATE attempts SET finished_at = $1 WHERE id = $2 AND finished_at = 0
		RETURNING `+attemptColumns, millis(now), id))
	if err == ErrNotFound {
		return NewSession{}, auth.User{}, ErrSpent
	} else if err != nil {
		return NewSession{}, auth.User{}, fmt.Errorf("finish attempt %s: %w", id, err)
	}
	if auth.Next(a, u, f.Policy, now) != auth.StepFinish {
		return NewSession{}, u, ErrSpent
	}
	made := NewSession{Token: secret.New(), Session: auth.Session{
		ID: auth.SessionID(secret.NewID()), User: u.ID, Generation: u.Generation,
		Began: now, LastSeen: now, PasswordAt: a.PasswordAt, PasswordBy: a.PasswordBy, CodeAt: a.CodeAt, CodeBy: a.CodeBy,
		Device: by.Device, Network: by.Network,
	}}
	if err := t.insertSession(ctx, made.Session, made.Token.Hash()); err != nil {
		return made, u, err
	}
	if t.login = PasswordAlone; !a.CodeAt.IsZero() {
		t.login = string(a.CodeBy)
	}
	return made, u, t.afterLogin(ctx, by, u, &made, f, now)
}

// afterLogin does what belongs to every finished login beside the session.
func (t *tx) afterLogin(ctx context.Context, by auth.Actor, u auth.User, made *NewSession, f Finish, now time.Time) error {
	if err := t.replaceHeld(ctx, by, f.Replaces, made.Session, now); err != nil {
		return err
	}
	if err := t.endOldest(ctx, by, u.ID, now); err != nil {
		return err
	}
	if err := t.voidLinks(ctx, u.ID, LinkReset, now); err != nil {
		return err
	}
	if err := t.meetDevice(ctx, by, u, made, f.Device, now); err != nil {
		return err
	}
	var err error
	if made.OffersPasskey, err = t.offerPasskey(ctx, u, made.Session.CodeBy, f, now); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE users SET last_login_at = $1 WHERE id = $2`, millis(now), u.ID); err != nil {
		return fmt.Errorf("note the login of %s: %w", u.ID, err)
	}
	by.User, by.Session = u, made.Session
	return t.record(ctx, by, auth.EventLogin, u.ID, "", now)
}

// meetDevice knows the browser again, or gives it a token of its own and
// tells the owner of a browser that was not seen before. The token opens
// nothing: it only keeps strangers' failures apart from this browser's.
func (t *tx) meetDevice(ctx context.Context, by auth.Actor, u auth.User, made *NewSession, carried secret.Token, now time.Time) error {
	if !carried.IsZero() {
		n, err := t.exec(ctx, `UPDATE devices SET last_used_at = $1 WHERE token_hash = $2 AND user_id = $3`,
			millis(now), carried.Hash(), u.ID)
		if err != nil {
			return fmt.Errorf("meet a device: %w", err)
		}
		if n == 1 {
			return nil
		}
	}
	made.Device = secret.New()
	if _, err := t.exec(ctx, `
		INSERT INTO devices (token_hash, user_id, created_at, last_used_at) VALUES ($1, $2, $3, $3)`,
		made.Device.Hash(), u.ID, millis(now)); err != nil {
		return fmt.Errorf("meet a device: %w", err)
	}
	if u.LastLogin.IsZero() {
		return nil
	}
	return t.queue(ctx, noticeTo(u, auth.LetterNewDevice, by, now), now)
}

// noticeTo is a letter to an account's owner about what was done by whom.
func noticeTo(u auth.User, kind auth.LetterKind, by auth.Actor, now time.Time) auth.Letter {
	return auth.Letter{
		Kind: kind, To: u.Address, Name: u.Name, Language: u.Language,
		Values: auth.LetterValues{At: now, Device: by.Device, Network: by.Network},
	}
}

// actOn is a letter to an account's owner about what somebody who administers
// did to it. It names who, and not where they sat.
func actOn(u auth.User, kind auth.LetterKind, by auth.Actor, now time.Time) auth.Letter {
	letter := noticeTo(u, kind, auth.Actor{}, now)
	letter.Values.By = by.LetterName()
	return letter
}

// KnowsDevice tells whether a browser has finished a full login of this
// account before.
func (s *Store) KnowsDevice(ctx context.Context, device secret.Hash, user auth.UserID) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM devices WHERE token_hash = $1 AND user_id = $2`, device, user).Scan(&n)
	return n == 1, err
}
