package register

import (
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// createPage is the form of a new account.
type createPage struct {
	ui.Summary
	Email, Password ui.Field
	Next            string // where the visitor was going; "" for nowhere
}

func (h *Flow) newCreatePage(email, next string) createPage {
	return createPage{
		Next: next,
		Email: ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: email,
			Required: true, Autofocus: true, Autocomplete: "username"},
		Password: web.NewPasswordField("form.password", h.Settings.PasswordMinimum),
	}
}

// refused is the page where no account can be created for now.
func (p createPage) refused(why ui.Text) any {
	p.Summary = ui.Summarize(why, &p.Email, &p.Password)
	return p
}

// Back is the login that the visitor came from.
func (p createPage) Back() string { return web.Login(p.Next) }

// sentPage says the same whether or not the address has an account.
type sentPage struct {
	ui.Summary
	Address string
	Life    time.Duration
	Again   ui.Again
}

func (h *Flow) newSentPage(a address.Address) sentPage {
	return sentPage{Address: a.Spelling, Life: h.Link.Life, Again: web.NewAgain("/register/again", a.Spelling)}
}

// refused is the page where the letter cannot be sent again for now.
func (p sentPage) refused(why ui.Text) any {
	p.Summary = ui.Summary{Text: why, Focused: true}
	return p
}

// confirmPage is one button, and the password where another browser signed up.
type confirmPage struct {
	ui.Summary
	Token    string
	Address  string
	Password *ui.Field
}

func newConfirmPage(token, address string, same bool) confirmPage {
	p := confirmPage{Token: token, Address: address}
	if !same {
		p.Password = &ui.Field{Name: "password", Label: ui.T("form.password"), Kind: ui.KindPassword, Required: true,
			Hint: ui.T("register.passwordHint"), Autofocus: true, Autocomplete: "current-password"}
	}
	return p
}

func (p *confirmPage) refuse(why ui.Text) {
	p.Password.Error = why
	p.Summary = ui.Summarize(why, p.Password)
}

// invitationPage asks whoever was invited for a name and a password.
type invitationPage struct {
	ui.Summary
	Token          string
	Address        string
	Name, Password ui.Field
}

func (h *Flow) newInvitationPage(token string, u auth.User, name string) invitationPage {
	return invitationPage{Token: token, Address: u.Address,
		Name:     ui.Field{Name: "name", Label: ui.T("form.name"), Value: name, Autocomplete: "name", Autofocus: true},
		Password: web.NewPasswordField("form.newPassword", h.Settings.PasswordMinimum)}
}

// refused is the page where nothing is wrong but the time.
func (p invitationPage) refused(why ui.Text) any {
	p.Summary = ui.Summarize(why, &p.Name, &p.Password)
	return p
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	h := &Flow{Settings: config.Config{PasswordMinimum: 12}, Link: store.Mailed{Life: 24 * time.Hour}}
	u := auth.User{Address: "fay@example.org", Name: "Fay"}
	wrong := h.newCreatePage("ada", "")
	wrong.Email.Error = ui.T("login.malformedAddress")
	wrong.Password.Error = web.PasswordText(password.Verdict{Reason: "guessable", Limit: 12})
	wrong.Summary = ui.Summarize(ui.Text{}, &wrong.Email, &wrong.Password)
	refused := newConfirmPage("t", u.Address, false)
	refused.refuse(ui.T("confirm.wrongPassword"))
	return []ui.Example{
		{Page: "register/create", Name: "empty", Data: h.newCreatePage("", "")},
		{Page: "register/create", Name: "refused", Data: wrong},
		{Page: "register/create", Name: "too many from this network",
			Data: h.newCreatePage(u.Address, "").refused(ui.T("errors.held", "Wait", "8 s"))},
		{Page: "register/create", Name: "too many waiting", Data: h.newCreatePage(u.Address, "").refused(ui.T("register.full"))},
		{Page: "register/sent", Name: "too many from this network",
			Data: h.newSentPage(address.Address{Spelling: u.Address}).refused(ui.T("errors.held", "Wait", "8 s"))},
		{Page: "register/sent", Name: "sent", Data: h.newSentPage(address.Address{Spelling: u.Address})},
		{Page: "register/confirm", Name: "in the browser that signed up", Data: newConfirmPage("t", u.Address, true)},
		{Page: "register/confirm", Name: "in another browser", Data: newConfirmPage("t", u.Address, false)},
		{Page: "register/confirm", Name: "wrong password", Data: refused},
		{Page: "register/invitation", Name: "busy", Data: h.newInvitationPage("t", u, u.Name).refused(ui.T("errors.busy"))},
		{Page: "register/invitation", Name: "invited", Data: h.newInvitationPage("t", u, u.Name)},
	}
}
