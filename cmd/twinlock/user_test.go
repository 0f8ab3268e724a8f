package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

func TestAnAccountIsMadeWithAPasswordFromStandardInput(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		if said := o.types(known+"\n", "user", "add", ada, "--name", "Ada", "--admin", "--password-stdin"); said != ada+": added\n" {
			t.Errorf("said %q", said)
		}
		p := o.shows(ada)
		if p.Email != ada || p.Name != "Ada" || !p.Administrator || p.Invited || p.TwoFactor || p.State != auth.Active || p.LastLogin != nil || p.Created.IsZero() {
			t.Errorf("made %+v", p)
		}
		var made shownPerson
		o.typesAndReads(&made, known, "user", "add", bob, "--password-stdin")
		if made.ID == "" || made.Email != bob || made.Administrator {
			t.Errorf("with --json: %+v", made)
		}
	})
}

func TestAnAccountWithoutAPasswordIsInvitedByMail(t *testing.T) {
	o := newOperator(t)
	o.serves()
	if said := o.does("user", "add", ada, "--name", "Ada"); said != ada+": invited\n" {
		t.Errorf("said %q", said)
	}
	if p := o.shows(ada); !p.Invited || p.Name != "Ada" {
		t.Errorf("made %+v", p)
	}
	o.letter(ada, "/invitation?token")
	if said := o.does("user", "invite", ada); said != ada+": invited\n" {
		t.Errorf("again: said %q", said)
	}
	eventually(t, "a second invitation", func() bool { return len(o.letters(ada)) == 2 })
	var invited shownPerson
	o.reads(&invited, "user", "invite", bob, "--name", "Bob")
	if !invited.Invited || invited.Name != "Bob" || invited.ID == "" {
		t.Errorf("with --json: %+v", invited)
	}
}

func TestLettersThatAnAddressMayNotHaveAreNotSaidToBeOnTheirWay(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		for range 3 {
			o.does("user", "reset-password", ada)
		}
		if why := o.fails(failed, "user", "reset-password", ada); !strings.Contains(why, "try again later") {
			t.Errorf("said %q", why)
		}
	})
}

func TestAnAccountIsMadeOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		o.does("user", "add", bob)
		for _, again := range [][]string{
			{"user", "add", ada}, {"user", "add", "ADA@Example.org"}, {"user", "invite", ada},
			{"user", "add", bob, "--admin"}, // who was invited is not made an administrator in passing
		} {
			if why := o.fails(failed, again...); !strings.HasSuffix(why, "has an account already") {
				t.Errorf("%v: %s", again, why)
			}
		}
		if o.shows(bob).Administrator {
			t.Error("a refused command made an administrator")
		}
		if why := o.failsTyping(known, failed, "user", "add", ada, "--password-stdin"); why != ada+" has an account already" {
			t.Error(why)
		}
	})
}

func TestAPasswordFromStandardInputIsHeldToTheRules(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		for password, reason := range map[string]string{
			"":                   "no password on standard input",
			"\n":                 "no password on standard input",
			"short":              "12 characters",
			"passwordpassword":   "the password is refused",
			"ada ada ada ada ad": "the password is refused",
		} {
			if why := o.failsTyping(password, failed, "user", "add", ada, "--password-stdin"); !strings.Contains(why, reason) {
				t.Errorf("%q: %s", password, why)
			}
		}
		o.fails(failed, "user", "show", ada)
	})
}

func TestPeopleAreListed(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		var none []shownPerson
		o.reads(&none, "user", "list")
		if none == nil || len(none) != 0 {
			t.Errorf("of nobody: %v", none)
		}
		o.person(bob, "--name", "Bob")
		o.person(ada, "--admin")
		var all []shownPerson
		o.reads(&all, "user", "list")
		if len(all) != 2 || all[0].Email != ada || all[1].Email != bob || !all[0].Administrator || all[1].Name != "Bob" {
			t.Errorf("listed %+v", all)
		}
		lines := strings.Split(o.does("user", "list"), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "EMAIL") || !strings.HasPrefix(lines[2], bob) {
			t.Errorf("listed %q", lines)
		}
		var found []shownPerson
		o.reads(&found, "user", "list", "--search", "BOB")
		if len(found) != 1 || found[0].Email != bob {
			t.Errorf("found %+v", found)
		}
	})
}

func TestAPersonIsShown(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada, "--name", "Ada")
		o.does("group", "add", "Staff")
		o.does("group", "join", "Staff", ada)
		shown := o.does("user", "show", ada)
		for _, words := range []string{ada, "Ada", "active", "Staff", "last login", "never"} {
			if !strings.Contains(shown, words) {
				t.Errorf("%q is missing in\n%s", words, shown)
			}
		}
		if groups := o.shows(ada).Groups; len(groups) != 1 || groups[0] != "Staff" {
			t.Errorf("groups %v", groups)
		}
	})
}

