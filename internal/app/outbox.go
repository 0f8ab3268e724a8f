package app

import (
	"context"
	"errors"
	"time"

	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/store"
)

const (
	letterPause    = time.Second      // between looks into the outbox
	letterBatch    = 20               // how many letters are read from it at once
	letterPatience = 30 * time.Second // how long a mail server may take over one letter
	letterLease    = 2 * time.Minute  // how long a sender that was killed keeps one
	notePatience   = 5 * time.Second  // how long the database may take to note how it went
)

// errStopped breaks a letter off that took too long after the order to stop.
var errStopped = errors.New("the server stops")

// SendLetters sends the letters that are due, unless another sender has them.
// One that fails is tried again later, and given up after the time that the
// settings allow. When ctx ends, the letter on its way may still go out; no
// other begins.
func (a *App) SendLetters(ctx context.Context) error {
	due, err := a.Store.DueLetters(ctx, letterBatch, a.Now())
	if err != nil {
		return err
	}
	for _, q := range due {
		if ctx.Err() != nil {
			return nil
		}
		if err := a.sendLetter(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// sendLetter claims a letter, sends it, and notes how it went.
func (a *App) sendLetter(ctx context.Context, q store.QueuedLetter) error {
	q, err := a.Store.ClaimLetter(ctx, q, letterLease, a.Now())
	if errors.Is(err, store.ErrSpent) {
		return nil // another sender has it
	} else if err != nil {
		return err
	}
	sent := a.deliver(ctx, q)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.patience(notePatience))
	defer cancel()
	err = a.noteLetter(ctx, q, sent)
	if errors.Is(err, store.ErrSpent) {
		a.log.Warn("a letter took so long that another sender took it too", "letter", q.ID, "kind", q.Letter.Kind)
		return nil
	}
	return err
}

// noteLetter writes how a try went: nil is sent.
func (a *App) noteLetter(ctx context.Context, q store.QueuedLetter, failure error) error {
	now := a.Now()
	switch {
	case failure == nil:
		a.work.letters.Add(letterSent)
		return a.Store.LetterSent(ctx, q, now)
	case errors.Is(failure, errStopped):
		return a.Store.GiveLetterBack(ctx, q, now)
	}
	next, over := mail.NextTry(q.Tries, q.Queued, a.Config.MailRetry, now)
	if over || q.Unreadable != nil || mail.Permanent(failure) {
		a.work.letters.Add(letterGivenUp)
		a.log.Error("letter given up", "letter", q.ID, "kind", q.Letter.Kind, "tries", q.Tries, "error", failure)
		return a.Store.GiveLetterUp(ctx, q, failure.Error(), now)
	}
	a.work.letters.Add(letterFailed)
	a.log.Warn("letter not sent", "letter", q.ID, "kind", q.Letter.Kind, "tries", q.Tries, "error", failure)
	return a.Store.LetterFailed(ctx, q, failure.Error(), next)
}

// deliver puts a letter into words and hands it over.
func (a *App) deliver(ctx context.Context, q store.QueuedLetter) error {
	if q.Unreadable != nil {
		return q.Unreadable
	}
	message, err := mail.Render(a.bundle, a.work.site, mailLetter(q))
	if err != nil {
		return err
	}
	ctx, cancel := lingering(ctx, a.work.drain)
	defer cancel()
	ctx, cancelLate := context.WithTimeout(ctx, letterPatience)
	defer cancelLate()
	err = a.work.sender.Send(ctx, message)
	if err != nil && context.Cause(ctx) == errStopped {
		return errStopped
	}
	return err
}

// lingering ends, by errStopped, so long after ctx.
func lingering(ctx context.Context, drain time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(drain, func() { cancel(errStopped) })
	})
	return late, func() {
		stop()
		cancel(context.Canceled)
	}
}
