// Package register is the flow of new accounts.
//
//	GET  /register                the form
//	POST /register                says the same whether or not the address has an account
//	POST /register/again          the letter once more
//	GET  /register/confirm?token  from the mail: a button
//	POST /register/confirm        confirms the address
//	GET  /invitation?token        from an invitation: choose a password
//	POST /invitation
//	POST /password-strength       what the strength bar asks while a password is typed
//
// An account in the making holds no session and no factor. Confirming takes
// the browser that signed up, or the password: whoever only reads the mail has
// neither, and whoever only knows the address never gets the mail.
package register
