package auth

import (
	"testing"
	"time"
)

var actions = []Action{ChangeAccount, ChangePassword, RemoveFactor, EndSessions, SeeAdministration, ChangeAdministration}

// person is everything that May looks at.
type person struct {
	actor  Actor
	policy Policy
}

// root is an administrator who has just proved password and code.
func root() person {
	s := signedIn()
	s.PasswordAt, s.CodeAt = now.Add(-time.Minute), now.Add(-time.Minute)
	u := ada()
	u.Administrator = true
	return person{Actor{User: u, Session: s}, policy()}
}

func (p *person) proved(password, code time.Duration) {
	p.actor.Session.PasswordAt, p.actor.Session.CodeAt = now.Add(-password), now.Add(-code)
}

// withoutFactor takes her factor, and the code that no login asked for.
func (p *person) withoutFactor() {
	p.actor.User.TwoFactorSince, p.actor.Session.CodeAt = time.Time{}, time.Time{}
}

// onlyPasskeys puts passkeys in the authenticator app's place.
func (p *person) onlyPasskeys() {
	p.actor.User.TwoFactorSince, p.actor.User.PasskeysSince = time.Time{}, now.Add(-time.Hour)
	p.policy.TwoFactor, p.policy.Passkeys = false, true
}

func (p *person) returned(ago time.Duration) { p.actor.Session.ReturnedAt = now.Add(-ago) }

// answers are what May says to each action, in the order of the constants.
type answers struct {
	account, password, remove, end, see, administer Answer
}

func ask(p person) answers {
	may := func(a Action) Answer { return May(p.actor, a, p.policy, now) }
	return answers{
		may(ChangeAccount), may(ChangePassword), may(RemoveFactor),
		may(EndSessions), may(SeeAdministration), may(ChangeAdministration),
	}
}

func TestMayAsksForWhatIsNotFresh(t *testing.T) {
	const (
		fresh = time.Minute
		old   = time.Hour
	)
	for _, tt := range []struct {
		name   string
		change func(*person)
		want   answers
	}{
		{"password and code are fresh", func(p *person) {},
			answers{Yes, Yes, Yes, Yes, Yes, Yes}},
		{"only the password is fresh", func(p *person) { p.proved(fresh, old) },
			answers{NeedsCode, NeedsCode, Yes, NeedsCode, Yes, NeedsCode}},
		{"only the code is fresh", func(p *person) { p.proved(old, fresh) },
			answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, Yes, Yes}},
		{"nothing is fresh", func(p *person) { p.proved(old, old) },
			answers{NeedsBoth, NeedsCode, NeedsPassword, NeedsBoth, Yes, NeedsCode}},
		{"no password was ever proved", func(p *person) { p.actor.Session.PasswordAt = time.Time{} },
			answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, Yes, Yes}},

		{"no factor", func(p *person) { p.withoutFactor() },
			answers{Yes, Yes, Yes, Yes, NeedsSetUp, NeedsSetUp}},
		{"no factor, an old password", func(p *person) { p.proved(old, fresh); p.withoutFactor() },
			answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, NeedsSetUp, NeedsSetUp}},

		{"the plug-in off", func(p *person) { p.proved(fresh, old); p.policy.TwoFactor = false },
			answers{Yes, Yes, Yes, Yes, Yes, Yes}},
		{"the plug-in off, an old password", func(p *person) { p.proved(old, fresh); p.policy.TwoFactor = false },
			answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, Yes, NeedsPassword}},
		{"the plug-in off, no factor", func(p *person) { p.withoutFactor(); p.policy.TwoFactor = false },
			answers{Yes, Yes, Yes, Yes, Yes, Yes}},
		{"the plug-in off, no password ever", func(p *person) {
			p.actor.Session.PasswordAt, p.policy.TwoFactor = time.Time{}, false
		}, answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, NeedsPassword, NeedsPassword}},

		{"passkeys alone, and both proofs are fresh", func(p *person) { p.onlyPasskeys() },
			answers{Yes, Yes, Yes, Yes, Yes, Yes}},
		{"passkeys alone, and nothing is fresh", func(p *person) { p.proved(old, old); p.onlyPasskeys() },
			answers{NeedsBoth, NeedsCode, NeedsPassword, NeedsBoth, Yes, NeedsCode}},
		{"passkeys alone are offered, and there are none", func(p *person) {
			p.withoutFactor()
			p.policy.TwoFactor, p.policy.Passkeys = false, true
		}, answers{Yes, Yes, Yes, Yes, NeedsSetUp, NeedsSetUp}},
		{"passkeys whose plug-in is off, an app is offered", func(p *person) {
			p.onlyPasskeys()
			p.policy.TwoFactor, p.policy.Passkeys = true, false
		}, answers{Yes, Yes, Yes, Yes, NeedsSetUp, NeedsSetUp}},

		{"back through an open window", func(p *person) { p.returned(30 * time.Second) },
			answers{NeedsBoth, NeedsCode, NeedsPassword, NeedsBoth, NeedsCode, NeedsCode}},
		{"back at the very moment of the proofs", func(p *person) { p.returned(fresh) },
			answers{NeedsBoth, NeedsCode, NeedsPassword, NeedsBoth, NeedsCode, NeedsCode}},
		{"back through an open window, the plug-in off", func(p *person) {
			p.returned(30 * time.Second)
			p.policy.TwoFactor = false
		}, answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, NeedsPassword, NeedsPassword}},
		{"back, and a code since", func(p *person) { p.proved(2*fresh, 0); p.returned(fresh) },
			answers{NeedsPassword, Yes, NeedsPassword, NeedsPassword, Yes, Yes}},
		{"back, and a code since that is old by now", func(p *person) {
			p.proved(2*old, old)
			p.returned(old + ms)
		}, answers{NeedsBoth, NeedsCode, NeedsPassword, NeedsBoth, Yes, NeedsCode}},

		{"no administrator", func(p *person) { p.actor.User.Administrator = false },
			answers{Yes, Yes, Yes, Yes, No, No}},
		{"no administrator, the plug-in off", func(p *person) {
			p.actor.User.Administrator, p.policy.TwoFactor = false, false
		}, answers{Yes, Yes, Yes, Yes, No, No}},
		{"no administrator, no factor", func(p *person) { p.withoutFactor(); p.actor.User.Administrator = false },
			answers{Yes, Yes, Yes, Yes, No, No}},
	} {
		p := root()
		tt.change(&p)
		if got := ask(p); got != tt.want {
			t.Errorf("%s:\n got %v\nwant %v", tt.name, got, tt.want)
		}
	}
}

