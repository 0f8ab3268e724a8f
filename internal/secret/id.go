package secret

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes the name of a row: 128 random bits as 26 letters and digits in
// lower case. An id may be seen by anybody and opens nothing.
func NewID() string {
	var bits [16]byte
	rand.Read(bits[:])
	return lowerBase32.EncodeToString(bits[:])
}

// NewIDAt is NewID for rows of which there are many, and that may tell when they
// were made: 48 bits of the time come before 80 random ones, so that what is written
// together lies together in the database.
func NewIDAt(now time.Time) string {
	var bits [16]byte
	binary.BigEndian.PutUint64(bits[:], uint64(now.UnixMilli())<<16)
	rand.Read(bits[6:])
	return lowerBase32.EncodeToString(bits[:])
}
