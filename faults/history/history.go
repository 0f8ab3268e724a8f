// Package history checks what many people who were served at once were told,
// against a model that is small enough to be read: what can be used once was used
// once, nothing was accepted after the return of the call that revoked it, and what
// was acknowledged is there.
//
// Of every call it knows when it began, when it returned, and what it was answered.
// In between, the call took place at some moment that nobody knows; one without an
// answer may have taken place or not. So a rule is broken only where no order of
// the calls explains what was answered.
package history

import (
	"fmt"
	"slices"
	"time"
)

// Result is what a call was answered.
type Result string

// The three that there are. A call that was put off is Unknown too.
const (
	Unknown  Result = "not known"
	Accepted Result = "accepted"
	Refused  Result = "refused"
)

// Kind is what is good for a while.
type Kind string

// What people hold.
const (
	Session  Kind = "session"
	Password Kind = "password"
	Phone    Kind = "phone" // and the recovery codes that were made with it
)

// Thing is one of them.
type Thing struct {
	Kind   Kind
	Person string
	Name   string
}

func (t Thing) String() string { return fmt.Sprintf("%s %s of %s", t.Kind, t.Name, t.Person) }

// Ending is what a call ends: everything of a kind that its person holds, or one.
type Ending struct {
	Kind Kind
	One  string // "" for all of them
	But  string // which stays
}

// Call is one call of somebody. Times are since the beginning of the run.
type Call struct {
	Client       int
	Did          string // in words
	Person       string
	Call, Return time.Duration
	Result       Result

	Under  []Thing  // what had to be good for it to be accepted
	Spends string   // what can be used once, "" for nothing
	Begins []Thing  // what is good once it was accepted
	Ends   []Ending // what is good no longer
	Shown  string   // whose account it showed, "" for nobody's

	PasswordAlone bool // it signed somebody in without a code
	Owed          bool // it is refused only for want of what it is under
}

func (c Call) String() string {
	return fmt.Sprintf("[%s–%s] client %d: %s, %s", c.Call.Round(time.Microsecond), c.Return.Round(time.Microsecond), c.Client, c.Did, c.Result)
}

// History is all calls of a run, in any order. What people held before it began
// is in the Begins of a call that returned at 0.
type History []Call

// Check gives what no order of the calls explains, a sentence each.
func (h History) Check() (broken []string) {
	began := h.beginnings()
	spent := map[string]Call{}
	for _, c := range h {
		if c.Result == Accepted && c.Spends != "" {
			if before, again := spent[c.Spends]; again {
				broken = append(broken, fmt.Sprintf("%s was used twice: %s; %s", c.Spends, before, c))
			}
			spent[c.Spends] = c
		}
		switch c.Result {
		case Accepted:
			broken = append(broken, h.revoked(c, began)...)
			broken = append(broken, h.withoutCode(c)...)
			if c.Shown != "" && c.Shown != c.Person {
				broken = append(broken, fmt.Sprintf("the account of %s was shown: %s", c.Shown, c))
			}
		case Refused:
			broken = append(broken, h.missing(c, began)...)
		}
	}
	return broken
}

// beginnings tells by which call each thing began.
func (h History) beginnings() map[Thing]Call {
	began := map[Thing]Call{}
	for _, c := range h {
		for _, t := range c.Begins {
			began[t] = c
		}
	}
	return began
}

// revoked finds the call that had ended what an accepted one was under, and had
// returned before that began.
func (h History) revoked(c Call, began map[Thing]Call) (broken []string) {
	for _, t := range c.Under {
		begin, known := began[t]
		for _, r := range h {
			if r.Result == Accepted && r.Return < c.Call && r.ends(t) &&
				known && begin.Result == Accepted && begin.Return < r.Call {
				broken = append(broken, fmt.Sprintf("%s was ended by %s, and good for %s", t, r, c))
			}
		}
	}
	return broken
}

// missing finds what a call that was refused was under, was acknowledged before
// it, and cannot have been ended by any other.
func (h History) missing(c Call, began map[Thing]Call) []string {
	if !c.Owed {
		return nil
	}
	for _, t := range c.Under {
		begin, known := began[t]
		if !known || begin.Result != Accepted || begin.Return >= c.Call || h.mayHaveEnded(t, c.Return) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%v was acknowledged and ended by nobody, and not good for %s", c.Under, c)}
}

// mayHaveEnded tells whether some call may have ended a thing before a moment.
func (h History) mayHaveEnded(t Thing, before time.Duration) bool {
	return slices.ContainsFunc(h, func(r Call) bool { return r.Result != Refused && r.Call < before && r.ends(t) })
}

// withoutCode finds the set-up of a phone that had returned before somebody was
// signed in by the password alone, where nothing can have ended it in between.
func (h History) withoutCode(c Call) (broken []string) {
	if !c.PasswordAlone {
		return nil
	}
	for _, setUp := range h {
		if setUp.Person != c.Person || setUp.Result != Accepted || setUp.Return >= c.Call {
			continue
		}
		for _, t := range setUp.Begins {
			mayBeGone := slices.ContainsFunc(h, func(r Call) bool {
				return r.Result != Refused && r.Call < c.Return && r.Return > setUp.Call && r.ends(t)
			})
			if t.Kind == Phone && !mayBeGone {
				broken = append(broken, fmt.Sprintf("no code was asked after %s: %s", setUp, c))
			}
		}
	}
	return broken
}

// ends tells whether a call ends a thing where it takes place after it began.
func (c Call) ends(t Thing) bool {
	if c.Person != t.Person || slices.Contains(c.Begins, t) {
		return false
	}
	return slices.ContainsFunc(c.Ends, func(e Ending) bool {
		return e.Kind == t.Kind && (e.One == "" || e.One == t.Name) && (e.But == "" || e.But != t.Name)
	})
}
