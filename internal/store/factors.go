package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/totp"
)

// ErrFactorUnreadable is returned when an account says that two-factor
// authentication is on and no key of it can be read: the login is refused.
var ErrFactorUnreadable = errors.New("two-factor authentication is on, and no key of it can be read")

// Authenticator is one authenticator app of a person.
type Authenticator struct {
	ID       string
	Key      totp.Key
	LastStep int64
	Created  time.Time
}

// ListedAuthenticator is what is said of an authenticator app, whether or not its
// key can be read.
type ListedAuthenticator struct {
	ID       string
	Name     string // "" where its owner gave none
	Created  time.Time
	LastUsed time.Time
}

// ListedAuthenticators gives a person's authenticator apps, oldest first.
func (s *Store) ListedAuthenticators(ctx context.Context, user auth.UserID) ([]ListedAuthenticator, error) {
	all, err := list(ctx, s.read, scanListedAuthenticator, `
		SELECT id, name, created_at, last_used_at FROM authenticators
		 WHERE user_id = $1 ORDER BY created_at, id`, user)
	if err != nil {
		return nil, fmt.Errorf("the authenticators of %s: %w", user, err)
	}
	return all, nil
}

func scanListedAuthenticator(r row) (a ListedAuthenticator, err error) {
	var created, used int64
	err = r.Scan(&a.ID, &a.Name, &created, &used)
	a.Created, a.LastUsed = fromMillis(created), fromMillis(used)
	return a, err
}

// Authenticators gives the keys a code may be checked with. An account that
// says two-factor authentication is on and has none that can be read is
// ErrFactorUnreadable.
func (s *Store) Authenticators(ctx context.Context, user auth.UserID) ([]Authenticator, error) {
	return s.authenticators(ctx, s.read, user)
}

func (s *Store) authenticators(ctx context.Context, q querier, user auth.UserID) ([]Authenticator, error) {
	all, err := list(ctx, q, s.scanAuthenticator, `
		SELECT id, sealed_key, last_step, created_at FROM authenticators
		 WHERE user_id = $1 ORDER BY created_at, id`, user)
	switch {
	case err != nil:
		return nil, fmt.Errorf("authenticators of %s: %w", user, err)
	case len(all) == 0:
		return nil, fmt.Errorf("authenticators of %s: %w", user, ErrFactorUnreadable)
	}
	return all, nil
}

func (s *Store) scanAuthenticator(r row) (a Authenticator, err error) {
	var sealed []byte
	var created int64
	if err := r.Scan(&a.ID, &sealed, &a.LastStep, &created); err != nil {
		return a, err
	}
	a.Created = fromMillis(created)
	plain, _, err := s.ring.Open(sealed, authenticatorRow(a.ID))
	if err != nil {
		return a, fmt.Errorf("open authenticator %s: %w: %w", a.ID, ErrFactorUnreadable, err)
	}
	if a.Key, err = totp.KeyFromBytes(plain); err != nil {
		return a, fmt.Errorf("read authenticator %s: %w: %w", a.ID, ErrFactorUnreadable, err)
	}
	return a, nil
}

func authenticatorRow(id string) string { return "authenticators/" + id }

// insertAuthenticator keeps a key, sealed. The step whose code proved it counts as
// spent.
func (t *tx) insertAuthenticator(ctx context.Context, e Enrolment, now time.Time) error {
	id := secret.NewID()
	sealed, err := t.store.ring.Seal(e.Key.Bytes(), authenticatorRow(id))
	if err != nil {
		return fmt.Errorf("seal authenticator: %w", err)
	}
	_, err = t.exec(ctx, `
		INSERT INTO authenticators (id, user_id, name, sealed_key, last_step, created_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6)`, id, e.User, e.Name, sealed, e.Step, millis(now))
	if err != nil {
		return fmt.Errorf("insert authenticator: %w", err)
	}
	return nil
}

// factor is a kind of second factor, as letters and events name it.
type factor string

const (
	authenticators factor = "authenticator"
	recoveryCodes  factor = "recovery-codes"
	passkeys       factor = "passkeys"
)

