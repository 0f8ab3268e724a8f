package auth

import "time"

// LetterKind names what a letter tells.
type LetterKind string

const (
	LetterVerify                LetterKind = "verify"
	LetterAccountExists         LetterKind = "account-exists"
	LetterAddressTaken          LetterKind = "address-taken"
	LetterInvitation            LetterKind = "invitation"
	LetterReset                 LetterKind = "reset"
	LetterPasswordChanged       LetterKind = "password-changed"
	LetterPasswordResetDone     LetterKind = "password-reset-done"
	LetterAddressChangedOld     LetterKind = "address-changed-old"
	LetterAddressChangedNew     LetterKind = "address-changed-new"
	LetterTwoFactorEnabled      LetterKind = "two-factor-enabled"
	LetterTwoFactorDisabled     LetterKind = "two-factor-disabled"
	LetterTwoFactorReset        LetterKind = "two-factor-reset"
	LetterRecoveryCodeUsed      LetterKind = "recovery-code-used"
	LetterRecoveryCodesFew      LetterKind = "recovery-codes-few"
	LetterRecoveryCodesAnew     LetterKind = "recovery-codes-made-anew"
	LetterPasskeyAdded          LetterKind = "passkey-added"
	LetterPasskeyRemoved        LetterKind = "passkey-removed"
	LetterPasskeyCopied         LetterKind = "passkey-copied" // its counter went back
	LetterAuthenticatorAdded    LetterKind = "authenticator-added"
	LetterAuthenticatorReplaced LetterKind = "authenticator-replaced"
	LetterAuthenticatorRemoved  LetterKind = "authenticator-removed"
	LetterUnlock                LetterKind = "unlock"
	LetterNewDevice             LetterKind = "new-device"
	LetterWrongCodes            LetterKind = "wrong-codes"
	LetterProtectionOff         LetterKind = "protection-off"
	LetterAccountDisabled       LetterKind = "account-disabled"
	LetterTest                  LetterKind = "test"

	// What an administrator did to an account, beside what stands above.
	LetterResetStarted        LetterKind = "reset-started"
	LetterAccountEnabled      LetterKind = "account-enabled"
	LetterAccountDeleted      LetterKind = "account-deleted"
	LetterAdministratorMade   LetterKind = "administrator-made"
	LetterAdministratorNoMore LetterKind = "administrator-no-more"
	LetterTwoFactorDemanded   LetterKind = "two-factor-demanded"
	LetterTwoFactorOptional   LetterKind = "two-factor-optional"
	LetterSessionsEnded       LetterKind = "sessions-ended"
	LetterLoginOpened         LetterKind = "login-opened"
)

// Letter is what a letter says, before it is put into words: the store queues
// it sealed, and it is rendered when it is sent.
type Letter struct {
	Kind     LetterKind
	To       string // an address as it was typed
	Name     string
	Language string
	Values   LetterValues
}

// LetterValues are the facts that a letter may tell. Zero values are facts
// that this letter does not have.
type LetterValues struct {
	Link       string    `json:",omitempty"` // a path on the public URL
	Until      time.Time `json:",omitzero"`  // when the link ends
	At         time.Time `json:",omitzero"`
	Device     string    `json:",omitempty"` // the browser's own words
	Network    string    `json:",omitempty"`
	By         string    `json:",omitempty"` // who did it, where it was not the person: see [Actor.LetterName]
	Left       int       `json:",omitempty"`
	Wrong      int       `json:",omitempty"` // codes, and passkeys
	Passkey    bool      `json:",omitempty"` // passkeys are among what was wrong
	Reason     string    `json:",omitempty"`
	Removed    []string  `json:",omitempty"` // "authenticator", "recovery-codes", "passkeys"
	Factor     string    `json:",omitempty"` // the name that its owner gave it
	Along      []string  `json:",omitempty"` // the names of passkeys that opened nothing any more, and went with it
	Kept       bool      `json:",omitempty"` // a second factor is still on
	OldAddress string    `json:",omitempty"`
	NewAddress string    `json:",omitempty"`
}
