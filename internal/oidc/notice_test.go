package oidc

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
)

// A name that an application's owner points at our neighbours leads nowhere; an
// address that an administrator typed is theirs to know.
func TestANoticeGoesIntoAPrivateNetworkOnlyAsTyped(t *testing.T) {
	for _, private := range []string{
		"127.0.0.1:443", "127.8.8.8:443", "[::1]:443", "10.0.0.7:443", "172.16.0.1:443", "192.168.1.1:443", "169.254.169.254:80", "[fe80::1]:443",
		"[fd00::7]:443", "0.0.0.0:443", "[::]:443", "224.0.0.1:443", "255.255.255.255:443", "100.64.0.1:443", "[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.7]:443",
		"[64:ff9b::7f00:1]:443", "[2002:7f00:1::]:443", "192.0.0.1:443", "198.18.0.1:443", "240.0.0.1:443", "[ff02::1]:443",
		"192.0.2.7:443", "198.51.100.7:443", "203.0.113.7:443", "[2001:db8::7]:443", "[3fff::7]:443",
		"[fec0::7]:443", "[::7f00:1]:443", "[::10.0.0.7]:443", "[::ffff:0:127.0.0.1]:443", "[64:ff9b::10.0.0.7]:443",
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
	allowed := config.Networks{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")}
	for address, may := range map[string]bool{
		"10.0.0.7:443": true, "[::ffff:10.0.0.7]:443": true, "[fd00::7]:443": true, "93.184.215.14:443": true,
		"10.0.1.7:443": false, "127.0.0.1:443": false, "[fd00:0:0:1::7]:443": false, "169.254.169.254:80": false,
	} {
		if err := mayTell("wiki.example.org", address, allowed); (err == nil) != may {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A name with several addresses is given up for good only where all are ours to
// refuse: of the others the one that is down today may answer tomorrow.
func TestANameWithAnotherAddressIsAskedAgain(t *testing.T) {
	p := postman{typed: "wiki.example.org"}
	refused := p.mayGo("tcp", "10.0.0.7:443", nil)
	if !errors.Is(p.why(refused), errPrivate) {
		t.Errorf("alone it is %v", refused)
	}
	if err := p.mayGo("tcp", "93.184.215.14:443", nil); err != nil {
		t.Error(err)
	}
	if err := p.why(refused); err == nil || errors.Is(err, errPrivate) {
		t.Errorf("beside another it is given up: %v", err)
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
