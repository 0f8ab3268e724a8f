package main

import (
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
