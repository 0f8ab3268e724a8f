package hashing

import (
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

// Hasher computes hashes. It is safe for concurrent use, and takes as much work
// at once as it is given: bounding it is for whoever asks. An error means that
// nothing was found out.
type Hasher interface {
	// Check is [password.Cost.Check].
	Check(c password.Cost, stored, typed string) (ok, upgrade bool, err error)
	// Hash is [password.Cost.Hash].
	Hash(c password.Cost, chosen string) (hash string, err error)
	// HashCodes is [recovery.Hash].
	HashCodes(c password.Cost, codes []recovery.Code) (recovery.Set, error)
	// MatchCode is [recovery.Set.Match].
	MatchCode(set recovery.Set, signs string) (index int, ok bool, err error)
	// Close ends what it started, once that has answered.
	Close()
}

// Here computes in the process that asks. It never fails.
type Here struct{}

// Check implements [Hasher].
func (Here) Check(c password.Cost, stored, typed string) (ok, upgrade bool, err error) {
	ok, upgrade = c.Check(stored, typed)
	return ok, upgrade, nil
}

// Hash implements [Hasher].
func (Here) Hash(c password.Cost, chosen string) (string, error) { return c.Hash(chosen), nil }

// HashCodes implements [Hasher].
func (Here) HashCodes(c password.Cost, codes []recovery.Code) (recovery.Set, error) {
	return recovery.Hash(codes, recovery.Cost(c)), nil
}

// MatchCode implements [Hasher].
func (Here) MatchCode(set recovery.Set, signs string) (index int, ok bool, err error) {
	index, ok = set.Match(signs)
	return index, ok, nil
}

// Close implements [Hasher]: nothing was started.
func (Here) Close() {}
