package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

const grantColumns = `g.id, g.application_id, g.user_id, g.session_id, g.generation, g.scopes, g.redirect_uri,
	g.nonce, g.challenge, g.authenticated_at, g.password_by, g.with_code, g.code_by, g.code_given, g.began_at, g.code_expires_at, g.code_used_at,
	g.expires_at, g.ended_at`

func grantTargets(g *auth.Grant) (targets []any, done func()) {
	var scopes string
	var at, began, code, used, expires, ended int64
	targets = []any{&g.ID, &g.Application, &g.User, &g.Session, &g.Generation, &scopes, &g.Redirect,
		&g.Nonce, &g.Challenge, &at, &g.Authentication.PasswordBy, &g.Authentication.Code, &g.Authentication.CodeBy,
		&g.CodeGiven, &began, &code, &used, &expires, &ended}
	return targets, func() {
		g.Scopes, g.Authentication.At = auth.ParseScopes(scopes), fromMillis(at)
		g.Began, g.CodeExpires, g.CodeUsed = fromMillis(began), fromMillis(code), fromMillis(used)
		g.Expires, g.Ended = fromMillis(expires), fromMillis(ended)
	}
}

func scanGrant(r row) (g auth.Grant, err error) {
	targets, done := grantTargets(&g)
	if err := r.Scan(targets...); err != nil {
		return auth.Grant{}, notFound(err)
	}
	done()
	return g, nil
}

// BeginGrant keeps what a live session gives an application, and makes the code
// for it. consent is what the person has just agreed to; nil where nobody was
// asked. ErrSpent where the session ended or the account changed meanwhile.
func (s *Store) BeginGrant(ctx context.Context, by auth.Actor, g auth.Grant, application string, consent auth.Scopes, now time.Time) (secret.Token, error) {
	code := secret.New()
	g.ID, g.Began = auth.GrantID(secret.NewID()), now
	err := s.transaction(ctx, func(t *tx) error {
		if err := t.holdSession(ctx, g); err != nil {
			return err
		}
		if consent != nil {
			if err := t.giveConsent(ctx, by, g, application, consent, now); err != nil {
				return err
			}
		}
		if _, err := t.exec(ctx, `
			INSERT INTO grants (id, application_id, user_id, session_id, generation, scopes, redirect_uri, nonce, challenge,
				authenticated_at, password_by, with_code, code_by, code_given, began_at, code_hash, code_expires_at, code_used_at, expires_at, ended_at, ended_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, (SELECT code_at > 0 FROM sessions WHERE id = $4),
				$14, $15, $16, 0, $17, 0, '')`,
			g.ID, g.Application, g.User, g.Session, g.Generation, g.Scopes.String(), g.Redirect, g.Nonce, g.Challenge,
			millis(g.Authentication.At), g.Authentication.PasswordBy, g.Authentication.Code, g.Authentication.CodeBy, millis(now), code.Hash(), millis(g.CodeExpires),
			millis(g.Expires)); err != nil {
			return fmt.Errorf("begin grant: %w", err)
		}
		return t.record(ctx, by, auth.EventApplicationOpened, g.User, application, now)
	})
	return code, err
}

// holdSession makes whoever ends the session or changes the account wait for
// this transaction, and refuses where they were faster.
func (t *tx) holdSession(ctx context.Context, g auth.Grant) error {
	if err := t.claim(ctx, `
		UPDATE users SET generation = generation WHERE id = $1 AND generation = $2 AND state = 'active'`,
		g.User, g.Generation); err != nil {
		return fmt.Errorf("grant of user %s: %w", g.User, err)
	}
	if err := t.claim(ctx, `
		UPDATE sessions SET ended_at = ended_at WHERE id = $1 AND user_id = $2 AND ended_at = 0`,
		g.Session, g.User); err != nil {
		return fmt.Errorf("grant of session %s: %w", g.Session, err)
	}
	return nil
}

// GrantOfCode finds what a code was made for, whether or not it was used;
// ErrNotFound where nobody made it.
func (s *Store) GrantOfCode(ctx context.Context, code secret.Hash) (auth.Grant, error) {
	g, err := scanGrant(s.read.QueryRowContext(ctx, `SELECT `+grantColumns+` FROM grants g WHERE g.code_hash = $1`, code))
	if err != nil {
		return g, fmt.Errorf("grant of a code: %w", err)
	}
	return g, nil
}

// Issue is what an application gets: an access token, and where the grant is
// offline a refresh token. Their expiry never lies beyond the grant's.
type Issue struct {
	Access        secret.Hash
	AccessExpires time.Time
	Scopes        auth.Scopes
	Refresh       secret.Hash // zero for none; it lives as long as the grant
}

// Exchange spends a code for tokens. Of two calls one wins; the other, like one
// that comes too late, after an ending, or after a change of the account, gets
// ErrSpent.
func (s *Store) Exchange(ctx context.Context, g auth.Grant, i Issue, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.holdSession(ctx, g); err != nil {
			return err
		}
		if err := t.claim(ctx, `
			UPDATE grants SET code_used_at = $1
			 WHERE id = $2 AND code_used_at = 0 AND code_expires_at > $1 AND ended_at = 0`, millis(now), g.ID); err != nil {
			return fmt.Errorf("exchange the code of grant %s: %w", g.ID, err)
		}
		if err := t.countSignIn(ctx, g.Application, now); err != nil {
			return err
		}
		return t.issue(ctx, g, i, now)
	})
}

