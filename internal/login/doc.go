// Package login is the flow of signing in.
//
//	GET  /login               the form
//	POST /login               email and password
//	POST /login/passkey       a passkey, in the place of both and of the code
//	POST /login/passkey/begin what a page that stays open asks one with
//	GET  /login/code          the code page of a pending login
//	POST /login/code          authenticator code, recovery code or passkey
//	POST /login/back          drops the pending login
//	GET  /login/confirm       a fresh password or code inside a session
//	POST /login/confirm
//	POST /login/window        the window that was still open: password, no code
//	POST /login/window/state  what the page's own watch asks
//	POST /login/window/stay   "Stay signed in"
//	GET  /login/unlock        from the mail: opens a closed door
//	POST /login/unlock
//	GET  /logout              asks, for links of applications
//	POST /logout
//
// A right password begins an attempt, a stored request to sign in that is
// bound to the browser. After each step goNext asks auth.Next what it still
// owes; no step knows the one after it. At the end store.FinishLogin turns
// the attempt into a session.
package login
