package proof

import (
	"context"

	"github.com/twinlock/twinlock/internal/throttle"
)

// MayRequest gives a *store.WaitError while a network address has to wait with
// requests of a kind, and counts none.
func (e *Examiner) MayRequest(ctx context.Context, from From, kind throttle.Kind) error {
	return e.Store.Waits(ctx, e.requests(from, kind), e.Rules.Requests, from.Now)
}

// PayRequest counts a request for a letter that strangers may ask for, before
// anything is written for it: by the network address, whichever the address of
// the letter is. During a wait it gives a *store.WaitError, and writes nothing.
func (e *Examiner) PayRequest(ctx context.Context, from From, kind throttle.Kind) error {
	if err := e.MayRequest(ctx, from, kind); err != nil {
		return err
	}
	return e.Store.PayRequest(context.WithoutCancel(ctx), from.Actor, e.requests(from, kind), e.Rules.Requests, from.Now)
}

func (e *Examiner) requests(from From, kind throttle.Kind) throttle.Bucket {
	return throttle.Requests(kind, from.Network, e.Rules.BitsIPv6)
}
