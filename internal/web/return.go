package web

import (
	"net/url"
	"strings"
)

// longestReturn is more than any address of ours: what an application asks for
// waits in one, sealed.
const longestReturn = 6000

// ReturnTo gives the address on this server that a visitor may be sent to
// after a login, or "" for anything else: another host, another scheme, and
// whatever a browser might take for one.
func ReturnTo(address string) string {
	if len(address) > longestReturn || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return ""
	}
	if strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' || c > 0x7e }) {
		return ""
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.IsAbs() || parsed.Host != "" || parsed.User != nil || parsed.Fragment != "" {
		return ""
	}
	if decoded, err := url.PathUnescape(parsed.EscapedPath()); err != nil || strings.HasPrefix(decoded, "//") || strings.Contains(decoded, "\\") {
		return ""
	}
	if parsed.Path == "/login" || strings.HasPrefix(parsed.Path, "/login/") || parsed.Path == "/logout" {
		return ""
	}
	return address
}
