package secret

import (
	"crypto/subtle"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
)

// Hash is the SHA-256 of a Token, and what the database keeps of it. It is no
// secret: nobody gets from it to the token. The zero value is no hash, and is
// stored as NULL.
type Hash [32]byte

// IsZero tells whether this is no hash at all.
func (h Hash) IsZero() bool { return h == Hash{} }

// Equal compares in constant time. The zero value equals nothing, not even
// itself: no token is not the right token where none was stored.
func (h Hash) Equal(other Hash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1 && !h.IsZero()
}

// Value stores the hash as 32 bytes, the zero value as NULL.
func (h Hash) Value() (driver.Value, error) {
	if h.IsZero() {
		return nil, nil
	}
	return h[:], nil
}

// Scan reads what Value stored. Anything but NULL or 32 bytes is an error.
func (h *Hash) Scan(src any) error {
	if src == nil {
		*h = Hash{}
		return nil
	}
	stored, ok := src.([]byte)
	if !ok || len(stored) != len(h) {
		return fmt.Errorf("read a stored hash: want %d bytes, got %T of length %d", len(h), src, len(stored))
	}
	*h = Hash(stored)
	return nil
}

// Text is the hash as words, for where a column keeps text.
func (h Hash) Text() string { return hex.EncodeToString(h[:]) }

// IsText tells whether Text gave these words. It takes the same time wherever
// they differ.
func (h Hash) IsText(words string) bool {
	return subtle.ConstantTimeCompare([]byte(h.Text()), []byte(words)) == 1
}

// ParseHash reads what Text gave.
func ParseHash(words string) (h Hash, ok bool) {
	n, err := hex.Decode(h[:], []byte(words[:min(len(words), 2*len(h))]))
	return h, err == nil && n == len(h) && len(words) == 2*len(h)
}
