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
)

// Code is a typed code that was looked at.
type Code struct {
	Verdict Verdict
	Claim   store.CodeClaim // what is to be spent, where the verdict is Right
	Left    int             // recovery codes, the one just typed included
	Paid    []store.Payment
}

// Code pays for the try and finds out what was typed: six digits are a code
// of the authenticator, sixteen letters and digits a recovery code. A right
// one is not spent yet: that is for the transaction it is good for. During a
// wait it gives a *store.WaitError. An account whose key cannot be read is
// store.ErrFactorUnreadable, and recorded for the administrator.
func (e *Examiner) Code(ctx context.Context, from From, u auth.User, typed string) (c Code, err error) {
	digits, isDigits := totp.Clean(typed)
	letters, isLetters := recovery.Clean(typed)
	if !isDigits && !isLetters {
		return Code{Verdict: Missing}, nil
	}
	if c.Paid, err = e.payForCode(ctx, from, u); err != nil {
		return c, err
	}
	if isDigits {
		err = e.matchDigits(ctx, from, u, digits, &c)
	} else {
		err = e.matchRecovery(ctx, u, letters, &c)
	}
	if err != nil {
		return c, errors.Join(err, e.TakeBack(ctx, c.Paid...)) // it was not looked at
	}
	return c, nil
}

// TakeBack undoes what was paid for tries that turned out not to count,
// whether or not whoever made them still waits for an answer.
func (e *Examiner) TakeBack(ctx context.Context, paid ...store.Payment) error {
	ctx = context.WithoutCancel(ctx)
	for _, p := range paid {
		if err := e.Store.Refund(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// payForCode counts the try twice: among the failures in a row, which a right
// code ends, and among the month's, which it does not.
func (e *Examiner) payForCode(ctx context.Context, from From, u auth.User) ([]store.Payment, error) {
	if err := e.Store.Waits(ctx, throttle.Network(from.Network, e.Rules.BitsIPv6), e.Rules.Network, from.Now); err != nil {
		return nil, err
	}
	month, err := e.Store.Pay(ctx, throttle.CodesThisMonth(string(u.ID)), e.Rules.CodesThisMonth, from.Now)
	if err != nil {
		return nil, err
	}
	row, err := e.Store.Pay(ctx, throttle.Code(string(u.ID)), e.Rules.Code, from.Now)
	if err != nil {
		return nil, errors.Join(err, e.TakeBack(ctx, month)) // it will not be looked at
	}
	return []store.Payment{row, month}, nil
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
	if err := e.Slots.Do(ctx, func() { position, ok = set.Hashes.Match(letters) }); err != nil {
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
// spent counts nowhere: its owner only typed it twice.
func (e *Examiner) RefuseCode(ctx context.Context, from From, u auth.User, c Code) error {
	switch c.Verdict {
	case Missing:
		return nil
	case Spent:
		if err := e.TakeBack(ctx, c.Paid...); err != nil {
			return err
		}
	default:
		if err := e.countNetwork(ctx, from); err != nil {
			return err
		}
		if err := e.closeDoor(ctx, from, u, c.Paid...); err != nil {
			return err
		}
	}
	return e.Store.Record(ctx, from.Actor, auth.EventCodeRefused, u.ID, string(c.Verdict), from.Now)
}
