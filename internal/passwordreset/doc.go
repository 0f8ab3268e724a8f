// Package passwordreset is the flow of the forgotten password.
//
//	GET  /forgot-password            asks for the address
//	POST /forgot-password            says the same to everybody
//	POST /forgot-password/again      the same once more
//	GET  /forgot-password/new?token  from the mail: a new password
//	POST /forgot-password/new        sets it
//	POST /forgot-password/unlock     mails the link that opens a door closed by wrong codes
//
// The new password also resets two-factor authentication, unless a current
// code keeps it; the setting on_password_reset may demand the code. While the
// plug-in is not enabled for the person nothing is asked and nothing reset: the
// set-up is kept, sealed, until it counts again. Nobody is signed in by a reset.
//
// Where the visitor was going waits in a cookie, not in the letter.
package passwordreset
