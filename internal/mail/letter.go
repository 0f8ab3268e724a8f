package mail

import (
	"slices"
	"time"
)

// Kind says what a letter is about. Its text is the name of the letter's folder
// and stands in the store's queue: once used, it stays.
type Kind string

// Letters with a link. The link opens a page; only that page's button does
// something.
const (
	Verify            Kind = "verify"              // confirm the address of a new account; 24 hours
	Invitation        Kind = "invitation"          // an administrator made an account; 24 hours
	Reset             Kind = "reset"               // forgotten password; 30 minutes
	ResetStarted      Kind = "reset-started"       // the same, by an administrator
	AddressChangedNew Kind = "address-changed-new" // confirm the address one changes to; 24 hours
	Unlock            Kind = "unlock"              // too many failed tries closed the door; 24 hours
)

// Letters without a link of their own: something happened, and here is what to
// do if it was not you.
const (
	AccountExists         Kind = "account-exists"           // somebody signed up with an address that has an account
	AddressTaken          Kind = "address-taken"            // somebody wanted to change to an address that has an account
	PasswordChanged       Kind = "password-changed"         // in the account settings
	PasswordResetDone     Kind = "password-reset-done"      // through a mailed link; lists what was removed
	AddressChangedOld     Kind = "address-changed-old"      // to the address that was left
	TwoFactorEnabled      Kind = "two-factor-enabled"       //
	TwoFactorDisabled     Kind = "two-factor-disabled"      // by the person
	TwoFactorReset        Kind = "two-factor-reset"         // by an administrator, with the reason
	RecoveryCodeUsed      Kind = "recovery-code-used"       // tells how many are left
	RecoveryCodesFew      Kind = "recovery-codes-few"       // asks for new ones
	RecoveryCodesMadeAnew Kind = "recovery-codes-made-anew" // the old ones are void
	PasskeyAdded          Kind = "passkey-added"            // in the account settings
	PasskeyRemoved        Kind = "passkey-removed"          // by the person
	PasskeyCopied         Kind = "passkey-copied"           // its counter went back
	AuthenticatorAdded    Kind = "authenticator-added"      // beside the others
	AuthenticatorReplaced Kind = "authenticator-replaced"   // the old one is gone
	AuthenticatorRemoved  Kind = "authenticator-removed"    // by the person; others are left
	NewDevice             Kind = "new-device"               // first login from a browser
	WrongCodes            Kind = "wrong-codes"              // right password, wrong codes
	ProtectionOff         Kind = "protection-off"           // an administrator switched two-factor authentication off for all
	AccountDisabled       Kind = "account-disabled"         // by an administrator
	AccountEnabled        Kind = "account-enabled"          // by an administrator
	AccountDeleted        Kind = "account-deleted"          // by an administrator
	AdministratorMade     Kind = "administrator-made"       // the role was given
	AdministratorNoMore   Kind = "administrator-no-more"    // the role was taken
	TwoFactorDemanded     Kind = "two-factor-demanded"      // must be used from now on
	TwoFactorOptional     Kind = "two-factor-optional"      // need not be used any more
	SessionsEnded         Kind = "sessions-ended"           // all of them, by an administrator
	LoginOpened           Kind = "login-opened"             // a closed one, by an administrator
	Test                  Kind = "test"                     // sent by the set-up wizard, to see that mail works
)

var withLink = []Kind{Verify, Invitation, Reset, ResetStarted, AddressChangedNew, Unlock}

// Kinds gives every kind of letter.
func Kinds() []Kind {
	return append(slices.Clone(withLink),
		AccountExists, AddressTaken, PasswordChanged, PasswordResetDone, AddressChangedOld,
		TwoFactorEnabled, TwoFactorDisabled, TwoFactorReset,
		RecoveryCodeUsed, RecoveryCodesFew, RecoveryCodesMadeAnew,
		PasskeyAdded, PasskeyRemoved, PasskeyCopied, AuthenticatorAdded, AuthenticatorReplaced, AuthenticatorRemoved,
		NewDevice, WrongCodes, ProtectionOff, AccountDisabled, AccountEnabled, AccountDeleted, AdministratorMade, AdministratorNoMore, TwoFactorDemanded, TwoFactorOptional, SessionsEnded, LoginOpened, Test)
}

// HasLink reports whether letters of this kind carry a link with a token. Such
// a letter carries that link and no other; every other kind at most the plain
// address of the login or forgot-password page.
func (k Kind) HasLink() bool { return slices.Contains(withLink, k) }

// Letter is what the queue keeps until the letter is sent, as sealed JSON:
// whom to tell what, in which language. It is rendered as late as possible, so
// a letter that waited still goes out in the words of the running version.
type Letter struct {
	Kind     Kind   `json:"kind"`
	ID       string `json:"id,omitempty"`   // becomes the Message-ID, the same at every try; letters, digits and hyphens; empty: Render makes one
	To       string `json:"to"`             // the bare address, in its stored spelling
	Name     string `json:"name,omitempty"` // for the greeting; may be empty
	Language string `json:"language"`       // a tag as the catalogues are named: "en", "de"
	Values   Values `json:"values"`
}

// Values are the facts that letters tell. Each kind uses some of them; what it
// needs and does not get makes Render fail, what it does not use is ignored.
type Values struct {
	At         time.Time `json:"at"`                    // when it happened; every letter needs it
	Device     string    `json:"device,omitempty"`      // the browser in words, "Firefox · Linux"; empty: not known
	Network    string    `json:"network,omitempty"`     // the network address; empty: not known
	By         string    `json:"by,omitempty"`          // who did it, where it was not the person: an address, "command" or "settings"
	Link       string    `json:"link,omitempty"`        // below the public URL: "/reset-password/TOKEN"; for the kinds with a link
	Until      time.Time `json:"until,omitzero"`        // when the link ends; for the kinds with a link
	Left       int       `json:"left,omitempty"`        // recovery codes not used yet
	Wrong      int       `json:"wrong,omitempty"`       // wrong codes so far, and refused passkeys
	Passkey    bool      `json:"passkey,omitempty"`     // passkeys are among what was wrong
	Reason     string    `json:"reason,omitempty"`      // in the administrator's words
	Removed    []Factor  `json:"removed,omitempty"`     // what a password reset removed; empty: nothing
	Factor     string    `json:"factor,omitempty"`      // the name that its owner gave a passkey or an authenticator
	Along      []string  `json:"along,omitempty"`       // the names of passkeys that opened nothing any more, and went with it
	Kept       bool      `json:"kept,omitempty"`        // a second factor is still on
	OldAddress string    `json:"old_address,omitempty"` //
	NewAddress string    `json:"new_address,omitempty"` //
}

// Factor is something a person logged in with, as letters name it.
type Factor string

// The factors that a password reset can remove.
const (
	Authenticator Factor = "authenticator"
	RecoveryCodes Factor = "recovery-codes"
	Passkeys      Factor = "passkeys"
)
