package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// SaveName keeps what a person wants to be called.
func (s *Store) SaveName(ctx context.Context, by auth.Actor, name string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		t.changed(by.User.ID)
		if _, err := t.exec(ctx, `UPDATE users SET name = $1 WHERE id = $2`, name, by.User.ID); err != nil {
			return fmt.Errorf("save the name of %s: %w", by.User.ID, err)
		}
		return t.record(ctx, by, auth.EventUserChanged, by.User.ID, "name", now)
	})
}

// NewPassword is a password that its owner chose in the settings.
type NewPassword struct {
	Checked secret.Text // the stored hash that the current password was right for
	Hash    secret.Text
	Paid    Payment
}

// ChangePassword sets a new password, and forgets the month's wrong codes beside
// the old one. Every other session ends, and the acting one gets a new token. ErrSpent where the password was changed since
// the current one was checked.
func (s *Store) ChangePassword(ctx context.Context, by auth.Actor, n NewPassword, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		if err := t.claim(ctx, `UPDATE users SET password_hash = $1, password_changed_at = $2 WHERE id = $3 AND password_hash = $4`,
			n.Hash.Reveal(), millis(now), u.ID, n.Checked.Reveal()); err != nil {
			return fmt.Errorf("change the password of %s: %w", u.ID, err)
		}
		if err := errors.Join(t.clear(ctx, n.Paid.Bucket), t.forgetWrongFactors(ctx, u.ID)); err != nil {
			return err
		}
		proved := by.Session
		proved.PasswordAt, proved.PasswordBy = now, ""
		if token, err = t.goOnAlone(ctx, by, proved, "password changed", now); err != nil {
			return err
		}
		if err := t.queue(ctx, noticeTo(u, auth.LetterPasswordChanged, by, now), now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventPasswordChanged, u.ID, "", now)
	})
	return token, err
}

// goOnAlone is what follows a change of password or factor: whatever was begun
// before is outdated, every other session ends, what any session gave to
// applications too, and the acting one goes on under a new token.
func (t *tx) goOnAlone(ctx context.Context, by auth.Actor, proved auth.Session, why string, now time.Time) (secret.Token, error) {
	generation, err := t.raiseGeneration(ctx, by.User.ID)
	if err != nil {
		return secret.Token{}, err
	}
	if _, err := t.endSessions(ctx, by.User.ID, by.Session.ID, why, now); err != nil {
		return secret.Token{}, err
	}
	if err := t.endGrantsOf(ctx, by.Session.ID, why, now); err != nil {
		return secret.Token{}, err
	}
	return t.renew(ctx, by.Session, proved, generation)
}

// AskNewAddress mails a link to the address that a person wants to change to.
// An address that somebody has gets the letter that says so; the person is
// told the same either way.
func (s *Store) AskNewAddress(ctx context.Context, by auth.Actor, wanted address.Address, m Mailed, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockUser(ctx, by.User.ID); err != nil { // of two links the newer one counts
			return err
		}
		if err := t.record(ctx, by, auth.EventAddressRequested, by.User.ID, "", now); err != nil {
			return err
		}
		taken, err := scanUser(t.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u WHERE u.canonical = $1`, wanted.Canonical))
		switch {
		case err == nil:
			return errors.Join(t.tellOwner(ctx, by, taken, auth.LetterAddressTaken, now), t.feign(ctx, mailedStatements-1))
		case err != ErrNotFound:
			return fmt.Errorf("ask for a new address: %w", err)
		}
		may, err := t.mayWriteTo(ctx, wanted.Canonical, now)
		if err != nil {
			return err
		}
		if !may {
			return t.feign(ctx, mailedStatements)
		}
		u := by.User
		link := Link{Purpose: LinkAddress, User: u.ID, Address: wanted.Spelling, Canonical: wanted.Canonical,
			Generation: u.Generation, Expires: now.Add(m.Life)}
		token, err := t.makeLink(ctx, link, now)
		if err != nil {
			return err
		}
		letter := noticeTo(u, auth.LetterAddressChangedNew, by, now)
		letter.To, letter.Values.Link, letter.Values.Until = wanted.Spelling, m.Path(token), link.Expires
		letter.Values.OldAddress, letter.Values.NewAddress = u.Address, wanted.Spelling
		return t.queue(ctx, letter, now)
	})
}

// ChangeAddress makes the address of a link the account's own. The person must
// be signed in as the owner of the link; the old address is told. Where the
// operator's settings name the old address, what they gave it is lost with it.
// ErrSpent for a link that does not work any more, ErrTaken where somebody has
// the address by now.
func (s *Store) ChangeAddress(ctx context.Context, by auth.Actor, link secret.Hash, now time.Time) (token secret.Token, err error) {
	err = s.losing(ctx, by, by.User.ID, AnyLoss, now, func(t *tx) error {
		l, u, err := t.useLink(ctx, link, LinkAddress, now)
		if err != nil {
			return err
		}
		if u.ID != by.User.ID {
			return ErrSpent
		}
		if err := t.lockAddress(ctx, l.Canonical); err != nil {
			return err
		}
		var taken int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE canonical = $1`, l.Canonical).Scan(&taken); err != nil {
			return err
		} else if taken > 0 {
			return ErrTaken
		}
		if err := t.claim(ctx, `UPDATE users SET address = $1, canonical = $2 WHERE id = $3`, l.Address, l.Canonical, u.ID); err != nil {
			return fmt.Errorf("change the address of %s: %w", u.ID, err)
		}
		if err := t.dropSignup(ctx, l.Canonical); err != nil {
			return err
		}
		if err := t.moveDoor(ctx, throttle.Password(u.Canonical), throttle.Password(l.Canonical), now); err != nil {
			return err
		}
		t.plugins = true // the operator's settings may name either address
		generation, err := t.raiseGeneration(ctx, u.ID)
		if err != nil {
			return err
		}
		if token, err = t.renew(ctx, by.Session, by.Session, generation); err != nil {
			return err
		}
		letter := noticeTo(u, auth.LetterAddressChangedOld, by, now)
		letter.Values.OldAddress, letter.Values.NewAddress = u.Address, l.Address
		return errors.Join(t.queue(ctx, letter, now), t.record(ctx, by, auth.EventAddressChanged, u.ID, "", now))
	})
	return token, err
}
