// Package keys seals what must be readable again, such as the keys of
// authenticators and letters that wait to be sent, and derives values that
// nobody else can compute.
//
// A Ring holds one derivation root, which never changes, and one or more
// sealing keys, newest first. Sealing takes the newest, opening takes the one
// that sealed. A new sealing key therefore leaves everything readable and
// every derived value as it was.
//
// The package knows files and no database.
package keys
