package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// longestReturn is more than any address of ours: what an application asks for
// waits in one, sealed.
const longestReturn = 6000

// longestKept is as much of an address as surely fits into a cookie.
const longestKept = 2800

// KeepReturn keeps in the browser where a visitor was going while a letter is on
// its way to them: whoever reads the letter elsewhere is not to learn it, nor to
// be led there. "" forgets it, and so does an address that is no cookie's.
func (f *Floor) KeepReturn(w http.ResponseWriter, r *http.Request, next string, life time.Duration) {
	next = ReturnTo(next)
	if next == "" || len(next) > longestKept {
		f.forgetReturn(w, r)
		return
	}
	f.setCookie(w, returnCookie, base64.RawURLEncoding.EncodeToString([]byte(next)), life)
}

// forgetReturn forgets it. Whoever comes to this browser after a login or a logout
// may be somebody else.
func (f *Floor) forgetReturn(w http.ResponseWriter, r *http.Request) {
	if f.cookie(r, returnCookie) != "" {
		f.dropCookie(w, returnCookie)
	}
}

// Return is where this browser's visitor was going, judged as at login; "" for
// nowhere.
func (f *Floor) Return(r *http.Request) string {
	next, err := base64.RawURLEncoding.DecodeString(f.cookie(r, returnCookie))
	if err != nil {
		return ""
	}
	return ReturnTo(string(next))
}

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
	// What stands on the way may decode it, and browsers leave tabs and line breaks out.
	decoded, err := url.PathUnescape(parsed.EscapedPath())
	if err != nil || strings.HasPrefix(decoded, "//") || strings.ContainsFunc(decoded, func(c rune) bool { return unicode.IsControl(c) || c == '\\' }) {
		return ""
	}
	if parsed.Path == "/login" || strings.HasPrefix(parsed.Path, "/login/") || parsed.Path == "/logout" {
		return ""
	}
	return address
}