func TestAProofIsFreshToTheExactMoment(t *testing.T) {
	const freshFor = 15 * time.Minute
	for _, tt := range []struct {
		name     string
		ago      time.Duration
		returned time.Duration // 0: never
		want     bool
	}{
		{"just now", 0, 0, true},
		{"1 ms less than the limit ago", freshFor - ms, 0, true},
		{"the limit ago", freshFor, 0, false},
		{"1 ms more than the limit ago", freshFor + ms, 0, false},
		{"by a clock 1 ms ahead", -ms, 0, false},
		{"by a clock a day ahead", -24 * time.Hour, 0, false},
		{"1 ms after a return", time.Minute, time.Minute + ms, true},
		{"at the moment of a return", time.Minute, time.Minute, false},
		{"1 ms before a return", time.Minute, time.Minute - ms, false},
	} {
		p := root()
		if tt.returned != 0 {
			p.returned(tt.returned)
		}
		codeNeeded, passwordNeeded := NeedsCode, NeedsPassword
		if tt.want {
			codeNeeded, passwordNeeded = Yes, Yes
		}
		p.proved(tt.ago, tt.ago)
		for action, want := range map[Action]Answer{
			ChangePassword: codeNeeded, ChangeAdministration: codeNeeded, RemoveFactor: passwordNeeded,
		} {
			if got := May(p.actor, action, p.policy, now); got != want {
				t.Errorf("proved %s: %s is answered %q, want %q", tt.name, action, got, want)
			}
		}
	}
}

func TestOnlyASignedInSessionMayDoAnything(t *testing.T) {
	for name, change := range map[string]func(*person){
		"lapsed":             func(p *person) { p.actor.Session.LastSeen = now.Add(-time.Hour) },
		"ended":              func(p *person) { p.actor.Session.Ended = now },
		"past the overall":   func(p *person) { p.actor.Session.Began = now.Add(-24 * time.Hour) },
		"owing a code":       func(p *person) { p.actor.Session.CodeAt = time.Time{} },
		"somebody else's":    func(p *person) { p.actor.Session.User = "eve" },
		"a disabled account": func(p *person) { p.actor.User.State = Disabled },
		"nobody":             func(p *person) { p.actor = Actor{} },
		"the zero policy":    func(p *person) { p.policy = Policy{} },
		"no session":         func(p *person) { p.actor.Session = Session{} },
		"no user":            func(p *person) { p.actor.User = User{} },
	} {
		p := root()
		change(&p)
		if got := ask(p); got != (answers{No, No, No, No, No, No}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnOperatorAtTheCommandLineMayDoEverything(t *testing.T) {
	for _, action := range actions {
		if got := May(Actor{Command: true}, action, Policy{}, now); got != Yes {
			t.Errorf("%s: %s", action, got)
		}
	}
}

func TestAnActionThatNobodyKnowsIsRefused(t *testing.T) {
	p := root()
	for _, action := range []Action{"", "something new"} {
		if got := May(p.actor, action, p.policy, now); got != No {
			t.Errorf("%q: %s", action, got)
		}
	}
}
