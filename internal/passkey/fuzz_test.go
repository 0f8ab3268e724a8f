package passkey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

// asked is what every answer here was asked with. go test fuzzes in processes of
// their own: of seeds that answered another's challenge nothing else would be read.
const asked auth.Challenge = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

// created is the answer of the owner's phone that makes a passkey.
func (o *owner) created() string {
	return o.phone.Create(`{"challenge":"`+string(asked)+`","rp":{"id":"login.example.org"},"user":{"id":"`+
		base64.RawURLEncoding.EncodeToString(o.Handle)+`"}}`, ours)
}

// shown is the answer of the owner's phone with its passkey.
func (o *owner) shown() string {
	return o.phone.Get(`{"challenge":"`+string(asked)+`","rpId":"login.example.org"}`, ours)
}

// FuzzReadAnswer holds that whatever a browser sends is refused or names a
// passkey, and that nobody's opens anything.
func FuzzReadAnswer(f *testing.F) {
	o := newOwner(f, party(f))
	f.Add(o.shown())
	f.Add(o.created())
	f.Add("{}")
	f.Fuzz(func(t *testing.T, answer string) {
		shown, err := o.party.Read(answer)
		if err == nil && len(shown.Credential) == 0 || err != nil && !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("read %+v; %v", shown, err)
		}
		if _, err := o.party.Check(answer, asked, auth.PasskeyKey{}, nil, false); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("nobody's passkey: %v", err)
		}
	})
}

// FuzzAddAnswer holds that whatever a browser sends for a new passkey is refused
// or a key that can be kept.
func FuzzAddAnswer(f *testing.F) {
	o := newOwner(f, party(f))
	f.Add(o.created())
	f.Add("{}")
	f.Fuzz(func(t *testing.T, answer string) {
		k, _, err := o.party.Add(answer, asked, o.Person)
		switch {
		case err != nil && !errors.Is(err, passkey.ErrRefused):
			t.Error(err)
		case err == nil && (k.IsZero() || len(k.Public) == 0):
			t.Errorf("made %+v", k)
		}
	})
}

// FuzzProof: an answer whose bytes are these opens only where the client's data
// answer us, the authenticator's say that the owner was there and is who they are, at
// our domain, and the passkey signed both. What the authenticator says besides is
// read as it stands there.
func FuzzProof(f *testing.F) {
	o := newOwner(f, party(f))
	right, data := clientData("webauthn.get", ours), proofData(0x1d, 7)
	f.Add(right, data, []byte(nil))
	f.Add(right, data, []byte{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01})
	for _, flags := range []byte{0x00, 0x01, 0x05, 0x08, 0x18, 0x19, 0x1c, 0x0d, 0x15, 0x5d, 0x9d, 0xff} {
		f.Add(right, proofData(flags, 1), []byte(nil))
	}
	f.Add(right, append(proofData(0x9d, 1), 0xa1, 0x63, 'a', 'b', 'c', 0xf5), []byte(nil))
	f.Add(right, slices.Concat(proofData(0x5d, 1), newKeyData(keysOf()[0])[37:]), []byte(nil))
	for _, other := range otherClientData("webauthn.get") {
		f.Add(other, data, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, said, data, forged []byte) {
		signature := forged
		if len(forged) == 0 {
			signature = o.phone.Passkeys[0].Sign(t, said, data)
		}
		answer := passkeytest.Wrap(t, o.key().Credential, map[string][]byte{
			"clientDataJSON": said, "authenticatorData": data, "signature": signature, "userHandle": o.Handle})
		proved, err := o.party.Check(answer, asked, o.key(), o.Handle, true)
		if err != nil {
			if !errors.Is(err, passkey.ErrRefused) || len(forged) == 0 && bytes.Equal(said, right) && bytes.Equal(data, proofData(0x1d, 7)) {
				t.Errorf("%q with %x: %v", said, data, err)
			}
			return
		}
		if len(forged) != 0 || !answersUs(said, "webauthn.get") || !isOfOurDomain(data) || data[32]&0x05 != 0x05 {
			t.Errorf("%q with %x, signed %x, opens: %+v", said, data, forged, proved)
		}
		if !proved.Verified || proved.Synced != (data[32]&0x10 != 0) || proved.Count != binary.BigEndian.Uint32(data[33:]) {
			t.Errorf("%x was read as %+v", data, proved)
		}
	})
}

// FuzzNewKey: a new passkey whose authenticator data are these bytes is refused, or
// kept as they say it, byte for byte.
func FuzzNewKey(f *testing.F) {
	o := newOwner(f, party(f))
	for _, key := range keysOf() {
		f.Add(newKeyData(key))
	}
	f.Add(newKeyData(nil))
	f.Add(newKeyData(keysOf()[0])[:60])
	f.Add(proofData(0x5d, 0))
	f.Add(append(newKeyData(keysOf()[0], 0xdd), 0xa1, 0x63, 'a', 'b', 'c', 0xf5))
	f.Fuzz(func(t *testing.T, data []byte) {
		var credential []byte
		if len(data) > 55 {
			credential = data[55:min(len(data), 55+int(binary.BigEndian.Uint16(data[53:])))]
		}
		k, verified, err := o.adds(t, credential, clientData("webauthn.create", ours), passkeytest.Attestation(data))
		if err != nil {
			if slices.ContainsFunc(keysOf(), func(key []byte) bool { return bytes.Equal(data, newKeyData(key)) }) {
				t.Errorf("%x: %v", data, err)
			}
			return
		}
		flags := data[32]
		if !isOfOurDomain(data) || flags&0x41 != 0x41 || !bytes.Equal(k.Credential, credential) || k.AAGUID != [16]byte(data[37:53]) ||
			k.Count != binary.BigEndian.Uint32(data[33:]) || k.Eligible != (flags&0x08 != 0) || k.Synced != (flags&0x10 != 0) || verified != (flags&0x04 != 0) {
			t.Errorf("%x was kept as %+v, %v", data, k, verified)
		}
	})
}

