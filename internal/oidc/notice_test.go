package oidc

import (
	"net/netip"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

// A name that an application's owner points at our neighbours leads nowhere; an
// address that an administrator typed is theirs to know.
func TestANoticeGoesIntoAPrivateNetworkOnlyAsTyped(t *testing.T) {
	for _, private := range []string{
		"127.0.0.1:443", "127.8.8.8:443", "[::1]:443", "10.0.0.7:443", "172.16.0.1:443", "192.168.1.1:443", "169.254.169.254:80", "[fe80::1]:443",
		"[fd00::7]:443", "0.0.0.0:443", "[::]:443", "224.0.0.1:443", "255.255.255.255:443", "100.64.0.1:443", "[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.7]:443",
		"[64:ff9b::7f00:1]:443", "[2002:7f00:1::]:443", "192.0.0.1:443", "198.18.0.1:443", "240.0.0.1:443", "[ff02::1]:443",
		"192.0.2.7:443", "198.51.100.7:443", "203.0.113.7:443", "[2001:db8::7]:443", "[3fff::7]:443",
	} {
		if mayTell("wiki.example.org", private, nil) == nil {
			t.Errorf("a name leads to %s", private)
		}
		if mayTell("localhost", "10.0.0.7:80", nil) == nil || mayTell("10.0.0.8", "10.0.0.7:80", nil) == nil {
			t.Error("another address than the one typed")
		}
	}
	for typed, address := range map[string]string{
		"wiki.example.org": "93.184.215.14:443", "wiki6.example.org": "[2606:2800:21f::1]:443", "10.0.0.7": "10.0.0.7:443", "localhost": "127.0.0.1:8080",
		"127.0.0.1": "127.0.0.1:8080", "::1": "[::1]:8080", "fd00::7": "[fd00::7]:443",
	} {
		if err := mayTell(typed, address, nil); err != nil {
			t.Errorf("%s at %s: %v", typed, address, err)
		}
	}
}

// A self-hosted application commonly lies beside us: the operator says where.
func TestANoticeGoesIntoAPrivateNetworkThatTheOperatorAllowed(t *testing.T) {
	allowed := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")}
	for address, may := range map[string]bool{
		"10.0.0.7:443": true, "[::ffff:10.0.0.7]:443": true, "[fd00::7]:443": true, "93.184.215.14:443": true,
		"10.0.1.7:443": false, "127.0.0.1:443": false, "[fd00:0:0:1::7]:443": false, "169.254.169.254:80": false,
	} {
		if err := mayTell("wiki.example.org", address, allowed); (err == nil) != may {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAnApplicationIsToldOneThingAtATime(t *testing.T) {
	var told telling
	if !told.begin("wiki") || told.begin("wiki") {
		t.Error("it has two turns")
	}
	if !told.begin("notes") {
		t.Error("another one waits for it")
	}
	told.end("wiki")
	if !told.begin("wiki") {
		t.Error("it has no other turn")
	}
	for i := range toldAtOnce - 2 {
		if !told.begin(auth.ApplicationID(rune('a' + i))) {
			t.Fatalf("no more than %d at once", i+2)
		}
	}
	if told.begin("one too many") {
		t.Error("there is no limit")
	}
}
