package auth

import (
	"testing"
	"time"
)

// login is everything that Next looks at.
type login struct {
	attempt Attempt
	user    User
	policy  Policy
}

// proved is a login with the right password and the right code.
func proved() login {
	return login{
		attempt: Attempt{
			ID: "attempt", User: "ada", Purpose: ByLogin, Generation: 7,
			Began: now.Add(-3 * time.Minute), Expires: now.Add(7 * time.Minute),
			PasswordAt: now.Add(-2 * time.Minute), CodeAt: now.Add(-time.Minute), CodeBy: ByAuthenticator,
		},
		user: ada(), policy: policy(),
	}
}

func (l *login) forgetCode()     { l.attempt.CodeAt = time.Time{} }
func (l *login) forgetPassword() { l.attempt.PasswordAt = time.Time{} }
func (l *login) disableFactor()  { l.user.TwoFactorSince = time.Time{} }

func (l *login) onlyPasskeys() {
	l.user.TwoFactorSince, l.user.PasskeysSince = time.Time{}, now.Add(-time.Hour)
	l.policy.Passkeys = true
}

func (l login) next() Step { return Next(l.attempt, l.user, l.policy, now) }

func TestNextNamesWhatIsOwed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*login)
		want   Step
	}{
		{"password and code proved", func(*login) {}, StepFinish},
		{"a recovery code in the code's place", func(l *login) { l.attempt.CodeBy = ByRecoveryCode }, StepFinish},
		{"only the password proved", func(l *login) { l.forgetCode() }, StepCode},
		{"nothing proved", func(l *login) { l.forgetCode(); l.forgetPassword() }, StepPassword},
		{"only a code proved", func(l *login) { l.forgetPassword() }, StepPassword},

		{"no factor", func(l *login) { l.forgetCode(); l.disableFactor() }, StepFinish},
		{"no factor, and one is a must", func(l *login) {
			l.forgetCode()
			l.disableFactor()
			l.user.MustUseTwoFactor = true
		}, StepEnrol},
		{"no factor, one is a must, no password proved", func(l *login) {
			l.forgetPassword()
			l.disableFactor()
			l.user.MustUseTwoFactor = true
		}, StepPassword},
		{"a factor that is a must, proved", func(l *login) { l.user.MustUseTwoFactor = true }, StepFinish},
		{"a factor that is a must", func(l *login) { l.forgetCode(); l.user.MustUseTwoFactor = true }, StepCode},
		{"the plug-in off", func(l *login) { l.forgetCode(); l.policy.TwoFactor = false }, StepFinish},
		{"the plug-in off, and a factor is a must", func(l *login) {
			l.forgetCode()
			l.disableFactor()
			l.user.MustUseTwoFactor, l.policy.TwoFactor = true, false
		}, StepFinish},

		{"a passkey that held her to be who she is", func(l *login) {
			l.onlyPasskeys()
			l.attempt.PasswordBy, l.attempt.CodeBy = PasswordByPasskey, ByPasskey
		}, StepFinish},
		{"a passkey in the password's place, its plug-in off since", func(l *login) {
			l.onlyPasskeys()
			l.attempt.PasswordBy, l.attempt.CodeBy = PasswordByPasskey, ByPasskey
			l.policy.Passkeys = false
		}, StepStartAgain},
		{"passkeys alone, the password proved", func(l *login) { l.forgetCode(); l.onlyPasskeys() }, StepCode},
		{"passkeys alone, and a factor is a must", func(l *login) {
			l.forgetCode()
			l.onlyPasskeys()
			l.user.MustUseTwoFactor = true
		}, StepCode},
		{"passkeys alone, their plug-in off", func(l *login) {
			l.forgetCode()
			l.onlyPasskeys()
			l.policy.Passkeys = false
		}, StepFinish},
		{"passkeys alone, their plug-in off, and a factor is a must", func(l *login) {
			l.forgetCode()
			l.onlyPasskeys()
			l.user.MustUseTwoFactor, l.policy.Passkeys = true, false
		}, StepEnrol},
		{"no factor, one is a must, and passkeys alone are offered", func(l *login) {
			l.forgetCode()
			l.disableFactor()
			l.user.MustUseTwoFactor, l.policy.TwoFactor, l.policy.Passkeys = true, false, true
		}, StepEnrol},

		{"four wrong codes", func(l *login) { l.forgetCode(); l.attempt.WrongCodes = 4 }, StepCode},
		{"five wrong codes", func(l *login) { l.forgetCode(); l.attempt.WrongCodes = 5 }, StepStartAgain},
		{"six wrong codes", func(l *login) { l.forgetCode(); l.attempt.WrongCodes = 6 }, StepStartAgain},
		{"a new password owed", func(l *login) { l.forgetCode(); l.attempt.NewPasswordOwed = true }, StepNewPassword},
		{"a new password owed after a right code", func(l *login) { l.attempt.NewPasswordOwed = true }, StepNewPassword},
		{"a new password owed before the old one", func(l *login) {
			l.forgetPassword()
			l.attempt.NewPasswordOwed = true
		}, StepPassword},

		{"the account changed since", func(l *login) { l.user.Generation = 8 }, StepStartAgain},
		{"begun by a later account than is read", func(l *login) { l.user.Generation = 6 }, StepStartAgain},
		{"somebody else's attempt", func(l *login) { l.attempt.User = "eve" }, StepStartAgain},
		{"a disabled account", func(l *login) { l.user.State = Disabled }, StepStartAgain},
		{"an account read half", func(l *login) { l.user.State = "" }, StepStartAgain},
		{"over, with nothing proved", func(l *login) {
			l.forgetPassword()
			l.attempt.Expires = now
		}, StepStartAgain},
		{"the zero policy", func(l *login) { l.policy = Policy{} }, StepFinish},
	} {
		l := proved()
		tt.change(&l)
		if got := l.next(); got != tt.want {
			t.Errorf("%s: %s is next, want %s", tt.name, got, tt.want)
		}
	}
}

