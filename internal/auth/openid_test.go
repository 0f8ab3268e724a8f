package auth

import (
	"strings"
	"testing"
	"time"
)

func TestScopesAreASet(t *testing.T) {
	given := ParseScopes(" email  openid openid unknown EMAIL offline_access ")
	if got := given.String(); got != "openid email offline_access" {
		t.Errorf("%q", got)
	}
	few := Scopes{ScopeOpenID, ScopeEmail}
	if !few.Within(given) || given.Within(few) || !Scopes(nil).Within(few) {
		t.Error("within")
	}
	if got := given.Both(Scopes{ScopeEmail, ScopeGroups}).String(); got != "email" {
		t.Errorf("both: %q", got)
	}
	if got := few.With(Scopes{ScopeProfile}).String(); got != "openid profile email" {
		t.Errorf("with: %q", got)
	}
}

func TestWhoIsAskedForConsent(t *testing.T) {
	const web, local, own = "https://wiki.example.org/", "http://127.0.0.1:4000/", "org.example.app:/"
	some, more := Scopes{ScopeOpenID}, Scopes{ScopeOpenID, ScopeEmail}
	for _, tt := range []struct {
		name     string
		client   Client
		asked    Scopes
		given    Scopes
		redirect string
		want     bool
	}{
		{"the first time", Client{}, some, nil, web, true},
		{"what was agreed to", Client{}, some, more, web, false},
		{"more than that", Client{}, more, some, web, true},
		{"an administrator agreed", Client{WithoutConsent: true}, more, nil, web, false},
		{"a page of a site", Client{Public: true}, some, more, web, false},
		{"any program on the machine", Client{Public: true}, some, more, local, true},
		{"any program with that scheme", Client{Public: true}, some, more, own, true},
		{"any program on the machine, whatever an administrator agreed to", Client{Public: true, WithoutConsent: true}, some, more, local, true},
		{"any program with that scheme, likewise", Client{Public: true, WithoutConsent: true}, some, more, own, true},
		{"a page of a site, an administrator agreed", Client{Public: true, WithoutConsent: true}, more, nil, web, false},
		{"a server on this machine with a secret", Client{}, some, more, local, false},
	} {
		if got := tt.client.NeedsConsent(tt.asked, tt.given, tt.redirect); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWhatASessionCanVouchFor(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 23, 12, minute, 0, 0, time.UTC) }
	withCode := User{TwoFactorSince: at(0)}
	asked := Policy{TwoFactor: true}
	withPasskey, passkeys := User{PasskeysSince: at(0)}, Policy{Passkeys: true}
	byPasskey := Session{PasswordAt: at(5), PasswordBy: PasswordByPasskey, CodeAt: at(5), CodeBy: BySyncedPasskey}
	returned := byPasskey
	returned.ReturnedAt = at(8)
	for _, tt := range []struct {
		name    string
		session Session
		user    User
		policy  Policy
		want    Authentication
	}{
		{"a password", Session{PasswordAt: at(5)}, User{}, asked, Authentication{At: at(5)}},
		{"a password and a code", Session{PasswordAt: at(5), CodeAt: at(6)}, withCode, asked, Authentication{At: at(5), Code: true}},
		{"a fresh password and an old code", Session{PasswordAt: at(9), CodeAt: at(6)}, withCode, asked, Authentication{At: at(6), Code: true}},
		{"after a return", Session{PasswordAt: at(5), CodeAt: at(5), ReturnedAt: at(8)}, withCode, asked, Authentication{At: at(5)}},
		{"a code since the return", Session{PasswordAt: at(5), CodeAt: at(9), ReturnedAt: at(8)}, withCode, asked, Authentication{At: at(5), Code: true}},
		{"codes are no longer asked", Session{PasswordAt: at(9), CodeAt: at(5)}, withCode, Policy{}, Authentication{At: at(9)}},
		{"a password and a passkey", Session{PasswordAt: at(5), CodeAt: at(6), CodeBy: ByPasskey}, withCode, asked, Authentication{At: at(5), Code: true, CodeBy: ByPasskey}},
		{"a passkey alone", byPasskey, withPasskey, passkeys, Authentication{At: at(5), Code: true, PasswordBy: PasswordByPasskey, CodeBy: BySyncedPasskey}},
		{"a passkey alone, no longer asked", byPasskey, withPasskey, asked, Authentication{At: at(5), PasswordBy: PasswordByPasskey, CodeBy: BySyncedPasskey}},
		{"a passkey alone, after a return by the password", returned, withPasskey, passkeys, Authentication{At: at(5)}},
		{"disabled since", Session{PasswordAt: at(9), CodeAt: at(5)}, User{}, asked, Authentication{At: at(9)}},
	} {
		if got := AuthenticationOf(tt.session, tt.user, tt.policy); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestApplicationsAreToldWhatWasProved(t *testing.T) {
	for _, tt := range []struct {
		name           string
		proved         Authentication
		methods, class string
	}{
		{"a password", Authentication{}, "pwd", ClassPassword},
		{"a password and an app's code", Authentication{Code: true, CodeBy: ByAuthenticator}, "pwd otp mfa", ClassCode},
		{"a password and a code of before codes had kinds", Authentication{Code: true}, "pwd otp mfa", ClassCode},
		{"a password and a recovery code", Authentication{Code: true, CodeBy: ByRecoveryCode}, "pwd otp mfa", ClassCode},
		{"a password and a passkey", Authentication{Code: true, CodeBy: ByPasskey}, "pwd hwk user mfa", ClassCode},
		{"a password and a synced passkey", Authentication{Code: true, CodeBy: BySyncedPasskey}, "pwd swk user mfa", ClassCode},
		{"a passkey", Authentication{PasswordBy: PasswordByPasskey, Code: true, CodeBy: ByPasskey}, "hwk user mfa", ClassCode},
		{"a synced passkey", Authentication{PasswordBy: PasswordByPasskey, Code: true, CodeBy: BySyncedPasskey}, "swk user mfa", ClassCode},
		{"a passkey whose plug-in went off", Authentication{PasswordBy: PasswordByPasskey, CodeBy: ByPasskey}, "hwk user", ClassPassword},
		{"a synced passkey whose plug-in went off", Authentication{PasswordBy: PasswordByPasskey, CodeBy: BySyncedPasskey}, "swk user", ClassPassword},
		{"a passkey, and an app's code since", Authentication{PasswordBy: PasswordByPasskey, Code: true, CodeBy: ByAuthenticator}, "pop user otp mfa", ClassCode},
	} {
		if got := strings.Join(tt.proved.Methods(), " "); got != tt.methods || tt.proved.Class() != tt.class {
			t.Errorf("%s: %s, %s", tt.name, got, tt.proved.Class())
		}
	}
}
