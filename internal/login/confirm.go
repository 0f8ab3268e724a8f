package login

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// AskAgain answers a request whose proofs are not fresh enough: a page leads
// to the confirmation and back, a form waits in it and goes on afterwards.
func (h *Flow) AskAgain(w http.ResponseWriter, r *http.Request, missing auth.Answer) error {
	switch missing {
	case auth.No:
		return web.Forbidden()
	case auth.NeedsSetUp:
		return web.Redirect(w, toSetUp(r, web.Asking(r).Policy()))
	}
	if r.Method == http.MethodGet {
		return confirmFirst(w, missing, r.URL.RequestURI())
	}
	form, err := h.Hold(r)
	if err != nil {
		return err
	}
	page, err := h.confirmPage(w, r, missing)
	if err != nil {
		return err
	}
	page.Held = form
	return h.Show(w, r, http.StatusForbidden, "login/confirm", page)
}

// toSetUp leads to the set-up, and from there back to the page that was asked for.
func toSetUp(r *http.Request, p auth.Policy) string {
	if r.Method != http.MethodGet {
		return web.SetUpPage(p)
	}
	return web.SetUpPage(p) + "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

// confirmFirst leads to the confirmation, and from there to next.
func confirmFirst(w http.ResponseWriter, missing auth.Answer, next string) error {
	return web.Redirect(w, "/login/confirm?"+url.Values{"next": {next}, "ask": {string(missing)}}.Encode())
}

// mayConfirm tells whether there is a session whose proofs can be made fresh:
// a live one, or one that only owes the code.
func mayConfirm(v *web.Visitor) bool {
	return v.SignedIn() || v.Presence.Standing == auth.OwesCode
}

func (h *Flow) showConfirm(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "next", "ask")
	if err != nil {
		return err
	}
	v := web.Asking(r)
	if !mayConfirm(v) {
		return web.Redirect(w, "/login")
	}
	page, err := h.confirmPage(w, r, askedFor(query["ask"], v))
	if err != nil {
		return err
	}
	page.Next = query["next"]
	return h.Show(w, r, http.StatusOK, "login/confirm", page)
}

// askedFor keeps to what this person can be asked for.
func askedFor(ask string, v *web.Visitor) auth.Answer {
	missing := auth.Answer(ask)
	if !v.Policy().AsksCode(v.Presence.User) {
		return auth.NeedsPassword
	}
	if missing != auth.NeedsPassword && missing != auth.NeedsBoth {
		return auth.NeedsCode
	}
	return missing
}

// postConfirm makes the proofs of a session fresh, gives it a new token, and
// goes on with what was interrupted.
func (h *Flow) postConfirm(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "password", "code", "ceremony", "passkey", "next", "held", "ask")
	if err != nil {
		return err
	}
	if !mayConfirm(v) {
		return web.Redirect(w, "/login")
	}
	page, err := h.confirmPage(w, r, askedFor(form["ask"], v))
	if err != nil {
		return err
	}
	page.Next, page.Held = form["next"], form["held"]

	// Decide.
	again, err := h.proveAgain(r, &page, form)
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		page.Summary = ui.Summarize(why, page.fields()...)
		return h.Show(w, r, status, "login/confirm", page)
	} else if err != nil {
		return err
	}

	// Write.
	if page.HasFailed() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "login/confirm", page)
	}
	token, err := h.Store.Confirm(ctx, v.Actor(), again.confirmation, slices.Concat(again.paid, again.code.Paid), v.Now)
	if errors.Is(err, store.ErrSpent) {
		return h.spentMeanwhile(w, r, page, again)
	} else if err != nil {
		return err
	}

	// Answer.
	h.KeepSession(w, token)
	if again.confirmation.Code.Recovery {
		h.tellLeft(w, again.code.Left-1)
	}
	if form["held"] != "" {
		return h.Continue(w, r, form["held"], token)
	}
	return web.Redirect(w, whereTo(web.ReturnTo(form["next"])))
}

