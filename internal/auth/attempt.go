package auth

import "time"

// AttemptID names a login on its way. It is no secret: an attempt belongs to
// the browser that began it, and only that browser's cookie may go on with it.
type AttemptID string

// Purpose says which door an attempt came through.
type Purpose string

const (
	ByLogin  Purpose = "login"
	BySetup  Purpose = "setup"  // the first administrator, from the wizard
	BySignup Purpose = "signup" // an address confirmed in the browser that signed up
	ByWindow Purpose = "window" // a window that was still open
)

// CodeBy says what stood in the code's place.
type CodeBy string

const (
	ByAuthenticator CodeBy = "authenticator"
	ByRecoveryCode  CodeBy = "recovery code"
	ByPasskey       CodeBy = "passkey"        // of one device alone
	BySyncedPasskey CodeBy = "synced passkey" // of every device that its owner keeps in step
)

// IsPasskey tells whether it was a passkey of either kind.
func (by CodeBy) IsPasskey() bool { return by == ByPasskey || by == BySyncedPasskey }

// PasswordBy says what stood in the password's place; "" is the password itself.
type PasswordBy string

// PasswordByPasskey is a passkey that held its owner to be who they are.
const PasswordByPasskey PasswordBy = "passkey"

// Attempt is a login that has begun and is not yet a session. It collects
// proofs; [Next] tells what it still owes.
type Attempt struct {
	ID         AttemptID
	User       UserID
	Purpose    Purpose
	Generation int64  // the account's, when the attempt began
	Return     string // where the visitor was going; "" is the application list

	Began   time.Time
	Expires time.Time

	PasswordAt time.Time // zero: not proved
	PasswordBy PasswordBy
	CodeAt     time.Time // zero: not proved
	CodeBy     CodeBy
	WrongCodes int

	// NewPasswordOwed is set when so many wrong codes came after right
	// passwords that the password must be taken for known to somebody else.
	NewPasswordOwed bool

	// Window is the lapsed session that an open window wants back. Only an
	// attempt with the purpose ByWindow has one.
	Window *Session
}

// Step is what an attempt owes next.
type Step string

const (
	StepStartAgain  Step = "start again"
	StepPassword    Step = "password"
	StepNewPassword Step = "new password"
	StepCode        Step = "code"
	StepEnrol       Step = "enrol"
	StepFinish      Step = "finish"
)

// Next names the step an attempt still owes before it becomes a session. It
// is the only place that knows the order of signing in: handlers redirect to
// Next and nowhere else, so a step is added, moved or skipped here alone.
//
// An attempt that is over, outdated by a change of the account, or of an
// account that may not be used owes StepStartAgain, whatever it has proved.
func Next(a Attempt, u User, p Policy, now time.Time) Step {
	switch {
	case !now.Before(a.Expires), a.Began.After(now.Add(p.SessionOverall)):
		return StepStartAgain
	case a.User != u.ID, a.Generation != u.Generation, u.State != Active:
		return StepStartAgain
	case a.PasswordAt.IsZero():
		return StepPassword
	case a.PasswordBy == PasswordByPasskey && !p.AsksPasskey(u): // it stands for nothing any more
		return StepStartAgain
	case a.NewPasswordOwed:
		return StepNewPassword
	case p.AsksCode(u) && a.CodeAt.IsZero() && !sparesCode(a, u, p, now):
		if a.WrongCodes >= p.WrongCodes {
			return StepStartAgain
		}
		return StepCode
	case p.OwesEnrolment(u):
		return StepEnrol
	default:
		return StepFinish
	}
}

// sparesCode is the one exception: a login again after an expired session,
// in a window that is still open, needs no code. The session must have begun
// with one, and not too long ago.
func sparesCode(a Attempt, u User, p Policy, now time.Time) bool {
	return a.Purpose == ByWindow && a.Window != nil &&
		!a.Window.CodeAt.IsZero() && MayReturn(*a.Window, u, p, now)
}
