package app

import "time"

// SetDrain says how long a letter on its way may take after the order to stop.
func (a *App) SetDrain(d time.Duration) { a.work.drain = d }

// LetterLease is how long a sender that was killed keeps a letter.
const LetterLease = letterLease
