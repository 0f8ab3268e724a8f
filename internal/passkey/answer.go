package passkey

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/twinlock/twinlock/internal/auth"
)

// maxAnswer is more than any authenticator answers.
const maxAnswer = 16 << 10

// Read reads what a browser answered as far as that goes before anybody is known
// by it. What is no answer to a question for a passkey is ErrRefused.
func (p *Party) Read(answer string) (auth.PasskeyShown, error) {
	parsed, err := readProof(answer)
	if err != nil {
		return auth.PasskeyShown{}, err
	}
	return auth.PasskeyShown{Credential: parsed.RawID, Handle: parsed.Response.UserHandle}, nil
}

func readProof(answer string) (parsed *protocol.ParsedCredentialAssertionData, err error) {
	defer refusePanic(&err)
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%w: %d bytes", ErrRefused, len(answer))
	}
	parsed, err = protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	return parsed, refused(err)
}

// Check holds an answer to the challenge, to our origin and domain, to the key,
// to the handle of its owner, and where it must be, to the owner's having shown
// that it is them. With mustVerify the answer has to name its owner itself.
//
// k is the zero key where nobody has the credential: the same work is done, and
// the answer is ErrRefused.
func (p *Party) Check(answer string, c auth.Challenge, k auth.PasskeyKey, handle []byte, mustVerify bool) (proved auth.PasskeyProved, err error) {
	defer refusePanic(&err)
	parsed, err := readProof(answer)
	if err != nil {
		return proved, err
	}
	unknown := len(k.Public) == 0
	if unknown {
		k, handle = standIn(parsed.RawID), parsed.Response.UserHandle
	}
	checked, err := p.check(parsed, c, k, handle, mustVerify)
	switch {
	case err != nil:
		return proved, refused(err)
	case unknown:
		return proved, fmt.Errorf("%w: nobody has it", ErrRefused)
	}
	flags := parsed.Response.AuthenticatorData.Flags // of this answer: the library's own keep what was once so
	return auth.PasskeyProved{
		Verified: flags.HasUserVerified(), Synced: flags.HasBackupState(),
		Count: checked.Authenticator.SignCount, CountedBack: checked.Authenticator.CloneWarning,
	}, nil
}

func (p *Party) check(parsed *protocol.ParsedCredentialAssertionData, c auth.Challenge, k auth.PasskeyKey, handle []byte, mustVerify bool) (*webauthn.Credential, error) {
	owner := known{Person{Handle: handle, Passkeys: []auth.PasskeyKey{k}}}
	asked := webauthn.SessionData{Challenge: string(c), RelyingPartyID: p.Domain()}
	if !mustVerify {
		asked.UserID, asked.UserVerification = handle, protocol.VerificationPreferred
		asked.AllowedCredentialIDs = [][]byte{k.Credential}
		return p.site.ValidateLogin(owner, asked, parsed)
	}
	asked.UserVerification = protocol.VerificationRequired
	_, checked, err := p.site.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return owner, nil }, asked, parsed)
	return checked, err
}

// Add holds the answer to BeginAdding to its challenge, to our origin and domain,
// and gives the new key, and whether its owner showed that it is them.
func (p *Party) Add(answer string, c auth.Challenge, who Person) (k auth.PasskeyKey, verified bool, err error) {
	defer refusePanic(&err)
	if len(answer) > maxAnswer {
		return k, false, fmt.Errorf("%w: %d bytes", ErrRefused, len(answer))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return k, false, refused(err)
	}
	made, err := p.site.CreateCredential(known{who}, webauthn.SessionData{
		Challenge: string(c), RelyingPartyID: p.Domain(), UserID: who.Handle,
		UserVerification: protocol.VerificationPreferred, CredParams: algorithms,
	}, parsed)
	if err != nil {
		return k, false, refused(err)
	}
	return keyOf(made), parsed.Response.AttestationObject.AuthData.Flags.HasUserVerified(), nil
}

func keyOf(c *webauthn.Credential) auth.PasskeyKey {
	k := auth.PasskeyKey{
		Credential: c.ID, Public: c.PublicKey, Format: c.AttestationFormat,
		Eligible: c.Flags.BackupEligible, Synced: c.Flags.BackupState, Count: c.Authenticator.SignCount,
	}
	copy(k.AAGUID[:], c.Authenticator.AAGUID)
	for _, t := range c.Transport {
		k.Transports = append(k.Transports, string(t))
	}
	return k
}

// refused makes any error of the library one of ours.
func refused(err error) error {
	if err == nil || errors.Is(err, ErrRefused) {
		return err
	}
	var told *protocol.Error
	if errors.As(err, &told) {
		return fmt.Errorf("%w: %s: %s", ErrRefused, told.Details, told.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// refusePanic refuses what the library breaks over: an answer comes from anybody.
func refusePanic(err *error) {
	if broken := recover(); broken != nil {
		*err = fmt.Errorf("%w: it broke the reader: %v", ErrRefused, broken)
	}
}

// standIn is a key that nobody has. An answer that names a passkey which there is
// not is held to it, so that it takes as long as any other.
func standIn(credential []byte) auth.PasskeyKey {
	return auth.PasskeyKey{Credential: credential, Public: nobodysKey}
}

// nobodysKey is a point of P-256 whose private key nobody knows: x is the SHA-256
// of "nobody's passkey" and a zero byte.
var nobodysKey, _ = hex.DecodeString("a5010203262001215820" +
	"06af9dc6418c847f7debf8826cb7a0169bc49872d8e352c775d3931979e9de07" + "225820" +
	"204dfc54a59f271e521e2423cbc14d004b3e1d6498187bf14747f2521acacbd3")
