package oidc

import (
	"context"
	"errors"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store"
)

// longestLead is how long a new key is published before it signs, so that
// everybody who keeps our keys for a while has met it by then.
const longestLead = 24 * time.Hour

// lead is shorter where keys do not live long.
func (h *Flow) lead() time.Duration { return min(longestLead, h.Rules.SigningKey/2) }

// RotateKeys makes the next signing key of each algorithm in good time, and
// forgets the ones that nothing can have been signed with which still counts. It
// may be called at any time, and as often as one likes.
func (h *Flow) RotateKeys(ctx context.Context) error {
	now := h.Now()
	all, err := h.Store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	for _, a := range []auth.Algorithm{auth.ES256, auth.RS256} {
		if err := h.rotate(ctx, a, ofAlgorithm(all, a), now); err != nil {
			return err
		}
	}
	return nil
}

// NewKeys makes a new key of each algorithm that is in use. It signs after its
// lead; at once where the old ones may be in other hands, and then those are
// forgotten: what they signed counts no longer.
func (h *Flow) NewKeys(ctx context.Context, by auth.Actor, atOnce bool) error {
	now := h.Now()
	all, err := h.Store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	for _, a := range []auth.Algorithm{auth.ES256, auth.RS256} {
		old := ofAlgorithm(all, a)
		if len(old) == 0 {
			continue
		}
		signs := now.Add(h.lead())
		if atOnce {
			signs = now
		}
		if err := h.addKey(ctx, by, a, signs, now); err != nil {
			return err
		}
		for _, k := range old {
			if !atOnce && !k.SignsAt.After(now) {
				continue // it signs until the new one does
			}
			if err := h.Store.DropSigningKey(ctx, k.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func ofAlgorithm(all []store.SigningKey, a auth.Algorithm) (of []store.SigningKey) {
	for _, k := range all {
		if k.Algorithm == a {
			of = append(of, k)
		}
	}
	return of
}

// rotate looks after the keys of one algorithm, the ones that sign latest last.
func (h *Flow) rotate(ctx context.Context, a auth.Algorithm, of []store.SigningKey, now time.Time) error {
	if len(of) == 0 {
		return nil
	}
	last := of[len(of)-1]
	ends := last.SignsAt.Add(h.Rules.SigningKey)
	if soon := now.Add(h.lead()); !last.SignsAt.After(now) && !ends.After(soon) {
		if err := h.followKey(ctx, last.ID, a, soon, now); err != nil {
			return err
		}
	}
	for i, k := range of[:len(of)-1] {
		if retired := of[i+1].SignsAt; now.After(retired.Add(h.Rules.Hint)) {
			if err := h.Store.DropSigningKey(ctx, k.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *Flow) addKey(ctx context.Context, by auth.Actor, a auth.Algorithm, signs, now time.Time) error {
	made, err := keys.NewSigning(a)
	if err != nil {
		return err
	}
	return h.Store.AddSigningKey(ctx, by, made, signs, now)
}

// followKey makes the key that comes after another, unless another server has.
func (h *Flow) followKey(ctx context.Context, last string, a auth.Algorithm, signs, now time.Time) error {
	made, err := keys.NewSigning(a)
	if err != nil {
		return err
	}
	err = h.Store.FollowSigningKey(ctx, auth.Actor{}, made, last, signs, now)
	if errors.Is(err, store.ErrSpent) {
		return nil
	}
	return err
}
