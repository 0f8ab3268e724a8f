package passkey

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// names.tsv tells what kinds of authenticators call themselves, for the ones that
// people are most likely to have.
//
//go:embed names.tsv
var namesText string

var names = sync.OnceValue(func() map[[16]byte]string {
	all := map[[16]byte]string{}
	for line := range strings.Lines(namesText) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if raw, err := hex.DecodeString(strings.ReplaceAll(kind, "-", "")); err == nil && len(raw) == 16 {
			all[[16]byte(raw)] = name
		}
	}
	return all
})

// NameOf is what a known kind of authenticator is called; false for one that does
// not say what it is, or that we do not know. Without attestation it is what the
// authenticator says of itself, and good for a list to be read by its owner.
func NameOf(kind [16]byte) (string, bool) {
	name, ok := names()[kind]
	return name, ok
}
