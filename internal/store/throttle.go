package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/throttle"
)

// WaitError refuses a try that is neither examined nor counted.
type WaitError struct {
	Until   time.Time // when to come back; zero while the door is closed
	Closed  bool      // until a mailed link or an administrator opens it
	Lasting bool      // closed by a month's failures: no link opens it, only a new password
}

func (e *WaitError) Error() string {
	if e.Closed {
		return "the door is closed"
	}
	return "wait until " + e.Until.UTC().Format(time.RFC3339)
}

// Payment is a try that was counted before it was looked at. The zero
// Payment counts nowhere.
type Payment struct {
	Bucket throttle.Bucket
	Door   Door // zero where nothing can be closed
	Closes bool // the door, unless the try turns out to be right
}

// Pay counts a try before it is examined, so that two guesses made at once
// never share one payment. During a wait it gives a *WaitError and counts
// nothing. The count is committed by itself: no refusal undoes it.
func (s *Store) Pay(ctx context.Context, bucket throttle.Bucket, rule throttle.Rule, now time.Time) (Payment, error) {
	var paid Payment
	err := s.transaction(ctx, func(t *tx) (err error) {
		paid, err = t.pay(ctx, Try{bucket, rule}, now)
		return err
	})
	return paid, err
}

func (t *tx) pay(ctx context.Context, try Try, now time.Time) (Payment, error) {
	count, err := t.lockCount(ctx, try.Bucket, now)
	if err != nil {
		return Payment{}, err
	}
	switch state := try.Rule.State(count, now); {
	case state.Closed && try.Bucket.Lasting():
		return Payment{}, &WaitError{Closed: true, Lasting: true}
	case state != throttle.State{}:
		return Payment{}, waits(state)
	}
	return Payment{Bucket: try.Bucket}, t.keepCount(ctx, try.Bucket, try.Rule.Add(count, now), "")
}

// Waits gives a *WaitError where a try of this bucket has to wait, without
// counting one.
func (s *Store) Waits(ctx context.Context, bucket throttle.Bucket, rule throttle.Rule, now time.Time) error {
	count, err := scanCount(s.read.QueryRowContext(ctx,
		`SELECT failures, first_at, last_at, closed_at FROM throttle WHERE bucket = $1`, bucket))
	if err == ErrNotFound {
		return nil
	} else if err != nil {
		return fmt.Errorf("count of tries: %w", err)
	}
	return waits(rule.State(count, now))
}

// PayRequest is Pay for what strangers may ask for without proving anything. A
// request after which its network address has to wait is an event: the operator
// sees the flood, and no flood fills the record, for the waits double.
func (s *Store) PayRequest(ctx context.Context, by auth.Actor, bucket throttle.Bucket, rule throttle.Rule, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		count, err := t.lockCount(ctx, bucket, now)
		if err != nil {
			return err
		}
		if err := waits(rule.State(count, now)); err != nil {
			return err
		}
		count = rule.Add(count, now)
		if err := t.keepCount(ctx, bucket, count, ""); err != nil || waits(rule.State(count, now)) == nil {
			return err
		}
		return t.record(ctx, by, auth.EventRequestsHeld, "",
			fmt.Sprintf("%s: %d within %s", bucket.Kind(), count.Failures, rule.Window), now)
	})
}

func waits(state throttle.State) error {
	switch {
	case state.Closed:
		return &WaitError{Closed: true}
	case !state.Until.IsZero():
		return &WaitError{Until: state.Until}
	}
	return nil
}

// Refund takes back a payment for a try that turned out not to count here. A
// door that it closed was not closed.
func (s *Store) Refund(ctx context.Context, paid Payment) error {
	return s.transaction(ctx, func(t *tx) error { return t.refund(ctx, paid.Bucket) })
}

func (t *tx) refund(ctx context.Context, bucket throttle.Bucket) error {
	_, err := t.exec(ctx, `
		UPDATE throttle SET failures = failures - 1, closed_at = 0, user_id = NULL
		 WHERE bucket = $1 AND failures > 0`, bucket)
	return err
}

