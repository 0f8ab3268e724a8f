package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// ErrUnreadable is why sealed bytes do not open: altered, cut short, sealed
// for another row, or by a key that the ring does not hold.
var ErrUnreadable = errors.New("sealed bytes are unreadable")

const (
	version  = 1 // of the sealed form
	idLength = 4 // bytes
	hidden   = "‹keys›"
)

// Ring is a set of keys. It does not change, is safe for concurrent use and
// does not print itself. Rings come from New, Parse, OpenFile or CreateFile;
// the zero value is of no use.
type Ring struct {
	// A function, because fmt looks into the unexported fields of whatever
	// struct holds a ring, and of a function it sees only the address.
	held func() held
}

type held struct {
	root [32]byte
	keys []sealingKey // newest first, at least one, no two alike
}

type sealingKey struct {
	raw  [32]byte
	id   [idLength]byte // derived from raw, so that the two cannot disagree
	aead cipher.AEAD
}

// New makes a ring with a fresh root and one fresh sealing key.
func New() *Ring {
	return ringOf(held{root: fresh(), keys: []sealingKey{sealingKeyOf(fresh())}})
}

func ringOf(h held) *Ring { return &Ring{func() held { return h }} }

func fresh() (raw [32]byte) {
	rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return raw
}

// sealingKeyOf separates what is used for AES from what is shown as the id.
func sealingKeyOf(raw [32]byte) sealingKey {
	block, err := aes.NewCipher(expand(raw, "twinlock sealing", 32))
	if err != nil {
		panic("keys: " + err.Error()) // only for a key of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("keys: " + err.Error()) // only for a cipher that is not AES
	}
	return sealingKey{raw, [idLength]byte(expand(raw, "twinlock key id", idLength)), aead}
}

// expand is the second half of HKDF (RFC 5869 §2.3). The first half is for
// input that is not yet uniform, and ours is.
func expand(raw [32]byte, purpose string, length int) []byte {
	out, err := hkdf.Expand(sha256.New, raw[:], purpose, length)
	if err != nil {
		panic("keys: " + err.Error()) // only for more than 255 blocks
	}
	return out
}

// WithNewKey gives a ring that seals with a fresh key and opens all that this
// one opens. It derives the same values.
func (r *Ring) WithNewKey() *Ring {
	h := r.held()
	key := sealingKeyOf(fresh())
	for h.find(key.id[:]) >= 0 {
		key = sealingKeyOf(fresh())
	}
	h.keys = append([]sealingKey{key}, h.keys...)
	return ringOf(h)
}

// find gives the place of the key with this id, or -1.
func (h held) find(id []byte) int {
	return slices.IndexFunc(h.keys, func(k sealingKey) bool { return bytes.Equal(k.id[:], id) })
}

// Seal encrypts plain with the newest key (AES-256-GCM, random nonce). row
// names the place that the sealed bytes are kept in, such as "users/4x…/key";
// they open there and nowhere else. A key is good for 2³² seals.
//
// The only error is a row without a name. The form is one version byte, four
// bytes of key id, and what cipher.NewGCMWithRandomNonce gives.
func (r *Ring) Seal(plain []byte, row string) ([]byte, error) {
	if row == "" {
		return nil, errors.New("seal: the row has no name")
	}
	key := r.held().keys[0]
	head := append([]byte{version}, key.id[:]...)
	return key.aead.Seal(head, nil, plain, bound(head, row)), nil
}

// bound is what the seal vouches for besides the plain bytes.
func bound(head []byte, row string) []byte {
	return append(slices.Clone(head), row...)
}

// Open decrypts what Seal gave for the same row. old says that an older key
// sealed it, so the caller may seal it again. Every error wraps ErrUnreadable.
func (r *Ring) Open(sealed []byte, row string) (plain []byte, old bool, err error) {
	const headLength = 1 + idLength
	if len(sealed) < headLength || sealed[0] != version {
		return nil, false, fmt.Errorf("open %s: not in a form that we know: %w", row, ErrUnreadable)
	}
	head, body := sealed[:headLength], sealed[headLength:]
	h := r.held()
	at := h.find(head[1:])
	if at < 0 {
		return nil, false, fmt.Errorf("open %s: sealed by key %x, which is not in the key file: %w", row, head[1:], ErrUnreadable)
	}
	plain, err = h.keys[at].aead.Open(nil, nil, body, bound(head, row))
	if err != nil {
		return nil, false, fmt.Errorf("open %s: altered, or sealed for another row: %w", row, ErrUnreadable)
	}
	return plain, at > 0, nil
}

// Derive gives 32 bytes that depend on purpose and input and that only holders
// of the root can compute: HMAC-SHA-256 under a key that HKDF makes for the
// purpose. They stay the same when sealing keys come and go.
func (r *Ring) Derive(purpose string, input []byte) [32]byte {
	return mac256(expand(r.held().root, "twinlock derive "+purpose, 32), input)
}

func mac256(key, input []byte) [32]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(input)
	return [32]byte(mac.Sum(nil))
}

// Fingerprint names the root and the newest key without telling anything about
// them. It is kept in the database, and Holds asks for it at the next start.
func (r *Ring) Fingerprint() string {
	h := r.held()
	return h.fingerprint(h.keys[0])
}

func (h held) fingerprint(key sealingKey) string {
	sum := mac256(expand(h.root, "twinlock fingerprint", 32), expand(key.raw, "twinlock fingerprint", 32))
	return hex.EncodeToString(sum[:])
}

// Holds tells whether this ring was, at some time, the one with that
// fingerprint. A ring that has got a newer key since still holds it; a foreign
// ring, or a copy from before that key was made, does not.
func (r *Ring) Holds(fingerprint string) bool {
	h := r.held()
	return slices.ContainsFunc(h.keys, func(k sealingKey) bool { return h.fingerprint(k) == fingerprint })
}

// String hides the keys.
func (Ring) String() string { return hidden }

// GoString hides the keys from %#v.
func (Ring) GoString() string { return hidden }

// Format hides the keys from every verb.
func (Ring) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the keys from log/slog.
func (Ring) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the keys from JSON and every other encoder that asks.
func (Ring) MarshalText() ([]byte, error) { return []byte(hidden), nil }
