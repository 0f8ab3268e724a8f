// Package passkey asks for passkeys and holds their answers to what was asked
// (W3C, Web Authentication Level 3). It is the only room that speaks to the
// library that reads and checks them.
//
// A ceremony begins with a challenge, and what the browser is to be asked; an
// answer is then held to that challenge, to our own origin and domain, to the key
// that is kept, and where it matters to the person's having shown that it is
// them. Nothing is remembered here: what was begun travels in its page, and that
// a challenge is answered once is the store's to keep.
//
// The library speaks HTTP, and so this room does: nobody below web imports it.
package passkey
