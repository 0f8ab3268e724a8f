package app

import (
	"time"

	"github.com/twinlock/twinlock/internal/store"
)

// SetDrain says how long a letter on its way may take after the order to stop.
func (a *App) SetDrain(d time.Duration) { a.work.drain = d }

// LetterLease is how long a sender that was killed keeps a letter.
const LetterLease = letterLease

// Uses makes the program one that serves from its database, without a listener.
func (a *App) Uses(u *store.Use) { a.work.use = u }
