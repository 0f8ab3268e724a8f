package hashing

import (
	"fmt"

	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

// question is what a server asks the process; one of the four is set. Passwords
// may be any bytes.
type question struct {
	ID    uint64
	Check *check
	Hash  *hash
	Codes *codes
	Match *match
}

type check struct {
	Cost          password.Cost
	Stored, Typed string
}

type hash struct {
	Cost   password.Cost
	Chosen string
}

type codes struct {
	Cost  password.Cost
	Codes []string // as people keep them
}

type match struct {
	Set   recovery.Set
	Signs string
}

// answer is what comes back, as soon as it is there.
type answer struct {
	ID          uint64
	OK, Upgrade bool
	Hash        string
	Set         recovery.Set
	Index       int
	Failure     string
}

// memory is what a hash fills at the costs that are asked for, in bytes: one that
// was made elsewhere at higher ones may fill more.
func (q question) memory() int64 {
	var kib uint32
	switch {
	case q.Check != nil:
		kib = q.Check.Cost.MemoryKiB
	case q.Hash != nil:
		kib = q.Hash.Cost.MemoryKiB
	case q.Codes != nil:
		kib = q.Codes.Cost.MemoryKiB
	case q.Match != nil:
		kib = q.Match.Set.Cost.MemoryKiB
	}
	return int64(kib) << 10
}

func (q question) answer() (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = answer{ID: q.ID, Failure: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	a.ID = q.ID
	switch {
	case q.Check != nil:
		a.OK, a.Upgrade = q.Check.Cost.Check(q.Check.Stored, q.Check.Typed)
	case q.Hash != nil:
		a.Hash = q.Hash.Cost.Hash(q.Hash.Chosen)
	case q.Codes != nil:
		a.Set = recovery.Hash(recovery.Read(q.Codes.Codes), recovery.Cost(q.Codes.Cost))
	case q.Match != nil:
		a.Index, a.OK = q.Match.Set.Match(q.Match.Signs)
	default:
		a.Failure = "nothing is asked"
	}
	return a
}
