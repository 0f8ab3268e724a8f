package main

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// groups reads the list of groups.
func (o *operator) groups() (all []shownGroup) {
	o.t.Helper()
	o.reads(&all, "group", "list")
	return all
}

func TestAGroupIsMadeListedAndDeleted(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		if all := o.groups(); all == nil || len(all) != 0 {
			t.Errorf("of none: %v", all)
		}
		if said := o.does("group", "add", "Staff"); said != "Staff: added\n" {
			t.Errorf("said %q", said)
		}
		var made shownGroup
		o.reads(&made, "group", "add", "Board")
		if made.ID == "" || made.Name != "Board" || made.Members != 0 {
			t.Errorf("with --json: %+v", made)
		}
		if why := o.fails(failed, "group", "add", "sTAFF "); why != "there is a group sTAFF already" {
			t.Error(why)
		}
		for _, none := range []string{"", "  ", "a,b", "a\x1b[31m", strings.Repeat("x", 101)} {
			o.fails(failed, "group", "add", none)
		}
		if all := o.groups(); len(all) != 2 || all[0].Name != "Board" || all[1].Name != "Staff" {
			t.Errorf("listed %+v", all)
		}
		if said := o.does("group", "list"); said != "Board: 0 members\nStaff: 0 members\n" {
			t.Errorf("listed %q", said)
		}
		if said := o.does("group", "delete", "staff"); said != "Staff: deleted\n" {
			t.Errorf("said %q", said)
		}
		if why := o.fails(failed, "group", "delete", "Staff"); why != "there is no group Staff; see twinlock group list" {
			t.Error(why)
		}
		if all := o.groups(); len(all) != 1 {
			t.Errorf("left are %+v", all)
		}
	})
}

func TestAGroupIsChanged(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.does("group", "add", "Staff")
		o.does("group", "add", "Board")
		if said := o.does("group", "set", "staff", "--open-window", "30m"); said != "Staff: saved\n" {
			t.Errorf("said %q", said)
		}
		var set shownGroup
		o.reads(&set, "group", "set", "Staff", "--name", "Crew")
		if set.Name != "Crew" || set.OpenWindow != "30m" {
			t.Errorf("with --json: %+v", set)
		}
		for _, tt := range []struct{ typed, kept string }{{"0", "0"}, {"24h", "24h"}, {"", ""}} {
			o.does("group", "set", "Crew", "--open-window", tt.typed)
			if all := o.groups(); len(all) != 2 || all[1].Name != "Crew" || all[1].OpenWindow != tt.kept {
				t.Errorf("after %q: %+v", tt.typed, all)
			}
		}
		if why := o.fails(failed, "group", "set", "Crew", "--name", "bOARD"); why != "there is a group bOARD already" {
			t.Error(why)
		}
		if why := o.fails(failed, "group", "set", "Staff", "--name", "x"); why != "there is no group Staff; see twinlock group list" {
			t.Error(why)
		}
		for _, wrong := range []string{"25h", "-5m", "90s", "soon"} {
			if why := o.fails(failed, "group", "set", "Crew", "--open-window="+wrong); !strings.Contains(why, "up to 24h") {
				t.Errorf("%s: %s", wrong, why)
			}
		}
		o.fails(failed, "group", "set", "Crew", "--name", "a,b")
		o.fails(wrongUsage, "group", "set", "Crew")
	})
}

func TestPeopleJoinAndLeaveGroups(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		o.does("group", "add", "Staff")
		for range 2 { // done already is done
			if said := o.does("group", "join", "staff", ada); said != ada+": joined Staff\n" {
				t.Errorf("said %q", said)
			}
		}
		if all := o.groups(); len(all) != 1 || all[0].Members != 1 {
			t.Errorf("after joining twice: %+v", all)
		}
		if groups := o.shows(ada).Groups; !reflect.DeepEqual(groups, []string{"Staff"}) {
			t.Errorf("she is in %q", groups)
		}
		var left shownGroup
		o.reads(&left, "group", "leave", "Staff", ada)
		if left.Name != "Staff" || left.Members != 0 {
			t.Errorf("with --json: %+v", left)
		}
		if said := o.does("group", "leave", "Staff", ada); said != ada+": left Staff\n" {
			t.Errorf("said %q", said)
		}
		if groups := o.shows(ada).Groups; groups == nil || len(groups) != 0 {
			t.Errorf("she is in %q", groups)
		}
		for _, args := range [][]string{{"join", "Board", ada}, {"leave", "Board", ada}, {"join", "Staff", bob}, {"leave", "Staff", bob}, {"join", "Staff", "bob"}} {
			o.fails(failed, append([]string{"group"}, args...)...)
		}
	})
}

// The group and the person were looked up, and then one of them was deleted.
func TestWhoeverIsGoneMeanwhileIsNamedAndNotTheOther(t *testing.T) {
	site := apptest.New(t)
	s := &surroundings{ctx: t.Context(), app: site.App, out: io.Discard, by: apptest.Command}
	gone, there := auth.User{ID: site.Person(ada).ID}, auth.User{ID: site.Person(bob).ID}
	staff, err := site.Store.AddGroup(t.Context(), s.by, "Staff", site.Now())
	if err := errors.Join(err, site.Store.DeleteUser(t.Context(), s.by, gone.ID, site.Now())); err != nil {
		t.Fatal(err)
	}
	board := auth.Group{ID: "gone", Name: "Board"}
	const noAda, noBoard = "nobody has the address " + ada + "; see twinlock user list", "there is no group Board; see twinlock group list"
	for _, tt := range []struct {
		did  error
		want string
	}{
		{(&groupJoin{Group: "Staff", Email: ada}).join(s, staff, gone), noAda},
		{(&groupLeave{Group: "Staff", Email: ada}).leave(s, staff, gone), noAda},
		{(&groupJoin{Group: "Board", Email: bob}).join(s, board, there), noBoard},
	} {
		if tt.did == nil || tt.did.Error() != tt.want {
			t.Errorf("%v, want %s", tt.did, tt.want)
		}
	}
}
