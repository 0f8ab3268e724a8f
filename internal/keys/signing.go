package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/twinlock/twinlock/internal/auth"
)

// rsaBits is the size of an RSA key: the least that NIST SP 800-57 lets stand
// until 2030.
const rsaBits = 2048

// Signing is a key that signs what applications are told. It does not change,
// is safe for concurrent use and does not print itself. It comes from NewSigning
// or ParseSigning.
type Signing struct {
	ID        string // its kid: made of the public half
	Algorithm auth.Algorithm

	private func() crypto.Signer // a function, as in Ring
}

// NewSigning makes a fresh key. For RS256 that takes a good part of a second.
func NewSigning(a auth.Algorithm) (Signing, error) {
	switch a {
	case auth.ES256:
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return Signing{}, fmt.Errorf("make a signing key: %w", err)
		}
		return signingOf(a, private)
	case auth.RS256:
		private, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return Signing{}, fmt.Errorf("make a signing key: %w", err)
		}
		return signingOf(a, private)
	}
	return Signing{}, fmt.Errorf("make a signing key: %q is no algorithm of ours", a)
}

func signingOf(a auth.Algorithm, private crypto.Signer) (Signing, error) {
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return Signing{}, fmt.Errorf("name a signing key: %w", err)
	}
	sum := sha256.Sum256(public)
	return Signing{ID: base64.RawURLEncoding.EncodeToString(sum[:12]), Algorithm: a,
		private: func() crypto.Signer { return private }}, nil
}

// Private is the key itself, for whoever signs.
func (k Signing) Private() crypto.Signer { return k.private() }

// Bytes gives the key as PKCS #8, to be sealed. They are as secret as the key.
func (k Signing) Bytes() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.private()) }

// ParseSigning reads what Bytes gave.
func ParseSigning(a auth.Algorithm, raw []byte) (Signing, error) {
	read, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return Signing{}, errors.New("read a signing key: not in a form that we know")
	}
	switch private := read.(type) {
	case *ecdsa.PrivateKey:
		if a == auth.ES256 && private.Curve == elliptic.P256() {
			return signingOf(a, private)
		}
	case *rsa.PrivateKey:
		if a == auth.RS256 {
			return signingOf(a, private)
		}
	}
	return Signing{}, fmt.Errorf("read a signing key: not one for %s", a)
}

// String hides the key.
func (Signing) String() string { return hidden }

// GoString hides the key from %#v.
func (Signing) GoString() string { return hidden }

// Format hides the key from every verb.
func (Signing) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the key from log/slog.
func (Signing) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key from JSON and every other encoder that asks.
func (Signing) MarshalText() ([]byte, error) { return []byte(hidden), nil }
