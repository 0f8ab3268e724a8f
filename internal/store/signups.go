package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

const signupColumns = `address, canonical, language, began_at, expires_at, password_hash`

func scanSignup(r row) (s auth.Signup, hash string, err error) {
	var began, expires int64
	err = r.Scan(&s.Address, &s.Canonical, &s.Language, &began, &expires, &hash)
	s.Began, s.Expires = fromMillis(began), fromMillis(expires)
	return s, hash, notFound(err)
}

// dropSignup forgets what somebody began with an address that an account has now.
func (t *tx) dropSignup(ctx context.Context, canonical string) error {
	if _, err := t.exec(ctx, `DELETE FROM signups WHERE canonical = $1`, canonical); err != nil {
		return fmt.Errorf("drop a sign-up: %w", err)
	}
	return nil
}

// mailVerification mails whoever began to sign up a new link that confirms the
// address, and voids the one before. An address that had its share of letters
// for this hour gets none, and nobody is told. The address is locked before.
func (t *tx) mailVerification(ctx context.Context, by auth.Actor, signup auth.Signup, m Mailed, now time.Time) error {
	may, err := t.mayWriteTo(ctx, signup.Canonical, now)
	switch {
	case err != nil:
		return err
	case !may:
		return t.feign(ctx, verificationStatements)
	}
	return t.queueVerification(ctx, by, signup, m, now)
}

// mailNoVerification is mailVerification for an address with which nobody began
// to sign up in this browser. It waits for the like of it, and runs as many
// statements.
func (t *tx) mailNoVerification(ctx context.Context, canonical string, now time.Time) error {
	if _, err := t.mayQueue(ctx, throttle.NobodysLetters(canonical), now); err != nil {
		return err
	}
	return t.feign(ctx, verificationStatements)
}

// verificationStatements is how many statements write the link of a sign-up and
// its letter.
const verificationStatements = 2

func (t *tx) queueVerification(ctx context.Context, by auth.Actor, signup auth.Signup, m Mailed, now time.Time) error {
	token, expires := secret.New(), now.Add(m.Life)
	if err := t.claim(ctx, `
		UPDATE signups SET token_hash = $1, expires_at = $2 WHERE canonical = $3 AND expires_at > $4`,
		token.Hash(), millis(expires), signup.Canonical, millis(now)); err != nil {
		return fmt.Errorf("mail a verification: %w", err)
	}
	return t.queue(ctx, auth.Letter{
		Kind: auth.LetterVerify, To: signup.Address, Language: signup.Language,
		Values: auth.LetterValues{Link: m.Path(token), Until: expires, At: now, Device: by.Device, Network: by.Network},
	}, now)
}

// SignupsThatWait is how many sign-ups may wait for their letters at once. The
// letters go one after another, so that a mail server that takes each in a fifth
// of a second is through with them in some minutes.
const SignupsThatWait = 1000

// TakesSignups tells whether another sign-up may begin. Where many ask at once,
// a few more than may are let in.
func (s *Store) TakesSignups(ctx context.Context) (bool, error) {
	waiting, err := s.signupsInLine(ctx)
	return waiting < SignupsThatWait, err
}

