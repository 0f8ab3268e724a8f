package setup

import (
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// wizardPage asks for everything that the first start needs.
type wizardPage struct {
	ui.Summary
	Token                 string
	Name, Email, Password ui.Field
	Registration          *ui.Choices  // nil where the operator's settings say
	TwoFactor             *ui.Checkbox // nil in the cloud edition
	Mail                  bool
}

func (h *Flow) newPage(form web.Form) wizardPage {
	p := wizardPage{
		Token: form["token"], Mail: h.Settings.SMTP.Reveal() != "",
		Name: ui.Field{Name: "name", Label: ui.T("form.name"), Value: form["name"], Autocomplete: "name", Autofocus: true},
		Email: ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: form["email"],
			Required: true, Autocomplete: "username"},
		Password: web.NewPasswordField("form.password", h.Settings.PasswordMinimum),
	}
	if h.asksRegistration() {
		p.Registration = registrationChoices(config.Registration(form["registration"]), h.Settings.Registration)
	}
	if h.asksTwoFactor() {
		p.TwoFactor = &ui.Checkbox{Name: "two-factor", Label: ui.T("plugins.two-factor"), Hint: ui.T("setup.twoFactorHint"),
			Checked: form["two-factor"] != ""}
	}
	return p
}

func registrationChoices(chosen, otherwise config.Registration) *ui.Choices {
	if chosen == "" {
		chosen = otherwise
	}
	c := ui.Choices{Name: "registration", Legend: ui.T("settings.registration")}
	for _, r := range registrations {
		c.Options = append(c.Options, ui.Option{Value: string(r), Label: ui.T("settings.registration-" + string(r)), Chosen: r == chosen})
	}
	return &c
}

func (p *wizardPage) fields() []*ui.Field { return []*ui.Field{&p.Name, &p.Email, &p.Password} }

// closedPage tells where the link to the wizard is.
type closedPage struct{}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	h := &Flow{Settings: config.Config{Registration: config.Open, PasswordMinimum: 12}}
	wrong := h.newPage(web.Form{"email": "ada", "two-factor": "on"})
	wrong.Email.Error = ui.T("login.malformedAddress")
	wrong.Password.Error = web.PasswordText(password.Verdict{Reason: "common", Limit: 12})
	wrong.Summary = ui.Summarize(ui.Text{}, wrong.fields()...)
	return []ui.Example{
		{Page: "setup/wizard", Name: "first start", Data: h.newPage(web.Form{"two-factor": "on"})},
		{Page: "setup/wizard", Name: "refused", Data: wrong},
		{Page: "setup/closed", Name: "without the link", Data: closedPage{}},
	}
}
