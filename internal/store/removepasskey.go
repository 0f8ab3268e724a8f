package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// RenamePasskey names a passkey of the acting person. One that is not theirs is
// ErrNotFound.
func (s *Store) RenamePasskey(ctx context.Context, by auth.Actor, id auth.PasskeyID, name string, now time.Time) error {
	return s.renameFactor(ctx, by, "passkeys", auth.EventPasskeyRenamed, string(id), name, now)
}

// KeptError tells why a passkey is not removed.
type KeptError struct{ Why auth.Kept }

func (e *KeptError) Error() string { return "the last passkey is kept: " + string(e.Why) }

// ErrNeedsCode is returned where removing the last passkey turns the second factor
// off, which takes a code, and none was given.
var ErrNeedsCode = errors.New("the last second factor goes by a code alone")

// PasskeyRemoval is a passkey that its owner removes.
type PasskeyRemoval struct {
	Passkey auth.PasskeyID
	Domain  string    // our own: passkeys of another one open nothing
	Code    CodeClaim // for the last one, and spent with any; zero where none was asked for
	Paid    []Payment
}

// RemovePasskey removes a passkey of the acting person. The last one that works
// turns passkeys off, and takes along those that do not work, and the recovery codes
// where nothing else is on that they stand in for. Every other session ends, and the
// acting one goes on under a new token.
//
// Whether the last one may go is decided by the plug-ins as they work in this moment,
// and by what can be read in it.
//
// Where the password alone then opens the account, the code is spent, as disabling
// the authenticator app spends one: ErrNeedsCode without it, and ErrSpent where
// another request was faster. A *KeptError where it is the last one and has to stay,
// and ErrNotFound for one that is not theirs.
func (s *Store) RemovePasskey(ctx context.Context, by auth.Actor, r PasskeyRemoval, now time.Time) (token secret.Token, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		if err := t.lockPlugins(ctx); err != nil { // as EnableTwoFactor
			return err
		}
		u, err := t.lockUser(ctx, by.User.ID)
		if err != nil {
			return err
		}
		last, err := t.isLastPasskey(ctx, u, r)
		if err != nil {
			return err
		}
		if last && u.HasPasskeys() {
			if err := t.mayGoWithoutPasskeys(ctx, u, r); err != nil {
				return err
			}
		}
		proved, err := t.proveRemoval(ctx, by, u, r, now)
		if err != nil {
			return err
		}
		names, err := t.deletePasskey(ctx, u, r.Passkey, last)
		if err != nil {
			return err
		}
		if token, err = t.goOnAlone(ctx, by, proved, "passkey removed", now); err != nil {
			return err
		}
		return t.tellRemoved(ctx, by, u, names, now)
	})
	return token, err
}

// isLastPasskey tells whether passkeys open nothing any more once one is removed.
func (t *tx) isLastPasskey(ctx context.Context, u auth.User, r PasskeyRemoval) (bool, error) {
	all, err := t.store.passkeys(ctx, t, u.ID)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(all, func(k Passkey) bool { return k.ID == r.Passkey })
	if i < 0 {
		return false, fmt.Errorf("passkey %s of %s: %w", r.Passkey, u.ID, ErrNotFound)
	}
	return IsLastPasskey(all, all[i], r.Domain), nil
}

// IsLastPasskey tells whether a person's passkeys open nothing any more once one of
// them is removed, although they did before, or none would be left.
func IsLastPasskey(all []Passkey, removed Passkey, domain string) bool {
	another := func(k Passkey) bool { return k.ID != removed.ID && k.Works(domain) }
	return len(all) == 1 || removed.Works(domain) && !slices.ContainsFunc(all, another)
}

// Works tells whether a passkey opens anything where passkeys are made for a domain:
// it was made for it, and its key can be read.
func (p Passkey) Works(domain string) bool { return p.Domain == domain && p.Readable() }

