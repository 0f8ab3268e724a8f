package auth

// PasskeyID names a passkey in lists, commands and events.
type PasskeyID string

// PasskeyKey is a passkey as it is kept: what its answers are held to.
type PasskeyKey struct {
	Credential []byte // what its authenticator knows it by
	Public     []byte // its public key, as COSE (RFC 9052 §7)
	Format     string // of its attestation
	Transports []string
	AAGUID     [16]byte // the kind of authenticator; zero where it does not say

	// Eligible tells that it may be kept on several devices, which never
	// changes; Synced that it was, when it was last used.
	Eligible, Synced bool
	Count            uint32 // the last that it told; 0 where it counts nothing
}

// IsZero tells that there is no passkey.
func (k PasskeyKey) IsZero() bool { return len(k.Credential) == 0 }

// By says what the passkey stands for in the code's place.
func (k PasskeyKey) By() CodeBy {
	if k.Synced {
		return BySyncedPasskey
	}
	return ByPasskey
}

// Challenge is what a passkey has to sign, base64url as the browser has it. It
// is answered once.
type Challenge string

// Ceremony is what a passkey is asked for. An answer to one is none to another.
type Ceremony string

const (
	SigningIn           Ceremony = "sign in"
	ProvingCode         Ceremony = "code" // at a login, after the password
	ConfirmingPasskey   Ceremony = "confirm"
	ResettingPassword   Ceremony = "reset"
	AddingPasskey       Ceremony = "add"
	RemovingLastPasskey Ceremony = "remove"
	DisablingApps       Ceremony = "disable"
	MakingRecoveryCodes Ceremony = "recovery codes"
	AgreeingToLoss      Ceremony = "loss"
)

// Kept tells why a passkey may not be removed; "" where it may.
type Kept string

const (
	LastForDemand Kept = "demanded"    // a second factor is asked for, and there would be none
	LastReadable  Kept = "unreadable"  // the authenticator app counts, and its key cannot be read
	NoPassword    Kept = "no password" // nothing else opens the account
)

// MayRemovePasskey tells whether one of so many passkeys may be removed, or why
// the last one is kept. readable tells whether the keys of an authenticator app
// that is on can be read: it matters where the app counts, and only there.
//
// Whoever is free to use no second factor may go back to the password alone.
func MayRemovePasskey(u User, p Policy, passkeys int, readable bool) Kept {
	switch {
	case passkeys > 1:
		return ""
	case !u.HasPassword:
		return NoPassword
	case p.AsksAuthenticator(u) && !readable:
		return LastReadable
	case (u.MustUseTwoFactor || u.Administrator) && !p.AsksAuthenticator(u):
		return LastForDemand
	}
	return ""
}

// PasskeyShown is an answer as far as it can be read before anybody is known by
// it: the passkey that it names, and whose it says that it is.
type PasskeyShown struct{ Credential, Handle []byte }

// PasskeyProved is what a right answer says.
type PasskeyProved struct {
	Verified    bool // its owner showed that it is them, to this answer
	Synced      bool
	Count       uint32
	CountedBack bool // and is not above the one that is kept: the passkey may have been copied
}