// clear forgets the failures of a bucket: somebody proved what it guards.
func (t *tx) clear(ctx context.Context, bucket throttle.Bucket) error {
	if bucket == "" {
		return nil
	}
	if _, err := t.exec(ctx, `DELETE FROM throttle WHERE bucket = $1`, bucket); err != nil {
		return fmt.Errorf("clear a count of tries: %w", err)
	}
	return nil
}

// settle closes the accounts after what was right: the failures in a row are
// forgotten, the month's count of wrong codes only loses the try that was right.
func (t *tx) settle(ctx context.Context, paid []Payment) error {
	for _, p := range paid {
		forget := t.clear
		if p.Bucket.Lasting() {
			forget = t.refund
		}
		if err := forget(ctx, p.Bucket); err != nil {
			return err
		}
	}
	return nil
}

// owesNewPassword tells whether so many wrong codes came in a month that the
// password must be taken for known to somebody else.
func (t *tx) owesNewPassword(ctx context.Context, user auth.UserID, now time.Time) (bool, error) {
	count, err := scanCount(t.QueryRowContext(ctx,
		`SELECT failures, first_at, last_at, closed_at FROM throttle WHERE bucket = $1`, throttle.CodesThisMonth(string(user))))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("wrong codes of %s: %w", user, err)
	}
	return t.store.rules.CodesThisMonth.State(count, now).Closed, nil
}

// lockCount reads a count and keeps others from changing it. Where there is no
// row to lock it makes one, in the same statement: somebody may be forgetting it.
func (t *tx) lockCount(ctx context.Context, bucket throttle.Bucket, now time.Time) (throttle.Count, error) {
	count, err := scanCount(t.QueryRowContext(ctx, `
		INSERT INTO throttle (bucket, failures, first_at, last_at) VALUES ($1, 0, $2, $2)
		ON CONFLICT (bucket) DO UPDATE SET failures = throttle.failures
		RETURNING failures, first_at, last_at, closed_at`, bucket, millis(now)))
	if err != nil {
		return count, fmt.Errorf("count a try: %w", err)
	}
	return count, nil
}

// keepCount writes a count, and where it closes a door whose that is; "" for
// nobody's. The owner stands in the row of a closed door alone.
func (t *tx) keepCount(ctx context.Context, bucket throttle.Bucket, c throttle.Count, owner auth.UserID) error {
	known := sql.NullString{String: string(owner), Valid: owner != "" && !c.Closed.IsZero()}
	_, err := t.exec(ctx, `
		UPDATE throttle SET failures = $1, first_at = $2, last_at = $3, closed_at = $4, user_id = $5 WHERE bucket = $6`,
		c.Failures, millis(c.First), millis(c.Last), millis(c.Closed), known, bucket)
	if err != nil {
		return fmt.Errorf("count a try: %w", err)
	}
	return nil
}

func scanCount(r row) (c throttle.Count, err error) {
	var first, last, closed int64
	if err := r.Scan(&c.Failures, &first, &last, &closed); err != nil {
		return c, notFound(err)
	}
	c.First, c.Last, c.Closed = fromMillis(first), fromMillis(last), fromMillis(closed)
	if c.Failures == 0 {
		return throttle.Count{}, nil
	}
	return c, nil
}

// mayWriteTo counts a letter with a link to an address, and tells false when it
// had its share of the hour.
func (t *tx) mayWriteTo(ctx context.Context, canonical string, now time.Time) (bool, error) {
	return t.mayQueue(ctx, throttle.Letters(canonical), now)
}

// mayQueue counts a letter, and tells false when its bucket had its share.
func (t *tx) mayQueue(ctx context.Context, bucket throttle.Bucket, now time.Time) (bool, error) {
	return t.mayQueueBy(ctx, bucket, t.store.rules.Letters, now)
}

func (t *tx) mayQueueBy(ctx context.Context, bucket throttle.Bucket, rule throttle.Rule, now time.Time) (bool, error) {
	count, err := t.lockCount(ctx, bucket, now)
	if err != nil {
		return false, err
	}
	may := waits(rule.State(count, now)) == nil
	if may {
		count = rule.Add(count, now)
	}
	return may, t.keepCount(ctx, bucket, count, "") // kept as it was too: both take as long
}
