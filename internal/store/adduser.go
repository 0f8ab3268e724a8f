package store

import (
	"context"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// NewUser is an account that an operator or an administrator makes.
type NewUser struct {
	Address       address.Address
	Name          string
	Language      string
	Hash          secret.Text // of the password; "" for an invitation
	Administrator bool
}

// AddUser makes an account whose address counts as confirmed, and drops what
// somebody may have begun to sign up with it. Its door is open: what was tried
// there before it had a password guessed nothing. ErrTaken where the address has
// an account.
func (s *Store) AddUser(ctx context.Context, by auth.Actor, n NewUser, now time.Time) (u auth.User, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		u, err = t.addUser(ctx, by, n, now)
		return err
	})
	return u, err
}

func (t *tx) addUser(ctx context.Context, by auth.Actor, n NewUser, now time.Time) (auth.User, error) {
	u := auth.User{
		ID: auth.UserID(secret.NewID()), Address: n.Address.Spelling, Canonical: n.Address.Canonical,
		Name: n.Name, Language: n.Language, State: auth.Active, Administrator: n.Administrator,
		HasPassword: n.Hash != "", Generation: 1, Created: now, PasswordChangedAt: now,
	}
	if err := t.lockAddress(ctx, u.Canonical); err != nil {
		return u, err
	}
	if err := t.insertUser(ctx, u, n.Hash.Reveal()); err != nil {
		return u, err
	}
	if err := t.dropSignup(ctx, u.Canonical); err != nil {
		return u, err
	}
	if err := t.clear(ctx, throttle.Password(u.Canonical)); err != nil {
		return u, err
	}
	t.plugins = true // the operator's settings may name the address
	return u, t.record(ctx, by, auth.EventUserAdded, u.ID, "", now)
}