// FuzzAttestation: a new passkey whose answer has these bytes is refused, or answers
// us and is for our domain.
func FuzzAttestation(f *testing.F) {
	o := newOwner(f, party(f))
	right := clientData("webauthn.create", ours)
	for _, key := range keysOf() {
		f.Add(right, passkeytest.Attestation(newKeyData(key)))
	}
	object := passkeytest.Attestation(newKeyData(keysOf()[0]))
	for _, other := range otherClientData("webauthn.create") {
		f.Add(other, object)
	}
	for _, format := range []string{"packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound", "a"} {
		f.Add(right, bytes.Replace(object, []byte("\x64none"), append([]byte{byte(0x60 + len(format))}, format...), 1))
	}
	f.Add(right, bytes.Replace(object, []byte("attStmt\xa0"), []byte("attStmt\xa1\x61a\x01"), 1))
	f.Add(right, append(slices.Clone(object), 0))
	f.Add(right, object[:len(object)-1])
	another := o.shown()
	f.Fuzz(func(t *testing.T, said, object []byte) {
		k, _, err := o.adds(t, credentialIn(object), said, object)
		if err != nil {
			return
		}
		domain := sha256.Sum256([]byte("login.example.org"))
		if !answersUs(said, "webauthn.create") || !bytes.Contains(object, domain[:]) || k.IsZero() || len(k.Public) == 0 || len(k.Credential) > 1023 {
			t.Errorf("%q with %x made %+v", said, object, k)
		}
		if _, err := o.party.Check(another, asked, k, o.Handle, true); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%x opens by another's answer: %v", object, err)
		}
	})
}

// adds adds a passkey of these bytes. What is refused is refused as everything is.
func (o *owner) adds(t *testing.T, credential, said, object []byte) (auth.PasskeyKey, bool, error) {
	t.Helper()
	answer := passkeytest.Wrap(t, credential, map[string][]byte{"clientDataJSON": said, "attestationObject": object})
	k, verified, err := o.party.Add(answer, asked, o.Person)
	if err != nil && !errors.Is(err, passkey.ErrRefused) {
		t.Error(err)
	}
	return k, verified, err
}

// clientData is what a browser says of a ceremony (§5.8.1).
func clientData(kind, origin string) []byte {
	return []byte(`{"type":"` + kind + `","challenge":"` + string(asked) + `","origin":"` + origin + `","crossOrigin":false}`)
}

// otherClientData answer something else than what we asked.
func otherClientData(kind string) [][]byte {
	right := clientData(kind, ours)
	return [][]byte{
		clientData("payment.get", ours), clientData(kind, "https://evil.example"), clientData(kind, ours+".evil.example"), clientData(kind, "http://login.example.org"),
		bytes.Replace(right, []byte("false"), []byte("true"), 1), bytes.Replace(right, []byte("AAEC"), []byte("BAEC"), 1),
		bytes.Replace(right, []byte("}"), []byte(`,"origin":"https://evil.example"}`), 1), bytes.Replace(right, []byte("}"), []byte(`,"topOrigin":"https://evil.example"}`), 1),
		[]byte("null"), []byte("[]"), append([]byte("\xef\xbb\xbf"), right...),
	}
}

// answersUs tells whether client data answer what we asked, from our origin.
func answersUs(data []byte, kind string) bool {
	var said struct {
		Type, Challenge, Origin string
		CrossOrigin             bool
	}
	err := json.Unmarshal(data, &said)
	return err == nil && said.Type == kind && said.Challenge == string(asked) && strings.EqualFold(strings.TrimSuffix(said.Origin, ":443"), ours) && !said.CrossOrigin
}

// proofData are authenticator data of a passkey that is shown (§6.1).
func proofData(flags byte, count uint32) []byte {
	domain := sha256.Sum256([]byte("login.example.org"))
	return binary.BigEndian.AppendUint32(append(domain[:], flags), count)
}

// newKeyData are those of a new passkey, "credential", with this key.
func newKeyData(key []byte, flags ...byte) []byte {
	data := append(proofData(append(flags, 0x5d)[0], 7), "a kind of device\x00\x0acredential"...)
	return append(data, key...)
}

func isOfOurDomain(data []byte) bool {
	return len(data) >= 37 && bytes.Equal(data[:32], proofData(0, 0)[:32])
}

// credentialIn finds which passkey an attestation is of, without reading CBOR.
func credentialIn(object []byte) []byte {
	_, data, found := bytes.Cut(object, proofData(0, 0)[:32])
	if !found || len(data) < 23 {
		return []byte("credential")
	}
	return data[23:min(len(data), 23+int(binary.BigEndian.Uint16(data[21:])))]
}

// keysOf are a key of each algorithm that we ask for (RFC 9053), in COSE: ES256, EdDSA
// and RS256.
func keysOf() [][]byte {
	point := "06af9dc6418c847f7debf8826cb7a0169bc49872d8e352c775d3931979e9de07" + "225820" + "204dfc54a59f271e521e2423cbc14d004b3e1d6498187bf14747f2521acacbd3"
	var all [][]byte
	for _, key := range []string{
		"a5010203262001215820" + point,
		"a4010103272006215820" + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"a401030339010020590100" + strings.Repeat("c3", 256) + "2143010001",
	} {
		raw, _ := hex.DecodeString(key)
		all = append(all, raw)
	}
	return all
}
