package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/twinlock/twinlock/internal/auth"
)

var (
	errNotANumber  = errors.New("is not a whole number")
	errOutOfRange  = errors.New("is outside what is allowed")
	errUnknownWord = errors.New("is none of these")
	errControl     = errors.New("holds a control character")
)

// A Listener is an address and a port to listen on, such as 127.0.0.1:8080,
// or :8080 for every address of the machine. Empty listens nowhere.
type Listener string

func (Listener) accepts() string {
	return "an address and a port, such as 127.0.0.1:8080, [::1]:8080 or :8080"
}

func (l *Listener) read(word string) error {
	if word == "" {
		*l = ""
		return nil
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil || hasControl(host) {
		return errors.New("is not an address and a port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("has no port from 1 to 65535")
	}
	*l = Listener(word)
	return nil
}

// Loopback tells whether programs of this machine alone come there.
func (l Listener) Loopback() bool { return IsLoopback(l.host()) }

// meets tells whether some address and port would be both's.
func (l Listener) meets(other Listener) bool {
	return l.port() == other.port() &&
		(l.host() == other.host() || l.everywhere() || other.everywhere() || l.Loopback() && other.Loopback())
}

func (l Listener) everywhere() bool { return slices.Contains([]string{"", "0.0.0.0", "::"}, l.host()) }

func (l Listener) host() string {
	host, _, _ := net.SplitHostPort(string(l))
	return host
}

func (l Listener) port() string {
	_, port, _ := net.SplitHostPort(string(l))
	return port
}

// An Origin is a scheme, a host and, unless it is the scheme's own, a port, in
// the spelling in which browsers send it (RFC 6454 §6.2): lower case, punycode,
// no slash at the end.
type Origin string

func (Origin) accepts() string {
	return "https:// and a host, such as https://id.example.org, without path or query; http:// only with localhost or another loopback host"
}

func (o *Origin) read(word string) error {
	u, err := url.Parse(word)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("is not a web address")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is not an https address")
	case u.User != nil:
		return errors.New("holds a user")
	case strings.Trim(u.Path, "/") != "":
		return errors.New("has a path")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(word, "#"):
		return errors.New("has a query or a fragment")
	}
	host, err := hostOf(u)
	if err != nil {
		return err
	}
	if u.Scheme == "http" && !IsLoopback(host) {
		return errors.New("is http on a host that is not loopback, where passwords could be read on the way")
	}
	*o = Origin(u.Scheme + "://" + host + portSuffix(u))
	return nil
}

// hostOf gives the host as browsers write it: lower case, punycode, IPv6 in
// brackets.
func hostOf(u *url.URL) (string, error) {
	name := u.Hostname()
	if ip, err := netip.ParseAddr(name); err == nil {
		if ip.Zone() != "" {
			return "", errors.New("has a zone in its address")
		}
		if ip.Is6() {
			return "[" + ip.String() + "]", nil
		}
		return ip.String(), nil
	}
	host, err := idna.Lookup.ToASCII(name)
	if err != nil || host == "" {
		return "", errors.New("has no valid host")
	}
	return host, nil
}

// IsLoopback tells whether a host, by name or address, is the machine itself.
func IsLoopback(host string) bool {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func portSuffix(u *url.URL) string {
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return ""
	}
	return ":" + port
}

// Secure tells whether the origin is https, so that cookies may be marked so.
func (o Origin) Secure() bool { return strings.HasPrefix(string(o), "https://") }

// Host is the host without scheme and port; an IPv6 address has no brackets.
func (o Origin) Host() string {
	u, err := url.Parse(string(o))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// HasName tells whether the host has a name. Passkeys belong to one, and a number
// is none (Web Authentication, "relying party identifier").
func (o Origin) HasName() bool {
	_, err := netip.ParseAddr(o.Host())
	return o != "" && err != nil
}

// A Database is the address of a database, which may hold a password: it
// prints without it.
type Database struct{ text string }

func (Database) accepts() string {
	return "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"
}

func (d *Database) read(word string) error {
	if path, ok := strings.CutPrefix(word, "sqlite:"); ok {
		if path == "" || hasControl(path) || strings.ContainsAny(path, "?#") {
			return errors.New("names no file")
		}
		d.text = word
		return nil
	}
	u, err := url.Parse(word)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" {
		return errors.New("is not a database address")
	}
	d.text = word
	return nil
}

// SQLite gives the path of an SQLite file; false means PostgreSQL.
func (d Database) SQLite() (path string, ok bool) { return strings.CutPrefix(d.text, "sqlite:") }

// Reveal gives the whole address, password included.
func (d Database) Reveal() string { return d.text }

func (d Database) String() string {
	if _, ok := d.SQLite(); ok {
		return d.text
	}
	return withoutSecrets(d.text)
}

func (d Database) GoString() string             { return d.String() }
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// A MailServer is the address of an SMTP server, which may hold a password: it
// prints without it. Empty means that there is none.
type MailServer struct{ text string }

func (MailServer) accepts() string {
	return "smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS from the first byte"
}

func (m *MailServer) read(word string) error {
	if word == "" {
		m.text = ""
		return nil
	}
	u, err := url.Parse(word)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("is not the address of a mail server")
	}
	m.text = word
	return nil
}

