package history

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const ada = "ada@example.org"

var (
	session  = Thing{Session, ada, "1"}
	other    = Thing{Session, ada, "2"}
	password = Thing{Password, ada, "1"}
	phone    = Thing{Phone, ada, "1"}
)

// during is a call of Ada's that took place between two seconds.
func during(from, to int, did string, r Result, change func(*Call)) Call {
	c := Call{Did: did, Person: ada, Call: time.Duration(from) * time.Second, Return: time.Duration(to) * time.Second, Result: r}
	if change != nil {
		change(&c)
	}
	return c
}

func begins(t ...Thing) func(*Call) { return func(c *Call) { c.Begins = t } }
func ends(e ...Ending) func(*Call)  { return func(c *Call) { c.Ends = e } }
func spends(what string) func(*Call) {
	return func(c *Call) { c.Spends = what }
}
func asks(t ...Thing) func(*Call) { return func(c *Call) { c.Under, c.Owed = t, true } }

var alone = func(c *Call) { c.PasswordAlone = true }

// Every rule is broken by a history that was made wrong by hand, and by nothing
// that some order of the calls explains.
func TestARuleIsBrokenOnlyWhereNoOrderExplainsTheAnswers(t *testing.T) {
	login := during(0, 1, "login", Accepted, begins(session, other))
	for name, tt := range map[string]struct {
		history History
		broken  string // words of the sentence; "" for a history that can be
	}{
		"a code twice": {History{
			during(1, 2, "code", Accepted, spends("code 7")), during(3, 4, "code", Accepted, spends("code 7"))}, "code 7 was used twice"},
		"a code twice at once": {History{
			during(1, 4, "code", Accepted, spends("code 7")), during(1, 4, "code", Accepted, spends("code 7"))}, "code 7 was used twice"},
		"a code again, refused": {History{
			during(1, 2, "code", Accepted, spends("code 7")), during(3, 4, "code", Refused, spends("code 7"))}, ""},
		"a code after one that was not answered": {History{
			during(1, 2, "code", Unknown, spends("code 7")), during(3, 4, "code", Accepted, spends("code 7"))}, ""},

		"a session after its logout": {History{login,
			during(2, 3, "logout", Accepted, ends(Ending{Kind: Session, One: "1"})), during(4, 5, "question", Accepted, asks(session))}, "session 1 of ada@example.org was ended by"},
		"a session during its logout": {History{login,
			during(2, 5, "logout", Accepted, ends(Ending{Kind: Session, One: "1"})), during(4, 6, "question", Accepted, asks(session))}, ""},
		"a session after a logout that was not answered": {History{login,
			during(2, 3, "logout", Unknown, ends(Ending{Kind: Session, One: "1"})), during(4, 5, "question", Accepted, asks(session))}, ""},
		"another session after a logout": {History{login,
			during(2, 3, "logout", Accepted, ends(Ending{Kind: Session, One: "1"})), during(4, 5, "question", Accepted, asks(other))}, ""},
		"a session after all but another were ended": {History{login,
			during(2, 3, "end others", Accepted, ends(Ending{Kind: Session, But: "2"})), during(4, 5, "question", Accepted, asks(session))}, "was ended by"},
		"the session that stays": {History{login,
			during(2, 3, "end others", Accepted, ends(Ending{Kind: Session, But: "2"})), during(4, 5, "question", Accepted, asks(other))}, ""},
		"a session that began while the others were ended": {History{
			during(1, 3, "login", Accepted, begins(session)), during(2, 4, "end all", Accepted, ends(Ending{Kind: Session})),
			during(5, 6, "question", Accepted, asks(session))}, ""},
		"a password after another was set": {History{during(0, 1, "account", Accepted, begins(password)),
			during(2, 3, "reset", Accepted, ends(Ending{Kind: Password})), during(4, 5, "login", Accepted, asks(password))}, "password 1 of ada@example.org was ended by"},

		"a session that nobody ended is refused": {History{login,
			during(2, 3, "question", Refused, asks(session))}, "was acknowledged and ended by nobody"},
		"a session that somebody may have ended is refused": {History{login,
			during(2, 9, "end all", Unknown, ends(Ending{Kind: Session})), during(3, 4, "question", Refused, asks(session))}, ""},
		"a session that began without an answer is refused": {History{during(0, 1, "login", Unknown, begins(session)),
			during(2, 3, "question", Refused, asks(session))}, ""},
		"a password that nobody changed is refused": {History{during(0, 1, "account", Accepted, begins(password)),
			during(2, 3, "login", Refused, asks(password))}, "was acknowledged and ended by nobody"},

		"no code is asked after the set-up": {History{during(1, 2, "enable", Accepted, begins(phone)),
			during(3, 4, "login", Accepted, alone)}, "no code was asked after"},
		"no code is asked during the set-up": {History{during(1, 4, "enable", Accepted, begins(phone)),
			during(3, 5, "login", Accepted, alone)}, ""},
		"no code is asked after it was disabled again": {History{during(1, 2, "enable", Accepted, begins(phone)),
			during(2, 4, "disable", Unknown, ends(Ending{Kind: Phone})), during(5, 6, "login", Accepted, alone)}, ""},
		"no code is asked after it was disabled and set up again": {History{during(1, 2, "enable", Accepted, begins(phone)),
			during(3, 4, "disable", Accepted, ends(Ending{Kind: Phone})), during(5, 6, "enable", Accepted, begins(Thing{Phone, ada, "2"})),
			during(7, 8, "login", Accepted, alone)}, "no code was asked after"},
		"a phone after it was disabled": {History{during(1, 2, "enable", Accepted, begins(phone)),
			during(3, 4, "disable", Accepted, ends(Ending{Kind: Phone})), during(5, 6, "code", Accepted, asks(phone))}, "phone 1 of ada@example.org was ended by"},

		"somebody else's account is shown": {History{
			during(1, 2, "question", Accepted, func(c *Call) { c.Shown = "bob@example.org" })}, "the account of bob@example.org was shown"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := tt.history.Check()
			found := slices.ContainsFunc(broken, func(s string) bool { return strings.Contains(s, tt.broken) })
			if tt.broken == "" && len(broken) > 0 || tt.broken != "" && !found {
				t.Errorf("%q, want %q", broken, tt.broken)
			}
		})
	}
}
