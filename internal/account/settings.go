package account

import (
	"errors"
	"net/http"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// settingsRoutes are the addresses of what is neither factor nor code.
func (h *Flow) settingsRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodPost, Path: "/account/name", Need: web.SignedIn, Serve: h.saveName},
		{Method: http.MethodPost, Path: "/account/language", Need: web.SignedIn, Serve: h.saveLanguage},
		{Method: http.MethodPost, Path: "/account/password", Need: web.SignedIn, Action: auth.ChangePassword, Serve: h.changePassword},
		{Method: http.MethodPost, Path: "/account/address", Need: web.SignedIn, Action: auth.ChangeAccount, Serve: h.askNewAddress},
		{Method: http.MethodGet, Path: "/account/address", Need: web.SignedIn, Serve: h.showNewAddress},
		{Method: http.MethodPost, Path: "/account/address/confirm", Need: web.SignedIn, Action: auth.ChangeAccount, Serve: h.changeAddress},
		{Method: http.MethodGet, Path: "/account/sessions", Need: web.SignedIn, Serve: h.showSessions},
		{Method: http.MethodPost, Path: "/account/sessions/end", Need: web.SignedIn, Action: auth.EndSessions, Serve: h.endSession},
		{Method: http.MethodGet, Path: "/account/applications", Need: web.SignedIn, Plugin: auth.OpenIDConnectPlugin, Serve: h.showApplications},
		{Method: http.MethodPost, Path: "/account/applications/withdraw", Need: web.SignedIn, Plugin: auth.OpenIDConnectPlugin, Serve: h.withdraw},
		{Method: http.MethodPost, Path: "/account/sessions/end-others", Need: web.SignedIn, Action: auth.EndSessions, Serve: h.endOthers},
	}
}

// profile is the top of the account settings: everything but the factors.
type profile struct {
	Address         string
	Name            ui.Field
	CurrentPassword ui.Field
	NewPassword     ui.Field
	NewAddress      ui.Field
}

func newProfile(u auth.User, minimum int) profile {
	choose := web.NewPasswordField("form.newPassword", minimum)
	choose.Name, choose.ID = "new-password", "new-password"
	return profile{
		Address: u.Address,
		Name:    ui.Field{Name: "name", Label: ui.T("form.name"), Value: u.Name, Autocomplete: "name"},
		CurrentPassword: ui.Field{Name: "current-password", Label: ui.T("form.currentPassword"), Kind: ui.KindPassword,
			Required: true, Autocomplete: "current-password"},
		NewPassword: choose,
		NewAddress: ui.Field{Name: "email", Label: ui.T("account.newAddress"), Kind: ui.KindEmail, Required: true,
			Hint: ui.T("account.newAddressHint"), Autocomplete: "off"},
	}
}

func (p *profile) fields() []*ui.Field {
	return []*ui.Field{&p.Name, &p.NewAddress, &p.CurrentPassword, &p.NewPassword}
}

func (h *Flow) saveName(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "name")
	if err != nil {
		return err
	}
	name, refused := web.ReadName(form["name"])
	if !refused.IsZero() {
		return h.refuseSettings(w, r, http.StatusUnprocessableEntity, func(p *profile) {
			p.Name.Value, p.Name.Error = form["name"], refused
		})
	}
	if err := h.Store.SaveName(r.Context(), v.Actor(), name, v.Now); err != nil {
		return err
	}
	h.Notice(w, "account.doneName")
	return web.Redirect(w, "/account")
}

func (h *Flow) saveLanguage(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "language")
	if err != nil {
		return err
	}
	if err := h.PreferLanguage(w, r, form["language"]); err != nil {
		return err
	}
	h.Notice(w, "account.doneLanguage")
	return web.Redirect(w, "/account")
}

// refuseSettings shows the settings again with the fields of one form marked.
func (h *Flow) refuseSettings(w http.ResponseWriter, r *http.Request, status int, mark func(*profile)) error {
	page, err := h.settingsPage(r)
	if err != nil {
		return err
	}
	mark(&page.Profile)
	page.Summary = ui.SummarizeAmong(ui.Text{}, page.Profile.fields()...)
	return h.Show(w, r, status, "account/settings", page)
}