// Reveal gives the whole address, password included.
func (m MailServer) Reveal() string { return m.text }

func (m MailServer) String() string               { return withoutSecrets(m.text) }
func (m MailServer) GoString() string             { return m.String() }
func (m MailServer) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// withoutSecrets keeps scheme, host and path of an address. User names go
// too: mail providers put keys there, and a query may carry a password.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	shown := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.User != nil {
		shown = u.Scheme + "://‹hidden›@" + u.Host + u.EscapedPath()
	}
	if u.RawQuery != "" {
		shown += "?‹hidden›"
	}
	return shown
}

// A Mailbox is a sender as it stands in a letter: no-reply@example.org, or
// Twinlock <no-reply@example.org>.
type Mailbox string

func (Mailbox) accepts() string {
	return "an e-mail address, such as no-reply@example.org or Twinlock <no-reply@example.org>"
}

func (m *Mailbox) read(word string) error {
	address, err := mail.ParseAddress(word)
	if err != nil || hasControl(word) {
		return errors.New("is not an e-mail address")
	}
	if address.Name == "" {
		*m = Mailbox(address.Address)
		return nil
	}
	*m = Mailbox(word)
	return nil
}

// Networks are those that a setting is for, single addresses among them.
type Networks []netip.Prefix

func (Networks) accepts() string {
	return "addresses and networks, such as 127.0.0.1, 10.0.0.0/8"
}

func (p *Networks) readAll(words []string) error {
	*p = nil
	for _, word := range words {
		network, err := readNetwork(word)
		if err != nil {
			return about(word, err)
		}
		*p = append(*p, network)
	}
	return nil
}

func readNetwork(word string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(word); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	network, err := netip.ParsePrefix(word)
	switch {
	case err != nil || network.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is neither an address nor a network")
	case network.Bits() == 0:
		return netip.Prefix{}, errors.New("would be everywhere")
	case network.Masked() != network:
		return netip.Prefix{}, fmt.Errorf("has bits beyond its length; %s is the network", network.Masked())
	}
	return network, nil
}

func (p Networks) String() string { return joined(p) }

// Contains tells whether ip stands in one of the networks.
func (p Networks) Contains(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(ip.Unmap()) })
}

// Domains are mail domains in lower-case punycode. None means any.
type Domains []string

func (Domains) accepts() string { return "mail domains, such as example.org, example.net" }

func (d *Domains) readAll(words []string) error {
	*d = nil
	for _, word := range words {
		domain, err := idna.Lookup.ToASCII(word)
		if err != nil || !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
			return about(word, errors.New("is not a domain"))
		}
		*d = append(*d, domain)
	}
	return nil
}

func (d Domains) String() string { return strings.Join(d, ", ") }

// Take tells whether a canonical mail address is of one of the domains.
func (d Domains) Take(canonical string) bool {
	_, domain, _ := strings.Cut(canonical, "@")
	return len(d) == 0 || slices.Contains(d, domain)
}

// A Grant makes a plug-in active for everyone, or, where Group or User is
// set, for that group or that person's address.
type Grant struct {
	Plugin string
	Group  string
	User   string
}

func (g Grant) String() string {
	switch {
	case g.Group != "":
		return g.Plugin + ":group=" + g.Group
	case g.User != "":
		return g.Plugin + ":user=" + g.User
	}
	return g.Plugin
}

// Grants say which plug-ins are active and for whom. None means none.
type Grants []Grant

func (Grants) accepts() string {
	return "two-factor, passkeys, openid-connect, forward-auth; for some only: two-factor:group=NAME, two-factor:user=EMAIL"
}

func (g *Grants) readAll(words []string) error {
	*g = nil
	for _, word := range words {
		grant, err := readGrant(word)
		if err != nil {
			return about(word, err)
		}
		*g = append(*g, grant)
	}
	return nil
}

func readGrant(word string) (Grant, error) {
	id, whom, narrowed := strings.Cut(word, ":")
	if _, ok := auth.PluginByID(auth.PluginID(id)); !ok {
		return Grant{}, errors.New("names no plug-in of this program")
	}
	if !narrowed {
		return Grant{Plugin: id}, nil
	}
	kind, name, _ := strings.Cut(whom, "=")
	switch {
	case name == "" || hasControl(name):
		return Grant{}, errors.New("names nobody")
	case kind == "group":
		return Grant{Plugin: id, Group: name}, nil
	case kind == "user":
		return Grant{Plugin: id, User: name}, nil
	}
	return Grant{}, errors.New("is neither for a group nor for a user")
}

func (g Grants) String() string { return joined(g) }

func joined[T fmt.Stringer](list []T) string {
	var words []string
	for _, item := range list {
		words = append(words, item.String())
	}
	return strings.Join(words, ", ")
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// about names the one entry of a list that is wrong.
func about(word string, err error) error { return entryError{word, err} }

type entryError struct {
	word string
	err  error
}

func (e entryError) Error() string { return fmt.Sprintf("%q %v", e.word, e.err) }
