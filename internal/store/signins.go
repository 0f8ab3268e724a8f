package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

const day = 24 * time.Hour

// dayOf numbers the days since 1970, in UTC.
func dayOf(at time.Time) int64 { return at.UTC().Unix() / int64(day/time.Second) }

// countSignIn counts that somebody signed in to an application. It belongs in
// the transaction that signs them in.
func (t *tx) countSignIn(ctx context.Context, id auth.ApplicationID, now time.Time) error {
	if _, err := t.exec(ctx, `
		INSERT INTO sign_ins (application_id, day, times) VALUES ($1, $2, 1)
		ON CONFLICT (application_id, day) DO UPDATE SET times = sign_ins.times + 1`, id, dayOf(now)); err != nil {
		return fmt.Errorf("count a sign-in to %s: %w", id, err)
	}
	return nil
}

// SignIns counts the sign-ins to an application on each of the last days, the
// present one included, oldest first.
func (s *Store) SignIns(ctx context.Context, id auth.ApplicationID, days int, now time.Time) ([]Day, error) {
	counted := lastDays(days, now)
	first := dayOf(counted[0].Start)
	_, err := list(ctx, s.read, func(r row) (struct{}, error) {
		var on int64
		var times int
		err := r.Scan(&on, &times)
		if i := on - first; err == nil && i >= 0 && i < int64(days) {
			counted[i].Logins = times
		}
		return struct{}{}, err
	}, `SELECT day, times FROM sign_ins WHERE application_id = $1 AND day >= $2`, id, first)
	if err != nil {
		return nil, fmt.Errorf("sign-ins to %s: %w", id, err)
	}
	return counted, nil
}

// lastDays are so many days, today included, oldest first, with nothing counted.
func lastDays(days int, now time.Time) []Day {
	first := now.UTC().Truncate(day).Add(-time.Duration(days-1) * day)
	counted := make([]Day, days)
	for i := range counted {
		counted[i].Start = first.Add(time.Duration(i) * day)
	}
	return counted
}
