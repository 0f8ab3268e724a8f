// Package passwordreset is the flow of the forgotten password.
//
//	GET  /forgot-password            asks for the address
//	POST /forgot-password            says the same to everybody
//	GET  /forgot-password/new?token  from the mail: a new password
//	POST /forgot-password/new        sets it
//
// The new password also resets two-factor authentication, unless a current
// code keeps it; the setting on_password_reset may demand the code. Nobody is
// signed in by a reset.
package passwordreset
