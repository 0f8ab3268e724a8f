package web

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// FuzzHops: of whatever stands in X-Forwarded-For, a stranger's word is never
// believed, and a client's address is the peer's or written there by a trusted
// proxy: everything between lies within trusted_proxies.
func FuzzHops(f *testing.F) {
	floor := &Floor{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")}}
	for _, written := range []string{
		"", "192.0.2.7", "10.0.0.9, 192.0.2.7", "192.0.2.7, 10.0.0.9", "10.0.0.9,10.0.0.8,10.0.0.7", "unknown", ",", "192.0.2.7,", "::ffff:10.0.0.9, ::ffff:192.0.2.7",
		"fd00::9", "[fd00::9]:443", "192.0.2.7:8080", "10.0.0.9\x00", " 10.0.0.9 ,\t192.0.2.7", "fe80::1%eth0, 10.0.0.9", "010.0.0.9", strings.Repeat("10.0.0.9,", 1000),
	} {
		f.Add("10.0.0.1", written)
		f.Add("192.0.2.1", written)
	}
	f.Fuzz(func(t *testing.T, peer, written string) {
		from, err := netip.ParseAddr(peer)
		if err != nil {
			return
		}
		hops := slices.Collect(floor.Hops(from, written))
		if len(hops) == 0 || hops[0] != from || len(hops) > 1+len(strings.Split(written, ",")) {
			t.Fatalf("%s, %q: %v", peer, written, hops)
		}
		for _, hop := range hops[:len(hops)-1] {
			if !floor.Trusts(hop) {
				t.Errorf("%s, %q: %v, and %s is a stranger", peer, written, hops, hop)
			}
		}
		if !floor.Trusts(from) && len(hops) != 1 {
			t.Errorf("%s, %q: a stranger is believed: %v", peer, written, hops)
		}
	})
}
