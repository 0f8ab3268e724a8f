package proof

import (
	"context"
	"errors"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/totp"
)

// Verdict is what a typed code turned out to be.
type Verdict string

const (
	Right   Verdict = "right"
	Wrong   Verdict = "wrong"
	Spent   Verdict = "spent"
	Missing Verdict = "missing" // nothing was typed, or nothing that could be a code: not counted

	NotTaken Verdict = "passkey not taken"
	Over     Verdict = "over" // the page asked for a passkey too long ago, or another request answered it
)

// IsOfPasskey tells that it was a passkey, which has no field, that was refused.
func (v Verdict) IsOfPasskey() bool { return v == NotTaken || v == Over }

// Code is a typed code that was looked at.
type Code struct {
	Verdict Verdict
	Claim   store.CodeClaim // what is to be spent, where the verdict is Right
	Left    int             // recovery codes, the one just typed included
	Paid    []store.Payment
	known   bool // the browser: it counts for itself
	passkey *Passkey
}

// WhenSpent is what a right code is that another request was faster with. A page
// whose passkey was answered twice is over.
func (c Code) WhenSpent() Verdict {
	if c.Claim.Passkey != "" {
		return Over
	}
	return Spent
}

// Code pays for the try and finds out what was typed: six digits are a code
// of the authenticator, sixteen letters and digits a recovery code. A right
// one is not spent yet: that is for the transaction it is good for. During a
// wait it gives a *store.WaitError. An account whose key cannot be read is
// store.ErrFactorUnreadable, and recorded for the administrator.
func (e *Examiner) Code(ctx context.Context, from From, u auth.User, typed string) (Code, error) {
	return e.code(ctx, from, u, typed, throttle.CodesThisMonth(string(u.ID)), e.matchDigits)
}

// RecoveryCode is Code for whoever has no authenticator app that counts: six
// digits are a wrong code, whatever app they come from.
func (e *Examiner) RecoveryCode(ctx context.Context, from From, u auth.User, typed string) (Code, error) {
	return e.code(ctx, from, u, typed, throttle.CodesThisMonth(string(u.ID)), matchNone)
}

func matchNone(_ context.Context, _ From, _ auth.User, _ string, c *Code) error {
	c.Verdict = Wrong
	return nil
}

// CodeByLetter is Code for whoever shows a mailed link in place of the
// password. The month's wrong codes beside the password do not count here: they
// would keep the owner from the new password that they ask for.
func (e *Examiner) CodeByLetter(ctx context.Context, from From, u auth.User, typed string) (Code, error) {
	return e.code(ctx, from, u, typed, throttle.CodesByLetter(string(u.ID)), e.matchDigits)
}

// RecoveryCodeByLetter is CodeByLetter for whoever has no authenticator app that
// counts.
func (e *Examiner) RecoveryCodeByLetter(ctx context.Context, from From, u auth.User, typed string) (Code, error) {
	return e.code(ctx, from, u, typed, throttle.CodesByLetter(string(u.ID)), matchNone)
}

// matcher finds out what six digits are.
type matcher func(ctx context.Context, from From, u auth.User, digits string, c *Code) error

func (e *Examiner) code(ctx context.Context, from From, u auth.User, typed string, month throttle.Bucket, match matcher) (c Code, err error) {
	digits, isDigits := totp.Clean(typed)
	letters, isLetters := recovery.Clean(typed)
	if !isDigits && !isLetters {
		return Code{Verdict: Missing}, nil
	}
	if c.known, err = e.mayTry(ctx, from, u.ID); err != nil {
		return c, err
	}
	if c.Paid, err = e.payForCode(ctx, from, u, month); err != nil {
		return c, err
	}
	if isDigits {
		err = match(ctx, from, u, digits, &c)
	} else {
		err = e.matchRecovery(ctx, u, letters, &c)
	}
	if err != nil {
		return c, errors.Join(err, e.TakeBack(ctx, c.Paid...)) // it was not looked at
	}
	return c, nil
}

