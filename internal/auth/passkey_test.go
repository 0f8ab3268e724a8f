package auth

import (
	"slices"
	"testing"
)

// factors gives people by which second factors they have on, and what is offered
// them.
func factors(authenticator, passkeys bool) User {
	u := User{ID: "ada", State: Active, HasPassword: true}
	if authenticator {
		u.TwoFactorSince = now
	}
	if passkeys {
		u.PasskeysSince = now
	}
	return u
}

func TestACodeIsAskedByEitherFactorWhosePluginWorks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		user   User
		policy Policy
		codes  int
		ways   []Way
	}{
		{"nothing on", factors(false, false), Policy{TwoFactor: true, Passkeys: true}, 9, nil},
		{"an app", factors(true, false), Policy{TwoFactor: true, Passkeys: true}, 9, []Way{WayAuthenticator, WayRecoveryCode}},
		{"an app whose plug-in is off", factors(true, false), Policy{Passkeys: true}, 9, nil},
		{"passkeys", factors(false, true), Policy{TwoFactor: true, Passkeys: true}, 9, []Way{WayPasskey, WayRecoveryCode}},
		{"passkeys, and no recovery code left", factors(false, true), Policy{Passkeys: true}, 0, []Way{WayPasskey}},
		{"passkeys whose plug-in is off", factors(false, true), Policy{TwoFactor: true}, 9, nil},
		{"both", factors(true, true), Policy{TwoFactor: true, Passkeys: true}, 1, []Way{WayAuthenticator, WayPasskey, WayRecoveryCode}},
		{"both, the app's plug-in off", factors(true, true), Policy{Passkeys: true}, 1, []Way{WayPasskey, WayRecoveryCode}},
		{"both, the passkeys' plug-in off", factors(true, true), Policy{TwoFactor: true}, 1, []Way{WayAuthenticator, WayRecoveryCode}},
		{"both, both plug-ins off", factors(true, true), Policy{}, 1, nil},
	} {
		if got := Ways(tt.user, tt.policy, tt.codes); !slices.Equal(got, tt.ways) {
			t.Errorf("%s: %v", tt.name, got)
		}
		if asks := tt.policy.AsksCode(tt.user); asks != (len(tt.ways) > 0) {
			t.Errorf("%s: a code is asked: %v", tt.name, asks)
		}
	}
}

func TestMayRemovePasskey(t *testing.T) {
	both := Policy{TwoFactor: true, Passkeys: true}
	must, administrator, invited := factors(false, true), factors(false, true), factors(false, true)
	must.MustUseTwoFactor, administrator.Administrator, invited.HasPassword = true, true, false
	mustWithApp := factors(true, true)
	mustWithApp.MustUseTwoFactor = true
	for _, tt := range []struct {
		name       string
		user       User
		policy     Policy
		passkeys   int
		unreadable bool
		want       Kept
	}{
		{"the last one, and the password is left", factors(false, true), both, 1, false, ""},
		{"one of two, and nothing else is left", invited, both, 2, false, ""},
		{"the last one, and there is no password", invited, both, 1, false, NoPassword},
		{"the last one, and a factor is a must", must, both, 1, false, LastForDemand},
		{"one of two, and a factor is a must", must, both, 2, false, ""},
		{"the last one of an administrator", administrator, both, 1, false, LastForDemand},
		{"the last one, a factor is a must, and there is an app", mustWithApp, both, 1, false, ""},
		{"the last one, a factor is a must, and the app's plug-in is off", mustWithApp, Policy{Passkeys: true}, 1, false, LastForDemand},
		{"the last one beside an app", factors(true, true), both, 1, false, ""},
		{"the last one beside an app that cannot be read", factors(true, true), both, 1, true, LastReadable},
		{"the last one beside an app that cannot be read and does not count", factors(true, true), Policy{Passkeys: true}, 1, true, ""},
		{"the last one of a must beside an app that cannot be read and does not count", mustWithApp, Policy{Passkeys: true}, 1, true, LastForDemand},
		{"one of two beside an app that cannot be read", factors(true, true), both, 2, true, ""},
	} {
		if got := MayRemovePasskey(tt.user, tt.policy, tt.passkeys, !tt.unreadable); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAPasskeySaysWhatItStandsFor(t *testing.T) {
	if by := (PasskeyKey{Synced: true}).By(); by != BySyncedPasskey || !by.IsPasskey() {
		t.Error("synced:", by)
	}
	if by := (PasskeyKey{Eligible: true}).By(); by != ByPasskey || !by.IsPasskey() {
		t.Error("of one device:", by)
	}
	if ByAuthenticator.IsPasskey() || ByRecoveryCode.IsPasskey() {
		t.Error("a code is no passkey")
	}
}