// mayGoWithoutPasskeys is a *KeptError where the last one is kept, and ErrNeedsCode
// where no app whose codes count is left and no code was given.
func (t *tx) mayGoWithoutPasskeys(ctx context.Context, u auth.User, r PasskeyRemoval) error {
	app, err := t.worksFor(ctx, auth.TwoFactorPlugin, u.ID)
	if err != nil {
		return err
	}
	readable, err := t.store.hasReadableApp(ctx, t, u)
	if err != nil {
		return err
	}
	p := auth.Policy{TwoFactor: app}
	if why := auth.MayRemovePasskey(u, p, 1, readable); why != "" {
		return &KeptError{why}
	}
	if r.Code.IsZero() && !p.AsksAuthenticator(u) {
		return ErrNeedsCode
	}
	return nil
}

// proveRemoval spends the code that was given and gives the acting session after it:
// also where the passkey is not the last one any more, for a code that is left could
// be shown again.
func (t *tx) proveRemoval(ctx context.Context, by auth.Actor, u auth.User, r PasskeyRemoval, now time.Time) (auth.Session, error) {
	if r.Code.IsZero() {
		return by.Session, nil
	}
	if _, err := t.spendCode(ctx, by, u, r.Code, now); err != nil { // the letter of the removal says more
		return by.Session, err
	}
	return r.Code.proves(by.Session, now), t.settle(ctx, r.Paid)
}

// HasReadableApp tells whether the codes of somebody's authenticator apps can be
// examined; true also where no app is on.
func (s *Store) HasReadableApp(ctx context.Context, u auth.User) (bool, error) {
	return s.hasReadableApp(ctx, s.read, u)
}

func (s *Store) hasReadableApp(ctx context.Context, q querier, u auth.User) (bool, error) {
	if !u.HasAuthenticator() {
		return true, nil
	}
	_, err := s.authenticators(ctx, q, u.ID)
	if errors.Is(err, ErrFactorUnreadable) {
		return false, nil
	}
	return err == nil, err
}

// worksFor tells whether a plug-in works for somebody. Under lockPlugins it stays so
// until the transaction ends.
func (t *tx) worksFor(ctx context.Context, id auth.PluginID, user auth.UserID) (bool, error) {
	a, err := activation(ctx, t, id)
	if err != nil {
		return false, err
	}
	groups, err := list(ctx, t, scanID[auth.GroupID], `SELECT group_id FROM memberships WHERE user_id = $1`, user)
	if err != nil {
		return false, fmt.Errorf("groups of %s: %w", user, err)
	}
	return a.EnabledFor(user, groups), nil
}

// deletePasskey removes one and gives the names of all that go, its own first. With the
// last one that works passkeys go off, and so do those that do not work: left behind,
// they would count again with the next one, and nobody but their owner could remove
// them.
func (t *tx) deletePasskey(ctx context.Context, u auth.User, id auth.PasskeyID, last bool) ([]string, error) {
	var name string
	err := t.QueryRowContext(ctx, `DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING name`, id, u.ID).Scan(&name)
	if err != nil {
		return nil, fmt.Errorf("remove passkey %s: %w", id, notFound(err))
	}
	if !last {
		return []string{name}, nil
	}
	along, err := t.namesOfPasskeys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	_, err = t.removeFactors(ctx, u.ID, without(u.HasAuthenticator(), passkeys)...)
	return append([]string{name}, along...), err
}

func (t *tx) namesOfPasskeys(ctx context.Context, user auth.UserID) ([]string, error) {
	names, err := list(ctx, t, scanID[string], `SELECT name FROM passkeys WHERE user_id = $1 ORDER BY created_at, id`, user)
	if err != nil {
		return nil, fmt.Errorf("names of the passkeys of %s: %w", user, err)
	}
	return names, nil
}

// tellRemoved tells the owner of the passkey that they removed, and which went along
// with it; the record has each.
func (t *tx) tellRemoved(ctx context.Context, by auth.Actor, u auth.User, names []string, now time.Time) error {
	letter := noticeTo(u, auth.LetterPasskeyRemoved, by, now)
	letter.Values.Factor, letter.Values.Along = names[0], names[1:]
	if err := t.queue(ctx, letter, now); err != nil {
		return err
	}
	return t.recordRemoved(ctx, by, u, names, now)
}

func (t *tx) recordRemoved(ctx context.Context, by auth.Actor, u auth.User, names []string, now time.Time) error {
	for _, name := range names {
		if err := t.record(ctx, by, auth.EventPasskeyRemoved, u.ID, name, now); err != nil {
			return err
		}
	}
	return nil
}
