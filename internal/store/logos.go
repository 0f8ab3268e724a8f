package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// SetLogo gives an application a picture, a PNG; nil takes it away.
// ErrNotFound where there is no such application.
func (s *Store) SetLogo(ctx context.Context, by auth.Actor, a auth.ApplicationID, png []byte, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		var name string
		if err := t.QueryRowContext(ctx, `SELECT name FROM applications WHERE id = $1`+t.forUpdate(), a).Scan(&name); err != nil {
			return fmt.Errorf("logo of %s: %w", a, notFound(err))
		}
		if _, err := t.exec(ctx, `DELETE FROM logos WHERE application_id = $1`, a); err != nil {
			return fmt.Errorf("take the logo of %s away: %w", a, err)
		}
		if png != nil {
			if _, err := t.exec(ctx, `INSERT INTO logos (application_id, version, png) VALUES ($1, $2, $3)`, a, secret.NewID(), png); err != nil {
				return fmt.Errorf("keep the logo of %s: %w", a, err)
			}
		}
		return t.record(ctx, by, auth.EventApplicationChanged, "", name, now)
	})
}

// Logo gives the picture of an application; ErrNotFound where it has none.
func (s *Store) Logo(ctx context.Context, a auth.ApplicationID) (png []byte, err error) {
	err = notFound(s.read.QueryRowContext(ctx, `SELECT png FROM logos WHERE application_id = $1`, a).Scan(&png))
	return png, err
}

// LogoVersions names the picture of each application that has one. A picture
// that took another's place has another name.
func (s *Store) LogoVersions(ctx context.Context) (map[auth.ApplicationID]string, error) {
	versions := map[auth.ApplicationID]string{}
	_, err := list(ctx, s.read, func(r row) (struct{}, error) {
		var id auth.ApplicationID
		var version string
		err := r.Scan(&id, &version)
		versions[id] = version
		return struct{}{}, err
	}, `SELECT application_id, version FROM logos`)
	if err != nil {
		return nil, fmt.Errorf("logos: %w", err)
	}
	return versions, nil
}