// spentMeanwhile answers what another request was faster with: the code, or
// the session, which was ended or renewed.
func (h *Flow) spentMeanwhile(w http.ResponseWriter, r *http.Request, page confirmPage, again proved) error {
	v := web.Asking(r)
	if err := h.Proof.TakeBack(r.Context(), again.paid...); err != nil {
		return err
	}
	if again.confirmation.Code.IsZero() {
		return web.Redirect(w, "/login")
	}
	lost := again.code
	lost.Verdict = lost.WhenSpent()
	if err := h.Proof.RefuseCode(r.Context(), h.From(r), v.Presence.User, lost); err != nil {
		return err
	}
	page.refuse(lost.Verdict, v.Now)
	return h.Show(w, r, http.StatusUnprocessableEntity, "login/confirm", page)
}

// proved is what was proved, and paid for, on the confirmation page.
type proved struct {
	confirmation store.Confirmation
	paid         []store.Payment // for the password
	code         proof.Code      // zero where none was shown
}

// proveAgain checks the fields that the page has. What is wrong is marked in
// the page. A code beside a wrong password is not looked at; a right password
// beside a code that was not taken opened nothing, and was no failure either.
func (h *Flow) proveAgain(r *http.Request, page *confirmPage, form web.Form) (p proved, err error) {
	if form["passkey"] != "" {
		return h.provePasskeyAgain(r, page, form)
	}
	if page.asksPassword() {
		if err := h.provePasswordAgain(r, page, form["password"], &p); err != nil || page.HasFailed() {
			return p, err
		}
	}
	if !page.asksCode() {
		return p, nil
	}
	if err = h.proveCodeAgain(r, page, form, &p); err != nil || page.HasFailed() {
		err = errors.Join(err, h.Proof.TakeBack(r.Context(), p.paid...))
	}
	return p, err
}

func (h *Flow) provePasswordAgain(r *http.Request, page *confirmPage, typed string, p *proved) error {
	if typed == "" {
		page.mark(page.Password, ui.T("login.missingPassword"))
		return nil
	}
	u := web.Asking(r).Presence.User
	found, err := h.Proof.Password(r.Context(), h.From(r), u.Canonical, typed)
	if err != nil {
		return err
	}
	if !found.Right || found.User.ID != u.ID {
		page.mark(page.Password, ui.T("confirm.wrongPassword"))
		return h.Proof.RefusePassword(r.Context(), h.From(r), found)
	}
	p.confirmation.Password = true
	p.paid = append(p.paid, found.Paid)
	return nil
}

// provePasskeyAgain looks at the passkey first: one that held its owner to be who
// they are stands for the password too, and beside another the password is asked.
func (h *Flow) provePasskeyAgain(r *http.Request, page *confirmPage, form web.Form) (p proved, err error) {
	if err := h.proveCodeAgain(r, page, form, &p); err != nil || page.HasFailed() {
		return p, err
	}
	if !page.asksPassword() || p.confirmation.Code.Verified {
		return p, nil
	}
	if form["password"] == "" {
		page.askPassword()
		p.code.Verdict = proof.Over // it is asked for once more, and so counts as one that came too late
		return p, h.Proof.RefuseCode(r.Context(), h.From(r), web.Asking(r).Presence.User, p.code)
	}
	return p, h.provePasswordAgain(r, page, form["password"], &p)
}

func (h *Flow) proveCodeAgain(r *http.Request, page *confirmPage, form web.Form, p *proved) error {
	ctx, v := r.Context(), web.Asking(r)
	u, bound := v.Presence.User, string(v.Presence.Session.ID)
	checked, err := h.Factor(r, h.Proof, u, v.Policy(), form, auth.ConfirmingPasskey, bound)
	if err != nil {
		return err
	}
	if checked.Verdict != proof.Right {
		page.refuse(checked.Verdict, v.Now)
		return h.Proof.RefuseCode(ctx, h.From(r), u, checked)
	}
	p.confirmation.Code, p.code = checked.Claim, checked
	return nil
}
