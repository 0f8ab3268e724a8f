package transfer_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/transfer"
)

var staff = []auth.Group{{ID: "g1", Name: "Staff"}, {ID: "g2", Name: "Board of Directors"}, {ID: "g3", Name: "Büro"}}

const (
	someHash  = "$2y$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy"
	ownHash   = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0"
	commaHash = `"` + ownHash + `"`
)

// read gives each line of a list in words.
func read(t *testing.T, r *transfer.Reader) (said []string) {
	t.Helper()
	for {
		p, fault, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return said
		case err != nil:
			t.Fatal(err)
		case fault != nil:
			said = append(said, strings.TrimSpace(fmt.Sprintf("%d %s %s", fault.Line, fault.Why, fault.Detail)))
			continue
		}
		words := []string{fmt.Sprint(p.Line), p.Address.Spelling, p.Name, p.Hash.Reveal(), p.Language}
		for _, g := range p.Groups {
			words = append(words, string(g.ID))
		}
		if p.Administrator {
			words = append(words, "administers")
		}
		if p.MustUseTwoFactor {
			words = append(words, "must")
		}
		said = append(said, strings.Join(words, "|"))
	}
}

func TestAListOfInvitations(t *testing.T) {
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		"addresses alone":               {"ada@example.org\nbob@example.org", []string{"1|ada@example.org|||", "2|bob@example.org|||"}},
		"as mail programs do":           {"Ada Lovelace <ada@example.org>\n\"Bob, the builder\" <bob@example.org>\n", []string{"1|ada@example.org|Ada Lovelace||", `2 unreadable extraneous or missing " in quoted-field`}},
		"with names and groups":         {"ada@example.org, Ada, staff; Board of Directors\nbob@example.org,,Staff", []string{"1|ada@example.org|Ada|||g1|g2", "2|bob@example.org||||g1"}},
		"a group with its accent apart": {"ada@example.org,Ada,BU\u0308RO", []string{"1|ada@example.org|Ada|||g3"}},
		"with a first line":             {"\ufeffName,EMAIL\r\n\"Lovelace, Ada\",ada@example.org\r\n", []string{"2|ada@example.org|Lovelace, Ada||"}},
		"nothing in between":            {"\n# the board\n\n  \nada@example.org\n", []string{"5|ada@example.org|||"}},
		"wrong lines": {"ada\nada@example.org\n ADA@Example.org \nbob@example.org, eve@example.org\ncem@example.org,Cem,Nobodies\ndana@example.org,\x1b[31m\n\xff\xfe\n" +
			strings.Repeat("x", 20_000) + "\nfay@example.org,Fay,Staff,more\nhao@example.org", []string{
			"1 no-address ada", "2|ada@example.org|||", "3 twice 2", "4 wrong-name eve@example.org", "5 unknown-group Nobodies", "6 wrong-name \x1b[31m", "7 no-utf8", "8 long-line",
			"9 unreadable 4 fields in 3 columns", "10|hao@example.org|||"}},
		"a column that there is not": {"email,colour\nada@example.org,red\n", []string{`1 unreadable there is no column "colour"; there are email, name, groups`, "2 unreadable 2 fields in 0 columns"}},
		"no password comes in":       {"email,password_hash\n", []string{`1 unreadable there is no column "password_hash"; there are email, name, groups`}},
		"no password comes in by JSON": {`{"email":"ada@example.org","password_hash":"` + someHash + `"}
{"email":"ada@example.org","PASSWORD_HASH":"md5"}
{"email":"bob@example.org","administrator":true}
{"email":"cem@example.org","must_use_two_factor":true}
{"email":"dana@example.org","language":"de"}
{"email":"ada@example.org","name":"Ada","groups":["Staff"]}
`, []string{"1 import-only password_hash", "2 import-only password_hash", "3 import-only administrator", "4 import-only must_use_two_factor", "5 import-only language", "6|ada@example.org|Ada|||g1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, transfer.NewReader(strings.NewReader(tt.list), staff)); !slices.Equal(got, tt.want) {
				t.Errorf("%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestAListOfAnImport(t *testing.T) {
	for name, tt := range map[string]struct {
		list string
		want []string
	}{
		"JSON": {`{"email":"ada@example.org","name":"Ada","groups":["Staff"],"password_hash":"` + someHash + `","must_use_two_factor":true,"language":"de"}
{"email":"bob@example.org"}
{"email":"cem@example.org","password":"plain"}
{"email":"dana@example.org"} {"email":"eve@example.org"}
["fay@example.org"]
{"email":7}
{"email":"hao@example.org","password_hash":"md5"}
{"email":"eli@example.org","administrator":true}
{"email":"fay@example.org","language":"fr"}
{"email":"fay@example.org","language":"de\u0000"}
{"email":"fay\u0000@example.org"}
{"email":"fay@example.org","name":"Fay\u0000"}
{"email":"fay@example.org","password_hash":"` + someHash + `\u0000"}
{"email":"fay@example.org","language":""}
`, []string{"1|ada@example.org|Ada|" + someHash + "|de|g1|must", "2|bob@example.org|||", `3 unreadable unknown field "password"`, "4 unreadable more than one object",
			`5 unreadable bare " in non-quoted-field`, "6 unreadable email is a text, not a number", "7 unknown-hash", "8 administrator",
			"9 other-language fr", "10 other-language de\x00", "11 no-address fay\x00@example.org", "12 wrong-name Fay\x00", "13 unknown-hash", "14|fay@example.org|||"}},
		"CSV": {"email,password_hash,groups,must_use_two_factor\nada@example.org," + commaHash + ",,yes\nbob@example.org," + someHash + ",Staff,no\ncem@example.org,,,perhaps\n",
			[]string{"2|ada@example.org||" + ownHash + "||must", "3|bob@example.org||" + someHash + "||g1", `4 unreadable must_use_two_factor is true or false, not "perhaps"`}},
		"CSV without a first line": {"ada@example.org,Ada\n", []string{"1 unreadable the first line of CSV names the columns, among them email"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := transfer.NewReader(strings.NewReader(tt.list), staff)
			r.Import, r.Languages = true, []string{"en", "de"}
			if got := read(t, r); !slices.Equal(got, tt.want) {
				t.Errorf("%q\nwant\n%q", got, tt.want)
			}
		})
	}
	r := transfer.NewReader(strings.NewReader(`{"email":"eli@example.org","administrator":true}`), nil)
	r.Import, r.Administrators = true, true
	if got := read(t, r); !slices.Equal(got, []string{"1|eli@example.org||||administers"}) {
		t.Errorf("%q", got)
	}
}
