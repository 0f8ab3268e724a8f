package mailtest

import (
	"crypto/subtle"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one client's conversation. A letter is taken only after the right
// user and password.
type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	letter Message
}

func (s *Server) open(conn *smtp.Conn) (smtp.Session, error) {
	if err := s.pass(Greeting, conn); err != nil {
		return nil, err
	}
	return &session{server: s, conn: conn}, nil
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := s.server.pass(Login, s.conn); err != nil {
			return err
		}
		if user != User || subtle.ConstantTimeCompare([]byte(password), []byte(Password)) != 1 {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	if s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.letter = Message{Hello: s.conn.Hostname(), Encrypted: encrypted, From: from, UTF8: options.UTF8}
	return s.server.pass(Sender, s.conn)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.Recipients = append(s.letter.Recipients, to)
	return s.server.pass(Recipient, s.conn)
}

func (s *session) Data(r io.Reader) error {
	first := make([]byte, 1)
	if _, err := io.ReadFull(r, first); err != nil {
		return err
	}
	if err := s.server.pass(Content, s.conn); err != nil {
		return err
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.receive(append(first, rest...))
}

func (s *session) receive(raw []byte) error {
	m, err := Read(raw)
	if err != nil {
		return err // the client hears 554 and the reason
	}
	m.Hello, m.Encrypted, m.UTF8 = s.letter.Hello, s.letter.Encrypted, s.letter.UTF8
	m.From, m.Recipients = s.letter.From, s.letter.Recipients
	s.server.keep(m)
	return nil
}

func (s *session) Reset() { s.letter = Message{} }

func (s *session) Logout() error { return nil }
