// Package origin reads where an address on the web lives: its scheme, host and
// port (RFC 6454). What applications are called by, and what proxies say that
// they were asked for, is compared as origins and never as text.
package origin

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Origin is a scheme, http or https, and a host as browsers write it: in ASCII
// and lower case, with the port unless it is the scheme's own. The zero value is
// no origin. Two of them are the same if they are equal.
type Origin struct{ Scheme, Host string }

// String gives it without a slash at its end; "" for the zero value.
func (o Origin) String() string {
	if o == (Origin{}) {
		return ""
	}
	return o.Scheme + "://" + o.Host
}

// Name is the host without its port.
func (o Origin) Name() string {
	name, _ := splitPort(o.Host)
	return name
}

// Loopback tells whether the host is this machine itself, whatever a name
// server says (RFC 6761 §6.3).
func (o Origin) Loopback() bool {
	host := o.Name()
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// SharesCookiesWith tells whether browsers send to o what other was given:
// cookies know no ports. On the machine itself, where all there is may be tried,
// only the very same origin does.
func (o Origin) SharesCookiesWith(other Origin) bool {
	return o == other || o.Name() == other.Name() && !o.Loopback()
}

// Parse reads the origin of an absolute http or https address; false for
// anything else, and for one with a user in it.
func Parse(address string) (Origin, bool) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" {
		return Origin{}, false
	}
	return New(strings.ToLower(u.Scheme), u.Host)
}

// New makes an origin of a scheme and a host, with or without its port; false
// where either is malformed.
func New(scheme, host string) (Origin, bool) {
	if scheme != "http" && scheme != "https" {
		return Origin{}, false
	}
	name, port := splitPort(host)
	name, ok := canonicalName(name)
	if !ok {
		return Origin{}, false
	}
	if port == "" {
		return Origin{scheme, name}, !strings.HasSuffix(host, ":")
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || port[0] == '0' || port[0] == '+' {
		return Origin{}, false
	}
	if scheme == "https" && number == 443 || scheme == "http" && number == 80 {
		return Origin{scheme, name}, true
	}
	return Origin{scheme, name + ":" + port}, true
}

// splitPort parts a host from its port; the brackets of an IPv6 address stay.
func splitPort(host string) (name, port string) {
	end := strings.LastIndexByte(host, ':')
	if end < 0 || end < strings.LastIndexByte(host, ']') {
		return host, ""
	}
	return host[:end], host[end+1:]
}

// canonicalName is a host's one spelling. A dot at the end is another name to
// browsers, which keep its cookies apart, so it is not taken away but refused.
func canonicalName(name string) (string, bool) {
	if inner, ok := strings.CutPrefix(name, "["); ok {
		ip := net.ParseIP(strings.TrimSuffix(inner, "]"))
		return "[" + ip.String() + "]", ip != nil && ip.To4() == nil && strings.HasSuffix(inner, "]")
	}
	if isPlain(name) {
		return name, true
	}
	ascii, err := idna.Lookup.ToASCII(name)
	return ascii, err == nil && isPlain(ascii)
}

// isPlain tells a name that is canonical already: letters in lower case,
// digits, hyphens and underscores in labels parted by single dots.
func isPlain(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			label++
		default:
			return false
		}
	}
	return label > 0
}
