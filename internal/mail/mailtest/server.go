// Package mailtest is a mail server for tests: a real SMTP conversation with
// STARTTLS and a password, in the test's own process. It keeps what it receives
// and can be told to refuse, hang, hang up or be away.
//
//	server := mailtest.Start(t)
//	run the app with smtp_url = server.URL()
//	letter, err := server.Wait(ctx, mailtest.To("ada@example.com"))
//	link := letter.Links()[0]
package mailtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Protection is how a server protects the conversation. The zero value is what
// Start uses when nothing else is asked for.
type Protection int

// The three ways that the setting smtp_url knows.
const (
	STARTTLS Protection = iota
	ImplicitTLS
	Clear
)

// The credentials that a server accepts, with the signs that a URL must escape.
const (
	User     = "twinlock@mail.example"
	Password = "p@ss/w#rd? 100%"
)

// Server is a running mail server. All its methods may be called at once from
// several goroutines.
type Server struct {
	protection  Protection
	address     string
	certificate certificate

	mu       sync.Mutex
	smtp     *smtp.Server // nil while stopped
	listener net.Listener
	messages []Message
	grown    chan struct{} // closed and made anew with each message
	trouble  trouble
}

// Start runs a server on a free port of 127.0.0.1 until the test ends.
func Start(t testing.TB, protection ...Protection) *Server {
	t.Helper()
	s := &Server{certificate: newCertificate(t), grown: make(chan struct{})}
	if len(protection) > 0 {
		s.protection = protection[0]
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		t.Fatalf("start a mail server: %v", err)
	}
	t.Cleanup(func() {
		s.Behave()
		s.Stop()
	})
	return s
}

// URL gives the server as the setting smtp_url takes it: credentials, port, and
// the file of the authority that signed its certificate.
func (s *Server) URL() string {
	u := url.URL{Scheme: "smtp", User: url.UserPassword(User, Password), Host: s.address}
	switch s.protection {
	case ImplicitTLS:
		u.Scheme = "smtps"
		fallthrough
	case STARTTLS:
		u.RawQuery = url.Values{"ca": {s.certificate.authorityFile}}.Encode()
	case Clear:
		u.RawQuery = "tls=none"
	}
	return u.String()
}

// Stop takes the server away: connections break, new ones are refused by the
// machine. What it received is kept. Stopping twice does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.smtp == nil {
		return
	}
	_ = s.listener.Close() // the library knows it only once it serves
	_ = s.smtp.Close()
	s.smtp = nil
}

// Resume brings a stopped server back to its old address.
func (s *Server) Resume() error { return s.listen(s.address) }

func (s *Server) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	server := smtp.NewServer(smtp.BackendFunc(s.open))
	server.Domain = "mail.example"
	server.EnableSMTPUTF8 = true
	server.AllowInsecureAuth = s.protection == Clear
	server.ErrorLog = log.New(io.Discard, "", 0)
	if s.protection != Clear {
		server.TLSConfig = s.certificate.config
	}
	s.mu.Lock()
	s.address, s.smtp, s.listener = listener.Addr().String(), server, listener
	s.mu.Unlock()
	go func() { _ = server.Serve(s.protect(listener)) }()
	return nil
}

// Messages gives everything received so far, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Wait gives the first message, received already or to come, that matches. It
// fails when ctx ends before.
func (s *Server) Wait(ctx context.Context, matches func(Message) bool) (Message, error) {
	for {
		s.mu.Lock()
		messages, grown := s.messages, s.grown
		s.mu.Unlock()
		if i := slices.IndexFunc(messages, matches); i >= 0 {
			return messages[i], nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Message{}, fmt.Errorf("no such letter among the %d received: %w", len(messages), context.Cause(ctx))
		}
	}
}

func (s *Server) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.grown)
	s.grown = make(chan struct{})
}
