package passwordreset

import (
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// askPage asks for the address.
type askPage struct {
	ui.Summary
	Email ui.Field
}

func newAskPage(email string) askPage {
	return askPage{Email: ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: email,
		Required: true, Autofocus: true, Autocomplete: "username"}}
}

// sentPage says the same to everybody.
type sentPage struct {
	Address string
	Life    time.Duration
}

// choosePage asks for the new password.
type choosePage struct {
	ui.Summary
	Token    string
	Account  string
	Password ui.Field
	Code     *ui.Field // nil where there are no second factors
	Demanded bool
}

func (h *Flow) newChoosePage(o owner, token string) choosePage {
	p := choosePage{Token: token, Account: o.User.Address, Demanded: o.DemandsCode,
		Password: web.NewPasswordField("form.newPassword", h.Settings.PasswordMinimum)}
	if o.AsksCode {
		p.Code = &ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Required: o.DemandsCode, Hint: ui.T("reset.keepHint")}
		if o.DemandsCode {
			p.Code.Hint = ui.T("reset.demandedHint")
		}
	}
	return p
}

// check tells whether anything is marked.
func (p *choosePage) check() bool {
	fields := []*ui.Field{&p.Password}
	if p.Code != nil {
		fields = append(fields, p.Code)
	}
	p.Summary = ui.Summarize(ui.Text{}, fields...)
	return p.HasFailed()
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	h := &Flow{Settings: config.Config{PasswordMinimum: 12}}
	u := auth.User{Address: "ada@example.org"}
	wrong := h.newChoosePage(owner{User: u, AsksCode: true, DemandsCode: true}, "t")
	wrong.Password.Error = web.PasswordText("too-short", 12)
	wrong.Code.Error = ui.T("reset.wrongCode")
	wrong.check()
	malformed := newAskPage("ada")
	malformed.Email.Error = ui.T("login.malformedAddress")
	malformed.Summary = ui.Summarize(ui.Text{}, &malformed.Email)
	return []ui.Example{
		{Page: "passwordreset/ask", Name: "asked", Data: newAskPage("")},
		{Page: "passwordreset/ask", Name: "no address", Data: malformed},
		{Page: "passwordreset/sent", Name: "sent", Data: sentPage{Address: "ada@example.org", Life: 30 * time.Minute}},
		{Page: "passwordreset/choose", Name: "without second factors", Data: h.newChoosePage(owner{User: u}, "t")},
		{Page: "passwordreset/choose", Name: "with second factors", Data: h.newChoosePage(owner{User: u, AsksCode: true}, "t")},
		{Page: "passwordreset/choose", Name: "refused, code demanded", Data: wrong},
	}
}
