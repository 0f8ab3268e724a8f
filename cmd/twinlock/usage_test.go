package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestWrongUsageIsSaidInOneLine(t *testing.T) {
	o := newOperator(t)
	for _, args := range [][]string{
		{}, {"nonsense"}, {"user"}, {"user", "nonsense"}, {"user", "add"}, {"user", "list", "--nonsense"}, {"user", "show", ada, bob},
		{"group"}, {"group", "join", "Staff"}, {"plugin"}, {"plugin", "activate"}, {"app"}, {"app", "add", "Wiki"}, {"app", "show"},
		{"app", "set", "Wiki"}, {"app", "set", "Wiki", "--require-2fa=perhaps"}, {"app", "allow", "Wiki"}, {"app", "deny"}, {"app", "secret"}, {"app", "delete"}, {"app", "rules"},
		{"plugin", "allow", "two-factor"}, {"plugin", "deny", "two-factor"}, {"plugin", "allow", "--everyone"}, {"plugin", "deactivate"}, {"plugin", "list", "two-factor"},
		{"group", "add"}, {"group", "delete"}, {"group", "leave", "Staff"}, {"group", "list", "Staff"}, {"user", "invite"}, {"user", "role", ada, "boss"},
		{"config"}, {"config", "show", "--json=perhaps"}, {"version", "2"}, {"serve", "now"}, {"user", "role", ada},
	} {
		if why := o.fails(wrongUsage, args...); !strings.HasSuffix(why, "; see twinlock --help") {
			t.Errorf("%v: %s", args, why)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	o := newOperator(t)
	for _, of := range [][]string{nil, {"user"}, {"group"}, {"plugin"}, {"app"}, {"config"}, {"serve"}, {"user", "add"}, {"plugin", "allow"}, {"app", "set"}, {"app", "allow"}, {"app", "secret"}} {
		if help := o.does(append(of, "--help")...); !strings.HasPrefix(help, "Usage: twinlock") {
			t.Errorf("%v --help:\n%s", of, help)
		}
	}
}

func TestVersionNamesTheProgram(t *testing.T) {
	o := newOperator(t)
	if said := o.does("version"); !strings.HasPrefix(said, "twinlock ") || !strings.Contains(said, "go1.") {
		t.Errorf("said %q", said)
	}
}

func TestServeIsReadWithoutTheOtherCommandsAsItIsAmongThem(t *testing.T) {
	for _, args := range [][]string{
		{"serve"}, {"serve", "--help"}, {"serve", "now"}, {"serve", "--nonsense"}, {"serve", "--listen"}, {"serve", "user", "list"},
		{"serve", "--listen", "127.0.0.1:1", "--public-url=http://localhost:1"}, {"serve", "--data", "user"},
	} {
		if _, alone := grammar(args).(*serving); !alone {
			t.Errorf("%v is read among all commands", args)
		}
		said := func(grammar any) string {
			var out, errs strings.Builder
			l, status, ended := parseBy(grammar, args, &out, &errs)
			read := []byte{}
			if !ended {
				read, _ = json.Marshal(l.selected())
			}
			return fmt.Sprintf("%d %s\n%s%s", status, read, out.String(), errs.String())
		}
		if alone, among := said(&serving{}), said(&commands{}); alone != among {
			t.Errorf("%v\nalone: %s\namong all: %s", args, alone, among)
		}
	}
}
