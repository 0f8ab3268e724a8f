package app

import (
	"context"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

// Sender takes a finished letter to wherever letters go.
type Sender = mail.Sender

// background is the work that nobody waits for.
type background struct {
	sender      Sender
	certificate *certificate // nil: a proxy has it
	site        mail.Site
	group       sync.WaitGroup
	ctx         context.Context
	cancel      context.CancelFunc
}

const (
	letterPause = time.Second      // between looks into the outbox
	seenPause   = 10 * time.Second // between writes of last-seen times, and of the clock
	purgePause  = 10 * time.Minute

	certificatePause = 24 * time.Hour
)

// Start begins the background work.
func (a *App) Start(ctx context.Context) {
	ctx, a.work.cancel = context.WithCancel(context.WithoutCancel(ctx)) // it ends with Stop, after the last request
	a.work.ctx = ctx
	a.every(ctx, letterPause, "send letters", a.SendLetters)
	a.every(ctx, seenPause, "write last-seen times", func(ctx context.Context) error { return a.Live.Flush(ctx, a.Now()) })
	a.every(ctx, seenPause, "keep the clock", a.keepClock)
	a.every(ctx, purgePause, "purge", a.purge)
	if c := a.work.certificate; c != nil {
		a.every(ctx, certificatePause, "look at the certificate", c.warnBeforeItEnds)
	}
}

// Stop ends the background work and writes what is still in memory.
func (a *App) Stop() error {
	if a.work.cancel != nil {
		a.work.cancel()
		a.work.group.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.Live.Flush(ctx, a.Now()); err != nil {
		a.log.Error("write last-seen times", "error", err)
	}
	return a.Close()
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

// letterBatch is how many letters are read from the outbox at once.
const letterBatch = 20

// SendLetters sends the letters that are due. One that fails is tried again
// later, and given up after the time that the settings allow.
func (a *App) SendLetters(ctx context.Context) error {
	due, err := a.Store.DueLetters(ctx, letterBatch, a.Now())
	if err != nil {
		return err
	}
	for _, q := range due {
		if err := a.sendLetter(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) sendLetter(ctx context.Context, q store.QueuedLetter) error {
	err := a.deliver(ctx, q)
	now := a.Now()
	if err == nil {
		return a.Store.LetterSent(ctx, q.ID, now)
	}
	a.log.Warn("letter not sent", "letter", q.ID, "kind", q.Letter.Kind, "tries", q.Tries+1, "error", err)
	next, giveUp := mail.NextTry(q.Tries+1, q.Queued, a.Config.MailRetry, now)
	if giveUp || mail.Permanent(err) {
		next = time.Time{}
	}
	return a.Store.LetterFailed(ctx, q.ID, err.Error(), next, now)
}

func (a *App) deliver(ctx context.Context, q store.QueuedLetter) error {
	message, err := mail.Render(a.bundle, a.work.site, mailLetter(q))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, letterPatience)
	defer cancel()
	return a.work.sender.Send(ctx, message)
}

// letterPatience is how long a mail server may take over one letter.
const letterPatience = 30 * time.Second

// purge removes what nobody needs any more, a little at a time so that no
// writer waits long.
func (a *App) purge(ctx context.Context) error {
	return a.Store.Purge(ctx, store.Kept{Events: a.Config.EventsKept, Sessions: a.Config.SessionsKept,
		Throttle: a.Config.WrongCodesInAllSpan}, a.Now())
}