// factorTables are where a kind is kept. What is on stands on the account, and goes
// with it.
var factorTables = map[factor]struct {
	tables    []string
	statement string // on the account; "" where it has none of its own
}{
	authenticators: {[]string{"authenticators"}, "two_factor_since"},
	recoveryCodes:  {[]string{"recovery_codes", "recovery_sets"}, ""},
	passkeys:       {[]string{"passkeys"}, "passkeys_since"},
}

// removeFactors removes kinds of second factors and gives the names of those of
// which there were any.
func (t *tx) removeFactors(ctx context.Context, user auth.UserID, kinds ...factor) (removed []string, err error) {
	for _, kind := range kinds {
		n, err := t.removeFactor(ctx, user, kind)
		if err != nil {
			return nil, fmt.Errorf("remove the %s of %s: %w", kind, user, err)
		}
		if n > 0 {
			removed = append(removed, string(kind))
		}
	}
	return removed, nil
}

// without is what goes with a kind: the recovery codes too, unless another kind is
// on that they stand in for.
func without(another bool, kind factor) []factor {
	if another {
		return []factor{kind}
	}
	return []factor{kind, recoveryCodes}
}

func (t *tx) removeFactor(ctx context.Context, user auth.UserID, kind factor) (n int64, err error) {
	for _, table := range factorTables[kind].tables {
		rows, err := t.exec(ctx, `DELETE FROM `+table+` WHERE user_id = $1`, user)
		if err != nil {
			return 0, err
		}
		n += rows
	}
	if statement := factorTables[kind].statement; statement != "" {
		_, err = t.exec(ctx, `UPDATE users SET `+statement+` = 0 WHERE id = $1`, user)
	}
	return n, err
}

// RecoverySet gives what a typed recovery code is compared with, and when
// each was used. ErrNotFound where the person has none.
func (s *Store) RecoverySet(ctx context.Context, user auth.UserID) (RecoverySet, error) {
	var set RecoverySet
	var made int64
	err := s.read.QueryRowContext(ctx, `SELECT salt, memory_kib, passes, made_at FROM recovery_sets WHERE user_id = $1`, user).
		Scan(&set.Hashes.Salt, &set.Hashes.Cost.MemoryKiB, &set.Hashes.Cost.Passes, &made)
	if err != nil {
		return set, fmt.Errorf("recovery codes of %s: %w", user, notFound(err))
	}
	set.Made = fromMillis(made)
	type code struct {
		hash []byte
		used int64
	}
	codes, err := list(ctx, s.read, func(r row) (c code, err error) { return c, r.Scan(&c.hash, &c.used) },
		`SELECT hash, used_at FROM recovery_codes WHERE user_id = $1 ORDER BY position`, user)
	for _, c := range codes {
		set.Hashes.Hashes = append(set.Hashes.Hashes, c.hash)
		set.Used = append(set.Used, fromMillis(c.used))
	}
	return set, err
}

// RecoverySet is a person's recovery codes as they are kept: hashed.
type RecoverySet struct {
	Hashes recovery.Set
	Used   []time.Time // in the order of Hashes; zero: unused
	Made   time.Time
}

// Left counts the codes that were not used.
func (s RecoverySet) Left() (n int) {
	for _, used := range s.Used {
		if used.IsZero() {
			n++
		}
	}
	return n
}

// addRecoveryCodes keeps those that come with a first second factor; none leaves
// the account those that it has.
func (t *tx) addRecoveryCodes(ctx context.Context, user auth.UserID, set recovery.Set, now time.Time) error {
	if len(set.Hashes) > 0 {
		return t.replaceRecoveryCodes(ctx, user, set, now)
	}
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM recovery_sets WHERE user_id = $1`, user).Scan(&n); err != nil {
		return fmt.Errorf("look for the recovery codes of %s: %w", user, err)
	}
	if n == 0 {
		return fmt.Errorf("a second factor without recovery codes: %w", ErrSpent)
	}
	return nil
}

// replaceRecoveryCodes voids the old set and keeps a new one.
func (t *tx) replaceRecoveryCodes(ctx context.Context, user auth.UserID, set recovery.Set, now time.Time) error {
	for _, table := range []string{"recovery_codes", "recovery_sets"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE user_id = $1`, user); err != nil {
			return fmt.Errorf("void recovery codes: %w", err)
		}
	}
	if _, err := t.exec(ctx, `INSERT INTO recovery_sets (user_id, salt, memory_kib, passes, made_at) VALUES ($1, $2, $3, $4, $5)`,
		user, set.Salt, int64(set.Cost.MemoryKiB), int64(set.Cost.Passes), millis(now)); err != nil {
		return fmt.Errorf("keep recovery codes: %w", err)
	}
	for i, hash := range set.Hashes {
		if _, err := t.exec(ctx, `INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ($1, $2, $3, 0)`,
			user, i, hash); err != nil {
			return fmt.Errorf("keep recovery codes: %w", err)
		}
	}
	return nil
}