func TestNextAtTheEdgesOfAnAttemptsLife(t *testing.T) {
	overall := policy().SessionOverall
	for _, tt := range []struct {
		name           string
		began, expires time.Time
		want           Step
	}{
		{"1 ms to go", now.Add(-time.Minute), now.Add(ms), StepFinish},
		{"at its end", now.Add(-time.Minute), now, StepStartAgain},
		{"1 ms after its end", now.Add(-time.Minute), now.Add(-ms), StepStartAgain},
		{"begun 1 ms less ahead than a session lives", now.Add(overall - ms), now.Add(2 * overall), StepFinish},
		{"begun as far ahead as a session lives", now.Add(overall), now.Add(2 * overall), StepFinish},
		{"begun 1 ms further ahead", now.Add(overall + ms), now.Add(2 * overall), StepStartAgain},
	} {
		l := proved()
		l.attempt.Began, l.attempt.Expires = tt.began, tt.expires
		if got := l.next(); got != tt.want {
			t.Errorf("%s: %s is next, want %s", tt.name, got, tt.want)
		}
	}
}

// returning is a login through a window that is still open.
func returning() login {
	l, s := proved(), lapsed()
	l.forgetCode()
	l.attempt.Purpose, l.attempt.Window = ByWindow, &s
	return l
}

func TestNextSparesTheCodeOnlyToAnOpenWindow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*login)
		want   Step
	}{
		{"a window that is still open", func(*login) {}, StepFinish},
		{"no password", func(l *login) { l.forgetPassword() }, StepPassword},
		{"no window", func(l *login) { l.attempt.Window = nil }, StepCode},
		{"a login", func(l *login) { l.attempt.Purpose = ByLogin }, StepCode},
		{"a sign-up", func(l *login) { l.attempt.Purpose = BySignup }, StepCode},
		{"the wizard", func(l *login) { l.attempt.Purpose = BySetup }, StepCode},
		{"no purpose", func(l *login) { l.attempt.Purpose = "" }, StepCode},

		{"a session that began without a code", func(l *login) {
			l.attempt.Window.Began, l.attempt.Window.CodeAt = now.Add(-2*time.Hour), time.Time{}
		}, StepCode},
		{"a session that has not lapsed", func(l *login) { l.attempt.Window.LastSeen = now }, StepCode},
		{"a session that was ended", func(l *login) { l.attempt.Window.Ended = now.Add(-ms) }, StepCode},
		{"a session past the overall limit", func(l *login) { l.attempt.Window.Began = now.Add(-24 * time.Hour) }, StepCode},
		{"somebody else's session", func(l *login) { l.attempt.Window.User = "eve" }, StepCode},
		{"a session from before the account changed", func(l *login) { l.attempt.Window.Generation = 6 }, StepCode},
		{"two wrong passwords", func(l *login) { l.attempt.Window.WindowFailures = 2 }, StepFinish},
		{"three wrong passwords", func(l *login) { l.attempt.Window.WindowFailures = 3 }, StepCode},
		{"1 ms before the window closes", func(l *login) { l.attempt.Window.CodeAt = now.Add(-12*time.Hour + ms) }, StepFinish},
		{"as the window closes", func(l *login) { l.attempt.Window.CodeAt = now.Add(-12 * time.Hour) }, StepCode},
		{"windows turned off", func(l *login) { l.policy.OpenWindow = 0 }, StepCode},

		{"no factor", func(l *login) { l.disableFactor() }, StepFinish},
		{"a factor that has become a must", func(l *login) {
			l.disableFactor()
			l.user.MustUseTwoFactor = true
		}, StepEnrol},
		{"a new password owed", func(l *login) { l.attempt.NewPasswordOwed = true }, StepNewPassword},
		{"an attempt from before the account changed", func(l *login) { l.attempt.Generation = 6 }, StepStartAgain},
		{"a disabled account", func(l *login) { l.user.State = Disabled }, StepStartAgain},
	} {
		l := returning()
		l.attempt.Window.Began = now.Add(-13 * time.Hour)
		tt.change(&l)
		if got := l.next(); got != tt.want {
			t.Errorf("%s: %s is next, want %s", tt.name, got, tt.want)
		}
	}
}
