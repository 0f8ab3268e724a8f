package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
)

// SigningKey is a key that signs what applications are told, from a moment on,
// until the next one of its algorithm does.
type SigningKey struct {
	keys.Signing
	Made    time.Time
	SignsAt time.Time // it is published before, so that nobody meets it unprepared
}

// SigningKeys gives all keys that are kept, the ones that sign latest last.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	all, err := list(ctx, s.read, s.scanSigningKey,
		`SELECT id, algorithm, sealed, made_at, signs_at FROM signing_keys ORDER BY signs_at, id`)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	return all, nil
}

func (s *Store) scanSigningKey(r row) (k SigningKey, err error) {
	var id string
	var sealed []byte
	var made, signs int64
	if err := r.Scan(&id, &k.Algorithm, &sealed, &made, &signs); err != nil {
		return k, err
	}
	k.Made, k.SignsAt = fromMillis(made), fromMillis(signs)
	plain, _, err := s.ring.Open(sealed, signingRow(id))
	if err != nil {
		return k, err
	}
	k.Signing, err = keys.ParseSigning(k.Algorithm, plain)
	return k, err
}

func signingRow(id string) string { return "signing_keys/" + id }

// AddSigningKey keeps a key that signs from a moment on.
func (s *Store) AddSigningKey(ctx context.Context, by auth.Actor, k keys.Signing, signs, now time.Time) error {
	return s.addSigningKey(ctx, by, k, signs, now, func(*tx) error { return nil })
}

// FollowSigningKey is AddSigningKey for the key that comes after the last one of
// its algorithm, or is the first where last is "". ErrSpent where another did so
// meanwhile, as the one of two servers that is slower finds.
func (s *Store) FollowSigningKey(ctx context.Context, by auth.Actor, k keys.Signing, last string, signs, now time.Time) error {
	return s.addSigningKey(ctx, by, k, signs, now, func(t *tx) error {
		newest, err := lastSigningKey(ctx, t, k.Algorithm)
		if err == nil && newest != last {
			err = ErrSpent
		}
		return err
	})
}

func (s *Store) addSigningKey(ctx context.Context, by auth.Actor, k keys.Signing, signs, now time.Time, may func(*tx) error) error {
	plain, err := k.Bytes()
	if err != nil {
		return fmt.Errorf("add signing key: %w", err)
	}
	sealed, err := s.ring.Seal(plain, signingRow(k.ID))
	if err != nil {
		return fmt.Errorf("add signing key: %w", err)
	}
	return s.transaction(ctx, func(t *tx) error {
		if err := t.keepSetting(ctx, signingKeysLock, ""); err != nil {
			return err
		}
		if err := may(t); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO signing_keys (id, algorithm, sealed, made_at, signs_at) VALUES ($1, $2, $3, $4, $5)`,
			k.ID, k.Algorithm, sealed, millis(now), millis(signs)); err != nil {
			return fmt.Errorf("add signing key: %w", err)
		}
		return t.record(ctx, by, auth.EventSigningKeyMade, "", string(k.Algorithm)+" "+k.ID, now)
	})
}

// signingKeysLock is the setting whose row makes whoever adds a key wait for
// another.
const signingKeysLock = "signing keys"

// lastSigningKey is the key of an algorithm that signs latest; "" where there is
// none.
func lastSigningKey(ctx context.Context, q querier, a auth.Algorithm) (id string, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT id FROM signing_keys WHERE algorithm = $1 ORDER BY signs_at DESC, id DESC LIMIT 1`, a).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("last signing key: %w", err)
	}
	return id, nil
}

// DropSigningKey forgets a key that nothing can have been signed with which is
// still good.
func (s *Store) DropSigningKey(ctx context.Context, id string) error {
	return s.transaction(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM signing_keys WHERE id = $1`, id)
		return err
	})
}

// prepareSigningKey makes the first key of an algorithm. It signs at once:
// nobody can have been told of another.
func (s *Store) prepareSigningKey(ctx context.Context, by auth.Actor, a auth.Algorithm, now time.Time) error {
	if last, err := lastSigningKey(ctx, s.read, a); err != nil || last != "" {
		return err
	}
	k, err := keys.NewSigning(a)
	if err != nil {
		return err
	}
	err = s.FollowSigningKey(ctx, by, k, "", now, now)
	if errors.Is(err, ErrSpent) { // another made it meanwhile
		return nil
	}
	return err
}
