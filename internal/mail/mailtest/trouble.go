package mailtest

import (
	"errors"
	"fmt"

	"github.com/emersion/go-smtp"
)

// Stage is a moment of the conversation at which a server can make trouble.
type Stage int

// The stages, in the order of a conversation.
const (
	Greeting  Stage = iota // EHLO
	Login                  // AUTH
	Sender                 // MAIL FROM
	Recipient              // RCPT TO
	Content                // DATA, after the first bytes of the letter
)

var errHungUp = errors.New("told to hang up")

// trouble is what the server does at one stage. The zero value is none.
type trouble struct {
	at      Stage
	code    int           // the answer to refuse with
	hangUp  bool          // break the connection
	reached chan struct{} // hang: closed when somebody came
	over    chan struct{} // hang: closed when it may go on
}

// Behave ends all trouble. Whoever hangs goes on.
func (s *Server) Behave() { s.make(trouble{}) }

// Refuse answers with code, 4xx or 5xx, at that stage from now on.
func (s *Server) Refuse(at Stage, code int) { s.make(trouble{at: at, code: code}) }

// HangUp breaks the connection at that stage from now on.
func (s *Server) HangUp(at Stage) { s.make(trouble{at: at, hangUp: true}) }

// Hang says nothing more at that stage, until Behave or the end of the test.
// The channel is closed as soon as a client waits there.
func (s *Server) Hang(at Stage) (reached <-chan struct{}) {
	t := trouble{at: at, reached: make(chan struct{}), over: make(chan struct{})}
	s.make(t)
	return t.reached
}

func (s *Server) make(t trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble.over != nil {
		close(s.trouble.over)
	}
	s.trouble = t
}

// pass lets the conversation go on at a stage, or makes the trouble that was
// ordered for it.
func (s *Server) pass(at Stage, conn *smtp.Conn) error {
	s.mu.Lock()
	t := s.trouble
	if t.at == at && t.reached != nil {
		close(t.reached)
		s.trouble.reached = nil // the next one hangs too, unannounced
	}
	s.mu.Unlock()
	switch {
	case t.at != at:
		return nil
	case t.over != nil:
		<-t.over
		return nil
	case t.hangUp:
		_ = conn.Conn().Close()
		return errHungUp // what came before lies in a buffer, and must not count as received
	case t.code != 0:
		return &smtp.SMTPError{
			Code:         t.code,
			EnhancedCode: smtp.EnhancedCode{t.code / 100, 0, 0},
			Message:      fmt.Sprintf("told to answer %d", t.code),
		}
	}
	return nil
}
