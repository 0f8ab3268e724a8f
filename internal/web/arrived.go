package web

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Arrived is what came with a request besides what was asked for, before anybody
// believed it.
type Arrived struct {
	Peer    netip.Addr    `json:"p"` // who spoke to us
	Host    string        `json:"h"`
	TLS     bool          `json:"t,omitempty"` // it came to us encrypted
	Headers []ProxyHeader `json:"x,omitempty"` // by name
}

// ProxyHeader is a header as proxies write them to say what they were asked for,
// and by whom.
type ProxyHeader struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// proxyHeaders are those that proxies write, in canonical form.
var proxyHeaders = []string{
	"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Port", "X-Forwarded-Prefix",
	"X-Forwarded-Proto", "X-Forwarded-Uri", "X-Original-Method", "X-Original-Uri", "X-Original-Url", "X-Real-Ip", "X-Rewrite-Url",
}

// identityHeaders are those by which applications are told who somebody is, with
// hyphens: all that the settings of proxies take away from a visitor.
var identityHeaders = []string{
	"Remote-Email", "Remote-Groups", "Remote-Name", "Remote-User",
	"X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Name", "X-Forwarded-Preferred-Username", "X-Forwarded-User",
	"X-Remote-Email", "X-Remote-Groups", "X-Remote-Name", "X-Remote-User",
	"X-Webauth-Email", "X-Webauth-Groups", "X-Webauth-Name", "X-Webauth-User",
}

// TellsWho tells a header by which applications are told who somebody is, in
// every spelling that they take for it.
func (h ProxyHeader) TellsWho() bool {
	return slices.Contains(identityHeaders, http.CanonicalHeaderKey(strings.ReplaceAll(h.Name, "_", "-")))
}

// ArrivedWith gives what came with a request.
func ArrivedWith(r *http.Request) Arrived {
	said := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		said[name] = strings.Join(values, ", ")
	}
	a := NewArrived(Peer(r), r.Host, said)
	a.TLS = r.TLS != nil
	return a
}

// NewArrived is what a peer sent, unencrypted, with these headers.
func NewArrived(peer netip.Addr, host string, headers map[string]string) Arrived {
	a := Arrived{Peer: peer, Host: host}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		h := ProxyHeader{Name: name, Value: headers[name]}
		if slices.Contains(proxyHeaders, name) || h.TellsWho() {
			a.Headers = append(a.Headers, h)
		}
	}
	return a
}

// Said gives what a header says, in canonical form; "" for nothing.
func (a Arrived) Said(name string) string {
	for _, h := range a.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}
