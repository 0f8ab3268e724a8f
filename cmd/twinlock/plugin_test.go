package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/twinlock/twinlock/internal/auth"
)

// plugin reads what plugin list says of one.
func (o *operator) plugin(id auth.PluginID) shownPlugin {
	o.t.Helper()
	var all []shownPlugin
	o.reads(&all, "plugin", "list")
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	o.t.Fatalf("plugin list has no %s: %+v", id, all)
	return shownPlugin{}
}

func TestPluginsAreListedInTheShapeThatScriptsKnow(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		var all []map[string]any
		if err := json.Unmarshal([]byte(o.does("plugin", "list", "--json")), &all); err != nil {
			t.Fatal(err)
		}
		want := []map[string]any{}
		for _, id := range []string{"two-factor", "passkeys", "openid-connect", "forward-auth"} {
			want = append(want, map[string]any{"id": id, "active": false,
				"enabled_for": map[string]any{"everyone": false, "groups": []any{}, "users": []any{}}})
		}
		if !reflect.DeepEqual(all, want) {
			t.Errorf("listed %v, want %v", all, want)
		}
		if said := o.does("plugin", "list"); !strings.HasPrefix(said, "two-factor: active no, enabled for nobody\n") {
			t.Errorf("listed %q", said)
		}
	})
}

func TestAPluginWorksForWhomItIsAllowed(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		o.does("group", "add", "Staff")
		if said := o.does("plugin", "activate", "two-factor"); said != "two-factor: active\n" {
			t.Errorf("said %q", said)
		}
		if p := o.plugin("two-factor"); !p.Active || p.EnabledFor.String() != "nobody" {
			t.Errorf("activating alone: %+v", p)
		}
		if said := o.does("plugin", "allow", "two-factor", "--user", ada, "--group", "staff"); said != "two-factor: allowed\n" {
			t.Errorf("said %q", said)
		}
		is := func(want enabledFor) {
			t.Helper()
			if p := o.plugin("two-factor"); !reflect.DeepEqual(p.EnabledFor, want) {
				t.Errorf("enabled for %+v, want %+v", p.EnabledFor, want)
			}
		}
		is(enabledFor{Groups: []string{"Staff"}, Users: []string{ada}})
		var allowed shownPlugin
		o.reads(&allowed, "plugin", "allow", "two-factor", "--everyone")
		if !allowed.Active || !allowed.EnabledFor.Everyone {
			t.Errorf("with --json: %+v", allowed)
		}
		is(enabledFor{Everyone: true, Groups: []string{"Staff"}, Users: []string{ada}}) // the entries stay
		o.does("plugin", "deny", "two-factor", "--user", ada)
		is(enabledFor{Everyone: true, Groups: []string{"Staff"}, Users: []string{}}) // nobody is excepted from everyone
		if said := o.does("plugin", "deny", "two-factor", "--everyone"); said != "two-factor: denied\n" {
			t.Errorf("said %q", said)
		}
		is(enabledFor{Groups: []string{"Staff"}, Users: []string{}})
		o.does("plugin", "deny", "two-factor", "--group", "Staff", "--user", ada) // the one is no entry: no matter
		is(enabledFor{Groups: []string{}, Users: []string{}})
		if said := o.does("plugin", "deactivate", "two-factor"); said != "two-factor: inactive\n" { // nobody loses anything
			t.Errorf("said %q", said)
		}
	})
}

func TestWhatIsNoPluginOrNobodyIsNamed(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		for _, args := range [][]string{{"activate"}, {"deactivate"}, {"deactivate", "--yes"}, {"allow", "--everyone"}, {"deny", "--everyone"}} {
			args = append(append([]string{"plugin"}, args...), "telepathy")
			if why := o.fails(failed, args...); why != "there is no plug-in telepathy; see twinlock plugin list" {
				t.Errorf("%v: %s", args, why)
			}
		}
		if why := o.fails(failed, "plugin", "allow", "two-factor", "--user", bob); !strings.HasPrefix(why, "nobody has the address "+bob) {
			t.Error(why)
		}
		if why := o.fails(failed, "plugin", "deny", "two-factor", "--group", "Board"); !strings.HasPrefix(why, "there is no group Board") {
			t.Error(why)
		}
	})
}

// Whoever takes the code away from people says so, and the people are told.
func TestNobodyLosesTheCodeWithoutAYes(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.does("group", "add", "Staff")
	o.does("group", "join", "Staff", ada)
	o.does("plugin", "activate", "two-factor")
	o.does("plugin", "allow", "two-factor", "--group", "Staff")
	o.enablesTwoFactor(ada)
	o.serves()
	takes := [][]string{
		{"plugin", "deactivate", "two-factor"}, {"plugin", "deny", "two-factor", "--group", "Staff"},
		{"group", "leave", "Staff", ada}, {"group", "delete", "Staff"},
	}
	for _, args := range takes {
		if why := o.fails(failed, args...); why != "1 person, "+ada+", would no longer be asked for a code; say so with --yes" {
			t.Errorf("%v: %s", args, why)
		}
	}
	if p := o.plugin("two-factor"); !p.Active || p.EnabledFor.String() != "Staff" || len(o.shows(ada).Groups) != 1 {
		t.Errorf("a refused command changed something: %+v", p)
	}
	if said := o.does("plugin", "deactivate", "two-factor", "--yes"); said != "two-factor: inactive\n" {
		t.Errorf("said %q", said)
	}
	o.letter(ada, "is switched off for you")
	o.does("plugin", "activate", "two-factor")
	for _, args := range takes[1:] {
		o.does(append(args, "--yes")...)
		o.run("", "group", "add", "Staff")
		o.does("group", "join", "Staff", ada)
		o.does("plugin", "allow", "two-factor", "--group", "Staff")
	}
	if !o.shows(ada).TwoFactor {
		t.Error("what she enabled is not kept")
	}
}

func TestInTheCloudEditionTheSettingsDecide(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.does("group", "add", "Staff")
	s := o.serves("--edition", "cloud", "--plugins", "two-factor:group=staff")
	refused := func() {
		t.Helper()
		for _, args := range [][]string{{"activate"}, {"deactivate", "--yes"}, {"allow", "--everyone"}, {"allow", "--user", ada}, {"deny", "--group", "Staff", "--yes"}} {
			args = append(append([]string{"plugin"}, args...), "two-factor")
			if why := o.fails(failed, args...); !strings.HasPrefix(why, "in the cloud edition the setting plugins says") {
				t.Errorf("%v: %s", args, why)
			}
		}
		if p := o.plugin("two-factor"); !p.Active || p.EnabledFor.String() != "Staff" {
			t.Errorf("plugin list shows %+v", p)
		}
	}
	refused()
	if err := s.stops(); err != nil {
		t.Fatal(err)
	}
	refused() // what the last start said holds for commands straight to the database
	o.serves()
	o.does("plugin", "activate", "two-factor") // the operator left it to the administrator again
	if p := o.plugin("two-factor"); p.EnabledFor.String() != "nobody" {
		t.Errorf("after the return to on-premise: %+v", p)
	}
}

// enablesTwoFactor marks a person as one who has it on, straight in the
// database: the set-up has tests of its own. No server may run.
func (o *operator) enablesTwoFactor(email string) {
	o.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(o.data(), "twinlock.db"))
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(`UPDATE users SET two_factor_since = ? WHERE canonical = ?`, time.Now().UnixMilli(), email)
	if err != nil {
		o.t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 {
		o.t.Fatalf("%d people are %s, %v", n, email, err)
	}
}
