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
	return t.queueAll(ctx, []auth.Letter{letter}, now)
}

// queueAll is queue for the letters of one act to several people.
func (t *tx) queueAll(ctx context.Context, letters []auth.Letter, now time.Time) error {
	outbox := t.into("letters", "id", "kind", "sealed", "created_at", "next_at", "tries", "done_at", "failure")
	for _, letter := range letters {
		id := secret.NewID()
		sealed, err := t.seal(letter, id)
		if err == nil {
			err = outbox.add(ctx, []any{id, letter.Kind, sealed, millis(now), millis(now), 0, 0, ""})
		}
		if err != nil {
			return fmt.Errorf("queue letter %s: %w", letter.Kind, err)
		}
	}
	if err := outbox.flush(ctx); err != nil {
		return fmt.Errorf("queue letters: %w", err)
	}
	return nil
}

// seal gives a letter as the outbox keeps it, in a row of its own.
func (t *tx) seal(letter auth.Letter, id string) ([]byte, error) {
	plain, err := json.Marshal(letter)
	if err != nil {
		return nil, err
	}
	return t.store.ring.Seal(plain, letterRow(id))
}

// SendTestLetter mails the actor, in the actor's language, to see that mail
// works.
func (s *Store) SendTestLetter(ctx context.Context, by auth.Actor, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.sendTestLetter(ctx, by, now) })
}

func (t *tx) sendTestLetter(ctx context.Context, by auth.Actor, now time.Time) error {
	if err := t.queue(ctx, noticeTo(by.User, auth.LetterTest, auth.Actor{}, now), now); err != nil {
		return err
	}
	return t.record(ctx, by, auth.EventTestLetter, by.User.ID, "", now)
}

func letterRow(id string) string { return "letters/" + id }

// QueuedLetter is a letter that waits to be sent.
type QueuedLetter struct {
	ID      string
	Letter  auth.Letter
	Queued  time.Time
	Tries   int    // begun so far
	Failure string // what the last try said; "" before it

	// Unreadable says why what the letter says cannot be read; nil where it can.
	Unreadable error
}

// DueLetters gives at most limit letters whose next try is due, oldest first;
// those that go to addresses which anybody may type, for a sign-up or a change of
// address, come after all others, which their flood must not hold up. One that cannot be read is among them, and does not
// stand in the others' way.
func (s *Store) DueLetters(ctx context.Context, limit int, now time.Time) ([]QueuedLetter, error) {
	var letters []QueuedLetter
	for _, which := range []string{"kind NOT IN", "kind IN"} {
		due, err := list(ctx, s.read, s.scanLetter, `
			SELECT id, kind, sealed, created_at, tries, failure FROM letters
			 WHERE done_at = 0 AND next_at <= $1 AND `+which+` ($3, $4, $5, $6)
			 ORDER BY next_at, id LIMIT $2`,
			millis(now), limit-len(letters), auth.LetterVerify, auth.LetterAccountExists,
			auth.LetterAddressChangedNew, auth.LetterAddressTaken)
		if err != nil {
			return nil, fmt.Errorf("due letters: %w", err)
		}
		if letters = append(letters, due...); len(letters) == limit {
			break
		}
	}
	return letters, nil
}

func (s *Store) scanLetter(r row) (q QueuedLetter, err error) {
	var sealed []byte
	var queued int64
	if err := r.Scan(&q.ID, &q.Letter.Kind, &sealed, &queued, &q.Tries, &q.Failure); err != nil {
		return q, err
	}
	q.Queued = fromMillis(queued)
	q.Unreadable = s.openLetter(sealed, &q)
	return q, nil
}

func (s *Store) openLetter(sealed []byte, q *QueuedLetter) error {
	plain, _, err := s.ring.Open(sealed, letterRow(q.ID))
	if err == nil {
		err = json.Unmarshal(plain, &q.Letter)
	}
	if err != nil {
		return fmt.Errorf("read letter %s (%s): %w", q.ID, q.Letter.Kind, err)
	}
	return nil
}

// ClaimLetter takes a due letter for one try. Whoever has it keeps it until it
// is sent, failed or given back, and for lease at most: then it is due again,
// for a sender that was killed. ErrSpent where another sender has it, or had it
// since it was read.
func (s *Store) ClaimLetter(ctx context.Context, q QueuedLetter, lease time.Duration, now time.Time) (QueuedLetter, error) {
	err := s.changeLetter(ctx, `
		UPDATE letters SET next_at = $1, tries = tries + 1
		 WHERE id = $2 AND tries = $3 AND done_at = 0 AND next_at <= $4`,
		millis(now.Add(lease)), q.ID, q.Tries, millis(now))
	q.Tries++
	return q, err
}

// GiveLetterBack undoes a claim whose try was broken off: the letter is due now.
func (s *Store) GiveLetterBack(ctx context.Context, q QueuedLetter, now time.Time) error {
	return s.changeLetter(ctx, `
		UPDATE letters SET next_at = $1, tries = tries - 1
		 WHERE id = $2 AND tries = $3 AND done_at = 0`, millis(now), q.ID, q.Tries)
}

// LetterSent erases what a claimed letter said and keeps that it was sent.
// ErrSpent where the claim had ended and another sender has it.
func (s *Store) LetterSent(ctx context.Context, q QueuedLetter, now time.Time) error {
	return s.changeLetter(ctx, `
		UPDATE letters SET done_at = $1, sealed = $4, failure = ''
		 WHERE id = $2 AND tries = $3 AND done_at = 0`, millis(now), q.ID, q.Tries, []byte{})
}

// LetterFailed keeps what went wrong with a claimed letter and when to try
// again. ErrSpent as for LetterSent.
func (s *Store) LetterFailed(ctx context.Context, q QueuedLetter, why string, next time.Time) error {
	return s.changeLetter(ctx, `
		UPDATE letters SET next_at = $1, failure = $4
		 WHERE id = $2 AND tries = $3 AND done_at = 0`, millis(next), q.ID, q.Tries, why)
}

func (s *Store) changeLetter(ctx context.Context, statement string, args ...any) error {
	return s.transaction(ctx, func(t *tx) error { return t.claim(ctx, statement, args...) })
}

// GiveLetterUp ends the tries with a claimed letter: what it said is erased, and
// an event tells that it failed. ErrSpent as for LetterSent.
func (s *Store) GiveLetterUp(ctx context.Context, q QueuedLetter, why string, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.claim(ctx, `
			UPDATE letters SET done_at = $1, sealed = $4, failure = $5
			 WHERE id = $2 AND tries = $3 AND done_at = 0`, millis(now), q.ID, q.Tries, []byte{}, why); err != nil {
			return err
		}
		return t.record(ctx, auth.Actor{}, auth.EventLetterFailed, "", string(q.Letter.Kind)+": "+why, now)
	})
}
