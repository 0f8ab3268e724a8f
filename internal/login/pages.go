package login

import (
	"net/http"
	"net/url"
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
	SignUp   bool // strangers may create an account
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

func (h *Flow) passwordPage(r *http.Request, form web.Form) (passwordPage, error) {
	offered, err := h.SignUpOffered(r.Context())
	return newPasswordPage(form["email"], form["next"], offered), err
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

// codePage is the login code confirmation.
type codePage struct {
	ui.Summary
	Attempt auth.AttemptID
	Account string
	Code    ui.Field
}

func newCodePage(a auth.Attempt, u auth.User) codePage {
	return codePage{Attempt: a.ID, Account: u.Address, Code: codeField()}
}

func codeField() ui.Field {
	return ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode, Letters: true,
		Hint: ui.T("login.codeHint"), Required: true, Autofocus: true, Autocomplete: "one-time-code"}
}

// refuse says what happened as far as it may be said, and what to do next.
func (p *codePage) refuse(v proof.Verdict, a auth.Attempt, now time.Time, limit int) {
	why := web.CodeText(v, now)
	if left := limit - a.WrongCodes; v == proof.Wrong && left <= 2 {
		why = ui.N("login.wrongCodeFew", left)
	}
	p.mark(why)
}

func (p *codePage) mark(why ui.Text) {
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
}

func newConfirmPage(ask auth.Answer, held session.Presence) confirmPage {
	p := confirmPage{Ask: ask, Account: held.User.Address, Owed: held.Standing == auth.OwesCode}
	if ask == auth.NeedsPassword || ask == auth.NeedsBoth {
		p.Password = &ui.Field{Name: "password", Label: ui.T("form.password"), Kind: ui.KindPassword,
			Required: true, Autofocus: true, Autocomplete: "current-password"}
	}
	if ask == auth.NeedsCode || ask == auth.NeedsBoth {
		code := codeField()
		code.Autofocus = p.Password == nil
		p.Code = &code
	}
	return p
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

func (p *confirmPage) mark(f *ui.Field, why ui.Text) {
	f.Error = why
	p.Summary = ui.Summarize(why, p.fields()...)
}

func (p *confirmPage) refuse(v proof.Verdict, now time.Time) { p.mark(p.Code, web.CodeText(v, now)) }

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
	code := newCodePage(auth.Attempt{ID: "a"}, u)
	wrongCode, spent, few := code, code, code
	wrongCode.refuse(proof.Wrong, auth.Attempt{WrongCodes: 1}, now, 5)
	spent.refuse(proof.Spent, auth.Attempt{WrongCodes: 1}, now, 5)
	few.refuse(proof.Wrong, auth.Attempt{WrongCodes: 4}, now, 5)
	unreadable := code
	unreadable.mark(ui.T("errors.unreadableKey"))
	signedIn := session.Presence{User: u, Standing: auth.SignedIn}
	owes := session.Presence{User: u, Standing: auth.OwesCode}
	return []ui.Example{
		{Page: "login/password", Name: "empty", Data: newPasswordPage("", "", true)},
		{Page: "login/password", Name: "wrong password", Data: wrong},
		{Page: "login/password", Name: "nothing typed", Data: empty},
		{Page: "login/password", Name: "too late, and nobody may sign up", Data: late},
		{Page: "login/password", Name: "wait", Data: wait},
		{Page: "login/code", Name: "asked", Data: code},
		{Page: "login/code", Name: "wrong code", Data: wrongCode},
		{Page: "login/code", Name: "spent code", Data: spent},
		{Page: "login/code", Name: "few tries left", Data: few},
		{Page: "login/code", Name: "key that cannot be read", Data: unreadable},
		{Page: "login/confirm", Name: "password", Data: newConfirmPage(auth.NeedsPassword, signedIn)},
		{Page: "login/confirm", Name: "code", Data: newConfirmPage(auth.NeedsCode, signedIn)},
		{Page: "login/confirm", Name: "code that the session owes", Data: newConfirmPage(auth.NeedsCode, owes)},
		{Page: "login/confirm", Name: "both", Data: newConfirmPage(auth.NeedsBoth, signedIn)},
		{Page: "login/new-password", Name: "asked", Data: askedNewPasswordPage{Address: u.Address}},
		{Page: "login/logout", Name: "asked", Shell: ui.Shell{Menu: &ui.Menu{Name: "Ada Lovelace"}}},
		{Page: "login/unlock", Name: "from the mail", Data: unlockPage{Token: "t"}},
	}
}
