package auth

import (
	"slices"
	"strings"
	"time"
)

// Access is what a rule asks of whoever comes to its addresses.
type Access string

const (
	Public     Access = "public"     // nothing, not even a login
	Signed     Access = "signed-in"  // a login of somebody who may open the application
	InGroup    Access = "group"      // that, and to be in a group
	TwoFactor  Access = "two-factor" // that, and two-factor authentication
	RecentCode Access = "code"       // that, and a code not older than so long
)

// Rule says what some addresses of an application behind a proxy ask.
type Rule struct {
	Host   string // one of the application's, as in its address; "" for all of them
	Path   string // this one and everything below it; "/" for all of them
	Access Access
	Group  GroupID       // of InGroup
	Within time.Duration // of RecentCode
}

// IsRule tells whether a rule says what it must, in the one spelling: a path
// without a slash at its end, and without anything that servers read in more
// than one way.
func (r Rule) IsRule() bool {
	all, ok := readings(r.Path)
	if !ok || len(all) != 1 || all[0] != r.Path || strings.ContainsAny(r.Path, "?#%") || r.Path != "/" && strings.HasSuffix(r.Path, "/") {
		return false
	}
	switch r.Access {
	case Public, Signed, TwoFactor:
		return r.Group == "" && r.Within == 0
	case InGroup:
		return r.Group != "" && r.Within == 0
	case RecentCode:
		return r.Group == "" && r.Within > 0
	}
	return false
}

// Gate is an application behind a proxy, with what it asks at which address.
// The first rule that fits decides; where none does, whoever is signed in and
// may open the application comes in.
type Gate struct {
	Application
	Rules []Rule
}

// Demand is what a gate asks of one request. Its zero value is a login of
// somebody who may open the application.
type Demand struct {
	Public    bool
	Groups    []GroupID // all of them
	TwoFactor bool
	Within    time.Duration // since the last code; 0: no code is asked for
}

// Demands tells what a gate asks of a path at one of its hosts; false for a
// path that no honest browser sends, which nobody may have, and where a rule that
// fits says nothing that is known, as one does whose row is damaged.
//
// Servers read paths in different ways: some decode twice, fold dots and
// slashes, or cut what follows a semicolon. A path with only one reading gets
// the first rule that fits. Any other gets everything that any of its readings
// would be asked, and is public only if all of them are.
func (g Gate) Demands(host, path string) (Demand, bool) {
	all, ok := readings(path)
	if !ok {
		return Demand{}, false
	}
	d := Demand{Public: true}
	for _, rule := range g.Rules {
		if rule.Host != "" && rule.Host != host {
			continue
		}
		certain, possible := rule.fits(all)
		if possible && !d.add(rule) {
			return Demand{}, false
		}
		if certain {
			return d, true
		}
	}
	d.Public = false
	return d, true
}

// add adds what a rule asks; false for one that asks nothing that is known.
func (d *Demand) add(r Rule) (known bool) {
	d.Public = d.Public && r.Access == Public
	switch r.Access {
	case Public, Signed:
	case InGroup:
		d.Groups = append(d.Groups, r.Group)
	case TwoFactor:
		d.TwoFactor = true
	case RecentCode:
		d.TwoFactor = true
		if d.Within == 0 || r.Within < d.Within {
			d.Within = r.Within
		}
	default:
		return false
	}
	return true
}

// fits tells whether every reading of a path lies below the rule's, letter for
// letter, and whether any does for a server that takes upper and lower case, or
// a name with a dot or a space after it, for one.
func (r Rule) fits(all []string) (certain, possible bool) {
	certain = true
	for _, path := range all {
		if liesBelow(path, r.Path) {
			possible = true
			continue
		}
		certain = false
		possible = possible || liesBelow(loose(path), loose(r.Path))
	}
	return certain, possible
}

func liesBelow(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return above == "/" || ok && (rest == "" || rest[0] == '/')
}

// IsCoveredBy tells whether a rule that stands before this one leaves nothing
// for it.
func (r Rule) IsCoveredBy(before Rule) bool {
	return (before.Host == "" || before.Host == r.Host) && liesBelow(r.Path, before.Path)
}

// Address is a path, and everything below it, at a host.
type Address struct{ Host, Path string }

// Opened gives the addresses that become public when other rules take the place
// of the gate's own: at the hosts given, each path that a rule of either names,
// for between two of those nothing changes.
func (g Gate) Opened(rules []Rule, hosts []string) (opened []Address) {
	changed := Gate{Rules: rules}
	paths := []string{"/"}
	for _, r := range slices.Concat(g.Rules, rules) {
		paths = append(paths, r.Path)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	for _, host := range hosts {
		for _, path := range paths {
			before, _ := g.Demands(host, path)
			after, _ := changed.Demands(host, path)
			if after.Public && !before.Public {
				opened = append(opened, Address{host, path})
			}
		}
	}
	return opened
}

// Passage is the answer of a gate to a person.
type Passage string

const (
	Passes Passage = "passes"
	// AsksLogin: nobody is signed in, or the session owes a code.
	AsksLogin Passage = "asks for a login"
	// AsksCode: the last code is too long ago, or was before the last return.
	AsksCode Passage = "asks for a code"
	// AsksSetUp: two-factor authentication has yet to be enabled.
	AsksSetUp Passage = "asks for a set-up"
	// Lacks: the plug-in that the application's kind needs, or the two-factor
	// authentication that is demanded, is off for this person.
	Lacks Passage = "lacks what it needs"
	// Refuses: this person may not.
	Refuses Passage = "refuses"
)

// Judge tells whether a person passes a gate that makes a demand. Standing is
// what the session is worth now; anything but SignedIn is nobody.
func (g Gate) Judge(d Demand, standing Standing, s Session, u User, groups []Group, p Policy, now time.Time) Passage {
	switch {
	case d.Public:
		return Passes
	case standing != SignedIn:
		return AsksLogin
	case !g.MayOpen(u.ID, groups), !isInAll(groups, d.Groups):
		return Refuses
	case !p.Enables(g.Kind.Plugin()):
		return Lacks
	case !g.RequireTwoFactor && !d.TwoFactor:
		return Passes
	case !p.AsksCode(u) && p.OffersSecondFactor():
		return AsksSetUp
	case !p.AsksCode(u):
		return Lacks
	case d.Within > 0 && !isRecent(s, d.Within, now):
		return AsksCode
	}
	return Passes
}

func isInAll(groups []Group, all []GroupID) bool {
	for _, id := range all {
		if !slices.ContainsFunc(groups, func(g Group) bool { return g.ID == id }) {
			return false
		}
	}
	return true
}

// isRecent tells whether a session's code is not older than so long. One that
// lies in the future was made by a clock that was wrong; one from before the
// last return through an open window says nothing of who sits there now.
func isRecent(s Session, within time.Duration, now time.Time) bool {
	return !s.CodeAt.IsZero() && s.CodeAt.After(s.ReturnedAt) && !s.CodeAt.After(now) && now.Before(s.CodeAt.Add(within))
}
