package auth

import (
	"testing"
	"time"
)

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
		var groups []Group
		for _, id := range tt.groups {
			groups = append(groups, Group{ID: id})
		}
		if got := tt.app.MayOpen("ada", groups); got != tt.want {
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
	for _, id := range []PluginID{TwoFactorPlugin, PasskeysPlugin, OpenIDConnectPlugin, ForwardAuthPlugin} {
		if (Policy{}).Enables(id) || !(Policy{TwoFactor: true, Passkeys: true, OpenIDConnect: true, ForwardAuth: true}).Enables(id) {
			t.Errorf("%s is not the policy's to say", id)
		}
	}
	if got, ok := PluginByID("unheard-of"); ok || got.ID != "" {
		t.Errorf("a plug-in that there is not: %v", got)
	}
}

func TestWhatAPersonIsAnsweredAtAnApplicationsDoor(t *testing.T) {
	on := User{ID: "ada", TwoFactorSince: time.Unix(1, 0)}
	off := User{ID: "ada"}
	withPasskeys := User{ID: "ada", PasskeysSince: time.Unix(1, 0)}
	all := Policy{TwoFactor: true, OpenIDConnect: true, ForwardAuth: true}
	for _, tt := range []struct {
		name   string
		app    Application
		user   User
		policy Policy
		want   Opening
	}{
		{"nobody is named", Application{Kind: Link}, on, all, NotAllowed},
		{"everyone is", Application{Kind: Link, Everyone: true}, off, Policy{}, Opens},
		{"its plug-in is off", Application{Kind: SpeaksOpenID, Everyone: true}, on, Policy{TwoFactor: true, ForwardAuth: true}, NotOffered},
		{"the other's plug-in is off", Application{Kind: SpeaksOpenID, Everyone: true}, on, Policy{OpenIDConnect: true}, Opens},
		{"its proxy's plug-in is off", Application{Kind: BehindProxy, Everyone: true}, on, Policy{OpenIDConnect: true}, NotOffered},
		{"it demands a code, and she has none", Application{Kind: BehindProxy, Everyone: true, RequireTwoFactor: true}, off, all, WantsSetUp},
		{"it demands a code, and she gave one", Application{Kind: BehindProxy, Everyone: true, RequireTwoFactor: true}, on, all, Opens},
		{"it demands a code, and she has passkeys", Application{Kind: Link, Everyone: true, RequireTwoFactor: true}, withPasskeys, Policy{Passkeys: true}, Opens},
		{"it demands a code, and could be given a passkey", Application{Kind: Link, Everyone: true, RequireTwoFactor: true}, off, Policy{Passkeys: true}, WantsSetUp},
		{"it demands a code, and her passkeys are not asked for", Application{Kind: Link, Everyone: true, RequireTwoFactor: true}, withPasskeys, Policy{TwoFactor: true}, WantsSetUp},
		{"it demands a code that is not offered", Application{Kind: Link, Everyone: true, RequireTwoFactor: true}, off, Policy{}, NotOffered},
		{"it demands a code that is no longer asked", Application{Kind: Link, Everyone: true, RequireTwoFactor: true}, on, Policy{}, NotOffered},
		{"it demands a code of those it names", Application{Kind: Link, RequireTwoFactor: true}, off, all, NotAllowed},
	} {
		if got := tt.app.OpeningFor(tt.user, nil, tt.policy); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestOnlyWhoUsesTwoFactorAuthenticationMayDemandIt(t *testing.T) {
	on := User{ID: "ada", TwoFactorSince: time.Unix(1, 0)}
	for _, tt := range []struct {
		name   string
		by     Actor
		policy Policy
		want   bool
	}{
		{"it is on", Actor{User: on}, Policy{TwoFactor: true}, true},
		{"it is off", Actor{User: User{ID: "ada"}}, Policy{TwoFactor: true}, false},
		{"it is on, and no longer asked", Actor{User: on}, Policy{}, false},
		{"the operator", Actor{Command: true}, Policy{}, true},
	} {
		if got := MayRequireTwoFactor(tt.by, tt.policy); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
