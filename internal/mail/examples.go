package mail

import "time"

// Example is a letter with a name of its own. Tests and the gallery render the
// same ones.
type Example struct {
	Name   string // "reset", "password-reset-done, nothing removed"
	Letter Letter
}

// Examples gives at least one letter of every kind, in English; set
// Letter.Language for another.
func Examples() []Example {
	at := time.Date(2026, time.November, 23, 14, 35, 0, 0, time.UTC)
	byEli := Values{At: at, By: "eli@example.com"}
	seen := Values{At: at, Device: "Firefox · Linux", Network: "203.0.113.9"}

	var examples []Example
	add := func(name string, kind Kind, values Values) {
		letter := Letter{Kind: kind, ID: "example", To: "ada@example.com", Name: "Ada Lovelace", Language: "en", Values: values}
		examples = append(examples, Example{Name: name, Letter: letter})
	}

	add("verify", Verify, seen.withLink("/register/confirm/", 24*time.Hour))
	add("invitation", Invitation, byEli.withLink("/register/invitation/", 24*time.Hour))
	add("reset", Reset, seen.withLink("/forgot-password/", 30*time.Minute))
	add("reset, browser and network not known", Reset, Values{At: at}.withLink("/forgot-password/", 30*time.Minute))
	add("reset started by an administrator", ResetStarted, byEli.withLink("/forgot-password/", 30*time.Minute))
	add("address changed, to the new one", AddressChangedNew, seen.withAddresses().withLink("/account/address/", 24*time.Hour))
	add("address changed, to the old one", AddressChangedOld, seen.withAddresses())
	add("unlock", Unlock, seen.withLink("/login/unlock/", 24*time.Hour))
	add("unlock, after wrong codes", Unlock, seen.withWrong(100).withLink("/login/unlock/", 24*time.Hour))

	add("account exists", AccountExists, seen)
	add("address taken", AddressTaken, seen)
	add("password changed", PasswordChanged, seen)
	add("password reset, second factors removed", PasswordResetDone, seen.withRemoved(Authenticator, RecoveryCodes, Passkeys))
	add("password reset, passkeys that did not work removed", PasswordResetDone, seen.withRemoved(Passkeys).keepingOthers())
	add("password reset, nothing removed", PasswordResetDone, seen)
	add("two-factor enabled", TwoFactorEnabled, seen)
	add("two-factor disabled", TwoFactorDisabled, seen)
	add("two-factor reset", TwoFactorReset, Values{At: at, Reason: "Lost her phone; identity checked in person at the front desk."})
	add("recovery code used", RecoveryCodeUsed, seen.withLeft(7))
	add("recovery code used, one left", RecoveryCodeUsed, seen.withLeft(1))
	add("recovery code used, none left", RecoveryCodeUsed, seen.withLeft(0))
	add("recovery codes few", RecoveryCodesFew, seen.withLeft(3))
	add("recovery codes made anew", RecoveryCodesMadeAnew, seen)
	add("passkey added", PasskeyAdded, seen.withFactor("iCloud Keychain"))
	add("passkey removed", PasskeyRemoved, seen.withFactor("iCloud Keychain"))
	add("passkey removed, with others", PasskeyRemoved, seen.withFactor("iCloud Keychain").withAlong("Phone", "Old key"))
	add("passkey copied", PasskeyCopied, seen.withFactor("YubiKey 5"))
	add("authenticator added", AuthenticatorAdded, seen.withFactor("Tablet"))
	add("authenticator replaced", AuthenticatorReplaced, seen.withFactor("New phone"))
	add("authenticator removed", AuthenticatorRemoved, seen.withFactor("Tablet"))
	add("new device", NewDevice, seen)
	add("wrong codes", WrongCodes, seen.withWrong(5))
	add("wrong codes, and refused passkeys", WrongCodes, seen.withWrong(3).withPasskey())
	add("protection off", ProtectionOff, byEli)
	add("protection off, by the settings", ProtectionOff, Values{At: at, By: "settings"})
	add("account disabled", AccountDisabled, byEli)
	add("account disabled, by command", AccountDisabled, Values{At: at, By: "command"})
	add("account enabled", AccountEnabled, byEli)
	add("account deleted", AccountDeleted, byEli)
	add("administrator made", AdministratorMade, byEli)
	add("administrator no more", AdministratorNoMore, byEli)
	add("two factor demanded", TwoFactorDemanded, byEli)
	add("two factor optional", TwoFactorOptional, byEli)
	add("sessions ended", SessionsEnded, byEli)
	add("login opened", LoginOpened, byEli)
	add("account disabled, with a reason", AccountDisabled, Values{At: at, Reason: "Left the company."})
	add("test", Test, Values{At: at})
	return examples
}

// exampleToken has the form of a token and opens nothing.
const exampleToken = "EXAMPLE-0123456789-abcdefghijklmnopqrstuvw_"

func (v Values) withLink(page string, lifetime time.Duration) Values {
	v.Link, v.Until = page+exampleToken, v.At.Add(lifetime)
	return v
}

func (v Values) withAddresses() Values {
	v.OldAddress, v.NewAddress = "ada@old.example.com", "ada@example.com"
	return v
}

func (v Values) withRemoved(factors ...Factor) Values {
	v.Removed = factors
	return v
}

func (v Values) withFactor(name string) Values {
	v.Factor = name
	return v
}

func (v Values) withAlong(names ...string) Values {
	v.Along = names
	return v
}

func (v Values) keepingOthers() Values {
	v.Kept = true
	return v
}

func (v Values) withLeft(codes int) Values {
	v.Left = codes
	return v
}

func (v Values) withPasskey() Values {
	v.Passkey = true
	return v
}

func (v Values) withWrong(codes int) Values {
	v.Wrong = codes
	return v
}
