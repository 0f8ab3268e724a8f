package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// passwordPage is the login form.
type passwordPage struct {
	ui.Summary
	Email    ui.Field
	Password ui.Field
	Next     string
	SignUp   bool       // strangers may create an account
	Passkey  ui.Passkey // zero: none is asked for
}

// Forgot is where a password is set anew, and login goes on from there.
func (p passwordPage) Forgot() string { return web.ForgotPassword(p.Next) }

// Register is where strangers create an account, and go on from there.
func (p passwordPage) Register() string {
	if p.Next == "" {
		return "/register"
	}
	return "/register?" + url.Values{"next": {p.Next}}.Encode()
}

func newPasswordPage(email, next string, signUp bool) passwordPage {
	return passwordPage{
		Email: ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: email,
			Hint: ui.T("login.emailHint"), Required: true, Autofocus: email == "", Autocomplete: "username webauthn"},
		Password: ui.Field{Name: "password", Label: ui.T("form.password"), Kind: ui.KindPassword,
			Hint: ui.T("login.passwordHint"), Required: true, Autofocus: email != "", Autocomplete: "current-password"},
		Next: next, SignUp: signUp,
	}
}

func (h *Flow) passwordPage(w http.ResponseWriter, r *http.Request, form web.Form) (passwordPage, error) {
	offered, err := h.SignUpOffered(r.Context())
	if err != nil {
		return passwordPage{}, err
	}
	page := newPasswordPage(form["email"], form["next"], offered)
	page.Passkey, err = h.beginSignIn(w, r)
	return page, err
}

// lacks marks what was not filled in.
func (p *passwordPage) lacks(form web.Form) bool {
	if strings.TrimSpace(form["email"]) == "" {
		p.Email.Error = ui.T("login.missingEmail")
	}
	if form["password"] == "" {
		p.Password.Error = ui.T("login.missingPassword")
	}
	p.Summary = ui.Summarize(ui.Text{}, &p.Email, &p.Password)
	return p.HasFailed()
}

// codePage is the login code confirmation. It asks in one way; the others are a
// page away.
type codePage struct {
	ui.Summary
	Attempt auth.AttemptID
	Account string
	Way     auth.Way   // that it asks in; "" lists the ways instead
	Ways    []auth.Way // that this person has
	From    auth.Way   // where the list was asked for
	Code    ui.Field
	Passkey ui.Passkey
}

func newCodePage(a auth.Attempt, u auth.User, way auth.Way, ways []auth.Way) codePage {
	p := codePage{Attempt: a.ID, Account: u.Address, Way: way, Ways: ways, Code: codeField()}
	if way == auth.WayRecoveryCode {
		p.Code = recoveryField()
	}
	return p
}

// ByPasskey tells that the page asks for a passkey.
func (p codePage) ByPasskey() bool { return p.Way == auth.WayPasskey }

// ByApp tells that the page asks for a code of an app.
func (p codePage) ByApp() bool { return p.Way == auth.WayAuthenticator }

// Spelled is the way that the page asks in, as addresses have it.
func (p codePage) Spelled() string { return spellingOf(p.Way) }

// HasOthers tells that there is another way to try. An authenticator's codes and
// recovery codes share a field, and are no other way from one another.
func (p codePage) HasOthers() bool {
	return len(p.Ways) > 1 && slices.Contains(p.Ways, auth.WayPasskey)
}

// To is the page that asks in another way; "" lists them.
func (p codePage) To(way auth.Way) string {
	spelled := spellingOf(way)
	if way == "" {
		spelled = "other"
	}
	query := url.Values{"attempt": {string(p.Attempt)}, "way": {spelled}}
	if way == "" && p.Way != "" {
		query.Set("from", spellingOf(p.Way))
	}
	return "/login/code?" + query.Encode()
}

// Back is the way that the list was asked for from.
func (p codePage) Back() string { return p.To(p.From) }

// Choices are the ways to choose among.
func (p codePage) Choices() (all []wayLink) {
	for _, way := range p.Ways {
		all = append(all, wayLink{Label: ui.T(wayWords[way]), Href: p.To(way)})
	}
	return all
}

type wayLink struct {
	Label ui.Text
	Href  string
}

var wayWords = map[auth.Way]string{
	auth.WayAuthenticator: "login.wayAuthenticator", auth.WayPasskey: "login.wayPasskey", auth.WayRecoveryCode: "login.wayRecovery",
}

// spellingOf is a way as addresses have it.
func spellingOf(way auth.Way) string { return strings.ReplaceAll(string(way), " ", "-") }

// recoveryField is for whoever has no app whose codes count, or says that it is
// out of reach.
func recoveryField() ui.Field {
	f := web.NewCodeField(false, ui.T("login.recoveryHint"))
	f.Autofocus = true
	return f
}

