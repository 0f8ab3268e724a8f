package web

import (
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/ui"
)

// NewPasswordField is where a new password is chosen: its rule is said before
// it is typed, and its strength shown meanwhile, judged with the name and the
// address of the same form.
func NewPasswordField(label string, minimum int) ui.Field {
	return ui.Field{Name: "password", Label: ui.T(label), Kind: ui.KindPassword, Required: true,
		Hint: ui.N("form.passwordRule", minimum), Autocomplete: "new-password", Judge: "/password-strength", JudgeWith: "email name"}
}

// PasswordText says why a new password is refused.
func PasswordText(v password.Verdict) ui.Text {
	switch v.Reason {
	case password.TooShort:
		return ui.N("form.passwordTooShort", v.Limit)
	case password.TooLong:
		return ui.N("form.passwordTooLong", v.Limit)
	case password.Common:
		return ui.T("form.passwordCommon")
	case password.Disguised:
		return ui.T("form.passwordDisguised")
	case password.OwnWords:
		return ui.T("form.passwordOwnWords")
	}
	return ui.T("form.passwordGuessable")
}
