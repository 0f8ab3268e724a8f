package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Kept says how long what is over is kept.
type Kept struct {
	Events   time.Duration
	Sessions time.Duration // after their end, or their beginning where nobody ended them
	Throttle time.Duration // counts of failures, after the last one; a closed door that is somebody's stays
}

// purgeBatch is how many rows one transaction removes: a writer that comes in
// between waits for no more than that.
const purgeBatch = 25

// purgeLook is how many rows that are over are looked for at once, without keeping
// anybody from writing.
const purgeLook = 2000

// ownerless tells a count that closed no door, or one of an address that nobody
// has: an account may have been deleted since, or be in no backup.
const ownerless = `NOT EXISTS (SELECT 1 FROM users u WHERE u.id = throttle.user_id)`

// Purge removes what is over for long enough, in small transactions. A clock
// that leapt is not believed before it has gone on for a day: years ahead,
// everything would be over, and what is removed does not come back when the clock
// is put right.
func (s *Store) Purge(ctx context.Context, k Kept, now time.Time) error {
	if steady, err := s.isSteady(ctx, now); err != nil || !steady {
		return err
	}
	for _, p := range []purged{
		{"events", "id", "at < $1", now.Add(-k.Events)},
		{"sessions", "id", "ended_at > 0 AND ended_at < $1 OR began_at < $1 - 8640000000", now.Add(-k.Sessions)},
		{"attempts", "id", "expires_at < $1", now.Add(-day)},
		{"signups", "canonical", "expires_at < $1", now},
		{"hand_overs", "ticket_hash", "expires_at < $1", now.Add(-day)},
		{"links", "token_hash", "expires_at < $1", now.Add(-day)},
		{"letters", "id", "done_at > 0 AND done_at < $1", now.Add(-k.Sessions)},
		{"tokens", "hash", "expires_at < $1", now.Add(-day)},
		{"grants", "id", "expires_at < $1", now.Add(-day)},
		{"logout_notices", "id", "done_at > 0 AND done_at < $1", now.Add(-k.Sessions)},
		{"throttle", "bucket", "last_at < $1 AND " + ownerless, now.Add(-k.Throttle)},
		{"ceremonies", "challenge_hash", "expires_at < $1", now.Add(-day)},
		{"devices", "token_hash", "last_used_at < $1", now.Add(-k.Events)},
	} {
		if err := s.purge(ctx, p); err != nil {
			return fmt.Errorf("purge %s: %w", p.table, err)
		}
	}
	return nil
}

// purged says which rows of a table are over.
type purged struct {
	table, key, over string
	before           time.Time
}

// isSteady tells whether the clock has gone on for a day, from one purge to the
// next, without a step of more than a day ahead or back.
func (s *Store) isSteady(ctx context.Context, now time.Time) (steady bool, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		var last, since int64
		if err := t.QueryRowContext(ctx, `SELECT read_at, steady_since FROM clock`+t.forUpdate()).Scan(&last, &since); err != nil {
			return err
		}
		if now.Sub(fromMillis(last)).Abs() > day {
			since = millis(now)
		}
		steady = now.Sub(fromMillis(since)) >= day
		_, err := t.exec(ctx, `UPDATE clock SET read_at = $1, steady_since = $2`, millis(now), since)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("purge: is the clock steady: %w", err)
	}
	return steady, nil
}

// purge chooses rows by reading, and removes them by their keys, a few at a time.
func (s *Store) purge(ctx context.Context, p purged) error {
	for {
		keys, err := list(ctx, s.read, scanKey, `SELECT `+p.key+` FROM `+p.table+` WHERE `+p.over+` LIMIT $2`, millis(p.before), purgeLook)
		if err != nil {
			return err
		}
		var removed int64
		for some := range slices.Chunk(keys, purgeBatch) {
			n, err := s.remove(ctx, p, some)
			if err != nil {
				return err
			}
			removed += n
		}
		if len(keys) < purgeLook || removed == 0 {
			return nil
		}
	}
}

// remove says again what is over: what came back since it was chosen stays.
func (s *Store) remove(ctx context.Context, p purged, keys []any) (removed int64, err error) {
	err = s.transaction(ctx, func(t *tx) error {
		removed, err = t.exec(ctx, `DELETE FROM `+p.table+` WHERE `+p.key+` IN (`+places(2, len(keys))+`) AND (`+p.over+`)`,
			append([]any{millis(p.before)}, keys...)...)
		return err
	})
	return removed, err
}

func scanKey(r row) (key any, err error) { return key, r.Scan(&key) }