func codeField() ui.Field {
	f := web.NewCodeField(true, ui.T("login.codeHint"))
	f.Autofocus = true
	return f
}

// refuse says what happened as far as it may be said, and what to do next.
func (p *codePage) refuse(v proof.Verdict, a auth.Attempt, now time.Time, limit int) {
	why := web.CodeTextAt(p.Code, v, now)
	if left := limit - a.WrongCodes; v == proof.Wrong && left <= 2 {
		why = ui.N("login.wrongCodeFew", left)
	}
	p.mark(why)
}

func (p *codePage) mark(why ui.Text) {
	if p.ByPasskey() {
		p.Summary = ui.Summarize(why)
		return
	}
	p.Code.Error = why
	p.Summary = ui.Summarize(why, &p.Code)
}

// confirmPage asks for a fresh password, a fresh code, or both.
type confirmPage struct {
	ui.Summary
	Ask      auth.Answer
	Owed     bool // nothing of ours opens before it: the only way back is out
	Account  string
	Next     string
	Held     string // the form that waits, sealed
	Password *ui.Field
	Code     *ui.Field
	Passkey  ui.Passkey // that stands for what is asked for; zero: none is asked for
	Recovery bool       // no app counts: the code is a recovery code
}

func newConfirmPage(ask auth.Answer, held session.Presence, recovery bool) confirmPage {
	p := confirmPage{Recovery: recovery, Ask: ask, Account: held.User.Address, Owed: held.Standing == auth.OwesCode}
	if ask == auth.NeedsPassword || ask == auth.NeedsBoth {
		p.Password = &ui.Field{Name: "password", Label: ui.T("form.password"), Kind: ui.KindPassword,
			Required: true, Autofocus: true, Autocomplete: "current-password"}
	}
	if ask == auth.NeedsCode || ask == auth.NeedsBoth {
		code := codeField()
		if p.Recovery {
			code = recoveryField()
		}
		code.Autofocus = p.Password == nil
		p.Code = &code
	}
	return p
}

func (h *Flow) confirmPage(w http.ResponseWriter, r *http.Request, ask auth.Answer) (confirmPage, error) {
	v := web.Asking(r)
	held := v.Presence
	page := newConfirmPage(ask, held, !v.Policy().AsksAuthenticator(held.User))
	var err error
	page.Passkey, err = h.BeginProof(w, r, auth.ConfirmingPasskey, held.User, v.Policy(), string(held.Session.ID))
	if !page.Passkey.IsZero() {
		for _, f := range page.fields() {
			f.Autofocus = false
		}
	}
	return page, err
}

// Forgot is where a password is set anew, and login goes on from there.
func (p confirmPage) Forgot() string { return web.ForgotPassword(p.Next) }

func (p confirmPage) asksPassword() bool { return p.Password != nil }
func (p confirmPage) asksCode() bool     { return p.Code != nil }

// CodeOnly tells that the page looks like the code page of a login.
func (p confirmPage) CodeOnly() bool { return p.Password == nil }

func (p confirmPage) fields() (all []*ui.Field) {
	if p.Password != nil {
		all = append(all, p.Password)
	}
	if p.Code != nil {
		all = append(all, p.Code)
	}
	return all
}

// Either tells that a passkey stands for all that the fields ask for.
func (p confirmPage) Either() bool { return p.Password == nil || !p.Password.Marked }

// tell says what is wrong with a passkey, which has no field.
func (p *confirmPage) tell(why ui.Text) { p.Summary = ui.SummarizeAmong(why, p.fields()...) }

// askPassword asks for the password beside a passkey that does not stand for it.
func (p *confirmPage) askPassword() {
	p.Password.Marked = true
	p.tell(ui.T("passkey.passwordToo"))
}

func (p *confirmPage) mark(f *ui.Field, why ui.Text) {
	f.Error = why
	p.Summary = ui.Summarize(why, p.fields()...)
}

func (p *confirmPage) refuse(v proof.Verdict, now time.Time) {
	if v.IsOfPasskey() || p.Code == nil {
		p.tell(web.CodeText(v, now))
		return
	}
	p.mark(p.Code, web.CodeTextAt(*p.Code, v, now))
}

// askedNewPasswordPage tells that a new password is asked for, and where its
// letter went.
type askedNewPasswordPage struct{ Address string }

type unlockPage struct{ Token string }

