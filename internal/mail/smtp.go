package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// longestConversation bounds one letter from dialling to QUIT. A server that
// greets late on purpose takes some 30 seconds.
const longestConversation = time.Minute

// SMTP hands messages to a mail server, one connection a message.
type SMTP struct {
	server Server
	host   string
	tls    *tls.Config
}

// NewSMTP makes a sender to server. host is the host of the public URL, by
// which the sender greets the server and names its messages. It fails when the
// certificate authority's file cannot be used, and does not connect yet.
func NewSMTP(server Server, host string) (*SMTP, error) {
	config := &tls.Config{ServerName: server.host, MinVersion: tls.VersionTLS12}
	if server.caFile != "" {
		roots, err := readRoots(server.caFile)
		if err != nil {
			return nil, fmt.Errorf("certificate authority of the mail server: %w", err)
		}
		config.RootCAs = roots
	}
	return &SMTP{server: server, host: host, tls: config}, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return roots, nil
}

// Send delivers m to the server, or says why not. It gives up when ctx ends,
// and after a minute in any case.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, longestConversation)
	defer cancel()
	err := s.converse(ctx, m)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("send a letter (%s) to %s: %w", m.Kind, s.server, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("send a letter (%s) to %s: %w", m.Kind, s.server, err)
	}
	return nil
}

// converse dials by itself, because the library looks at ctx only while it
// dials: here the end of ctx closes the connection, whatever it is waiting for.
func (s *SMTP) converse(ctx context.Context, m Message) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	client, err := gomail.NewClient(s.server.host, s.options(m, conn)...)
	if err != nil {
		return err
	}
	msg := m.compose(s.host, gomail.EncodingQP)
	err = client.DialAndSendWithContext(ctx, msg)
	if msg.IsDelivered() {
		return nil // the server has it; how the farewell went does not matter
	}
	return err
}

func (s *SMTP) dial(ctx context.Context) (net.Conn, error) {
	if s.server.security == implicitTLS {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.server.address())
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.server.address())
}

func (s *SMTP) options(m Message, conn net.Conn) []gomail.Option {
	options := []gomail.Option{
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
		gomail.WithTimeout(longestConversation),
		gomail.WithHELO(mailHost(s.host)),
		gomail.WithTLSConfig(s.tls),
		gomail.WithTLSPolicy(s.policy()),
		gomail.WithoutNoop(),
		gomail.WithoutRset(),
	}
	if s.server.user != "" {
		options = append(options, s.credentials()...)
	}
	if inASCII(m.From) && inASCII(m.To) {
		// Marked SMTPUTF8 without need, a letter would bounce at the first
		// server on its way that does not know the extension (RFC 6531 §3.2).
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	return options
}

// policy is what go-mail has to do about TLS itself: with smtps the connection
// that it gets speaks TLS already.
func (s *SMTP) policy() gomail.TLSPolicy {
	if s.server.security == startTLS {
		return gomail.TLSMandatory
	}
	return gomail.NoTLS
}

// credentials prefers the method that does not show the password to the server.
func (s *SMTP) credentials() []gomail.Option {
	plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
	if s.server.security == noTLS {
		plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
	}
	return []gomail.Option{
		gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, plain, login),
		gomail.WithUsername(s.server.user),
		gomail.WithPassword(s.server.password),
	}
}

func inASCII(a netmail.Address) bool {
	for i := range len(a.Address) {
		if a.Address[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Permanent reports whether trying the same letter again would fail again: it
// cannot be rendered, or the server refused it with a 5xx answer (RFC 5321
// §4.2.1).
//
// A server that is down, slow, says 4xx, shows a wrong certificate or does not
// take our password (also 530, RFC 4954 §6) is not permanent: the operator can
// mend that, and then the letters that waited go out.
func Permanent(err error) bool {
	if errors.Is(err, ErrUnwritable) {
		return true
	}
	var refused *gomail.SendError
	return errors.As(err, &refused) && refused.ErrorCode()/100 == 5 && refused.ErrorCode() != 530
}
