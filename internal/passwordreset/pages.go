package passwordreset

import (
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// askPage asks for the address.
type askPage struct {
	ui.Summary
	Email ui.Field
	Next  string // where the visitor was going; "" for wherever logins lead
}

// Back is the login that they came from.
func (p askPage) Back() string { return web.Login(p.Next) }

func newAskPage(email, next string) askPage {
	return askPage{Next: web.ReturnTo(next), Email: ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: email,
		Required: true, Autofocus: true, Autocomplete: "username"}}
}

// read gives the address that was typed. What is wrong is marked in the page.
func (p *askPage) read() (address.Address, bool) {
	typed, err := address.Parse(p.Email.Value)
	switch {
	case strings.TrimSpace(p.Email.Value) == "":
		p.Email.Error = ui.T("login.missingEmail")
	case err != nil:
		p.Email.Error = ui.T("login.malformedAddress")
	}
	p.Summary = ui.Summarize(ui.Text{}, &p.Email)
	return typed, !p.HasFailed()
}

// sentPage says the same to everybody.
type sentPage struct {
	ui.Summary
	Address string
	Life    time.Duration
	Letters int // that one address gets in an hour
	Again   ui.Again
	Next    string // as for askPage
}

// Back is the login that they came from.
func (p sentPage) Back() string { return web.Login(p.Next) }

// OtherAddress is the page before.
func (p sentPage) OtherAddress() string { return web.ForgotPassword(p.Next) }

func (h *Flow) newSentPage(a address.Address, next string) sentPage {
	return sentPage{Next: next, Address: a.Spelling, Life: h.Link.Life, Letters: h.Settings.LettersPerHour,
		Again: web.NewAgain("/forgot-password/again", a.Spelling)}
}

// held is the page while the visitor's network address has to wait.
func (p sentPage) held(why ui.Text) any {
	p.Summary = ui.Summary{Text: why, Focused: true}
	return p
}

// choosePage asks for the new password.
type choosePage struct {
	ui.Summary
	Token    string
	Account  string
	Password ui.Field
	Code     *ui.Field // nil where there are no second factors
	Passkey  ui.Passkey
	Demanded bool
	Locked   bool // until the mailed link opens the door that wrong codes closed
}

// choosePage is the page for whoever has this link. A passkey is asked for beside
// the code where its owner has one.
func (h *Flow) choosePage(w http.ResponseWriter, r *http.Request, o owner, token string) (p choosePage, err error) {
	p = h.newChoosePage(o, token)
	p.Passkey, err = h.BeginProof(w, r, auth.ResettingPassword, o.User, o.Policy, o.Link.Text())
	return p, err
}

func (h *Flow) newChoosePage(o owner, token string) choosePage {
	p := choosePage{Token: token, Account: o.User.Address, Demanded: o.DemandsCode,
		Password: web.NewPasswordField("form.newPassword", h.Settings.PasswordMinimum)}
	if o.AsksCode {
		p.Code = &ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Letters: true, Required: o.DemandsCode, Hint: ui.T("reset.keepHint")}
		if o.DemandsCode {
			p.Code.Hint = ui.T("reset.demandedHint")
		}
	}
	return p
}

// busy is the page where nothing is wrong but the time.
func (p choosePage) busy(why ui.Text) any {
	fields := []*ui.Field{&p.Password}
	if p.Code != nil {
		fields = append(fields, p.Code)
	}
	p.Summary = ui.SummarizeAmong(why, fields...)
	return p
}

// check tells whether anything is marked. What only one of two fields is refused
// for is said in the summary alone, which leads to the field.
func (p *choosePage) check() bool {
	fields := []*ui.Field{&p.Password}
	if p.Code != nil {
		fields = append(fields, p.Code)
	}
	var why ui.Text
	if p.Code != nil && p.Password.IsMarked() != p.Code.IsMarked() {
		for _, f := range fields {
			if f.IsMarked() {
				why, f.Error, f.Marked = f.Error, ui.Text{}, true
			}
		}
	}
	p.Summary = ui.Summarize(why, fields...)
	return p.HasFailed()
}

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	h := &Flow{Settings: config.Config{PasswordMinimum: 12, LettersPerHour: 3}, Link: store.Mailed{Life: 30 * time.Minute}}
	u := auth.User{Address: "ada@example.org"}
	wrong := h.newChoosePage(owner{User: u, AsksCode: true, DemandsCode: true}, "t")
	wrong.Password.Error = web.PasswordText(password.Verdict{Reason: "too-short", Limit: 12})
	wrong.Code.Error = web.CodeText(proof.Wrong, time.Time{})
	wrong.check()
	locked := h.newChoosePage(owner{User: u, AsksCode: true, DemandsCode: true}, "t")
	locked.Code.Error, locked.Locked = ui.T("reset.lockedDemanded"), true
	locked.check()
	malformed := newAskPage("ada", "")
	malformed.read()
	held := newAskPage(u.Address, "")
	held.Summary = ui.SummarizeAmong(ui.T("errors.held", "Wait", "8 s"), &held.Email)
	return []ui.Example{
		{Page: "passwordreset/ask", Name: "asked", Data: newAskPage("", "")},
		{Page: "passwordreset/ask", Name: "no address", Data: malformed},
		{Page: "passwordreset/ask", Name: "too many from this network", Data: held},
		{Page: "passwordreset/sent", Name: "sent", Data: h.newSentPage(address.Address{Spelling: u.Address}, "")},
		{Page: "passwordreset/sent", Name: "too many from this network",
			Data: h.newSentPage(address.Address{Spelling: u.Address}, "").held(ui.T("errors.held", "Wait", "8 s"))},
		{Page: "passwordreset/choose", Name: "without second factors", Data: h.newChoosePage(owner{User: u}, "t")},
		{Page: "passwordreset/choose", Name: "busy", Data: h.newChoosePage(owner{User: u}, "t").busy(ui.T("errors.busy"))},
		{Page: "passwordreset/choose", Name: "with second factors", Data: h.newChoosePage(owner{User: u, AsksCode: true}, "t")},
		{Page: "passwordreset/choose", Name: "with passkeys", Data: byPasskey(h.newChoosePage(owner{User: u, AsksCode: true}, "t"))},
		{Page: "passwordreset/choose", Name: "refused, code demanded", Data: wrong},
		{Page: "passwordreset/choose", Name: "locked, code demanded", Data: locked},
	}
}

func byPasskey(p choosePage) choosePage {
	p.Passkey = ui.Passkey{Options: "{}", Ceremony: "sealed"}
	return p
}
