package secret

import (
	"crypto/rand"
	"encoding/base32"
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes the name of a row: 128 random bits as 26 letters and digits in
// lower case. An id may be seen by anybody and opens nothing.
func NewID() string {
	var bits [16]byte
	rand.Read(bits[:])
	return lowerBase32.EncodeToString(bits[:])
}
