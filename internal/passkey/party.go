package passkey

import (
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/twinlock/twinlock/internal/auth"
)

// ErrRefused is every answer that proves nothing, whatever is wrong with it.
// Errors that wrap it say why, for the log.
var ErrRefused = errors.New("this answer of a passkey proves nothing")

// Party is this site as passkeys know it. It is safe for concurrent use.
type Party struct {
	site *webauthn.WebAuthn
}

// NewParty makes it from where we live: the public URL without a slash at its
// end, as browsers write their origin, and its host without a port, which has to be a
// name: passkeys belong to names.
func NewParty(origin, host, site string) (*Party, error) {
	made, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: site, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		// Some password managers answer extensions that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("make this site known to passkeys: %w", err)
	}
	return &Party{made}, nil
}

// Domain is what passkeys are made for. One that was made for another works
// nowhere here.
func (p *Party) Domain() string { return p.site.Config.RPID }

// Begun is a ceremony on its way: what the browser is to be asked, as JSON, and
// the challenge that an answer has to have signed.
type Begun struct {
	Options   []byte
	Challenge auth.Challenge
}

// Person is who makes or shows a passkey. Their handle says nothing of them to
// whoever reads it on a device.
type Person struct {
	Handle        []byte
	Address, Name string
	Passkeys      []auth.PasskeyKey
}

// known is somebody as the library asks for them.
type known struct{ Person }

func (k known) WebAuthnID() []byte          { return k.Handle }
func (k known) WebAuthnName() string        { return k.Address }
func (k known) WebAuthnDisplayName() string { return k.Name }

func (k known) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(k.Passkeys))
	for i, key := range k.Passkeys {
		all[i] = credentialOf(key)
	}
	return all
}

func credentialOf(k auth.PasskeyKey) webauthn.Credential {
	c := webauthn.Credential{
		ID: k.Credential, PublicKey: k.Public, AttestationFormat: k.Format,
		Flags:         webauthn.CredentialFlags{BackupEligible: k.Eligible, BackupState: k.Synced},
		Authenticator: webauthn.Authenticator{AAGUID: k.AAGUID[:], SignCount: k.Count},
	}
	for _, t := range k.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}
