package proof

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/hashing"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Examiner examines tries. It is safe for concurrent use.
type Examiner struct {
	Store  *store.Store
	Slots  *slots.Slots // where passwords and recovery codes are hashed
	Hasher hashing.Hasher
	Cost   password.Cost
	Rules  Rules

	Passkeys PasskeyParty // nil where none can work: then none is asked for

	VerifyLink store.Mailed // confirms the address of whoever began to sign up
	UnlockLink store.Mailed // opens a door that too many failures closed
}

// Rules say how often a thing may be tried.
type Rules struct {
	Password       throttle.Rule
	Code           throttle.Rule
	CodesThisMonth throttle.Rule
	Network        throttle.Rule
	Requests       throttle.Rule
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

// Password waits for its turn, pays for the try and computes exactly one hash,
// whether or not anybody has the address. During a wait it gives a
// *store.WaitError, and a *slots.BusyError when too many are waiting: then
// nothing was looked at and nothing is counted.
func (e *Examiner) Password(ctx context.Context, from From, canonical, typed string) (Password, error) {
	return e.password(ctx, from, canonical, typed, func(p Password) bool { return p.User.State == auth.Active })
}

// SignupPassword is Password for whoever confirms a sign-up: there a right
// password of the sign-up is no failure.
func (e *Examiner) SignupPassword(ctx context.Context, from From, canonical, typed string) (Password, error) {
	return e.password(ctx, from, canonical, typed, func(p Password) bool { return p.Signup.Canonical != "" })
}

func (e *Examiner) password(ctx context.Context, from From, canonical, typed string, opens func(Password) bool) (p Password, err error) {
	undisturbed, end := Undisturbed(ctx) // whoever hangs up has still tried
	defer end()
	err = e.Slots.DoAround(ctx, func(inSlot func(func()) error) (err error) {
		p, err = e.passwordAround(undisturbed, inSlot, from, canonical, typed, opens)
		return err
	})
	return p, err
}

// passwordAround pays right before the hash and settles right after it: right
// passwords that arrive together must not make one another wait, nor wrong ones
// from one place all be examined before the first is counted. What opens nothing
// counts against the network address, were it right: an address that somebody
// signed up with, and one that is disabled, must cost what an unknown one does.
func (e *Examiner) passwordAround(ctx context.Context, inSlot func(func()) error, from From, canonical, typed string, opens func(Password) bool) (p Password, err error) {
	if p.Credentials, err = e.Store.Credentials(ctx, canonical, from.Now); err != nil {
		return p, err
	}
	known, err := e.mayTry(ctx, from, p.User.ID)
	if err != nil {
		return p, err
	}
	if p.Paid, err = e.payForPassword(ctx, from, p.User, canonical, known); err != nil {
		return p, err
	}
	var upgrade bool
	var upgraded string
	err = hashed(inSlot, func() (err error) {
		p.Right, upgrade, err = e.Hasher.Check(e.Cost, p.Hash.Reveal(), typed)
		if upgrade && p.User.ID != "" && opens(p) {
			upgraded, _ = e.Hasher.Hash(e.Cost, typed) // or at the next login: the password is right
		}
		return err
	})
	switch {
	case err != nil: // it was not looked at
		return Password{}, errors.Join(err, e.TakeBack(ctx, p.Paid))
	case !p.Right || !opens(p):
		err = e.countNetwork(ctx, from, known)
	case upgraded != "":
		err = e.upgrade(ctx, &p, secret.Text(upgraded))
	}
	return p, err
}

// payForPassword counts the try before it is examined. A browser that is known
// has a door of its own.
func (e *Examiner) payForPassword(ctx context.Context, from From, owner auth.User, canonical string, known bool) (store.Payment, error) {
	door := store.Door{Bucket: throttle.Password(canonical), Rule: e.Rules.Password,
		Canonical: canonical, Owner: owner, Unlock: e.UnlockLink}
	if known {
		door.Bucket = throttle.PasswordFromDevice(from.Device.Hash())
	}
	paid, err := e.Store.PayAtDoor(ctx, door, nil, from.Actor, from.Now)
	if err != nil {
		return store.Payment{}, err
	}
	return paid[0], nil
}

// mayTry tells whether this browser has finished a login of the account: then
// its failures count for it alone, and no stranger or neighbour can lock its
// owner out. Others are refused with a *store.WaitError while their network
// address has to wait.
func (e *Examiner) mayTry(ctx context.Context, from From, user auth.UserID) (known bool, err error) {
	known, err = e.knows(ctx, from, user)
	if err != nil || known {
		return known, err
	}
	return false, e.Store.Waits(ctx, throttle.Network(from.Network, e.Rules.BitsIPv6), e.Rules.Network, from.Now)
}

// knows tells whether this browser has finished a login of the account. One that
// carries a token is asked for by the same query whoever has the address.
func (e *Examiner) knows(ctx context.Context, from From, user auth.UserID) (bool, error) {
	if from.Device.IsZero() {
		return false, nil
	}
	return e.Store.KnowsDevice(ctx, from.Device.Hash(), user)
}

// upgrade replaces a hash that is older than today's rules, or foreign.
func (e *Examiner) upgrade(ctx context.Context, p *Password, upgraded secret.Text) error {
	if err := e.Store.UpgradeHash(ctx, p.User.ID, p.Hash, upgraded); err != nil {
		return err
	}
	p.Hash = upgraded
	return nil
}

// countNetwork counts a failure against where it came from, unless the browser
// is known and counts for itself. A wait that begins with it is for the next
// try to meet.
func (e *Examiner) countNetwork(ctx context.Context, from From, known bool) error {
	if known {
		return nil
	}
	_, err := e.Store.Pay(ctx, throttle.Network(from.Network, e.Rules.BitsIPv6), e.Rules.Network, from.Now)
	return unlessItWaits(err)
}

// unlessItWaits leaves out that a wait begins or goes on.
func unlessItWaits(err error) error {
	var wait *store.WaitError
	if errors.As(err, &wait) {
		return nil
	}
	return err
}

// RefusePassword records a password that opened nothing, and does what only
// the owner of the mailbox will see: the letter that confirms an address,
// after a right password, and the one that opens a door this try closed.
// Whoever hangs up is refused all the same.
func (e *Examiner) RefusePassword(ctx context.Context, from From, p Password) error {
	refused := store.Refused{Kind: auth.EventLoginRefused, User: p.User.ID, Paid: []store.Payment{p.Paid}, Verify: e.VerifyLink}
	if p.Right {
		refused.Signup = p.Signup
	}
	ctx, end := Undisturbed(ctx)
	defer end()
	return e.Store.Refuse(ctx, from.Actor, refused, from.Now)
}

// Hash waits for a slot and hashes a password that was chosen. It gives a
// *slots.BusyError when too many are waiting.
func (e *Examiner) Hash(ctx context.Context, chosen string) (secret.Text, error) {
	var hash string
	err := e.hashed(ctx, func() (err error) {
		hash, err = e.Hasher.Hash(e.Cost, chosen)
		return err
	})
	return secret.Text(hash), err
}

// HashCodes is Hash for new recovery codes.
func (e *Examiner) HashCodes(ctx context.Context, codes []recovery.Code) (set recovery.Set, err error) {
	err = e.hashed(ctx, func() (err error) {
		set, err = e.Hasher.HashCodes(e.Cost, codes)
		return err
	})
	return set, err
}

func (e *Examiner) hashed(ctx context.Context, work func() error) error {
	return hashed(func(work func()) error { return e.Slots.Do(ctx, work) }, work)
}

// hashAgain is when to ask again for what a process did not hash because it ended.
const hashAgain = time.Second

// hashed runs work in a slot. Where the process that hashes ended, it was too busy.
func hashed(inSlot func(func()) error, work func() error) (err error) {
	notRun := inSlot(func() { err = work() })
	if errors.Is(err, hashing.ErrEnded) {
		err = errors.Join(&slots.BusyError{RetryAfter: hashAgain}, err)
	}
	return errors.Join(notRun, err)
}
