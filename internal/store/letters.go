package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
)

// queue puts a letter into the outbox, sealed, in the transaction of what it
// tells: no page waits for mail, and no letter tells what was undone.
func (t *tx) queue(ctx context.Context, letter auth.Letter, now time.Time) error {
	plain, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("queue letter %s: %w", letter.Kind, err)
	}
	id := secret.NewID()
	sealed, err := t.store.ring.Seal(plain, letterRow(id))
	if err != nil {
		return fmt.Errorf("queue letter %s: %w", letter.Kind, err)
	}
	_, err = t.exec(ctx, `
		INSERT INTO letters (id, kind, sealed, created_at, next_at, tries, done_at, failure)
		VALUES ($1, $2, $3, $4, $4, 0, 0, '')`, id, letter.Kind, sealed, millis(now))
	if err != nil {
		return fmt.Errorf("queue letter %s: %w", letter.Kind, err)
	}
	return nil
}

// Queue puts a letter into the outbox that goes with no other change.
func (s *Store) Queue(ctx context.Context, letter auth.Letter, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.queue(ctx, letter, now) })
}

func letterRow(id string) string { return "letters/" + id }

// QueuedLetter is a letter that waits to be sent.
type QueuedLetter struct {
	ID      string
	Letter  auth.Letter
	Queued  time.Time
	Tries   int
	Failure string // what the last try said; "" before it
}

// DueLetters gives at most limit letters whose next try is due, oldest first.
func (s *Store) DueLetters(ctx context.Context, limit int, now time.Time) ([]QueuedLetter, error) {
	letters, err := list(ctx, s.read, s.scanLetter, `
		SELECT id, kind, sealed, created_at, tries, failure FROM letters
		 WHERE done_at = 0 AND next_at <= $1
		 ORDER BY next_at, id LIMIT $2`, millis(now), limit)
	if err != nil {
		return nil, fmt.Errorf("due letters: %w", err)
	}
	return letters, nil
}

func (s *Store) scanLetter(r row) (QueuedLetter, error) {
	var q QueuedLetter
	var sealed []byte
	var queued int64
	if err := r.Scan(&q.ID, &q.Letter.Kind, &sealed, &queued, &q.Tries, &q.Failure); err != nil {
		return q, err
	}
	q.Queued = fromMillis(queued)
	plain, _, err := s.ring.Open(sealed, letterRow(q.ID))
	if err != nil {
		return q, fmt.Errorf("open letter %s: %w", q.ID, err)
	}
	return q, json.Unmarshal(plain, &q.Letter)
}

// LetterSent erases what a letter said and keeps that it was sent.
func (s *Store) LetterSent(ctx context.Context, id string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		return t.claim(ctx, `
			UPDATE letters SET done_at = $1, sealed = $2, failure = '', tries = tries + 1
			 WHERE id = $3 AND done_at = 0`, millis(now), []byte{}, id)
	})
}

// LetterFailed keeps what went wrong and when to try again. A zero next gives
// the letter up: what it said is erased, and an event tells that it failed.
func (s *Store) LetterFailed(ctx context.Context, id string, why string, next, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if !next.IsZero() {
			return t.claim(ctx, `
				UPDATE letters SET next_at = $1, tries = tries + 1, failure = $2
				 WHERE id = $3 AND done_at = 0`, millis(next), why, id)
		}
		if err := t.claim(ctx, `
			UPDATE letters SET done_at = $1, sealed = $2, tries = tries + 1, failure = $3
			 WHERE id = $4 AND done_at = 0`, millis(now), []byte{}, why, id); err != nil {
			return err
		}
		return t.record(ctx, auth.Actor{}, auth.EventLetterFailed, "", why, now)
	})
}
