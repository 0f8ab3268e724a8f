package auth

import "testing"

func TestAPluginIsEnabledForWhomItNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		given  Activation
		groups []GroupID
		want   bool
	}{
		{"active, nobody named", Activation{Active: true}, []GroupID{"staff"}, false},
		{"everyone", Activation{Active: true, Everyone: true}, nil, true},
		{"her", Activation{Active: true, Users: []UserID{"bob", "ada"}}, nil, true},
		{"somebody else", Activation{Active: true, Users: []UserID{"bob"}}, nil, false},
		{"one of her groups", Activation{Active: true, Groups: []GroupID{"staff"}}, []GroupID{"sales", "staff"}, true},
		{"another group", Activation{Active: true, Groups: []GroupID{"staff"}}, []GroupID{"sales"}, false},
		{"a group called as she is", Activation{Active: true, Groups: []GroupID{"ada"}}, nil, false},
		{"inactive, everyone", Activation{Everyone: true}, nil, false},
		{"inactive, her", Activation{Users: []UserID{"ada"}}, nil, false},
		{"inactive, her group", Activation{Groups: []GroupID{"staff"}}, []GroupID{"staff"}, false},
	} {
		if got := tt.given.EnabledFor("ada", tt.groups); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAnApplicationIsOpenToWhomItNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		app    Application
		groups []GroupID
		want   bool
	}{
		{"nobody", Application{}, []GroupID{"staff"}, false},
		{"everyone", Application{Everyone: true}, nil, true},
		{"her", Application{Users: []UserID{"bob", "ada"}}, nil, true},
		{"somebody else", Application{Users: []UserID{"bob"}}, nil, false},
		{"one of her groups", Application{Groups: []GroupID{"staff"}}, []GroupID{"sales", "staff"}, true},
		{"another group", Application{Groups: []GroupID{"staff"}}, []GroupID{"sales"}, false},
	} {
		if got := tt.app.MayOpen("ada", tt.groups); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEveryPluginIsFoundByItsID(t *testing.T) {
	for _, p := range Plugins {
		if got, ok := PluginByID(p.ID); !ok || got.ID != p.ID {
			t.Errorf("%s: %v, %v", p.ID, got.ID, ok)
		}
		for _, need := range p.Needs {
			if _, ok := PluginByID(need); !ok {
				t.Errorf("%s needs %s, which there is not", p.ID, need)
			}
		}
	}
	if got, ok := PluginByID("unheard-of"); ok || got.ID != "" {
		t.Errorf("a plug-in that there is not: %v", got)
	}
}