func (t *tx) issue(ctx context.Context, g auth.Grant, i Issue, now time.Time) error {
	for _, made := range []struct {
		kind    string
		hash    secret.Hash
		expires time.Time
	}{{accessToken, i.Access, i.AccessExpires}, {refreshToken, i.Refresh, g.Expires}} {
		if made.hash.IsZero() {
			continue
		}
		if _, err := t.exec(ctx, `
			INSERT INTO tokens (hash, grant_id, kind, scopes, made_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			made.hash, g.ID, made.kind, i.Scopes.String(), millis(now), millis(made.expires)); err != nil {
			return fmt.Errorf("issue a token of grant %s: %w", g.ID, err)
		}
	}
	return nil
}

const (
	accessToken  = "access"
	refreshToken = "refresh"
)

// GrantOfRefresh finds what a refresh token was made for, whether or not it was
// used; ErrNotFound where nobody made it.
func (s *Store) GrantOfRefresh(ctx context.Context, token secret.Hash) (g auth.Grant, used bool, err error) {
	var usedAt int64
	targets, done := grantTargets(&g)
	err = s.read.QueryRowContext(ctx, `
		SELECT `+grantColumns+`, t.used_at FROM tokens t JOIN grants g ON g.id = t.grant_id
		 WHERE t.hash = $1 AND t.kind = $2`, token, refreshToken).Scan(append(targets, &usedAt)...)
	if err != nil {
		return auth.Grant{}, false, fmt.Errorf("grant of a refresh token: %w", notFound(err))
	}
	done()
	return g, usedAt > 0, nil
}

// Refresh spends a refresh token for new ones. Of two calls one wins; the
// other, like one that comes after an ending, gets ErrSpent.
func (s *Store) Refresh(ctx context.Context, g auth.Grant, old secret.Hash, i Issue, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.claim(ctx, `
			UPDATE grants SET ended_at = ended_at WHERE id = $1 AND ended_at = 0 AND expires_at > $2`, g.ID, millis(now)); err != nil {
			return fmt.Errorf("refresh grant %s: %w", g.ID, err)
		}
		if err := t.claim(ctx, `
			UPDATE tokens SET used_at = $1
			 WHERE hash = $2 AND grant_id = $3 AND kind = $4 AND used_at = 0 AND expires_at > $1`,
			millis(now), old, g.ID, refreshToken); err != nil {
			return fmt.Errorf("refresh grant %s: %w", g.ID, err)
		}
		return t.issue(ctx, g, i, now)
	})
}

// AccessGrant is what an access token opens.
type AccessGrant struct {
	auth.Grant
	User   auth.User
	Scopes auth.Scopes // of the token: never more than the grant's
}

// Access finds what an access token opens now; ErrNotFound where it opens
// nothing.
func (s *Store) Access(ctx context.Context, token secret.Hash, now time.Time) (a AccessGrant, err error) {
	var hash, scopes string
	grant, grantDone := grantTargets(&a.Grant)
	user, userDone := userTargets(&a.User, &hash)
	err = s.read.QueryRowContext(ctx, `
		SELECT `+grantColumns+`, `+userColumns+`, t.scopes
		  FROM tokens t JOIN grants g ON g.id = t.grant_id JOIN users u ON u.id = g.user_id
		 WHERE t.hash = $1 AND t.kind = $2 AND t.expires_at > $3 AND g.ended_at = 0 AND u.state = 'active'`,
		token, accessToken, millis(now)).Scan(append(append(grant, user...), &scopes)...)
	if err != nil {
		return AccessGrant{}, fmt.Errorf("access token: %w", notFound(err))
	}
	grantDone()
	userDone()
	a.Scopes = auth.ParseScopes(scopes)
	return a, nil
}

// EndGrant ends a grant, and with it the code and the tokens made for it. One
// that has ended stays as it is.
func (s *Store) EndGrant(ctx context.Context, by auth.Actor, g auth.Grant, kind auth.EventKind, why string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		n, err := t.endGrants(ctx, why, now, `id = $3`, g.ID)
		if err != nil || n == 0 {
			return err
		}
		return t.record(ctx, by, kind, g.User, why, now)
	})
}

// endGrants ends the grants that the condition names. Its placeholders begin at
// $3.
func (t *tx) endGrants(ctx context.Context, why string, now time.Time, condition string, args ...any) (int64, error) {
	n, err := t.exec(ctx, `UPDATE grants SET ended_at = $1, ended_by = $2 WHERE ended_at = 0 AND `+condition,
		append([]any{millis(now), why}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("end grants, %s: %w", why, err)
	}
	return n, nil
}

// RevokeToken ends what an application's token opens, by the application's own
// wish: an access token alone, or with a refresh token the whole grant. A token
// that is not there, or another application's, is none of its business: no error.
func (s *Store) RevokeToken(ctx context.Context, application auth.ApplicationID, token secret.Hash, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		var grant auth.GrantID
		var owner auth.UserID
		var kind string
		err := notFound(t.QueryRowContext(ctx, `
			SELECT g.id, g.user_id, t.kind FROM grants g JOIN tokens t ON t.grant_id = g.id
			 WHERE t.hash = $1 AND g.application_id = $2`, token, application).Scan(&grant, &owner, &kind))
		if err == ErrNotFound {
			return nil
		} else if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		var n int64
		if kind == refreshToken {
			n, err = t.endGrants(ctx, "revoked by the application", now, `id = $3`, grant)
		} else {
			n, err = t.exec(ctx, `DELETE FROM tokens WHERE hash = $1`, token)
		}
		if err != nil || n == 0 {
			return err
		}
		return t.record(ctx, auth.Actor{}, auth.EventGrantRevoked, owner, string(application)+": "+kind+" token", now)
	})
}
