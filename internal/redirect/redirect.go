// Package redirect judges the addresses that applications want answers sent to:
// which may be registered, and which of them a request may name.
package redirect

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
)

// Longest is how long an address may be that answers are sent to,
// in bytes.
const Longest = 1000

// Most is how many of them one application may have.
const Most = 20

var (
	errForm     = errors.New("is not a whole web address, in the spelling in which browsers write it")
	errFragment = errors.New("has a fragment, the part after #")
	errUser     = errors.New("has a user name in it")
	errWildcard = errors.New("has a *; every address is written out")
	errHTTP     = errors.New("is http on a host that is not this machine's own, where answers could be read on the way")
	errScheme   = errors.New("is neither https nor, for an application on a phone or desktop, a scheme of its own such as org.example.app:/signed-in")
)

// Check tells why an address cannot be one that answers are sent to;
// nil where it can. The error goes on after the address: "is http …".
//
// http is for this machine alone: localhost, 127.0.0.1, [::1]. A scheme of its
// own is for public clients, and is the reverse of a domain (RFC 8252 §7.1).
func Check(address string, public bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, len(address) > Longest, strings.ContainsFunc(address, isNoURICharacter):
		return errForm
	case strings.Contains(address, "#"):
		return errFragment
	case strings.Contains(address, "*"):
		return errWildcard
	case u.User != nil:
		return errUser
	case u.Scheme != "https" && u.Scheme != "http":
		if !public || !isOwnScheme(u) {
			return errScheme
		}
		return nil
	case u.Host == "" || u.Opaque != "" || u.String() != address || hasDots(u.Path) || u.Host != strings.ToLower(u.Host):
		return errForm
	case u.Scheme == "http" && !isLoopbackName(u.Hostname()):
		return errHTTP
	}
	return nil
}

func isNoURICharacter(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", c)
}

// isOwnScheme tells a scheme that an application made of its domain. Browsers
// know javascript:, data: and others, and none of those has a dot.
func isOwnScheme(u *url.URL) bool {
	return strings.Contains(u.Scheme, ".") && u.Host == "" && u.Opaque == "" && strings.HasPrefix(u.Path, "/")
}

func hasDots(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

func isLoopbackName(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Takes tells whether a client's answers may go to this address: only to one
// that was registered, byte for byte. The one exception is a program on the person's own
// machine, which cannot know its port beforehand: to 127.0.0.1 and [::1], for
// public clients, the port may be another (RFC 8252 §7.3).
func Takes(c auth.Client, address string) bool {
	if slices.Contains(c.RedirectURIs, address) {
		return true
	}
	given, ok := withoutLoopbackPort(address)
	return c.Public && ok && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		known, ok := withoutLoopbackPort(registered)
		return ok && known == given
	})
}

// withoutLoopbackPort cuts the port out of an address on this machine, given by
// its number; false for every other address.
func withoutLoopbackPort(address string) (rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		if after, found := strings.CutPrefix(address, host); found {
			return cutPort(host, after)
		}
	}
	return "", false
}

func cutPort(host, after string) (rest string, ok bool) {
	if strings.HasPrefix(after, "/") {
		return host + after, true
	}
	digits, found := strings.CutPrefix(after, ":")
	end := strings.IndexFunc(digits, func(c rune) bool { return c < '0' || c > '9' })
	if !found || end < 1 || end > 5 || digits[end] != '/' {
		return "", false
	}
	return host + digits[end:], true
}

// What is wrong with the addresses of a client as a whole.
var (
	ErrNone = errors.New("an application that speaks OpenID Connect needs a redirect URI")
	ErrMany = fmt.Errorf("there are more than %d addresses", Most)
)

// AddressError names the address that cannot be a client's.
type AddressError struct {
	Address string
	Why     error // goes on after the address
}

func (e *AddressError) Error() string { return e.Address + " " + e.Why.Error() }

// CheckClient tells what is wrong with where a client's answers go, where people
// go after a logout, and what is told of one: ErrNone, ErrMany, the first
// *AddressError, or nil. What is told of a logout is https, or on this machine.
func CheckClient(c auth.Client) (redirects, logouts, notice error) {
	if len(c.RedirectURIs) == 0 {
		redirects = ErrNone
	} else {
		redirects = checkAll(c.RedirectURIs, c.Public)
	}
	if c.LogoutNotice != "" {
		notice = checkAll([]string{c.LogoutNotice}, false)
	}
	return redirects, checkAll(c.LogoutURIs, c.Public), notice
}

func checkAll(addresses []string, public bool) error {
	if len(addresses) > Most {
		return ErrMany
	}
	for _, a := range addresses {
		if err := Check(a, public); err != nil {
			return &AddressError{a, err}
		}
	}
	return nil
}
