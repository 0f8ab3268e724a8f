package web

import (
	"iter"
	"net/http"
	"net/netip"
	"strings"
)

// clientAddress is where the request came from: the farthest of those through
// whose hands it is known to have gone.
func (f *Floor) clientAddress(r *http.Request) (client netip.Addr) {
	for hop := range f.Hops(Peer(r), strings.Join(r.Header.Values("X-Forwarded-For"), ",")) {
		client = hop
	}
	return client
}

// Hops are those through whose hands a request is known to have gone, from the
// one who speaks to us to the one it came from. X-Forwarded-For is believed only
// from a trusted proxy, and only as far as the hops are trusted: it is read from
// the right, for everything left of the first stranger was written by the
// stranger.
func (f *Floor) Hops(peer netip.Addr, forwardedFor string) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		hops := strings.Split(forwardedFor, ",")
		for at, i := peer, len(hops)-1; yield(at) && i >= 0 && f.Trusts(at); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				return
			}
			at = hop.Unmap()
		}
	}
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
func (f *Floor) FromTrustedProxy(r *http.Request) bool { return f.Trusts(Peer(r)) }

// Trusts tells whether an address is a trusted proxy's.
func (f *Floor) Trusts(a netip.Addr) bool {
	for _, p := range f.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