// Examples are the flow's pages in named states.
func Examples() []ui.Example {
	u := auth.User{Address: "ada@example.org"}
	now := time.Date(2026, 11, 23, 12, 0, 12, 0, time.UTC)
	wrong := newPasswordPage("ada@example.org", "", true)
	wrong.Summary = ui.Summarize(ui.T("login.wrong"), &wrong.Email, &wrong.Password)
	empty := newPasswordPage("", "", true)
	empty.lacks(web.Form{})
	late := newPasswordPage("", "", false)
	late.Summary = ui.Summarize(againText(againLate))
	wait := newPasswordPage("ada@example.org", "", true)
	wait.Summary = ui.Summarize(ui.T("login.wait", "Wait", "4 minutes"), &wait.Email, &wait.Password)
	code := newCodePage(auth.Attempt{ID: "a"}, u, auth.WayAuthenticator, []auth.Way{auth.WayAuthenticator, auth.WayRecoveryCode})
	wrongCode, spent, few := code, code, code
	wrongCode.refuse(proof.Wrong, auth.Attempt{WrongCodes: 1}, now, 5)
	spent.refuse(proof.Spent, auth.Attempt{WrongCodes: 1}, now, 5)
	few.refuse(proof.Wrong, auth.Attempt{WrongCodes: 4}, now, 5)
	unreadable := code
	unreadable.mark(ui.T("errors.unreadableKey"))
	asked := ui.Passkey{Options: "{}", Ceremony: "c", RenewIn: 240_000}
	withPasskey, refused := newPasswordPage("", "", true), newPasswordPage("", "", true)
	withPasskey.Passkey, refused.Passkey = asked, asked
	refused.Summary = ui.Summarize(ui.T("passkey.refused"))
	all := []auth.Way{auth.WayAuthenticator, auth.WayPasskey, auth.WayRecoveryCode}
	among, byPasskey := newCodePage(auth.Attempt{ID: "a"}, u, auth.WayAuthenticator, all), newCodePage(auth.Attempt{ID: "a"}, u, auth.WayPasskey, all)
	byPasskey.Passkey = asked
	notTaken, byRecovery, ways := byPasskey, newCodePage(auth.Attempt{ID: "a"}, u, auth.WayRecoveryCode, all[1:]), byPasskey
	notTaken.refuse(proof.NotTaken, auth.Attempt{WrongCodes: 1}, now, 5)
	ways.Way, ways.From = "", auth.WayPasskey
	wrongRecovery := byRecovery
	wrongRecovery.refuse(proof.Wrong, auth.Attempt{WrongCodes: 1}, now, 5)
	signedIn := session.Presence{User: u, Standing: auth.SignedIn}
	confirmBoth, passwordToo := newConfirmPage(auth.NeedsBoth, signedIn, false), newConfirmPage(auth.NeedsBoth, signedIn, true)
	confirmBoth.Passkey, passwordToo.Passkey = asked, asked
	passwordToo.askPassword()
	owes := session.Presence{User: u, Standing: auth.OwesCode}
	return []ui.Example{
		{Page: "login/password", Name: "empty", Data: newPasswordPage("", "", true)},
		{Page: "login/password", Name: "wrong password", Data: wrong},
		{Page: "login/password", Name: "nothing typed", Data: empty},
		{Page: "login/password", Name: "too late, and nobody may sign up", Data: late},
		{Page: "login/password", Name: "wait", Data: wait},
		{Page: "login/password", Name: "with a passkey", Data: withPasskey},
		{Page: "login/password", Name: "passkey refused", Data: refused},
		{Page: "login/code", Name: "asked", Data: code},
		{Page: "login/code", Name: "asked, with other ways", Data: among},
		{Page: "login/code", Name: "passkey", Data: byPasskey},
		{Page: "login/code", Name: "passkey not taken", Data: notTaken},
		{Page: "login/code", Name: "recovery code", Data: byRecovery},
		{Page: "login/code", Name: "wrong recovery code", Data: wrongRecovery},
		{Page: "login/code", Name: "other ways", Data: ways},
		{Page: "login/code", Name: "wrong code", Data: wrongCode},
		{Page: "login/code", Name: "spent code", Data: spent},
		{Page: "login/code", Name: "few tries left", Data: few},
		{Page: "login/code", Name: "key that cannot be read", Data: unreadable},
		{Page: "login/confirm", Name: "password", Data: newConfirmPage(auth.NeedsPassword, signedIn, false)},
		{Page: "login/confirm", Name: "code", Data: newConfirmPage(auth.NeedsCode, signedIn, false)},
		{Page: "login/confirm", Name: "code that the session owes", Data: newConfirmPage(auth.NeedsCode, owes, false)},
		{Page: "login/confirm", Name: "both", Data: newConfirmPage(auth.NeedsBoth, signedIn, false)},
		{Page: "login/confirm", Name: "both, or a passkey", Data: confirmBoth},
		{Page: "login/confirm", Name: "passkey that does not check who it is", Data: passwordToo},
		{Page: "login/new-password", Name: "asked", Data: askedNewPasswordPage{Address: u.Address}},
		{Page: "login/logout", Name: "asked", Shell: ui.Shell{Menu: &ui.Menu{Name: "Ada Lovelace"}}},
		{Page: "login/unlock", Name: "from the mail", Data: unlockPage{Token: "t"}},
	}
}