// changePassword takes the current password in its own form; the floor has
// asked for a fresh code where two-factor authentication is on.
func (h *Flow) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "current-password", "new-password", "username")
	if err != nil {
		return err
	}

	// Decide.
	u := v.User()
	if current, chosen := h.judgePasswords(u, form); !current.IsZero() || !chosen.IsZero() {
		return h.refuseSettings(w, r, http.StatusUnprocessableEntity, func(p *profile) {
			p.CurrentPassword.Error, p.NewPassword.Error = current, chosen
		})
	}
	tried, err := h.Proof.Password(ctx, h.From(r), u.Canonical, form["current-password"])
	status, why := web.NotNow(w, r, err, web.WaitText)
	switch {
	case status != 0:
		return h.refuseSettings(w, r, status, markCurrent(why))
	case err != nil:
		return err
	case !tried.Right || tried.User.ID != u.ID:
		if err := h.Proof.RefusePassword(ctx, h.From(r), tried); err != nil {
			return err
		}
		return h.refuseSettings(w, r, http.StatusUnprocessableEntity, markCurrent(ui.T("confirm.wrongPassword")))
	}
	chosen := store.NewPassword{Checked: tried.Hash, Paid: tried.Paid}
	if chosen.Hash, err = h.Proof.Hash(ctx, form["new-password"]); err != nil {
		err = errors.Join(err, h.Proof.TakeBack(ctx, tried.Paid))
	}
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return h.refuseSettings(w, r, status, markCurrent(why))
	} else if err != nil {
		return err
	}

	// Write.
	token, err := h.Store.ChangePassword(ctx, v.Actor(), chosen, v.Now)
	if errors.Is(err, store.ErrSpent) { // another request was faster, and it is the current one no more
		if err := h.Proof.TakeBack(ctx, tried.Paid); err != nil {
			return err
		}
		return h.refuseSettings(w, r, http.StatusUnprocessableEntity, markCurrent(ui.T("confirm.wrongPassword")))
	} else if err != nil {
		return err
	}

	// Answer.
	h.KeepSession(w, token)
	h.Notice(w, "account.donePassword")
	return web.Redirect(w, "/account")
}

// judgePasswords tells what is wrong with the two passwords before either is
// tried: nothing typed is no try.
func (h *Flow) judgePasswords(u auth.User, form web.Form) (current, chosen ui.Text) {
	if form["current-password"] == "" {
		current = ui.T("login.missingPassword")
	}
	owner := address.Address{Spelling: u.Address, Canonical: u.Canonical}
	if verdict := h.Judge(form["new-password"], owner, u.Name); !verdict.Accepted() {
		chosen = web.PasswordText(verdict)
	}
	return current, chosen
}

func markCurrent(why ui.Text) func(*profile) {
	return func(p *profile) { p.CurrentPassword.Error = why }
}

// askNewAddress mails a link to the new address. Nothing changes before it is
// used.
func (h *Flow) askNewAddress(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "email")
	if err != nil {
		return err
	}
	wanted, err := address.Parse(form["email"])
	problem := ui.Text{}
	switch {
	case strings.TrimSpace(form["email"]) == "":
		problem = ui.T("login.missingEmail")
	case err != nil:
		problem = ui.T("login.malformedAddress")
	case wanted.Canonical == v.User().Canonical:
		problem = ui.T("account.sameAddress")
	case !h.Rules.MailDomains.Take(wanted.Canonical):
		problem = ui.T("account.wrongDomain", "Domains", h.Rules.MailDomains.String())
	}
	if !problem.IsZero() {
		return h.refuseSettings(w, r, http.StatusUnprocessableEntity, markNewAddress(form["email"], problem))
	}
	err = h.Proof.PayNewAddress(r.Context(), h.From(r))
	if status, why := web.NotNow(w, r, err, newAddressWait); status != 0 {
		return h.refuseSettings(w, r, status, markNewAddress(form["email"], why))
	} else if err != nil {
		return err
	}
	if err := h.Store.AskNewAddress(r.Context(), v.Actor(), wanted, h.Rules.AddressLink, v.Now); err != nil {
		return err
	}
	h.Notice(w, "account.doneAddressAsked")
	return web.Redirect(w, "/account")
}

func markNewAddress(typed string, why ui.Text) func(*profile) {
	return func(p *profile) { p.NewAddress.Value, p.NewAddress.Error = typed, why }
}

func newAddressWait(wait *store.WaitError, v *web.Visitor) ui.Text {
	return ui.T("account.newAddressWait", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
}

// addressPage is one button, from the mail.
type addressPage struct{ Token, Old, New string }

var deadLinkAction = ui.Button{Label: ui.T("layout.account"), Href: "/account"}

// showNewAddress only looks: programs that scan mail open every link.
func (h *Flow) showNewAddress(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	token, _ := secret.Parse(query["token"])
	link, err := h.Store.Link(r.Context(), token.Hash(), store.LinkAddress, v.Now)
	if errors.Is(err, store.ErrSpent) || err == nil && link.User != v.User().ID {
		return web.DeadLink(&deadLinkAction)
	} else if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "account/address", addressPage{Token: query["token"], Old: v.User().Address, New: link.Address})
}

func (h *Flow) changeAddress(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "token")
	if err != nil {
		return err
	}
	token, _ := secret.Parse(form["token"])
	renewed, err := h.Store.ChangeAddress(r.Context(), v.Actor(), token.Hash(), v.Now)
	switch {
	case errors.Is(err, store.ErrTaken):
		return web.DeadLink(&deadLinkAction)
	case errors.Is(err, store.ErrSpent): // the link, or only the session, which another page renewed
		return web.Redirect(w, web.MailedPath("/account/address", token))
	case err != nil:
		return err
	}
	h.KeepSession(w, renewed)
	h.Notice(w, "account.doneAddress")
	return web.Redirect(w, "/account")
}
