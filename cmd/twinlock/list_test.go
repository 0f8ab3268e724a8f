package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// foreignHash is of known, by a program that is not ours.
func foreignHash(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(known), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestAListIsInvitedAndNobodyTwice(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.here = false // its files are named from its own folder
		o.person(bob)
		o.does("group", "add", "Staff")
		o.writes("list", "email,name,groups\nada@example.org,Ada,staff\nbob@example.org\nnonsense\ncem@example.org,Cem,Nobodies\ndana@example.org\n")
		r := o.run("", "user", "invite", "--file", "list")
		want := "ada@example.org: invited\nbob@example.org: has an account already\ndana@example.org: invited\n" +
			"2 invited, 0 invited before, 1 with an account, 0 with too many letters, 2 wrong.\n"
		if r.status != failed || r.out != want {
			t.Errorf("status %d: %s", r.status, r.out)
		}
		if wrong := "line 4: \"nonsense\" is not an e-mail address\nline 5: there is no group \"Nobodies\"; see twinlock group add\ntwinlock: 2 lines were not taken, the others were\n"; r.errs != wrong {
			t.Errorf("said %q", r.errs)
		}
		if p := o.shows(ada); !p.Invited || p.Name != "Ada" || !slices.Equal(p.Groups, []string{"Staff"}) {
			t.Errorf("made %+v", p)
		}
		var again invitedList
		r = o.run("ada@example.org\nDANA@example.org\neve@example.org\n", "user", "invite", "--file", "-", "--json")
		if err := json.Unmarshal([]byte(r.out), &again); err != nil || r.status != done {
			t.Fatalf("status %d, %v: %s%s", r.status, err, r.out, r.errs)
		}
		if !slices.Equal(again.Invited, []string{"eve@example.org"}) || !slices.Equal(again.InvitedBefore, []string{ada, "DANA@example.org"}) || len(again.Wrong) != 0 {
			t.Errorf("the second time: %+v", again)
		}
		o.fails(failed, "user", "invite", "--file", "no-such-list")
		o.fails(failed, "user", "invite", "--file", ".")
		o.fails(wrongUsage, "user", "invite")
		o.fails(wrongUsage, "user", "invite", ada, "--file", "list")
		o.fails(wrongUsage, "user", "invite", "--file", "list", "--name", "Ada")
	})
}

// importedList is the summary of an import in JSON.
type importedList struct {
	Added, Known, Wrong int
	WithoutPassword     int `json:"without_password"`
	Lines               []shownFault
}

func (o *operator) imports(into *importedList, args ...string) (status int) {
	o.t.Helper()
	r := o.run("", append([]string{"import", "users", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.out), into); err != nil {
		o.t.Fatalf("%v: %s%s", err, r.out, r.errs)
	}
	return r.status
}

func TestPeopleAreImportedWithTheirPasswords(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.here = false // its files are named from its own folder
		o.person(bob, "--name", "Bob")
		o.does("group", "add", "Staff")
		var list strings.Builder
		hash := foreignHash(t)
		for i := range 450 { // more than two batches
			fmt.Fprintf(&list, `{"email":"person%d@example.org","password_hash":%q}`+"\n", i, hash)
		}
		list.WriteString(`{"email":"ada@example.org","name":"Ada","groups":["Staff"],"must_use_two_factor":true,"language":"de"}
{"email":"bob@example.org","name":"Robert","administrator":false}
{"email":"eli@example.org","administrator":true}
nonsense
`)
		o.writes("people.jsonl", list.String())
		var first, second importedList
		if status := o.imports(&first, "people.jsonl"); status != failed || first.Added != 451 || first.Known != 1 || first.Wrong != 2 || first.WithoutPassword != 1 {
			t.Errorf("status %d: %+v", status, first)
		}
		if len(first.Lines) != 2 || first.Lines[0].Line != 453 || first.Lines[1].Line != 454 || first.Lines[0].Why != "administrator" {
			t.Errorf("wrong are %+v", first.Lines)
		}
		if p := o.shows(ada); p.Name != "Ada" || !p.MustUseTwoFactor || !p.Invited || !slices.Equal(p.Groups, []string{"Staff"}) {
			t.Errorf("made %+v", p)
		}
		if p := o.shows(bob); p.Name != "Bob" {
			t.Errorf("an account that was there became %+v", p)
		}
		if p := o.shows("person449@example.org"); p.Invited || p.Administrator {
			t.Errorf("made %+v", p)
		}
		if status := o.imports(&second, "people.jsonl", "--administrators"); status != failed || second.Added != 1 || second.Known != 452 || second.Wrong != 1 {
			t.Errorf("the second time, status %d: %+v", status, second)
		}
		if p := o.shows("eli@example.org"); !p.Administrator {
			t.Errorf("made %+v", p)
		}
	})
}

// Whoever was imported logs in with the password of before, whose hash is then
// our own.
func TestAnImportedPersonLogsIn(t *testing.T) {
	o := newOperator(t)
	s := o.serves()
	o.writes("people.csv", "email,password_hash\nada@example.org,"+foreignHash(t)+"\n")
	if said := o.does("import", "users", "people.csv"); said != "1 added, 0 have an account already, 0 wrong.\n" {
		t.Errorf("said %q", said)
	}
	for range 2 { // by the hash of before, and by ours
		if status := s.logsIn(ada, known); status != http.StatusSeeOther {
			t.Errorf("the login is answered by %d", status)
		}
	}
	o.does("backup", "all.backup")
	packed, err := os.Open(o.file("all.backup"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	text, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(all), "$2a$04$") || !strings.Contains(string(all), "$argon2id$") {
		t.Error("the hash of before is still in use")
	}
}

// logsIn gives the answer to a password.
func (s *server) logsIn(email, password string) (status int) {
	s.o.t.Helper()
	r, err := http.NewRequestWithContext(s.o.t.Context(), http.MethodPost, s.url+"/login", strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode()))
	if err != nil {
		s.o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.url)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.o.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
