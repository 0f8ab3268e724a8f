package proof

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// PasskeyParty is this site as passkeys know it, as far as answers are examined.
type PasskeyParty interface {
	Domain() string
	Read(answer string) (auth.PasskeyShown, error)
	Check(answer string, c auth.Challenge, k auth.PasskeyKey, handle []byte, mustVerify bool) (auth.PasskeyProved, error)
}

// Asked is what a page asked a passkey, and what a right answer spends.
type Asked struct {
	Challenge auth.Challenge
	Ceremony  store.Ceremony

	BesidePassword bool // whoever answers has typed the right password
}

// Passkey is an answer that was looked at.
type Passkey struct {
	store.Passkey
	Owner   auth.User       // zero: nobody has it
	Claim   store.CodeClaim // what is to be spent; zero: it proved nothing
	Unknown []byte          // a passkey that nobody has, so that the browser may forget it

	asked       Asked
	countedBack bool
	known       bool // the browser: it counts for itself
}

// Right tells that it proved something.
func (p Passkey) Right() bool { return !p.Claim.IsZero() }

// SignIn examines the answer of somebody who has not said who they are: it must
// name its owner, and hold them to be who they are. During a wait of the network
// address, or of the browser where that is known, it gives a *store.WaitError. The
// account's own doors are neither paid nor asked: a passkey is not guessed, and
// whoever knows its name must lock nobody out.
//
// Whatever is wrong, and whether or not anybody has the passkey, the same work is
// done.
func (e *Examiner) SignIn(ctx context.Context, from From, asked Asked, answer string) (Passkey, error) {
	return e.passkey(ctx, from, "", asked, answer)
}

// Passkey examines the answer of one person's passkey in the code's place.
func (e *Examiner) Passkey(ctx context.Context, from From, u auth.User, asked Asked, answer string) (Code, error) {
	p, err := e.passkey(ctx, from, u.ID, asked, answer)
	if err != nil {
		return Code{}, err
	}
	if p.Owner.ID != u.ID { // what is refused is refused to whoever asks
		p.Owner, p.Passkey = u, store.Passkey{}
	}
	c := Code{Verdict: NotTaken, known: p.known, passkey: &p}
	if p.Right() {
		c.Verdict, c.Claim = Right, p.Claim
	}
	return c, nil
}

// passkey examines an answer of one person's passkey; of anybody's, who then has
// to be held to be who they are, where user is "".
func (e *Examiner) passkey(ctx context.Context, from From, user auth.UserID, asked Asked, answer string) (p Passkey, err error) {
	p.asked = asked
	shown, unreadable := e.Passkeys.Read(answer)
	var handle []byte
	if p.Passkey, p.Owner, handle, err = e.Store.PasskeyBy(ctx, shown.Credential); errors.Is(err, store.ErrNotFound) {
		p.Unknown, err = shown.Credential, nil
	}
	if err == nil {
		p.known, err = e.mayShow(ctx, from, cmp.Or(user, p.Owner.ID))
	}
	if err != nil || unreadable != nil {
		return p, err
	}
	key, err := e.keyOf(ctx, from, p, user)
	if err != nil {
		return p, err
	}
	proved, wrong := e.Passkeys.Check(answer, asked.Challenge, key, handle, user == "")
	p.countedBack = wrong == nil && proved.CountedBack
	if wrong != nil || proved.CountedBack || !bytes.Equal(key.Credential, p.Key.Credential) {
		return p, nil
	}
	p.Claim = store.CodeClaim{
		Passkey: p.ID, Ceremony: asked.Ceremony, Count: int64(proved.Count), Synced: proved.Synced, Verified: proved.Verified,
	}
	return p, nil
}

// mayShow is mayTry for passkeys: a browser that is known waits for what it showed
// itself, and for no neighbour.
func (e *Examiner) mayShow(ctx context.Context, from From, user auth.UserID) (known bool, err error) {
	known, err = e.mayTry(ctx, from, user)
	if err == nil && known {
		err = e.Store.Waits(ctx, throttle.PasskeyFromDevice(from.Device.Hash()), e.Rules.Network, from.Now)
	}
	return known, err
}

// keyOf is what an answer is held to; the zero key where it can prove nothing: it
// is somebody else's, was made for another domain, or cannot be read, which is
// recorded for the administrator.
func (e *Examiner) keyOf(ctx context.Context, from From, p Passkey, user auth.UserID) (auth.PasskeyKey, error) {
	switch {
	case p.Owner.ID == "", user != "" && p.Owner.ID != user, p.Domain != e.Passkeys.Domain():
		return auth.PasskeyKey{}, nil
	case !p.Readable():
		return auth.PasskeyKey{}, e.Store.Record(ctx, from.Actor, auth.EventFactorUnreadable, p.Owner.ID, fmt.Sprintf("passkey %s", p.ID), from.Now)
	}
	return p.Key, nil
}

// RefusePasskey settles an answer that opened nothing: it is recorded, its
// challenge is spent, and it counts against the network address, or the browser
// that is known. store.ErrSpent where the same was answered before: it counts, for
// whoever sends one over and over has it examined as often, and nothing is told or
// recorded of it, for most often its owner pressed twice. Whoever hangs up is refused
// all the same.
func (e *Examiner) RefusePasskey(ctx context.Context, from From, p Passkey) error {
	ctx, end := Undisturbed(ctx)
	defer end()
	err := e.Store.RefusePasskey(ctx, from.Actor, store.RefusedPasskey{
		Owner: p.Owner, Passkey: p.ID, Name: p.Name, Ceremony: p.asked.Ceremony, CountedBack: p.countedBack,
		BesidePassword: p.asked.BesidePassword,
	}, from.Now)
	if err != nil && !errors.Is(err, store.ErrSpent) {
		return err
	}
	if uncounted := e.countShown(ctx, from, &p); uncounted != nil {
		return uncounted
	}
	return err
}

// LostPasskey counts an answer that was right and that another request was faster
// with, as RefusePasskey does one whose challenge is spent.
func (e *Examiner) LostPasskey(ctx context.Context, from From, p Passkey) error {
	ctx, end := Undisturbed(ctx)
	defer end()
	return e.countShown(ctx, from, &p)
}

// countShown counts an answer that was looked at; nil was not.
func (e *Examiner) countShown(ctx context.Context, from From, p *Passkey) error {
	switch {
	case p == nil:
		return nil
	case !p.known:
		return e.countNetwork(ctx, from, false)
	}
	_, err := e.Store.Pay(ctx, throttle.PasskeyFromDevice(from.Device.Hash()), e.Rules.Network, from.Now)
	return unlessItWaits(err)
}
