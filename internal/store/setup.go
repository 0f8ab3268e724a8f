package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// setupLink is the setting that keeps the hash of the link to the wizard.
const setupLink = "setup.link"

// SetUp tells whether somebody administers already.
func (s *Store) SetUp(ctx context.Context) (bool, error) { return setUp(ctx, s.read) }

func setUp(ctx context.Context, q querier) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE administrator LIMIT 1) AS one`).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("is it set up: %w", err)
	}
	return n > 0, nil
}

// OfferSetup keeps the link that leads to the wizard. Only the newest works.
func (s *Store) OfferSetup(ctx context.Context, by auth.Actor, link secret.Hash, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.keepSetting(ctx, setupLink, link.Text()); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventSetupLinkMade, "", "", now)
	})
}

// MaySetUp tells whether a link leads to the wizard, and nobody administers.
func (s *Store) MaySetUp(ctx context.Context, link secret.Hash) (bool, error) {
	done, err := s.SetUp(ctx)
	if err != nil || done {
		return false, err
	}
	kept, err := setting(ctx, s.read, setupLink)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && link.IsText(kept), err
}

// FirstAdministrator is what the wizard asks for.
type FirstAdministrator struct {
	NewUser
	Registration string // who may create an account; "" leaves it as it is
	TwoFactor    bool   // two-factor authentication works for everyone from now on
	TestLetter   bool
	Browser      secret.Hash
	Timeout      time.Duration
}

// FinishSetup makes the first administrator and begins the login of the
// browser that did it. Of two wizards at once one wins; the other, and a link
// that is not the newest, is ErrSpent.
func (s *Store) FinishSetup(ctx context.Context, by auth.Actor, link secret.Hash, f FirstAdministrator, now time.Time) (auth.Attempt, error) {
	var a auth.Attempt
	err := s.transaction(ctx, func(t *tx) error {
		if err := errors.Join(t.lockPlugins(ctx), t.lockAdministrators(ctx)); err != nil {
			return err
		}
		if done, err := setUp(ctx, t); err != nil || done {
			return errors.Join(err, ErrSpent)
		}
		if err := t.claim(ctx, `DELETE FROM settings WHERE name = $1 AND value = $2`, setupLink, link.Text()); err != nil {
			return fmt.Errorf("claim the set-up: %w", err)
		}
		u, err := t.addUser(ctx, by, f.NewUser, now)
		if err != nil {
			return err
		}
		by := by
		by.User = u
		if err := t.chooseAtSetup(ctx, by, f, now); err != nil {
			return err
		}
		a = auth.Attempt{ID: auth.AttemptID(secret.NewID()), User: u.ID, Purpose: auth.BySetup,
			Generation: u.Generation, Began: now, Expires: now.Add(f.Timeout), PasswordAt: now}
		if err := t.insertAttempt(ctx, a, f.Browser); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventSetupFinished, u.ID, "", now)
	})
	return a, err
}

func (t *tx) chooseAtSetup(ctx context.Context, by auth.Actor, f FirstAdministrator, now time.Time) error {
	if f.Registration != "" {
		if err := t.setSetting(ctx, by, "registration", f.Registration, now); err != nil {
			return err
		}
	}
	if f.TwoFactor {
		forEveryone := func(a *auth.Activation) { a.Active, a.Everyone = true, true }
		if err := t.changeActivation(ctx, by, auth.TwoFactorPlugin, now, forEveryone); err != nil {
			return err
		}
	}
	if !f.TestLetter {
		return nil
	}
	return t.sendTestLetter(ctx, by, now)
}
