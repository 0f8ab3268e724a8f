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

// NewUser is an account that an operator or an administrator makes.
type NewUser struct {
	Address       address.Address
	Name          string
	Language      string
	Hash          secret.Text // of the password; "" for an invitation
	Administrator bool

	MustUseTwoFactor bool
	Groups           []auth.Group
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
		MustUseTwoFactor: n.MustUseTwoFactor, HasPassword: n.Hash != "", Generation: 1, Created: now, PasswordChangedAt: now,
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
	detail := ""
	if u.Administrator {
		detail = "administrator: true"
	}
	if err := t.record(ctx, by, auth.EventUserAdded, u.ID, detail, now); err != nil {
		return u, err
	}
	for _, g := range n.Groups {
		if err := t.join(ctx, by, g, u.ID, now); err != nil {
			return u, err
		}
	}
	return u, nil
}

// AddUsers makes many accounts in one transaction, as AddUser makes one, and
// tells for each whether it is new: an address that has an account keeps it as
// it is.
func (s *Store) AddUsers(ctx context.Context, by auth.Actor, people []NewUser, now time.Time) (made []bool, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		made = make([]bool, len(people))
		for i, n := range people {
			_, err := t.addUser(ctx, by, n, now)
			if err != nil && !errors.Is(err, ErrTaken) {
				return fmt.Errorf("add %s: %w", n.Address.Spelling, err)
			}
			made[i] = err == nil
		}
		return nil
	})
	return made, err
}
