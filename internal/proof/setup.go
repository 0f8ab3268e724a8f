package proof

import (
	"context"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/totp"
)

// SetUpCode is a typed code that was held against a key on its way into use.
type SetUpCode struct {
	Verdict Verdict       // Right, Wrong or Missing
	Step    int64         // where the verdict is Right
	Drift   time.Duration // how far the phone's clock is off, where that is why the code is wrong; positive: ahead
	Paid    store.Payment
}

// SetUpCode pays for the try and tells whether the code was made with key,
// which is not in use yet. During a wait it gives a *store.WaitError.
//
// The tries are counted apart from those of a login. Whoever sets up sees the
// key, so there is nothing to guess, and a phone with a wrong clock must
// neither bring its owner nearer to a closed login nor to a new password. The
// count keeps a script from asking without end; it ends with a right code, and
// never closes, for no mailed link could open it.
func (e *Examiner) SetUpCode(ctx context.Context, from From, u auth.User, key totp.Key, typed string) (c SetUpCode, err error) {
	digits, ok := totp.Clean(typed)
	if !ok {
		return SetUpCode{Verdict: Missing}, nil
	}
	rule := e.Rules.Code
	rule.CloseAfter = 0
	if c.Paid, err = e.Store.Pay(ctx, throttle.SetUpCode(string(u.ID)), rule, from.Now); err != nil {
		return c, err
	}
	if c.Step, ok = totp.Match(key, digits, from.Now); ok {
		c.Verdict = Right
		return c, nil
	}
	c.Verdict = Wrong
	c.Drift, _ = totp.Drift(key, digits, from.Now)
	return c, nil
}