// CodeClaim is a right code that is about to be spent: a step of an
// authenticator, a recovery code, or a passkey's answer. The zero value is no code.
type CodeClaim struct {
	Authenticator string
	Step          int64

	Recovery bool
	Position int

	Passkey  auth.PasskeyID
	Ceremony Ceremony // that it answered
	Count    int64    // that it told
	Synced   bool
	Verified bool // it held its owner to be who they are, so it proves the password too
}

// IsZero tells that there is no code.
func (c CodeClaim) IsZero() bool { return c == CodeClaim{} }

// By says what stands in the code's place.
func (c CodeClaim) By() auth.CodeBy {
	switch {
	case c.Recovery:
		return auth.ByRecoveryCode
	case c.Passkey != "":
		return auth.PasskeyKey{Synced: c.Synced}.By()
	}
	return auth.ByAuthenticator
}

// proves is the session after this code.
func (c CodeClaim) proves(s auth.Session, now time.Time) auth.Session {
	s.CodeAt, s.CodeBy = now, c.By()
	if c.Passkey != "" && c.Verified {
		s.PasswordAt, s.PasswordBy = now, auth.PasswordByPasskey
	}
	return s
}

// claimCode spends a code of an account, or gives ErrSpent. The owner hears of
// a recovery code that was used, and when few are left.
func (t *tx) claimCode(ctx context.Context, by auth.Actor, u auth.User, c CodeClaim, now time.Time) error {
	left, err := t.spendCode(ctx, by, u, c, now)
	if err != nil || !c.Recovery {
		return err
	}
	kind := auth.LetterRecoveryCodeUsed
	if left <= t.store.rules.RecoveryCodesFew {
		kind = auth.LetterRecoveryCodesFew
	}
	letter := noticeTo(u, kind, by, now)
	letter.Values.Left = left
	return t.queue(ctx, letter, now)
}

// spendCode is claimCode for a moment whose own letter says more. A step also
// retires every earlier one (RFC 6238 §5.2); of a recovery code it gives how
// many are left; of a passkey it spends the challenge and keeps the counter.
func (t *tx) spendCode(ctx context.Context, by auth.Actor, u auth.User, c CodeClaim, now time.Time) (left int, err error) {
	if c.Recovery {
		return t.spendRecoveryCode(ctx, by, u, c.Position, now)
	}
	if c.Passkey != "" {
		return 0, t.spendPasskey(ctx, u, c, now)
	}
	err = t.claim(ctx, `
		UPDATE authenticators SET last_step = $1, last_used_at = $2
		 WHERE id = $3 AND user_id = $4 AND last_step < $1`, c.Step, millis(now), c.Authenticator, u.ID)
	if err != nil {
		return 0, fmt.Errorf("claim step %d of authenticator %s: %w", c.Step, c.Authenticator, err)
	}
	return 0, nil
}

func (t *tx) spendRecoveryCode(ctx context.Context, by auth.Actor, u auth.User, position int, now time.Time) (left int, err error) {
	if err := t.claim(ctx, `
		UPDATE recovery_codes SET used_at = $1
		 WHERE user_id = $2 AND position = $3 AND used_at = 0`, millis(now), u.ID, position); err != nil {
		return 0, fmt.Errorf("claim recovery code %d of %s: %w", position, u.ID, err)
	}
	if err := t.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at = 0`, u.ID).Scan(&left); err != nil {
		return 0, fmt.Errorf("count the recovery codes of %s: %w", u.ID, err)
	}
	return left, t.record(ctx, by, auth.EventRecoveryCodeUsed, u.ID, fmt.Sprintf("%d left", left), now)
}
