// Package password hashes, checks and judges passwords.
//
// It computes and nothing else: no database, no clock, no queue. A hash of the
// usual cost takes about 20 ms of one core and 19 MiB, so callers run
// [Cost.Hash] and [Cost.Check] inside a bounded number of slots.
package password

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is how much work one Argon2id hash of one lane is. The zero value is of
// no use; take [Usual].
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// Usual is the cost that OWASP's Password Storage Cheat Sheet asks for at
// least: 19 MiB and two passes.
var Usual = Cost{MemoryKiB: 19 * 1024, Passes: 2}

// Hash gives the password's Argon2id hash as a PHC string
// ($argon2id$v=19$m=19456,t=2,p=1$salt$tag), with a fresh random salt.
//
// The password is brought to NFKC first, so that the same characters match from
// every keyboard (NIST SP 800-63B-4 §3.1.1.2). Nothing else is changed: spaces
// at the ends and every character count. Whether the password is good enough is
// for [Rules.Judge] to say, before. Safe for concurrent use.
func (c Cost) Hash(password string) string {
	h := c.blank()
	rand.Read(h.salt)
	h.tag = h.derive(password)
	return h.String()
}

// Check says whether password is the one that stored was made from, and whether
// the caller should replace stored by a new [Cost.Hash] of it.
//
// It reads what Hash makes, Argon2id of other cost, bcrypt ($2a$, $2b$, $2y$),
// scrypt ($scrypt$) and PBKDF2 ($pbkdf2-sha256$, $pbkdf2-sha512$); upgrade is true when the
// password is right and the hash is not Argon2id of cost c. bcrypt looks
// at 72 bytes only, so a longer password never matches it. Foreign hashes are
// compared with the password as typed, Argon2id with its NFKC form.
//
// An empty stored (there is no such account) and one that cannot be read or
// asks for an absurd amount of work take one hash of cost c, and are
// never ok. So each call computes one hash, and its time does not tell whether
// the account exists; a foreign hash takes its own time until it is upgraded.
// The exception depends on the typed password alone: one of more than 1,024
// bytes, which no accepted password has, is refused without work. Tags are
// compared in constant time. Safe for concurrent use.
func (c Cost) Check(stored, password string) (ok, upgrade bool) {
	return c.check(stored, password, hashed.matches)
}

// Readable tells whether Check reads this hash: a program that takes hashes in
// refuses the others before anybody is locked out.
func Readable(stored string) bool {
	_, readable := Usual.read(stored)
	return readable
}

// check is Check with the one costly step as an argument, so that a test can
// count how often, and with what, it is taken.
func (c Cost) check(stored, password string, matches func(hashed, string) bool) (ok, upgrade bool) {
	if len(password) > mostBytes {
		return false, false
	}
	h, readable := c.read(stored)
	ok = matches(h, password) && readable
	return ok, ok && !h.costs(c)
}

// mostBytes is what 256 characters of four bytes take, the longest password
// that Judge accepts.
const mostBytes = Longest * 4

// hashed is a stored hash that has been read.
type hashed interface {
	// matches computes the hash of password once and compares.
	matches(password string) bool
	// costs reports whether c.Hash would choose the same kind and cost.
	costs(c Cost) bool
}

// read gives the hash that stored describes. Where it describes none, or one
// outside the bounds, it gives a blank one, which costs as much as every other, and false.
func (c Cost) read(stored string) (h hashed, readable bool) {
	part := strings.SplitN(stored, "$", 3)
	if len(part) != 3 || part[0] != "" {
		return c.blank(), false
	}
	switch scheme, rest := part[1], part[2]; scheme {
	case "argon2id":
		h, readable = readArgon2id(rest)
	case "2a", "2b", "2y":
		h, readable = readBcrypt(stored)
	case "scrypt":
		h, readable = readScrypt(rest)
	case "pbkdf2-sha256", "pbkdf2-sha512":
		h, readable = readPBKDF2(scheme, rest)
	}
	if !readable {
		return c.blank(), false
	}
	return h, true
}

// argon2id is one hash by RFC 9106.
type argon2id struct {
	Cost
	lanes     uint8
	salt, tag []byte
}

// blank is a hash of cost c whose salt and tag are still to be filled in.
// It also stands in where there is no hash to compare with: no password was
// made into its tag, so having it costs nothing and comparing with it one hash.
func (c Cost) blank() argon2id {
	return argon2id{Cost: c, lanes: 1, salt: make([]byte, saltBytes), tag: make([]byte, tagBytes)}
}

// Sizes of salt and tag, RFC 9106 §3.1 and §4.
const (
	saltBytes = 16
	tagBytes  = 32
)

// readArgon2id reads what follows "$argon2id$" in a PHC string.
func readArgon2id(rest string) (argon2id, bool) {
	part := strings.Split(rest, "$")
	if len(part) != 4 || part[0] != "v=19" {
		return argon2id{}, false
	}
	cost, lanes, fits := readCost(part[1])
	salt, tag, sized := readSaltAndTag(part[2], part[3])
	return argon2id{cost, lanes, salt, tag}, fits && sized
}

// readCost reads "m=19456,t=2,p=1" and refuses what one row must not be able to
// demand of the server: more than 256 MiB, or more than 1 GiB over all passes
// (about a second).
func readCost(s string) (c Cost, lanes uint8, fits bool) {
	m, t, p, found := cutCost(s)
	memory, okM := number(m, 256*1024)
	passes, okT := number(t, 1024)
	n, okP := number(p, 16)
	fits = found && okM && okT && okP && memory >= 8*n && memory*passes <= 1024*1024
	return Cost{uint32(memory), uint32(passes)}, uint8(n), fits
}

func cutCost(s string) (m, t, p string, found bool) {
	part := strings.Split(s, ",")
	if len(part) != 3 {
		return "", "", "", false
	}
	m, okM := strings.CutPrefix(part[0], "m=")
	t, okT := strings.CutPrefix(part[1], "t=")
	p, okP := strings.CutPrefix(part[2], "p=")
	return m, t, p, okM && okT && okP
}

// number reads a decimal number from 1 to most.
func number(s string, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && 1 <= n && n <= most
}

// readSaltAndTag decodes both and refuses sizes that no password hash has. The
// lower bound matters most: everything matches an empty tag.
func readSaltAndTag(salt64, tag64 string) (salt, tag []byte, sized bool) {
	salt, errSalt := unpadded.DecodeString(salt64)
	tag, errTag := unpadded.DecodeString(tag64)
	sized = errSalt == nil && errTag == nil &&
		8 <= len(salt) && len(salt) <= 64 &&
		16 <= len(tag) && len(tag) <= 64
	return salt, tag, sized
}

// unpadded is the PHC string format's base64; Strict, so that one hash has one
// spelling.
var unpadded = base64.RawStdEncoding.Strict()

func (h argon2id) matches(password string) bool {
	return equal(h.tag, h.derive(password))
}

// derive computes the tag that password gets with h's salt and cost.
func (h argon2id) derive(password string) []byte {
	typed := []byte(norm.NFKC.String(password))
	return argon2.IDKey(typed, h.salt, h.Passes, h.MemoryKiB, h.lanes, uint32(len(h.tag)))
}

func (h argon2id) costs(c Cost) bool {
	return h.Cost == c && h.lanes == 1 && len(h.salt) == saltBytes && len(h.tag) == tagBytes
}

// String spells h as a PHC string.
func (h argon2id) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.MemoryKiB, h.Passes, h.lanes, unpadded.EncodeToString(h.salt), unpadded.EncodeToString(h.tag))
}