// CodeDoor is what wrong codes in a row close.
func (e *Examiner) CodeDoor(u auth.User) store.Door {
	return store.Door{Bucket: throttle.Code(string(u.ID)), Rule: e.Rules.Code,
		Canonical: u.Canonical, Owner: u, Unlock: e.UnlockLink}
}

// payForCode counts the try twice, or not at all: among the failures in a row,
// which a right code ends, and among the month's, which it does not. Whoever
// hangs up has still tried.
func (e *Examiner) payForCode(ctx context.Context, from From, u auth.User, month throttle.Bucket) ([]store.Payment, error) {
	also := []store.Try{{Bucket: month, Rule: e.Rules.CodesThisMonth}}
	ctx, end := Undisturbed(ctx)
	defer end()
	return e.Store.PayAtDoor(ctx, e.CodeDoor(u), also, from.Actor, from.Now)
}

// TakeBack undoes what was paid for tries that turned out not to count,
// whether or not whoever made them still waits for an answer.
func (e *Examiner) TakeBack(ctx context.Context, paid ...store.Payment) error {
	ctx, end := Undisturbed(ctx)
	defer end()
	for _, p := range paid {
		if err := e.Store.Refund(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (e *Examiner) matchDigits(ctx context.Context, from From, u auth.User, digits string, c *Code) error {
	authenticators, err := e.Store.Authenticators(ctx, u.ID)
	if errors.Is(err, store.ErrFactorUnreadable) {
		return errors.Join(err, e.Store.Record(ctx, from.Actor, auth.EventFactorUnreadable, u.ID, "", from.Now))
	} else if err != nil {
		return err
	}
	c.Verdict = Wrong
	for _, a := range authenticators {
		step, ok := totp.Match(a.Key, digits, from.Now)
		switch {
		case ok && step > a.LastStep:
			c.Verdict, c.Claim = Right, store.CodeClaim{Authenticator: a.ID, Step: step}
			return nil
		case ok:
			c.Verdict = Spent
		}
	}
	return nil
}

func (e *Examiner) matchRecovery(ctx context.Context, u auth.User, letters string, c *Code) error {
	set, err := e.Store.RecoverySet(ctx, u.ID)
	if errors.Is(err, store.ErrNotFound) {
		c.Verdict = Wrong
		return nil
	} else if err != nil {
		return err
	}
	var position int
	var ok bool
	err = e.hashed(ctx, func() (err error) {
		position, ok, err = e.Hasher.MatchCode(set.Hashes, letters)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case !ok:
		c.Verdict = Wrong
	case !set.Used[position].IsZero():
		c.Verdict = Spent
	default:
		c.Verdict, c.Left = Right, set.Left()
		c.Claim = store.CodeClaim{Recovery: true, Position: position}
	}
	return nil
}

// RefuseCode settles a code that was not taken. A wrong one is counted against
// the network address too, and may close the door. One that was right and is
// spent counts nowhere: its owner only typed it twice. An answer of a passkey that
// was looked at counts as RefusePasskey says. Whoever hangs up is refused all the
// same.
func (e *Examiner) RefuseCode(ctx context.Context, from From, u auth.User, c Code) error {
	ctx, end := Undisturbed(ctx)
	defer end()
	refused := store.Refused{Kind: auth.EventCodeRefused, User: u.ID, Detail: string(c.Verdict), Paid: c.Paid}
	var err error
	switch c.Verdict {
	case Missing:
		return nil
	case Over:
		return e.countShown(ctx, from, c.passkey)
	case NotTaken:
		if err := e.RefusePasskey(ctx, from, *c.passkey); !errors.Is(err, store.ErrSpent) {
			return err
		}
		return nil
	case Spent:
		refused.Paid, err = nil, e.TakeBack(ctx, c.Paid...)
	default:
		err = e.countNetwork(ctx, from, c.known)
	}
	if err != nil {
		return err
	}
	return e.Store.Refuse(ctx, from.Actor, refused, from.Now)
}
