package proof

import (
	"context"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// PayRequest counts a request for a letter that strangers may ask for, before
// anything is written for it: by the network address, whichever the address of
// the letter is. During a wait it gives a *store.WaitError, and writes nothing.
func (e *Examiner) PayRequest(ctx context.Context, from From, kind throttle.Kind) error {
	return e.payRequest(ctx, from, e.requests(from, kind), e.Rules.Requests)
}

// PayReset is PayRequest for a new password. Where a browser has finished
// a login of the account, the account pays, and no neighbour can keep its owner
// waiting; not the browser, since each login could make another.
func (e *Examiner) PayReset(ctx context.Context, from From, user auth.UserID) error {
	known, err := e.knows(ctx, from, user)
	if err != nil {
		return err
	}
	bucket := e.requests(from, throttle.ResetRequests)
	if known {
		bucket = throttle.OwnRequests(throttle.ResetRequests, string(user))
	}
	return e.payRequest(ctx, from, bucket, e.Rules.Requests)
}

// PayNewAddress is PayRequest for the letter to an address that the actor wants
// to change to. The account pays, as much as a network address may fail, from
// wherever it asks: the addresses may be made up.
func (e *Examiner) PayNewAddress(ctx context.Context, from From) error {
	return e.payRequest(ctx, from, throttle.NewAddress(string(from.Actor.User.ID)), e.Rules.Network)
}

func (e *Examiner) payRequest(ctx context.Context, from From, bucket throttle.Bucket, rule throttle.Rule) error {
	if err := e.Store.Waits(ctx, bucket, rule, from.Now); err != nil {
		return err
	}
	ctx, end := Undisturbed(ctx)
	defer end()
	return e.Store.PayRequest(ctx, from.Actor, bucket, rule, from.Now)
}

// TakeRequestBack undoes PayRequest where nothing was looked at.
func (e *Examiner) TakeRequestBack(ctx context.Context, from From, kind throttle.Kind) error {
	return e.TakeBack(ctx, store.Payment{Bucket: e.requests(from, kind)})
}

func (e *Examiner) requests(from From, kind throttle.Kind) throttle.Bucket {
	return throttle.Requests(kind, from.Network, e.Rules.BitsIPv6)
}
