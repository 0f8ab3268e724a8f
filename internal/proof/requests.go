package proof

import (
	"context"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// PayRequest counts a request for a letter that strangers may ask for, before
// anything is written for it: by the network address, whichever the address of
// the letter is. During a wait it gives a *store.WaitError, and writes nothing.
func (e *Examiner) PayRequest(ctx context.Context, from From, kind throttle.Kind) error {
	bucket := e.requests(from, kind)
	if err := e.Store.Waits(ctx, bucket, e.Rules.Requests, from.Now); err != nil {
		return err
	}
	return e.Store.PayRequest(context.WithoutCancel(ctx), from.Actor, bucket, e.Rules.Requests, from.Now)
}

// TakeRequestBack undoes PayRequest where nothing was looked at.
func (e *Examiner) TakeRequestBack(ctx context.Context, from From, kind throttle.Kind) error {
	return e.TakeBack(ctx, store.Payment{Bucket: e.requests(from, kind)})
}

func (e *Examiner) requests(from From, kind throttle.Kind) throttle.Bucket {
	return throttle.Requests(kind, from.Network, e.Rules.BitsIPv6)
}
