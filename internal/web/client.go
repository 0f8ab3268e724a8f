package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientAddress is where the request came from. X-Forwarded-For is believed
// only from a trusted proxy, and only as far as the hops are trusted: it is
// read from the right, for everything left of the first stranger was written
// by the stranger.
func (f *Floor) clientAddress(r *http.Request) netip.Addr {
	client := Peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && f.trusted(client); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop.Unmap()
	}
	return client
}

// Peer is who speaks to us: a browser, or the proxy before it.
func Peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap()
}

// FromTrustedProxy tells whether a request comes from a proxy whose forwarded
// headers are believed.
func (f *Floor) FromTrustedProxy(r *http.Request) bool { return f.trusted(Peer(r)) }

func (f *Floor) trusted(a netip.Addr) bool {
	for _, p := range f.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
