// Package account is the flow of a person's own settings.
//
//	GET  /account                        name, password, address; two-factor authentication at the bottom
//	GET  /account/two-factor             while it is off the set-up, while it is on how to disable it
//	POST /account/two-factor             activates
//	POST /account/two-factor/disable     disables
//	GET  /account/authenticators         the authenticator apps that a person has
//	POST /account/authenticators/rename  names one
//	POST /account/authenticators/remove  removes one of several
//	GET  /account/authenticators/new     sets one more up
//	POST /account/authenticators/new     adds it
//	GET  /account/authenticators/replace sets a new phone up
//	POST /account/authenticators/replace puts it in the old one's place
//	GET  /account/passkeys               the passkeys that a person has
//	GET  /account/passkeys/new           asks the browser to make one
//	POST /account/passkeys/new           adds it
//	POST /account/passkeys/rename        names one
//	GET  /account/passkeys/remove        asks whether one is to be removed
//	POST /account/passkeys/remove        removes it
//	GET  /account/passkeys/offer         offers one after a login
//	GET  /account/recovery-codes         how many are left; making new ones
//	POST /account/recovery-codes         makes new ones
//	POST /account/recovery-codes/saved   leaves the page that showed them
//
// The set-up is also where a login leads that owes it: such a visitor comes
// with the attempt of a login in place of a session, and may do nothing else.
package account
