package register

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showCreate(w http.ResponseWriter, r *http.Request) error {
	if err := h.open(r); err != nil {
		return err
	}
	query, err := web.ReadQuery(r, "next")
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "register/create", h.newCreatePage("", web.ReturnTo(query["next"])))
}

// open refuses where strangers may not create accounts, and says whom to ask.
func (h *Flow) open(r *http.Request) error {
	who, err := h.Registration(r.Context())
	if err != nil || who == config.Open {
		return err
	}
	return &web.Refusal{Status: http.StatusForbidden, Heading: ui.T("register.closedTitle"), Text: ui.T("register.closed-" + string(who)),
		Action: &ui.Button{Label: ui.T("login.toLogin"), Href: "/login"}}
}

// errFull refuses a sign-up while too many wait for their letters.
var errFull = errors.New("too many sign-ups wait for their letters")

// fullRest is when to come back then: as long as a mail server takes them, some
// of the letters are sent by that time, and as many may sign up.
const fullRest = time.Minute

// payBegin counts a request before anything is looked at, for a password that is
// refused takes a processor for a while, too. Whatever the address is, a network
// that asked too often has to wait, and so has everybody while too many letters
// do.
func (h *Flow) payBegin(r *http.Request) error {
	takes, err := h.Store.TakesSignups(r.Context())
	switch {
	case err != nil:
		return err
	case !takes:
		return errFull
	}
	return h.Proof.PayRequest(r.Context(), h.From(r), throttle.SignUps)
}

// takeBack undoes payBegin beside an error that is not the visitor's.
func (h *Flow) takeBack(r *http.Request, err error) error {
	return errors.Join(err, h.Proof.TakeRequestBack(r.Context(), h.From(r), throttle.SignUps))
}

// refuseForNow shows the page as it was typed where nothing is wrong but the
// time. Any other error stays one.
func (h *Flow) refuseForNow(w http.ResponseWriter, r *http.Request, err error, page string, with func(ui.Text) any) error {
	status, why := web.NotNow(w, r, err, web.HeldText)
	if errors.Is(err, errFull) {
		web.Note(r, err)
		web.RetryAfter(w, fullRest)
		status, why = http.StatusServiceUnavailable, ui.T("register.full")
	}
	if status == 0 {
		return err
	}
	return h.Show(w, r, status, page, with(why))
}

// postCreate begins a sign-up. The answer, and the work, are the same for an
// address that has an account.
func (h *Flow) postCreate(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "email", "password", "next")
	if err != nil {
		return err
	}
	if err := h.open(r); err != nil {
		return err
	}

	page := h.newCreatePage(form["email"], web.ReturnTo(form["next"]))
	if err := h.payBegin(r); err != nil {
		return h.refuseForNow(w, r, err, "register/create", page.refused)
	}

	// Decide.
	typed, err := address.Parse(form["email"])
	switch {
	case strings.TrimSpace(form["email"]) == "":
		page.Email.Error = ui.T("login.missingEmail")
	case err != nil:
		page.Email.Error = ui.T("login.malformedAddress")
	case !h.Settings.MailDomains.Take(typed.Canonical):
		page.Email.Error = ui.T("register.wrongDomain", "Domains", h.Settings.MailDomains.String())
	}
	verdict, err := h.Judge(ctx, form["password"], typed, "")
	if err != nil {
		return h.refuseForNow(w, r, h.takeBack(r, err), "register/create", page.refused)
	}
	if !verdict.Accepted() {
		page.Password.Error = web.PasswordText(verdict)
	}
	page.Summary = ui.Summarize(ui.Text{}, &page.Email, &page.Password)
	if page.HasFailed() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "register/create", page)
	}
	n := store.NewSignup{Address: typed, Language: v.Texts.Tag(), Browser: h.Browser(w, r).Hash(), Return: page.Next}
	n.Hash, err = h.Proof.Hash(ctx, form["password"])
	if err != nil {
		return h.refuseForNow(w, r, err, "register/create", page.refused)
	}

	// Write.
	if err := h.Store.BeginSignup(ctx, v.Actor(), n, h.Link, v.Now); err != nil {
		return err
	}

	// Answer.
	return h.Show(w, r, http.StatusOK, "register/sent", h.newSentPage(typed))
}

// mailAgain sends the letter of a sign-up once more, in the browser that signed
// up. Its answer is postCreate's, whoever asks and whatever was sent.
func (h *Flow) mailAgain(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "email")
	if err != nil {
		return err
	}
	if err := h.open(r); err != nil {
		return err
	}
	typed, err := address.Parse(form["email"])
	if err != nil {
		return web.Redirect(w, "/register")
	}
	page := h.newSentPage(typed)
	if err := h.payBegin(r); err != nil {
		return h.refuseForNow(w, r, err, "register/sent", page.refused)
	}
	browser := h.Browser(w, r).Hash()
	if err := h.Store.MailSignupAgain(r.Context(), v.Actor(), typed.Canonical, browser, h.Link, v.Now); err != nil {
		return err
	}
	return h.ShowDone(w, r, "register/sent", ui.T("forgot.doneAgain"), page)
}

// judgeStrength tells how good a password is while it is typed. Nothing of it
// is kept. Where others are at it already nobody is told: the form will tell.
func (h *Flow) judgeStrength(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "password", "email", "name")
	if err != nil {
		return err
	}
	v := web.Asking(r)
	owner, _ := address.Parse(form["email"])
	name := form["name"]
	if v.SignedIn() {
		owner, name = address.Address{Spelling: v.User().Address}, v.User().Name
	}
	verdict, err := h.JudgeTyped(r.Context(), form["password"], owner, name)
	if err != nil {
		return err
	}
	judgement := ui.Judgement{Score: verdict.Score, Accepted: verdict.Accepted(), Text: ui.T("form.passwordGood").In(v.Texts)}
	if !judgement.Accepted {
		judgement.Text = web.PasswordText(verdict).In(v.Texts)
	}
	return web.JSON(w, http.StatusOK, judgement)
}
