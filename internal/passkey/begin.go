package passkey

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/twinlock/twinlock/internal/auth"
)

// patience is how long a browser waits for its person. How long we take the
// answer is said by whoever asks.
const patience = 5 * time.Minute

// BeginSignIn asks for any passkey of this site, and for its owner to show that
// it is them. Nobody is named.
func (p *Party) BeginSignIn() (Begun, error) {
	asked, kept, err := p.site.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return begunProof(asked, kept, err)
}

// BeginProof asks for one of somebody's passkeys in the code's place.
func (p *Party) BeginProof(who Person) (Begun, error) {
	asked, kept, err := p.site.BeginLogin(known{who}, webauthn.WithUserVerification(protocol.VerificationPreferred))
	return begunProof(asked, kept, err)
}

func begunProof(asked *protocol.CredentialAssertion, kept *webauthn.SessionData, err error) (Begun, error) {
	if err != nil {
		return Begun{}, fmt.Errorf("ask for a passkey: %w", err)
	}
	asked.Response.Timeout = int(patience.Milliseconds())
	return begun(asked.Response, kept.Challenge)
}

func begun(options any, challenge string) (Begun, error) {
	text, err := json.Marshal(options)
	return Begun{Options: text, Challenge: auth.Challenge(challenge)}, err
}

// algorithms are those that every authenticator of today knows one of; RS256 is
// for the security chips of older machines with Windows.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// BeginAdding asks for a new passkey. What already holds one of the person's is
// not to make another.
func (p *Party) BeginAdding(who Person) (Begun, error) {
	user := known{who}
	asked, kept, err := p.site.BeginRegistration(user,
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithCredentialParameters(algorithms),
		webauthn.WithExclusions(webauthn.Credentials(user.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationPreferred,
		}))
	if err != nil {
		return Begun{}, fmt.Errorf("ask for a new passkey: %w", err)
	}
	asked.Response.Timeout = int(patience.Milliseconds())
	return begun(asked.Response, kept.Challenge)
}
