package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// longestToken is more than any token of ours, in bytes. What comes from outside
// is measured before anybody reads it.
const longestToken = 8 << 10

// compactForm is how a signed token is written (RFC 7515 §7.1). The library
// would overlook spaces and line breaks in it, which makes many tokens of one.
var compactForm = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

var errNotOurs = errors.New("not signed by us")

// algorithms are those that we sign by, and the only ones that are ever read.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}

// signingKey gives the key of an algorithm that signs now: the one that began
// last, or where the clock says that none has, the first.
func (h *Flow) signingKey(ctx context.Context, a auth.Algorithm, now time.Time) (store.SigningKey, error) {
	all, err := h.Store.SigningKeys(ctx)
	if err != nil {
		return store.SigningKey{}, err
	}
	var key store.SigningKey
	for _, k := range all {
		if k.Algorithm == a && (key.ID == "" || !k.SignsAt.After(now)) {
			key = k
		}
	}
	if key.ID == "" {
		return key, fmt.Errorf("no signing key for %s", a)
	}
	return key, nil
}

// sign makes a signed token (RFC 7519) of a type, so that none is taken for
// another (RFC 8725 §3.11).
func (h *Flow) sign(ctx context.Context, a auth.Algorithm, kind string, claims any, now time.Time) (string, error) {
	key, err := h.signingKey(ctx, a, now)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(a), Key: jose.JSONWebKey{Key: key.Private(), KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// idTokenKind is the type in an ID token's header.
const idTokenKind = "JWT"

// told is what an ID token of ours said, when it was made.
type told struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Session  string `json:"sid"`
}

// readIDToken reads an ID token that an application sends back as a hint. It may
// have run out: it is no proof of anything but of whom we spoke. The key is one
// of ours by its name; whatever else a token says of keys is not looked at.
func (h *Flow) readIDToken(ctx context.Context, raw string) (told, error) {
	var t told
	if len(raw) > longestToken || !compactForm.MatchString(raw) {
		return t, errNotOurs
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return t, errNotOurs
	}
	head := signed.Signatures[0].Header
	if kind, _ := head.ExtraHeaders[jose.HeaderType].(string); kind != idTokenKind {
		return t, errNotOurs
	}
	all, err := h.Store.SigningKeys(ctx)
	if err != nil {
		return t, err
	}
	for _, k := range all {
		if k.ID != head.KeyID || string(k.Algorithm) != head.Algorithm {
			continue
		}
		payload, err := signed.Verify(k.Private().Public())
		if err != nil || json.Unmarshal(payload, &t) != nil || t.Issuer != h.PublicURL {
			return told{}, errNotOurs
		}
		return t, nil
	}
	return t, errNotOurs
}
