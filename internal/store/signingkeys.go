package store

import (
	"context"
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
	plain, err := k.Bytes()
	if err != nil {
		return fmt.Errorf("add signing key: %w", err)
	}
	sealed, err := s.ring.Seal(plain, signingRow(k.ID))
	if err != nil {
		return fmt.Errorf("add signing key: %w", err)
	}
	return s.transaction(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `INSERT INTO signing_keys (id, algorithm, sealed, made_at, signs_at) VALUES ($1, $2, $3, $4, $5)`,
			k.ID, k.Algorithm, sealed, millis(now), millis(signs)); err != nil {
			return fmt.Errorf("add signing key: %w", err)
		}
		return t.record(ctx, by, auth.EventSigningKeyMade, "", string(k.Algorithm)+" "+k.ID, now)
	})
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
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM signing_keys WHERE algorithm = $1`, a).Scan(&n); err != nil || n > 0 {
		return err
	}
	k, err := keys.NewSigning(a)
	if err != nil {
		return err
	}
	return s.AddSigningKey(ctx, by, k, now, now)
}
