// Package passkeytest is an authenticator made of software, for tests: it makes
// passkeys, answers for them as a browser hands the answer on, and spoils
// whatever part of an answer a test wants spoilt.
package passkeytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
)

// Authenticator holds passkeys, and tells with each answer what it says of
// itself here. It is for one goroutine.
type Authenticator struct {
	Kind      [16]byte // its AAGUID
	Verifies  bool     // its owner shows each time that it is them
	Syncs     bool     // what it holds is on other devices too
	Counts    bool     // it counts its answers
	Passkeys  []*Passkey
	Transport string

	t testing.TB
}

// Passkey is one that it holds.
type Passkey struct {
	Credential []byte
	Handle     []byte
	Domain     string
	Count      uint32

	key *ecdsa.PrivateKey
}

// New makes an empty one, which verifies its owner and does not count: a phone.
func New(t testing.TB) *Authenticator {
	return &Authenticator{Verifies: true, Syncs: true, Transport: "internal", t: t}
}

// Answer is an answer on its way, before it is signed. A test may spoil any part.
type Answer struct {
	Type        string // of the client's data
	Challenge   string
	Origin      string
	CrossOrigin bool

	Domain                              string
	Present, Verified, Eligible, Synced bool
	Count                               uint32

	Credential, Handle []byte
	Extensions         map[string]any // of the client

	SpoilSignature func([]byte) []byte // nil: as it was signed
}

// creation and request are what a page's options say, as far as an authenticator
// listens.
type creation struct {
	Challenge string
	RP        struct{ ID string }
	User      struct{ ID string }
	Excluded  []struct{ ID string } `json:"excludeCredentials"`
}

type request struct {
	Challenge string
	Domain    string                `json:"rpId"`
	Allowed   []struct{ ID string } `json:"allowCredentials"`
}

// Excludes tells whether it already holds a passkey that the options name, and
// would make no other.
func (a *Authenticator) Excludes(options string) bool {
	var asked creation
	a.read(options, &asked)
	return slices.ContainsFunc(a.Passkeys, func(p *Passkey) bool {
		return slices.ContainsFunc(asked.Excluded, func(e struct{ ID string }) bool { return e.ID == text(p.Credential) })
	})
}

// Create makes a passkey for a page of this origin and gives the browser's answer.
func (a *Authenticator) Create(options, origin string, spoil ...func(*Answer)) string {
	a.t.Helper()
	var asked creation
	a.read(options, &asked)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(asked.User.ID)
	if err != nil {
		a.t.Fatal(err)
	}
	p := &Passkey{Credential: make([]byte, 32), Handle: handle, Domain: asked.RP.ID, key: key}
	rand.Read(p.Credential)
	answer := a.begin("webauthn.create", asked.Challenge, origin, p)
	for _, s := range spoil {
		s(&answer)
	}
	p.Credential = answer.Credential
	a.Passkeys = append(a.Passkeys, p)
	data := answer.authenticatorData(a.Kind, &key.PublicKey)
	return answer.json(a.t, map[string]any{
		"clientDataJSON":    text(answer.clientData(a.t)),
		"attestationObject": text(Attestation(data)),
		"transports":        []string{a.Transport},
	})
}

// Get answers a page of this origin with the newest passkey that it asks for.
func (a *Authenticator) Get(options, origin string, spoil ...func(*Answer)) string {
	a.t.Helper()
	var asked request
	a.read(options, &asked)
	for _, p := range slices.Backward(a.Passkeys) {
		allowed := slices.ContainsFunc(asked.Allowed, func(e struct{ ID string }) bool { return e.ID == text(p.Credential) })
		if p.Domain == asked.Domain && (len(asked.Allowed) == 0 || allowed) {
			return a.GetWith(p, options, origin, spoil...)
		}
	}
	a.t.Fatalf("none of %d passkeys is asked for: %s", len(a.Passkeys), options)
	return ""
}

