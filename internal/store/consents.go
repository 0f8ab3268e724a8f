package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Consent gives what a person let an application learn; the zero Consent where
// they were never asked, or took it back.
func (s *Store) Consent(ctx context.Context, user auth.UserID, application auth.ApplicationID) (auth.Consent, error) {
	c, err := scanConsent(s.read.QueryRowContext(ctx, `
		SELECT application_id, scopes, given_at FROM consents WHERE user_id = $1 AND application_id = $2`, user, application))
	if notFound(err) == ErrNotFound {
		return auth.Consent{Application: application}, nil
	} else if err != nil {
		return c, fmt.Errorf("consent of %s: %w", user, err)
	}
	return c, nil
}

func scanConsent(r row) (c auth.Consent, err error) {
	var scopes string
	var given int64
	err = r.Scan(&c.Application, &scopes, &given)
	c.Scopes, c.Given = auth.ParseScopes(scopes), fromMillis(given)
	return c, err
}

// giveConsent remembers what a person agreed to, beside what they agreed to
// before.
func (t *tx) giveConsent(ctx context.Context, by auth.Actor, g auth.Grant, application string, agreed auth.Scopes, now time.Time) error {
	before, err := scanConsent(t.QueryRowContext(ctx, `
		SELECT application_id, scopes, given_at FROM consents WHERE user_id = $1 AND application_id = $2`, g.User, g.Application))
	if err != nil && notFound(err) != ErrNotFound {
		return fmt.Errorf("consent of %s: %w", g.User, err)
	}
	if _, err := t.exec(ctx, `
		INSERT INTO consents (user_id, application_id, scopes, given_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, application_id) DO UPDATE SET scopes = $3, given_at = $4`,
		g.User, g.Application, before.Scopes.With(agreed).String(), millis(now)); err != nil {
		return fmt.Errorf("consent of %s: %w", g.User, err)
	}
	return t.record(ctx, by, auth.EventConsentGiven, g.User, application+": "+agreed.String(), now)
}

// SignedInApplication is an application that a person signed in to by OpenID
// Connect.
type SignedInApplication struct {
	auth.Application
	Scopes  auth.Scopes // that the person agreed to, or where nobody was asked what it last got
	Given   time.Time   // the consent; zero where nobody was asked
	Last    time.Time   // the last sign-in; zero where it is too long ago to be kept
	Offline bool        // it may come back while the person is away
}

// SignedInApplications lists what a person let applications learn, and what
// is still open to them, by name.
func (s *Store) SignedInApplications(ctx context.Context, user auth.UserID, now time.Time) ([]SignedInApplication, error) {
	all, err := list(ctx, s.read, scanSignedInApplication, `
		SELECT a.id, a.kind, a.name, a.description, a.url, a.require_two_factor, a.everyone, a.created_at,
		       COALESCE(c.scopes, ''), COALESCE(c.given_at, 0),
		       COALESCE((SELECT MAX(g.began_at) FROM grants g WHERE g.user_id = $1 AND g.application_id = a.id), 0),
		       EXISTS (SELECT 1 FROM grants g WHERE g.user_id = $1 AND g.application_id = a.id AND g.ended_at = 0
		                  AND g.expires_at > $2 AND g.scopes LIKE '%offline_access%' AND g.code_used_at > 0)
		  FROM applications a LEFT JOIN consents c ON c.application_id = a.id AND c.user_id = $1
		 WHERE c.user_id IS NOT NULL
		    OR EXISTS (SELECT 1 FROM grants g WHERE g.user_id = $1 AND g.application_id = a.id AND g.ended_at = 0 AND g.expires_at > $2)
		 ORDER BY LOWER(a.name), a.id`, user, millis(now))
	if err != nil {
		return nil, fmt.Errorf("applications that %s signed in to: %w", user, err)
	}
	return all, nil
}

func scanSignedInApplication(r row) (a SignedInApplication, err error) {
	var created, given, last int64
	var scopes string
	err = r.Scan(&a.ID, &a.Kind, &a.Name, &a.Description, &a.URL, &a.RequireTwoFactor, &a.Everyone, &created,
		&scopes, &given, &last, &a.Offline)
	a.Created, a.Given, a.Last, a.Scopes = fromMillis(created), fromMillis(given), fromMillis(last), auth.ParseScopes(scopes)
	return a, err
}

// WithdrawConsent takes back what a person let an application learn, and ends
// every grant of it: its tokens open nothing any more.
func (s *Store) WithdrawConsent(ctx context.Context, by auth.Actor, application auth.Application, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.lockUser(ctx, by.User.ID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM consents WHERE user_id = $1 AND application_id = $2`, by.User.ID, application.ID); err != nil {
			return fmt.Errorf("withdraw consent of %s: %w", by.User.ID, err)
		}
		if _, err := t.endGrants(ctx, "consent withdrawn", now, `user_id = $3 AND application_id = $4`, by.User.ID, application.ID); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventConsentWithdrawn, by.User.ID, application.Name, now)
	})
}
