package proof

import (
	"context"
	"time"
)

// settling is how long after a request's own end what it began may still take.
// Without it, whoever sends a form so slowly that its time ends while it is
// examined would not be counted.
const settling = 5 * time.Second

// Undisturbed is ctx for what is done to its end though whoever asked hangs up.
// Where ctx has a deadline it ends soon after that, so that a database which
// never answers holds nothing for ever.
func Undisturbed(ctx context.Context) (context.Context, context.CancelFunc) {
	undisturbed := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(undisturbed, deadline.Add(settling))
	}
	return undisturbed, func() {}
}
