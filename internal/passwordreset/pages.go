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
	Refused  ui.Text // says what is wrong with a passkey, which has no field
	Warning  ui.Text // of what goes without a code; zero where one is demanded, or nothing goes
	Locked   bool    // until the mailed link opens the door that wrong codes closed
}

// choosePage is the page for whoever has this link. A passkey is asked for beside
// the code where its owner has one.
func (h *Flow) choosePage(w http.ResponseWriter, r *http.Request, o owner, token string) (choosePage, error) {
	asked, err := h.BeginProof(w, r, auth.ResettingPassword, o.User, o.Policy, o.Link.Text())
	return h.newChoosePage(o, token, asked), err
}

func (h *Flow) newChoosePage(o owner, token string, asked ui.Passkey) choosePage {
	p := choosePage{Token: token, Account: o.User.Address, Passkey: asked,
		Password: web.NewPasswordField("form.newPassword", h.Settings.PasswordMinimum)}
	if !o.AsksCode {
		return p
	}
	app := o.Policy.AsksAuthenticator(o.User)
	code := web.NewCodeField(app, hintOf(app, !asked.IsZero(), o.DemandsCode))
	code.Required = o.DemandsCode
	if p.Code = &code; !o.DemandsCode {
		p.Warning = warningOf(o.User, !asked.IsZero())
	}
	return p
}

// hintOf says what keeps the second factors, of what their owner can show here.
func hintOf(app, passkey, demanded bool) ui.Text {
	switch {
	case app && passkey && demanded:
		return ui.T("reset.demandedHintAll")
	case app && passkey:
		return ui.T("reset.keepHintAll")
	case app && demanded:
		return ui.T("reset.demandedHint")
	case app:
		return ui.T("reset.keepHint")
	case passkey && demanded:
		return ui.T("reset.demandedHintPasskey")
	case passkey:
		return ui.T("reset.keepHintPasskey")
	case demanded:
		return ui.T("reset.demandedHintRecovery")
	}
	return ui.T("reset.keepHintRecovery")
}

// warningOf says what goes where nothing keeps it, which is all that its owner has, and
// whether a passkey would keep it.
func warningOf(u auth.User, passkey bool) ui.Text {
	switch {
	case u.HasAuthenticator() && u.HasPasskeys() && passkey:
		return ui.T("reset.warningAll")
	case u.HasAuthenticator() && u.HasPasskeys():
		return ui.T("reset.warningAllByCode")
	case u.HasPasskeys() && passkey:
		return ui.T("reset.warningPasskeys")
	case u.HasPasskeys():
		return ui.T("reset.warningPasskeysByCode")
	}
	return ui.T("reset.warning")
}

func (p *choosePage) fields() []*ui.Field {
	if p.Code == nil {
		return []*ui.Field{&p.Password}
	}
	return []*ui.Field{&p.Password, p.Code}
}

// busy is the page where nothing is wrong but the time.
func (p choosePage) busy(why ui.Text) any {
	p.Summary = ui.SummarizeAmong(why, p.fields()...)
	return p
}

// refuse says at its field why a code was not taken, and above the form why a passkey
// was not.
func (p *choosePage) refuse(v proof.Verdict, now time.Time) {
	why := web.CodeTextAt(*p.Code, v, now)
	if v.IsOfPasskey() {
		p.Refused = why
		return
	}
	p.Code.Error = why
}

// check tells whether anything is marked. What only one of two fields is refused
// for is said in the summary alone, which leads to the field.
func (p *choosePage) check() bool {
	why, fields := p.Refused, p.fields()
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
	since := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	u := auth.User{Address: "ada@example.org"}
	withApp, withPasskeys, withAll := u, u, u
	withApp.TwoFactorSince, withPasskeys.PasskeysSince, withAll.TwoFactorSince, withAll.PasskeysSince = since, since, since, since
	none, asked := ui.Passkey{}, ui.Passkey{Options: "{}", Ceremony: "sealed"}
	choose := func(u auth.User, demands bool, asked ui.Passkey) choosePage {
		p := auth.Policy{TwoFactor: true, Passkeys: true}
		return h.newChoosePage(owner{User: u, Policy: p, AsksCode: p.AsksCode(u), DemandsCode: demands}, "t", asked)
	}
	wrong, notTaken := choose(withApp, true, none), choose(withPasskeys, true, asked)
	wrong.Password.Error = web.PasswordText(password.Verdict{Reason: "too-short", Limit: 12})
	wrong.refuse(proof.Wrong, since)
	wrong.check()
	notTaken.refuse(proof.NotTaken, since)
	notTaken.check()
	locked := choose(withApp, true, none)
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
		{Page: "passwordreset/choose", Name: "without second factors", Data: choose(u, false, none)},
		{Page: "passwordreset/choose", Name: "busy", Data: choose(u, false, none).busy(ui.T("errors.busy"))},
		{Page: "passwordreset/choose", Name: "with second factors", Data: choose(withApp, false, none)},
		{Page: "passwordreset/choose", Name: "with passkeys alone", Data: choose(withPasskeys, false, asked)},
		{Page: "passwordreset/choose", Name: "with passkeys of another host name alone", Data: choose(withPasskeys, false, none)},
		{Page: "passwordreset/choose", Name: "with an app and passkeys", Data: choose(withAll, false, asked)},
		{Page: "passwordreset/choose", Name: "passkey not taken, one demanded", Data: notTaken},
		{Page: "passwordreset/choose", Name: "refused, code demanded", Data: wrong},
		{Page: "passwordreset/choose", Name: "locked, code demanded", Data: locked},
	}
}
