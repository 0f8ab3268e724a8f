package proof

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Examiner examines tries. It is safe for concurrent use.
type Examiner struct {
	Store *store.Store
	Slots *slots.Slots // where passwords and recovery codes are hashed
	Cost  password.Cost
	Rules Rules

	VerifyLink store.Mailed // confirms the address of whoever began to sign up
	UnlockLink store.Mailed // opens a door that too many failures closed
}

// Rules say how often a thing may be tried.
type Rules struct {
	Password       throttle.Rule
	Code           throttle.Rule
	CodesThisMonth throttle.Rule
	Network        throttle.Rule
	BitsIPv6       int // of an IPv6 address, that are one network address
}

// From is where a try comes from, and when.
type From struct {
	Actor   auth.Actor
	Network netip.Addr
	Device  secret.Token // of a browser that has finished a login; zero for others
	Now     time.Time
}

// Password is a typed password that was looked at.
type Password struct {
	store.Credentials
	Right bool
	Paid  store.Payment
}

// Password waits for a slot, pays for the try and computes exactly one hash,
// whether or not anybody has the address. During a wait it gives a
// *store.WaitError, and a *slots.BusyError when too many are waiting: then
// nothing was looked at and nothing is counted.
func (e *Examiner) Password(ctx context.Context, from From, canonical, typed string) (p Password, err error) {
	undisturbed := context.WithoutCancel(ctx) // whoever hangs up has still tried
	busy := e.Slots.Do(ctx, func() { p, err = e.passwordInSlot(undisturbed, from, canonical, typed) })
	if busy != nil {
		return Password{}, busy
	}
	return p, err
}

// passwordInSlot pays inside the slot: right passwords that arrive together
// must not make one another wait.
func (e *Examiner) passwordInSlot(ctx context.Context, from From, canonical, typed string) (p Password, err error) {
	if err := e.Store.Waits(ctx, throttle.Network(from.Network, e.Rules.BitsIPv6), e.Rules.Network, from.Now); err != nil {
		return p, err
	}
	if p.Credentials, err = e.Store.Credentials(ctx, canonical, from.Now); err != nil {
		return p, err
	}
	bucket, err := e.passwordBucket(ctx, from, canonical, p.User.ID)
	if err != nil {
		return p, err
	}
	if p.Paid, err = e.Store.Pay(ctx, bucket, e.Rules.Password, from.Now); err != nil {
		return p, err
	}
	right, upgrade := e.Cost.Check(p.Hash.Reveal(), typed)
	p.Right = right
	switch {
	case !right:
		err = e.countNetwork(ctx, from)
	case upgrade && p.User.ID != "":
		err = e.upgrade(ctx, &p, typed)
	}
	return p, err
}

// passwordBucket counts the tries of a browser that has finished a login of
// this account apart from everybody else's: strangers cannot lock it out.
func (e *Examiner) passwordBucket(ctx context.Context, from From, canonical string, user auth.UserID) (throttle.Bucket, error) {
	if from.Device.IsZero() {
		return throttle.Password(canonical), nil
	}
	known, err := e.Store.KnowsDevice(ctx, from.Device.Hash(), user)
	if err != nil || !known {
		return throttle.Password(canonical), err
	}
	return throttle.PasswordFromDevice(from.Device.Hash()), nil
}

// upgrade replaces a hash that is older than today's rules, or foreign.
func (e *Examiner) upgrade(ctx context.Context, p *Password, typed string) error {
	upgraded := secret.Text(e.Cost.Hash(typed))
	if err := e.Store.UpgradeHash(ctx, p.User.ID, p.Hash, upgraded); err != nil {
		return err
	}
	p.Hash = upgraded
	return nil
}

// countNetwork counts a failure against where it came from. A wait that
// begins with it is for the next try to meet.
func (e *Examiner) countNetwork(ctx context.Context, from From) error {
	_, err := e.Store.Pay(ctx, throttle.Network(from.Network, e.Rules.BitsIPv6), e.Rules.Network, from.Now)
	var wait *store.WaitError
	if errors.As(err, &wait) {
		return nil
	}
	return err
}

// RefusePassword records a password that opened nothing, and does what only
// the owner of the mailbox will see: the letter that confirms an address,
// after a right password, and the one that opens a door this try closed.
func (e *Examiner) RefusePassword(ctx context.Context, from From, p Password) error {
	if p.Right && p.Signup.Canonical != "" {
		if err := e.Store.MailVerification(ctx, p.Signup, e.VerifyLink, from.Actor, from.Now); err != nil {
			return err
		}
	}
	if err := e.closeDoor(ctx, from, p.User, p.Paid); err != nil {
		return err
	}
	return e.Store.Record(ctx, from.Actor, auth.EventLoginRefused, p.User.ID, "", from.Now)
}

// closeDoor mails the owner when a failure has closed a door. Nobody is told
// where there is no owner.
func (e *Examiner) closeDoor(ctx context.Context, from From, u auth.User, paid ...store.Payment) error {
	for _, p := range paid {
		if p.Closes && !p.Bucket.Lasting() && u.ID != "" {
			return e.Store.MailUnlock(ctx, u, e.UnlockLink, from.Actor, from.Now)
		}
	}
	return nil
}

// Hash waits for a slot and hashes a password that was chosen. It gives a
// *slots.BusyError when too many are waiting.
func (e *Examiner) Hash(ctx context.Context, chosen string) (hash secret.Text, err error) {
	err = e.Slots.Do(ctx, func() { hash = secret.Text(e.Cost.Hash(chosen)) })
	return hash, err
}
