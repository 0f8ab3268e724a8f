package forwardauth

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/twinlock/twinlock/internal/origin"
)

// question is what a proxy asks: may this request pass?
type question struct {
	Origin origin.Origin
	Path   string // as it was sent, still encoded
	Query  string // with its question mark; "" for none

	// Navigation tells that a page is gone to, where one of ours may be shown;
	// what scripts, pictures and sockets ask for is none.
	Navigation bool
	// Own tells that the person goes there. What a page shows inside itself is
	// a navigation, but may be gone to with nobody there.
	Own bool
}

// URI is the path and query as they were sent.
func (q question) URI() string { return q.Path + q.Query }

// dialect is how one proxy asks.
type dialect struct {
	Name string
	// Read gives the origin and the path with its query; false where the
	// proxy's own headers are missing, doubled or malformed.
	Read func(http.Header) (at origin.Origin, uri string, ok bool)
	// Redirects tells that the proxy hands a redirect on to the browser.
	Redirects bool
}

var (
	nginx   = dialect{Name: "nginx", Read: readOriginalURL}
	caddy   = dialect{Name: "caddy", Read: readForwarded, Redirects: true}
	traefik = dialect{Name: "traefik", Read: readForwarded, Redirects: true}
)

// readOriginalURL reads X-Original-URL, the whole address.
func readOriginalURL(h http.Header) (at origin.Origin, uri string, ok bool) {
	address, ok := only(h, "X-Original-Url")
	if !ok {
		return at, "", false
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return at, "", false
	}
	host, uri, ok := strings.Cut(rest, "/")
	if !ok {
		return at, "", false
	}
	at, ok = origin.New(scheme, host)
	return at, "/" + uri, ok
}

// readForwarded reads the address from X-Forwarded-Proto, -Host and -Uri.
func readForwarded(h http.Header) (at origin.Origin, uri string, ok bool) {
	scheme, okScheme := only(h, "X-Forwarded-Proto")
	host, okHost := only(h, "X-Forwarded-Host")
	uri, okURI := only(h, "X-Forwarded-Uri")
	if !okScheme || !okHost || !okURI {
		return at, "", false
	}
	switch scheme { // a socket is opened by a request of the same origin
	case "wss":
		scheme = "https"
	case "ws":
		scheme = "http"
	}
	at, ok = origin.New(scheme, host)
	return at, uri, ok
}

// only gives a header that came exactly once and is not empty. Its name is in
// canonical form.
func only(h http.Header, name string) (string, bool) {
	values := h[name]
	return strings.Join(values, ""), len(values) == 1 && values[0] != ""
}

// first is h.Get for a name in canonical form, which is looked for as it stands.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// read makes a question of a proxy's headers and of the browser's own, which
// proxies hand on.
func (d dialect) read(h http.Header) (question, bool) {
	at, uri, ok := d.Read(h)
	if !ok {
		return question{}, false
	}
	q, ok := newQuestion(at, uri)
	q.Navigation = isNavigation(h)
	destination := first(h, "Sec-Fetch-Dest")
	q.Own = q.Navigation && (destination == "" || destination == "document")
	return q, ok
}

func newQuestion(at origin.Origin, uri string) (question, bool) {
	q := question{Origin: at, Path: uri}
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		q.Path, q.Query = uri[:i], uri[i:]
	}
	return q, !strings.Contains(uri, "#")
}

// isNavigation tells the way to a page from what pages ask for by themselves. Old browsers, and all of them on plain http, do not say: theirs is
// one if it wants a page. What is fetched ahead was not asked for yet.
func isNavigation(h http.Header) bool {
	if first(h, "Sec-Purpose") != "" || first(h, "Purpose") == "prefetch" || first(h, "Upgrade") != "" {
		return false
	}
	if mode := first(h, "Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	if first(h, "X-Requested-With") != "" {
		return false
	}
	accept := first(h, "Accept")
	return accept == "" || strings.Contains(accept, "text/html")
}

// longestAddress is how much of an address a visitor is brought back to, in
// bytes: proxies give up on answers whose headers are long.
const longestAddress = 1800

// address is where the visitor wanted to go. One that is too long to come back
// to loses its query, and then its path.
func (q question) address() string {
	for _, uri := range []string{q.Path + q.Query, q.Path} {
		if whole := q.Origin.String() + inASCII(uri); len(whole) <= longestAddress {
			return whole
		}
	}
	return q.Origin.String() + "/"
}

// inASCII encodes whatever may not stand in an address as it is.
func inASCII(uri string) string {
	if !strings.ContainsFunc(uri, isOutsideAddresses) {
		return uri
	}
	var b strings.Builder
	for i := range len(uri) {
		if isOutsideAddresses(rune(uri[i])) {
			fmt.Fprintf(&b, "%%%02X", uri[i])
			continue
		}
		b.WriteByte(uri[i])
	}
	return b.String()
}

func isOutsideAddresses(c rune) bool {
	return c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>'
}

// readAddress reads what address gave. It says nothing of whether there is an
// application.
func readAddress(address string) (question, bool) {
	if len(address) > longestAddress || strings.ContainsFunc(address, isOutsideAddresses) {
		return question{}, false
	}
	at, uri, ok := readOriginalURL(http.Header{"X-Original-Url": {address}})
	if !ok {
		return question{}, false
	}
	return newQuestion(at, uri)
}