// signupsInLine counts up to SignupsThatWait sign-ups: all that were asked for
// since the oldest letter that waits for its first try. Sign-ups that were sent
// no letter count too. Otherwise whoever fills the line would learn by its end
// which addresses somebody has. Letters that were tried do not hold the line up:
// what they wait for may be one mail server that takes none for days.
func (s *Store) signupsInLine(ctx context.Context) (waiting int, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE kind = $1 AND at >= (
			SELECT MIN(created_at) FROM letters WHERE done_at = 0 AND tries = 0 AND kind IN ($2, $3)
		) LIMIT $4) AS waiting`,
		auth.EventSignupBegun, auth.LetterVerify, auth.LetterAccountExists, SignupsThatWait).Scan(&waiting)
	if err != nil {
		return 0, fmt.Errorf("sign-ups that wait for their letters: %w", err)
	}
	return waiting, nil
}

// NewSignup is somebody who begins to sign up.
type NewSignup struct {
	Address  address.Address
	Language string
	Hash     secret.Text
	Browser  secret.Hash
	Return   string // where the visitor was going; "" is the application list
}

// BeginSignup keeps a sign-up and mails the link that confirms its address.
// Each one for an address begins afresh: the password, the browser and the
// link of the one before count no more. Where the address has an account
// already, nothing is kept, and its owner is told. An address that had its
// share of letters for this hour gets none; a sign-up then begins only where
// none is alive, so that nobody takes from its owner a link that was mailed.
func (s *Store) BeginSignup(ctx context.Context, by auth.Actor, n NewSignup, m Mailed, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.lockAddress(ctx, n.Address.Canonical); err != nil {
			return err
		}
		u, err := scanUser(t.QueryRowContext(ctx,
			`SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`, n.Address.Canonical))
		switch {
		case err == nil:
			return t.tellAccountExists(ctx, by, u, now)
		case err != ErrNotFound:
			return fmt.Errorf("begin a sign-up: %w", err)
		}
		may, err := t.mayWriteTo(ctx, n.Address.Canonical, now)
		if err != nil {
			return err
		}
		signup, err := t.insertSignup(ctx, n, may, now.Add(m.Life), now)
		if err != nil {
			return err
		}
		if !may {
			if err := t.feign(ctx, verificationStatements); err != nil {
				return err
			}
			return t.record(ctx, by, auth.EventSignupBegun, "", "without a letter", now)
		}
		if err := t.queueVerification(ctx, by, signup, m, now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventSignupBegun, "", "", now)
	})
}

// insertSignup keeps a sign-up under a link that nobody was given yet: in the
// place of one that is over, or of any.
func (t *tx) insertSignup(ctx context.Context, n NewSignup, ofAny bool, expires, now time.Time) (auth.Signup, error) {
	signup := auth.Signup{Address: n.Address.Spelling, Canonical: n.Address.Canonical,
		Language: n.Language, Began: now, Expires: expires}
	_, err := t.exec(ctx, `
		INSERT INTO signups (canonical, address, language, password_hash, token_hash, browser_hash, began_at, expires_at, return_to)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (canonical) DO UPDATE SET address = $2, language = $3, password_hash = $4,
			token_hash = $5, browser_hash = $6, began_at = $7, expires_at = $8, return_to = $9
		 WHERE $10 OR signups.expires_at <= $7 OR signups.began_at > $11`,
		signup.Canonical, signup.Address, signup.Language, n.Hash.Reveal(), secret.New().Hash(), n.Browser,
		millis(now), millis(expires), n.Return, ofAny, t.store.latestBeginning(now))
	if err != nil {
		return signup, fmt.Errorf("begin a sign-up: %w", err)
	}
	return signup, nil
}

// MailSignupAgain sends once more what BeginSignup sent: the link to the
// browser that signed up, or word to the owner of the account. In any other
// browser it only writes that somebody asked.
func (s *Store) MailSignupAgain(ctx context.Context, by auth.Actor, canonical string, browser secret.Hash, m Mailed, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.lockAddress(ctx, canonical); err != nil {
			return err
		}
		u, err := scanUser(t.QueryRowContext(ctx,
			`SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`, canonical))
		switch {
		case err == nil:
			return t.tellAccountExists(ctx, by, u, now)
		case err != ErrNotFound:
			return fmt.Errorf("mail a sign-up again: %w", err)
		}
		signup, _, err := scanSignup(t.QueryRowContext(ctx, `
			SELECT `+signupColumns+` FROM signups WHERE canonical = $1 AND browser_hash = $2 AND expires_at > $3`,
			canonical, browser, millis(now)))
		switch {
		case err == nil:
			err = t.mailVerification(ctx, by, signup, m, now)
		case err == ErrNotFound:
			err = t.mailNoVerification(ctx, canonical, now)
		}
		if err != nil {
			return fmt.Errorf("mail a sign-up again: %w", err)
		}
		return t.record(ctx, by, auth.EventSignupBegun, "", "asked for the letter again", now)
	})
}

// tellAccountExists runs as many statements as a sign-up that begins, or is
// mailed again: those that keep or read it are feigned.
func (t *tx) tellAccountExists(ctx context.Context, by auth.Actor, u auth.User, now time.Time) error {
	if err := t.tellOwner(ctx, by, u, auth.LetterAccountExists, now); err != nil {
		return err
	}
	if err := t.feign(ctx, verificationStatements); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventSignupBegun, u.ID, "the address has an account", now)
}

// tellOwner mails the owner of an address that somebody else wanted it. Where
// there were enough such letters it feigns one.
func (t *tx) tellOwner(ctx context.Context, by auth.Actor, u auth.User, what auth.LetterKind, now time.Time) error {
	may, err := t.mayQueue(ctx, throttle.AccountExists(u.Canonical), now)
	switch {
	case err != nil:
		return err
	case !may, u.State != auth.Active:
		return t.feign(ctx, 1)
	}
	return t.queue(ctx, noticeTo(u, what, by, now), now)
}

// PendingSignup is a sign-up as its link finds it.
type PendingSignup struct {
	auth.Signup
	Hash    secret.Text
	Browser secret.Hash
	Return  string
}

const liveSignup = `token_hash = $1 AND expires_at > $2 AND began_at <= $3`

// Signup finds a sign-up by its link without using it; ErrSpent where the
// link does not work.
func (s *Store) Signup(ctx context.Context, link secret.Hash, now time.Time) (p PendingSignup, err error) {
	var began, expires int64
	var hash string
	err = notFound(s.read.QueryRowContext(ctx, `
		SELECT `+signupColumns+`, browser_hash, return_to FROM signups WHERE `+liveSignup,
		link, millis(now), s.latestBeginning(now)).
		Scan(&p.Address, &p.Canonical, &p.Language, &began, &expires, &hash, &p.Browser, &p.Return))
	p.Began, p.Expires, p.Hash = fromMillis(began), fromMillis(expires), secret.Text(hash)
	if err == ErrNotFound {
		err = ErrSpent
	}
	return p, err
}

// ConfirmedSignup is what ConfirmSignup needs beside the sign-up.
type ConfirmedSignup struct {
	PendingSignup
	Link    secret.Hash
	Here    bool // this is the browser that signed up: its first login begins
	Timeout time.Duration
}

// ConfirmSignup makes the account, and in the browser that signed up begins its
// first login, for which the password counts as proved. Elsewhere the attempt
// is zero. Failures before it are forgotten: whoever has the letter is not the
// stranger who made them. A link that does not work any more is ErrSpent.
func (s *Store) ConfirmSignup(ctx context.Context, by auth.Actor, c ConfirmedSignup, now time.Time) (a auth.Attempt, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockAddress(ctx, c.Canonical); err != nil {
			return err
		}
		if err := t.claim(ctx, `DELETE FROM signups WHERE `+liveSignup+` AND password_hash = $4`,
			c.Link, millis(now), s.latestBeginning(now), c.Hash.Reveal()); err != nil {
			return fmt.Errorf("confirm a sign-up: %w", err)
		}
		u, err := t.addUser(ctx, by, NewUser{
			Address: address.Address{Spelling: c.Address, Canonical: c.Canonical}, Language: c.Language, Hash: c.Hash,
		}, now)
		if err != nil {
			return err
		}
		if c.Here {
			a = auth.Attempt{ID: auth.AttemptID(secret.NewID()), User: u.ID, Purpose: auth.BySignup, Return: c.Return,
				Generation: u.Generation, Began: now, Expires: now.Add(c.Timeout), PasswordAt: now}
			if err := t.insertAttempt(ctx, a, c.Browser); err != nil {
				return err
			}
		}
		return t.record(ctx, by, auth.EventSignupConfirmed, u.ID, "", now)
	})
	return a, err
}
