package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Door is what failures in a row close: the password or the code of an
// address, whether or not anybody has it.
type Door struct {
	Bucket    throttle.Bucket
	Rule      throttle.Rule
	Canonical string    // the address that is guessed at
	Owner     auth.User // zero where nobody has it
	Unlock    Mailed    // the link that opens it
}

// Try is one count that a try is paid into.
type Try struct {
	Bucket throttle.Bucket
	Rule   throttle.Rule
}

// PayAtDoor counts a try as Pay does, at a door and wherever else it counts,
// or nowhere: the payments come in the order of the arguments. A closed door
// stays closed until it is opened. Whoever tries it is refused, and its owner
// may get another letter; the work is the same where it has no owner.
func (s *Store) PayAtDoor(ctx context.Context, d Door, also []Try, by auth.Actor, now time.Time) (paid []Payment, err error) {
	closed := false
	err = s.transaction(ctx, func(t *tx) error {
		count, err := t.lockCount(ctx, d.Bucket, now)
		if err != nil {
			return err
		}
		state := d.Rule.State(count, now)
		closed = state.Closed
		if err := waits(state); err != nil {
			return err
		}
		count = d.Rule.Add(count, now)
		paid = []Payment{{Bucket: d.Bucket, Door: d, Closes: !count.Closed.IsZero()}}
		if err := t.keepCount(ctx, d.Bucket, count, d.Owner.ID); err != nil {
			return err
		}
		more, err := t.payAlso(ctx, also, now)
		paid = append(paid, more...)
		return err
	})
	if err != nil {
		paid = nil
	}
	if closed {
		if err := s.MailUnlock(ctx, d, by, now); err != nil {
			return nil, err
		}
	}
	return paid, err
}

func (t *tx) payAlso(ctx context.Context, also []Try, now time.Time) (paid []Payment, err error) {
	for _, try := range also {
		p, err := t.pay(ctx, try, now)
		if err != nil {
			return nil, err
		}
		paid = append(paid, p)
	}
	return paid, nil
}

// Refused is a try that opened nothing.
type Refused struct {
	Kind   auth.EventKind
	User   auth.UserID // "" for nobody
	Detail string
	Paid   []Payment
	Signup auth.Signup // set where the letter that confirms its address goes once more
	Verify Mailed
}

// Refuse records a try that opened nothing, and does what only the owner of the
// mailbox will see: the letter that confirms an address, and the one that opens
// a door which this try closed. It is one transaction whoever the owner is, and
// where there is none.
func (s *Store) Refuse(ctx context.Context, by auth.Actor, r Refused, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		if err := t.mailSignupOf(ctx, by, r, now); err != nil {
			return err
		}
		for _, p := range r.Paid {
			if !p.Closes {
				continue
			}
			if err := t.mailUnlock(ctx, p.Door, by, now); err != nil {
				return err
			}
			if err := t.record(ctx, by, auth.EventDoorClosed, r.User, string(p.Bucket.Kind()), now); err != nil {
				return err
			}
		}
		return t.record(ctx, by, r.Kind, r.User, r.Detail, now)
	})
}

// unlockLetters is how many letters with the link that opens a door one address
// gets. The number is fixed: more would let strangers fill a mailbox.
var unlockLetters = throttle.Rule{Free: 1, CloseAfter: 1, Window: time.Hour}

// mailSignupOf mails the link of a sign-up whose password was right. After any
// other password it runs as many statements: whoever signs up with somebody's
// address, and then logs in, must not measure whether it has an account.
func (t *tx) mailSignupOf(ctx context.Context, by auth.Actor, r Refused, now time.Time) error {
	if r.Signup.Canonical != "" { // then the doors are nobody's
		err := t.lockAddress(ctx, r.Signup.Canonical)
		if err == nil {
			err = t.mailVerification(ctx, by, r.Signup, r.Verify, now)
		}
		if errors.Is(err, ErrSpent) { // confirmed or begun afresh meanwhile
			return nil
		}
		return err
	}
	if r.Verify.Path == nil {
		return nil // a code: there the account is known
	}
	statements := 2 + verificationStatements // the count, read and kept
	if t.store.postgres {
		statements++ // the lock of the address
	}
	return t.feign(ctx, statements)
}

// unlockStatements is how many statements write the link that opens a door, its
// letter, and whose the door is.
const unlockStatements = 3

// MailUnlock mails the owner of a closed door the link that opens it, unless
// one went in the hour before. For a door without an owner the same is counted.
func (s *Store) MailUnlock(ctx context.Context, d Door, by auth.Actor, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error { return t.mailUnlock(ctx, d, by, now) })
}