// GetWith answers with this passkey, whatever the page asks for.
func (a *Authenticator) GetWith(p *Passkey, options, origin string, spoil ...func(*Answer)) string {
	a.t.Helper()
	var asked request
	a.read(options, &asked)
	answer := a.begin("webauthn.get", asked.Challenge, origin, p)
	for _, s := range spoil {
		s(&answer)
	}
	clientData, data := answer.clientData(a.t), answer.authenticatorData(a.Kind, nil)
	signature := p.Sign(a.t, clientData, data)
	if answer.SpoilSignature != nil {
		signature = answer.SpoilSignature(signature)
	}
	response := map[string]any{
		"clientDataJSON": text(clientData), "authenticatorData": text(data), "signature": text(signature),
	}
	if answer.Handle != nil {
		response["userHandle"] = text(answer.Handle)
	}
	return answer.json(a.t, response)
}

// Sign signs the client's data and the authenticator's, whatever they are.
func (p *Passkey) Sign(t testing.TB, clientData, data []byte) []byte {
	t.Helper()
	hash := sha256.Sum256(clientData)
	signed := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// Wrap is an answer for a passkey, as a browser hands it on, whose parts are these
// bytes, whatever they are.
func Wrap(t testing.TB, credential []byte, parts map[string][]byte) string {
	t.Helper()
	response := map[string]any{}
	for name, part := range parts {
		response[name] = text(part)
	}
	return Answer{Credential: credential, Extensions: map[string]any{}}.json(t, response)
}

func (a *Authenticator) begin(kind, challenge, origin string, p *Passkey) Answer {
	if a.Counts {
		p.Count++
	}
	return Answer{
		Type: kind, Challenge: challenge, Origin: origin, Domain: p.Domain,
		Present: true, Verified: a.Verifies, Eligible: a.Syncs, Synced: a.Syncs, Count: p.Count,
		Credential: p.Credential, Handle: p.Handle, Extensions: map[string]any{},
	}
}

func (a *Authenticator) read(options string, into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(options), into); err != nil {
		a.t.Fatalf("read %q: %v", options, err)
	}
}

func (a Answer) clientData(t testing.TB) []byte {
	data, err := json.Marshal(map[string]any{
		"type": a.Type, "challenge": a.Challenge, "origin": a.Origin, "crossOrigin": a.CrossOrigin,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// authenticatorData is what is signed (Web Authentication §6.1); with a key, that
// of a new passkey.
func (a Answer) authenticatorData(kind [16]byte, made *ecdsa.PublicKey) []byte {
	var flags byte
	for bit, set := range map[byte]bool{0: a.Present, 2: a.Verified, 3: a.Eligible, 4: a.Synced, 6: made != nil} {
		if set {
			flags |= 1 << bit
		}
	}
	domain := sha256.Sum256([]byte(a.Domain))
	data := append(domain[:], flags)
	data = binary.BigEndian.AppendUint32(data, a.Count)
	if made == nil {
		return data
	}
	data = append(data, kind[:]...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.Credential)))
	data = append(data, a.Credential...)
	return append(data, cose(made)...)
}

func (a Answer) json(t testing.TB, response map[string]any) string {
	answer, err := json.Marshal(map[string]any{
		"id": text(a.Credential), "rawId": text(a.Credential), "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": a.Extensions, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// cose is a key of P-256 for ES256 (RFC 9053 §7.1.1).
func cose(key *ecdsa.PublicKey) []byte {
	point, err := key.Bytes() // 4, x, y
	if err != nil {
		return nil
	}
	return slices.Concat(
		[]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32}, point[1:33], []byte{0x22, 0x58, 32}, point[33:])
}

// Attestation is that of a new passkey with this authenticator data, and says nothing
// of its maker (§8.7), as CBOR.
func Attestation(data []byte) []byte {
	var b bytes.Buffer
	b.WriteByte(0xa3)
	b.WriteString("\x63fmt\x64none")
	b.WriteString("\x67attStmt\xa0")
	b.WriteString("\x68authData\x59")
	b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data))))
	b.Write(data)
	return b.Bytes()
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
