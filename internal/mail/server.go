package mail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// Server is a mail server as the setting smtp_url names it. It prints without
// its password. The zero value names no server and cannot be sent to.
type Server struct {
	host, port     string
	user, password string
	security       security
	caFile         string
}

// security is how the conversation with a mail server is protected. The zero
// value is the one that most servers want.
type security int

const (
	startTLS    security = iota // in the clear until STARTTLS, which is demanded (RFC 3207)
	implicitTLS                 // TLS from the first byte (RFC 8314 §3)
	noTLS                       // in the clear; only on the machine itself
)

const acceptedForms = `accepted are smtp://user:password@host:587 (STARTTLS), ` +
	`smtps://user:password@host:465 (TLS from the start), and ` +
	`smtp://127.0.0.1:1025?tls=none (this machine only); user and password may be left out, ` +
	`?ca=/path/file.pem names the certificate authority of the server`

// ParseServer reads the setting smtp_url. The port may be left out: 587 for
// smtp, 465 for smtps. Its errors name the accepted forms and never repeat the
// value, which holds a password.
func ParseServer(raw string) (Server, error) {
	s, err := parseServer(raw)
	if err != nil {
		return Server{}, fmt.Errorf("%w; %s", err, acceptedForms)
	}
	return s, nil
}

func parseServer(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil { // url's own words quote the value
		return Server{}, errors.New("not a URL; signs such as / ? # @ % in a password are written as %2F %3F %23 %40 %25")
	}
	s := Server{host: u.Hostname(), port: u.Port(), user: u.User.Username()}
	s.password, _ = u.User.Password()
	if err := s.readScheme(u.Scheme); err != nil {
		return Server{}, err
	}
	if err := s.readQuery(u.RawQuery); err != nil {
		return Server{}, err
	}
	return s, s.check(u)
}

func (s *Server) readScheme(scheme string) error {
	port := map[string]string{"smtp": "587", "smtps": "465"}[scheme]
	if port == "" {
		return errors.New("begins neither with smtp:// nor with smtps://")
	}
	if s.port == "" {
		s.port = port
	}
	if scheme == "smtps" {
		s.security = implicitTLS
	}
	return nil
}

func (s *Server) readQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the part after ? cannot be read")
	}
	for name, values := range query {
		switch {
		case len(values) != 1:
			return fmt.Errorf("%q is given twice", name)
		case name == "ca" && values[0] != "":
			s.caFile = values[0]
		case name == "tls" && values[0] == "none" && s.security == startTLS:
			s.security = noTLS
		default:
			return fmt.Errorf("%q after ? has no such meaning here", name)
		}
	}
	return nil
}

func (s Server) check(u *url.URL) error {
	switch {
	case s.host == "":
		return errors.New("names no host")
	case u.Path != "" && u.Path != "/" || u.Fragment != "":
		return errors.New("has something between the host and the end; " +
			"a / or # in a password is written as %2F or %23")
	case s.user == "" && s.password != "":
		return errors.New("has a password and no user")
	case s.security == noTLS && !s.onThisMachine():
		return errors.New("tls=none would send letters and password in the clear over the network")
	case s.security == noTLS && s.caFile != "":
		return errors.New("tls=none has no use for ca")
	}
	return nil
}

func (s Server) onThisMachine() bool {
	addr, err := netip.ParseAddr(s.host)
	return strings.EqualFold(s.host, "localhost") || err == nil && addr.IsLoopback()
}

func (s Server) address() string { return net.JoinHostPort(s.host, s.port) }

// String gives the server's scheme, host and port, and nothing secret.
func (s Server) String() string {
	if s.security == implicitTLS {
		return "smtps://" + s.address()
	}
	return "smtp://" + s.address()
}

// Format prints String for every verb, %#v too, so that no careless line in a
// log can show the password.
func (s Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// mailHost writes the host of the public URL as mail wants it, in greetings,
// addresses and Message-IDs: a name in ASCII, or a network address in the
// brackets of RFC 5321 §4.1.3.
func mailHost(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && addr.Is6():
		return "[IPv6:" + host + "]"
	case err == nil:
		return "[" + host + "]"
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return host // the server will say what it thinks of it
	}
	return ascii
}
