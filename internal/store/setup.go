package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// setupLinks is the setting that keeps the hashes of the links to the wizard, the
// newest last, with spaces between.
const setupLinks = "setup.link"

// setupLinksAtOnce is how many are kept: a server that starts again and again
// beside another fills no database.
const setupLinksAtOnce = 16

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

// OfferSetup keeps the link that leads to the wizard. It replaces the one before,
// but where other servers serve from the database: what they printed goes on to
// work, for nobody can tell which of them is read.
func (s *Store) OfferSetup(ctx context.Context, by auth.Actor, link secret.Hash, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		links, err := t.lockSetupLinks(ctx)
		if err != nil {
			return err
		}
		if beside, err := t.servesBesideOthers(ctx); err != nil {
			return err
		} else if !beside {
			links = nil
		}
		links = append(links, link.Text())
		links = links[max(0, len(links)-setupLinksAtOnce):]
		if err := t.keepSetting(ctx, setupLinks, strings.Join(links, " ")); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventSetupLinkMade, "", "", now)
	})
}

// lockSetupLinks gives the links that work, and keeps others from offering one.
func (t *tx) lockSetupLinks(ctx context.Context) ([]string, error) {
	if err := t.lockSetting(ctx, setupLinks); err != nil {
		return nil, err
	}
	kept, err := setting(ctx, t, setupLinks)
	return strings.Fields(kept), err
}

// servesBesideOthers tells whether more than one server serves from the database.
// Whoever offers a set-up has said that it does, and is one of them.
func (t *tx) servesBesideOthers(ctx context.Context) (bool, error) {
	if !t.store.postgres {
		return false, nil
	}
	var n int
	if err := t.QueryRowContext(ctx, countServers).Scan(&n); err != nil {
		return false, fmt.Errorf("count the servers: %w", err)
	}
	return n > 1, nil
}

// MaySetUp tells whether a link leads to the wizard, and nobody administers.
func (s *Store) MaySetUp(ctx context.Context, link secret.Hash) (bool, error) {
	done, err := s.SetUp(ctx)
	if err != nil || done {
		return false, err
	}
	kept, err := setting(ctx, s.read, setupLinks)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && slices.ContainsFunc(strings.Fields(kept), link.IsText), err
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
		if done, err := setUp(ctx, t); err != nil {
			return err
		} else if done {
			return ErrSpent
		}
		if err := t.claim(ctx, `DELETE FROM settings WHERE name = $1 AND ' ' || value || ' ' LIKE '% ' || $2 || ' %'`,
			setupLinks, link.Text()); err != nil {
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