func TestADisabledPersonIsEnabledAgain(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		for range 2 { // done already is done
			if said := o.does("user", "disable", ada); said != ada+": disabled\n" {
				t.Errorf("said %q", said)
			}
			if state := o.shows(ada).State; state != auth.Disabled {
				t.Errorf("is %s", state)
			}
		}
		o.fails(failed, "user", "reset-password", ada)
		for range 2 {
			if said := o.does("user", "enable", ada); said != ada+": enabled\n" {
				t.Errorf("said %q", said)
			}
			if state := o.shows(ada).State; state != auth.Active {
				t.Errorf("is %s", state)
			}
		}
	})
}

func TestADeletedPersonIsGone(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		if said := o.does("user", "delete", ada); said != ada+": deleted\n" {
			t.Errorf("said %q", said)
		}
		if why := o.fails(failed, "user", "show", ada); !strings.HasPrefix(why, "nobody has the address "+ada) {
			t.Error(why)
		}
		o.person(ada) // and may come again
	})
}

func TestTheLastAdministratorStays(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada, "--admin")
		for _, args := range [][]string{{"user", "disable", ada}, {"user", "delete", ada}, {"user", "role", ada, "user"}} {
			if why := o.fails(failed, args...); why != "the last administrator cannot be removed" {
				t.Errorf("%v: %s", args, why)
			}
		}
		o.person(bob)
		o.does("user", "role", bob, "administrator")
		o.does("user", "role", ada, "user")
		if o.shows(ada).Administrator || !o.shows(bob).Administrator {
			t.Error("the roles did not change")
		}
	})
}

func TestSecondFactorsAreRemovedForAReason(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.hasTwoFactor(ada)
	o.serves()
	o.fails(wrongUsage, "user", "reset-2fa", ada)
	for _, reason := range []string{"", "  ", strings.Repeat("x", 501)} {
		o.fails(failed, "user", "reset-2fa", ada, "--reason", reason)
	}
	if said := o.does("user", "reset-2fa", ada, "--reason", "lost her phone"); said != ada+": second factors removed\n" {
		t.Errorf("said %q", said)
	}
	o.letter(ada, "lost her phone")
	if said := o.does("user", "reset-2fa", ada, "--reason", "lost it again"); said != ada+": no second factor is on\n" {
		t.Errorf("the second time it said %q", said)
	}
}

// hasTwoFactor turns two-factor authentication on with nothing that could be
// read, while no server runs: what a command is to lead out of.
func (o *operator) hasTwoFactor(email string) {
	o.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(o.data(), "twinlock.db"))
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(o.t.Context(), `UPDATE users SET two_factor_since = 1 WHERE canonical = $1`, email); err != nil {
		o.t.Fatal(err)
	}
}

func TestAResetIsStartedByMail(t *testing.T) {
	o := newOperator(t)
	o.serves()
	o.person(ada)
	if said := o.does("user", "reset-password", ada); !strings.HasPrefix(said, ada+": a link") {
		t.Errorf("said %q", said)
	}
	o.letter(ada, "/forgot-password/new?token")
	o.does("user", "add", bob)
	if why := o.fails(failed, "user", "reset-password", bob); !strings.Contains(why, "user invite") {
		t.Errorf("of somebody without a password: %s", why)
	}
}

func TestSmallChangesOfAPerson(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		for _, args := range [][]string{{"end-sessions"}, {"unlock"}} {
			if said := o.does(append([]string{"user"}, append(args, ada)...)...); !strings.HasPrefix(said, ada+": ") {
				t.Errorf("%v: said %q", args, said)
			}
		}
		o.does("user", "must-use-2fa", ada)
		if !o.shows(ada).MustUseTwoFactor {
			t.Error("need not use two-factor authentication")
		}
		o.does("user", "must-use-2fa", ada, "--no")
		if o.shows(ada).MustUseTwoFactor {
			t.Error("must still use two-factor authentication")
		}
	})
}

func TestWhoeverIsNotThereIsNamed(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		for _, args := range [][]string{
			{"show"}, {"disable"}, {"enable"}, {"delete"}, {"reset-password"}, {"reset-2fa", "--reason", "x"},
			{"end-sessions"}, {"unlock"}, {"must-use-2fa"},
		} {
			about := append([]string{"user", args[0], bob}, args[1:]...)
			if why := o.fails(failed, about...); why != "nobody has the address "+bob+"; see twinlock user list" {
				t.Errorf("%v: %s", args, why)
			}
			about[2] = "bob"
			if why := o.fails(failed, about...); why != "bob is not an e-mail address" {
				t.Errorf("%v: %s", args, why)
			}
			o.fails(wrongUsage, "user", args[0])
		}
		o.fails(failed, "user", "add", "bob")
		o.fails(failed, "user", "add", bob, "--name", "Bob\x1b[31m")
		o.fails(failed, "user", "invite", bob, "--name", strings.Repeat("b", 101))
		o.fails(wrongUsage, "user", "role", bob, "king")
	})
}
