package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/metrics"
	"github.com/twinlock/twinlock/internal/store"
)

// Sender takes a finished letter to wherever letters go.
type Sender = mail.Sender

// background is the work that nobody waits for.
type background struct {
	sender      Sender
	certificate *certificate // nil: a proxy has it
	use         *store.Use   // nil: it serves nobody
	site        mail.Site
	letters     metrics.Tally // how tries to send one went
	group       sync.WaitGroup
	drain       time.Duration             // how long a letter on its way, and a command, may take after the order to stop
	gone        atomic.Pointer[time.Time] // when all has to be written; nil: it was not told to stop
	ctx         context.Context
	cancel      context.CancelFunc
	late        context.Context // ends when a command has to, that is on its way
	cancelLate  context.CancelFunc
}

const (
	seenPause   = 10 * time.Second // between writes of last-seen times, and of the clock
	purgePause  = 10 * time.Minute
	noticePause = time.Second // between looks for ended sessions
	rotatePause = 10 * time.Minute

	usePause         = 30 * time.Second
	certificatePause = 24 * time.Hour
)

// Start begins the background work. The letters end with ctx: those of the last
// requests wait for the next start. The rest ends with Stop, after the last
// request.
func (a *App) Start(ctx context.Context) {
	stop := ctx
	ctx, a.work.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.work.ctx = ctx
	letters, cancel := context.WithCancel(ctx)
	context.AfterFunc(stop, cancel)
	a.work.late, a.work.cancelLate = lingering(letters, a.work.drain)
	a.every(letters, letterPause, "send letters", a.onDuty(store.DutyLetters, a.SendLetters))
	a.every(ctx, seenPause, "write last-seen times", func(ctx context.Context) error { return a.Live.Flush(ctx, a.Now()) })
	a.every(ctx, seenPause, "keep the clock", a.keepClock)
	a.every(ctx, purgePause, "purge", a.onDuty(store.DutyPurge, a.purge))
	a.everyApart(ctx, noticePause, "send logout notices", a.onDuty(store.DutyNotices, a.OpenID.SendLogoutNotices))
	a.every(ctx, rotatePause, "rotate signing keys", a.onDuty(store.DutyKeys, a.OpenID.RotateKeys))
	if u := a.work.use; u != nil {
		a.every(ctx, usePause, "say that this server uses the database", u.Keep)
	}
	if c := a.work.certificate; c != nil {
		a.every(ctx, certificatePause, "look at the certificate", c.warnBeforeItEnds)
	}
}

// Stop ends the background work and writes what is still in memory.
func (a *App) Stop() error {
	if a.work.cancel != nil {
		a.work.cancel()
		a.work.group.Wait()
		a.work.cancelLate()
	}
	ctx, cancel := a.untilGone()
	defer cancel()
	if err := a.Live.Flush(ctx, a.Now()); err != nil {
		a.log.Error("write last-seen times", "error", err)
	}
	if u := a.work.use; u != nil {
		if err := u.Leave(ctx); err != nil {
			a.log.Error("leave the database", "error", err)
		}
	}
	return a.Close()
}

// untilGone is for what is written at the end. A database that does not take it
// keeps nobody from going.
func (a *App) untilGone() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), a.patience(closePatience))
}

// closePatience is how long the database may take to write what is kept at the end.
const closePatience = 5 * time.Second

// patience is so long, or what is left of it until the server has to be gone.
func (a *App) patience(d time.Duration) time.Duration {
	if by := a.work.gone.Load(); by != nil {
		return min(d, time.Until(*by))
	}
	return d
}

// every does a piece of work again and again, each time after a pause.
func (a *App) every(ctx context.Context, pause time.Duration, what string, work func(context.Context) error) {
	a.work.group.Add(1)
	go func() {
		defer a.work.group.Done()
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				a.log.Error(what, "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// onDuty is work that one of several servers on a database does for all.
func (a *App) onDuty(d store.Duty, work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		does, err := a.work.use.Does(ctx, d)
		if err != nil || !does {
			return err
		}
		return work(ctx)
	}
}

// everyApart is every for work of which one round may go on while the next begins.
func (a *App) everyApart(ctx context.Context, pause time.Duration, what string, work func(context.Context) error) {
	a.every(ctx, pause, what, func(ctx context.Context) error {
		a.work.group.Go(func() {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				a.log.Error(what, "error", err)
			}
		})
		return nil
	})
}

// purge removes what nobody needs any more, a little at a time so that no
// writer waits long.
func (a *App) purge(ctx context.Context) error {
	return a.Store.Purge(ctx, store.Kept{Events: a.Config.EventsKept, Sessions: a.Config.SessionsKept,
		Throttle: a.Config.WrongCodesInAllSpan}, a.Now())
}
