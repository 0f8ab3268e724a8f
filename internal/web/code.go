package web

import (
	"time"

	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/totp"
	"github.com/twinlock/twinlock/internal/ui"
)

// WaitText says when to come back, or that nobody may before the door is
// opened. It is the same for right and wrong: nothing was looked at.
func WaitText(wait *store.WaitError, v *Visitor) ui.Text {
	switch {
	case wait.Lasting:
		return ui.T("login.newPasswordFirst")
	case wait.Closed:
		return ui.T("login.closed")
	}
	return ui.T("login.wait", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
}

// HeldText says when to come back while a network address has to wait with what
// strangers may ask for. It is the same whichever address was typed.
func HeldText(wait *store.WaitError, v *Visitor) ui.Text {
	return ui.T("errors.held", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
}

// NewCodeField asks for a code in a second factor's place: of an authenticator app, or
// of whoever has none that counts a recovery code.
func NewCodeField(app bool, hint ui.Text) ui.Field {
	f := ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Letters: app, Recovery: !app,
		Hint: hint, Required: true}
	if f.Recovery {
		f.Label, f.Autocomplete = ui.T("login.wayRecovery"), "off"
	}
	return f
}

// CodeText says why a code was not taken, and what to do next.
func CodeText(verdict proof.Verdict, now time.Time) ui.Text {
	switch verdict {
	case proof.Missing:
		return ui.T("login.missingCode")
	case proof.Spent:
		return ui.N("login.spentCode", Seconds(totp.Left(now)))
	case proof.NotTaken:
		return ui.T("passkey.notTaken")
	case proof.Over:
		return ui.T("passkey.over")
	}
	return ui.T("login.wrongCode")
}

// CodeTextAt is CodeText, which at a field for recovery codes speaks of no app.
func CodeTextAt(f ui.Field, verdict proof.Verdict, now time.Time) ui.Text {
	if f.Recovery {
		switch verdict {
		case proof.Missing:
			return ui.T("login.missingRecovery")
		case proof.Wrong:
			return ui.T("login.wrongRecovery")
		case proof.Spent:
			return ui.T("login.spentRecovery")
		}
	}
	return CodeText(verdict, now)
}
