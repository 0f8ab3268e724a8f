package app

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/twinlock/twinlock/internal/store"
)

// Gone is how long after the order to stop all has to be written.
const Gone = gone

// Ask asks the server that runs on a data folder for a command.
var Ask = ask

// SetDrain says how long a letter on its way, and a command, may take after the order
// to stop.
func (a *App) SetDrain(d time.Duration) { a.work.drain = d }

// LetterLease is how long a sender that was killed keeps a letter.
const LetterLease = letterLease

// Uses makes the program one that serves from its database, without a listener.
func (a *App) Uses(u *store.Use) { a.work.use = u }

// AnswerControl answers one conversation as the control socket does.
func AnswerControl(connection net.Conn, run Command) {
	a := &App{log: slog.New(slog.DiscardHandler), work: background{late: context.Background()}}
	a.answerControl(context.Background(), connection, run)
}

// ListenTo passes on what a server says, as a command does that asked it.
func ListenTo(connection net.Conn, line Line) (status int, err error) {
	return newTalk(connection).listen(line)
}