// mailUnlock voids no link that was mailed before: a stranger who tries again
// must not take it from the owner.
func (t *tx) mailUnlock(ctx context.Context, d Door, by auth.Actor, now time.Time) error {
	u, err := t.lockUser(ctx, d.Owner.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	count, err := t.lockCount(ctx, d.Bucket, now)
	if err != nil || !d.Rule.State(count, now).Closed {
		return err // opened meanwhile
	}
	may, err := t.mayQueueBy(ctx, throttle.UnlockLetters(d.Canonical), unlockLetters, now)
	switch {
	case err != nil:
		return err
	case !may || u.State != auth.Active || !u.HasPassword:
		return t.feign(ctx, unlockStatements)
	}
	if err := t.ownDoor(ctx, d.Bucket, u.ID); err != nil {
		return err
	}
	link := Link{Purpose: LinkUnlock, User: u.ID, Address: u.Address, Canonical: u.Canonical,
		Generation: u.Generation, Expires: now.Add(d.Unlock.Life)}
	token, err := t.insertLink(ctx, link, now)
	if err != nil {
		return err
	}
	letter := noticeTo(u, auth.LetterUnlock, by, now)
	letter.Values.Link, letter.Values.Until = d.Unlock.Path(token), link.Expires
	if d.Bucket.Kind() == throttle.Codes { // they come after a right password
		letter.Values.Wrong = count.Failures
	}
	return t.queue(ctx, letter, now)
}

// ownDoor keeps whose a closed door is, where it was closed before anybody had
// the address, or by an older version of the program.
func (t *tx) ownDoor(ctx context.Context, bucket throttle.Bucket, owner auth.UserID) error {
	_, err := t.exec(ctx, `
		UPDATE throttle SET user_id = $1, closed_at = CASE WHEN closed_at = 0 THEN last_at ELSE closed_at END
		 WHERE bucket = $2 AND user_id IS NULL`, owner, bucket)
	if err != nil {
		return fmt.Errorf("own a closed door: %w", err)
	}
	return nil
}

// Unlock opens the doors of an account that failures closed, and changes
// nothing else. A link that does not work any more is ErrSpent.
func (s *Store) Unlock(ctx context.Context, by auth.Actor, token secret.Hash, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		_, u, err := t.useLink(ctx, token, LinkUnlock, now)
		if err != nil {
			return err
		}
		if err := t.openDoors(ctx, u.ID, u.Canonical, now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventDoorOpened, u.ID, "by a mailed link", now)
	})
}

// OpenDoors opens a person's doors that failures closed, on the word of whoever
// administers. The person is told. Where nobody failed nothing happens.
func (s *Store) OpenDoors(ctx context.Context, by auth.Actor, id auth.UserID, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		u, err := t.lockUser(ctx, id)
		if err != nil {
			return err
		}
		if failed, err := t.hasFailed(ctx, id, u.Canonical); err != nil || !failed {
			return err
		}
		if err := t.openDoors(ctx, id, u.Canonical, now); err != nil {
			return err
		}
		if err := t.queue(ctx, actOn(u, auth.LetterLoginOpened, by, now), now); err != nil {
			return err
		}
		return t.record(ctx, by, auth.EventDoorOpened, id, "", now)
	})
}

// openDoors forgets the failures in a row of an account's password and code,
// those of the browsers it is known in as well: whoever opened the door by mail
// comes back with one of them. Links that would open them again are void.
func (t *tx) openDoors(ctx context.Context, user auth.UserID, canonical string, now time.Time) error {
	buckets, err := t.doorsOf(ctx, user, canonical)
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if err := t.clear(ctx, bucket); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `DELETE FROM throttle WHERE user_id = $1`, user); err != nil {
		return fmt.Errorf("open the doors of %s: %w", user, err)
	}
	return t.voidLinks(ctx, user, LinkUnlock, now)
}

// doorsOf are the doors of an account, whether or not anybody failed at them.
func (t *tx) doorsOf(ctx context.Context, user auth.UserID, canonical string) ([]throttle.Bucket, error) {
	devices, err := list(ctx, t, scanHash, `SELECT token_hash FROM devices WHERE user_id = $1`, user)
	if err != nil {
		return nil, fmt.Errorf("devices of %s: %w", user, err)
	}
	buckets := []throttle.Bucket{throttle.Password(canonical), throttle.Code(string(user))}
	for _, device := range devices {
		buckets = append(buckets, throttle.PasswordFromDevice(device))
	}
	return buckets, nil
}

// hasFailed tells whether there is anything that openDoors would forget.
func (t *tx) hasFailed(ctx context.Context, user auth.UserID, canonical string) (bool, error) {
	buckets, err := t.doorsOf(ctx, user, canonical)
	if err != nil {
		return false, err
	}
	for _, bucket := range buckets {
		var n int
		err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM throttle WHERE failures > 0 AND (bucket = $1 OR user_id = $2)`, bucket, user).Scan(&n)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

func scanHash(r row) (h secret.Hash, err error) { return h, r.Scan(&h) }

// moveDoor takes the failures at an account's password along to its new
// address, and forgets what was tried there while nobody had it. Whoever tries
// it now waits.
func (t *tx) moveDoor(ctx context.Context, from, to throttle.Bucket, now time.Time) error {
	if _, err := t.lockCount(ctx, to, now); err != nil {
		return err
	}
	n, err := t.exec(ctx, `
		UPDATE throttle SET failures = f.failures, first_at = f.first_at, last_at = f.last_at,
		       closed_at = f.closed_at, user_id = f.user_id
		  FROM throttle f WHERE throttle.bucket = $1 AND f.bucket = $2`, to, from)
	if err != nil {
		return fmt.Errorf("move a door: %w", err)
	}
	if n == 0 {
		return t.clear(ctx, to)
	}
	return t.clear(ctx, from)
}

// ClosedDoor is a door of somebody's that failures closed.
type ClosedDoor struct {
	Kind  throttle.Kind
	Since time.Time
}

// ClosedDoors lists what of a person's is closed, the oldest first.
func (s *Store) ClosedDoors(ctx context.Context, user auth.UserID) ([]ClosedDoor, error) {
	doors, err := list(ctx, s.read, scanClosedDoor,
		`SELECT bucket, closed_at FROM throttle WHERE user_id = $1 AND closed_at > 0 ORDER BY closed_at, bucket`, user)
	if err != nil {
		return nil, fmt.Errorf("closed doors of %s: %w", user, err)
	}
	return doors, nil
}

func scanClosedDoor(r row) (d ClosedDoor, err error) {
	var bucket throttle.Bucket
	var since int64
	err = r.Scan(&bucket, &since)
	d.Kind, d.Since = bucket.Kind(), fromMillis(since)
	return d, err
}
