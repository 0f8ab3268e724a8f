package passwordreset

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// deadLink leads whoever has a link that does not work to another one.
func (h *Flow) deadLink(r *http.Request) error {
	return web.DeadLink(&ui.Button{Label: ui.T("forgot.askAgain"), Href: web.ForgotPassword(h.Return(r))})
}

// showChoose only looks at the link: programs that scan mail open every one.
func (h *Flow) showChoose(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	owner, err := h.owner(r, query["token"])
	if err != nil {
		return err
	}
	page, err := h.choosePage(w, r, owner, query["token"])
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "passwordreset/choose", page)
}

// owner is whose link it is.
type owner struct {
	User        auth.User
	Policy      auth.Policy
	Link        secret.Hash
	AsksCode    bool // a second factor is on and counts
	DemandsCode bool // and must be kept
}

func (h *Flow) owner(r *http.Request, typed string) (o owner, err error) {
	ctx := r.Context()
	token, _ := secret.Parse(typed)
	o.Link = token.Hash()
	link, err := h.Store.Link(ctx, o.Link, store.LinkReset, web.Asking(r).Now)
	if errors.Is(err, store.ErrSpent) {
		return o, h.deadLink(r)
	} else if err != nil {
		return o, err
	}
	if o.User, err = h.Store.User(ctx, link.User); err != nil {
		return o, err
	}
	o.Policy, err = h.Live.PolicyOf(ctx, o.User.ID)
	o.AsksCode, o.DemandsCode = o.Policy.AsksCode(o.User), h.demandsCode(o.User, o.Policy)
	return o, err
}

// postChoose sets the new password. The code, where one is given or demanded,
// is looked at before the link is used, so that a wrong one costs no letter.
func (h *Flow) postChoose(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "token", "password", "code", "ceremony", "passkey")
	if err != nil {
		return err
	}
	owner, err := h.owner(r, form["token"])
	if err != nil {
		return err
	}

	// Decide.
	page, err := h.choosePage(w, r, owner, form["token"])
	if err != nil {
		return err
	}
	u := owner.User
	own := address.Address{Spelling: u.Address, Canonical: u.Canonical}
	verdict, err := h.Judge(ctx, form["password"], own, u.Name)
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return h.Show(w, r, status, "passwordreset/choose", page.busy(why))
	} else if err != nil {
		return err
	}
	if !verdict.Accepted() {
		page.Password.Error = web.PasswordText(verdict)
	}
	var shown proof.Code
	status := http.StatusUnprocessableEntity
	if page.Password.Error.IsZero() {
		if shown, status, err = h.readCode(w, r, &page, owner, form); err != nil {
			return err
		}
	}
	reset := store.Reset{Link: owner.Link, KeepFactors: !owner.AsksCode || !shown.Claim.IsZero(), Code: shown.Claim, Paid: shown.Paid}
	if page.check() {
		return h.Show(w, r, status, "passwordreset/choose", page)
	}
	if reset.Hash, err = h.Proof.Hash(ctx, form["password"]); err != nil {
		err = errors.Join(err, h.Proof.TakeBack(ctx, reset.Paid...))
	}
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return h.Show(w, r, status, "passwordreset/choose", page.busy(why))
	} else if err != nil {
		return err
	}

	// Write.
	err = h.Store.ResetPassword(ctx, v.Actor(), reset, v.Now)
	if errors.Is(err, store.ErrSpent) {
		return h.spentMeanwhile(w, r, page, owner, shown)
	} else if err != nil {
		return err
	}

	// Answer.
	h.Notice(w, doneKey(reset))
	h.KeepReturn(w, r, "", 0)
	return web.Redirect(w, web.Login(h.Return(r)))
}

func doneKey(reset store.Reset) string {
	switch {
	case !reset.KeepFactors:
		return "reset.doneRemoved"
	case !reset.Code.IsZero():
		return "reset.doneKept"
	}
	return "reset.done"
}

// spentMeanwhile finds out what another request was faster with: the link, or
// only the code.
func (h *Flow) spentMeanwhile(w http.ResponseWriter, r *http.Request, page choosePage, o owner, shown proof.Code) error {
	if _, err := h.owner(r, page.Token); err != nil {
		return errors.Join(err, h.Proof.TakeBack(r.Context(), shown.Paid...))
	}
	if shown.Claim.IsZero() {
		return h.deadLink(r)
	}
	shown.Verdict = shown.WhenSpent()
	if err := h.Proof.RefuseCode(r.Context(), h.From(r), o.User, shown); err != nil {
		return err
	}
	page.refuse(shown.Verdict, web.Asking(r).Now)
	page.check()
	return h.Show(w, r, http.StatusUnprocessableEntity, "passwordreset/choose", page)
}

// readCode looks at the code, or the passkey, that keeps the second factors, and gives
// a right one. Where none is demanded, an empty field gives them up.
func (h *Flow) readCode(w http.ResponseWriter, r *http.Request, page *choosePage, o owner, form web.Form) (shown proof.Code, status int, err error) {
	if !o.AsksCode || form["code"]+form["passkey"] == "" && !o.DemandsCode {
		return shown, http.StatusUnprocessableEntity, nil
	}
	checked, err := h.FactorByLetter(r, h.Proof, o.User, o.Policy, form, o.Link)
	status, page.Code.Error = web.NotNow(w, r, err, func(wait *store.WaitError, v *web.Visitor) ui.Text {
		page.Locked = o.DemandsCode && wait.Closed && !wait.Lasting
		return waitText(wait, o, !page.Passkey.IsZero(), v)
	})
	switch {
	case status != 0:
		return shown, status, nil
	case err != nil:
		return shown, 0, err
	case checked.Verdict != proof.Right:
		page.refuse(checked.Verdict, web.Asking(r).Now)
		return shown, http.StatusUnprocessableEntity, h.Proof.RefuseCode(r.Context(), h.From(r), o.User, checked)
	}
	return checked, http.StatusUnprocessableEntity, nil
}

// waitText says when to come back, or what is left to do when no code is taken
// any more: a passkey is taken all the same.
func waitText(wait *store.WaitError, o owner, passkey bool, v *web.Visitor) ui.Text {
	if !wait.Closed {
		return ui.T("reset.wait", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
	}
	switch {
	case o.DemandsCode && wait.Lasting && passkey:
		return ui.T("reset.closedDemandedPasskey")
	case o.DemandsCode && wait.Lasting:
		return ui.T("reset.closedDemanded")
	case o.DemandsCode && passkey:
		return ui.T("reset.lockedDemandedPasskey")
	case o.DemandsCode:
		return ui.T("reset.lockedDemanded")
	case passkey:
		return ui.T("reset.closedPasskey")
	}
	return ui.T("reset.closed")
}

// mailUnlock sends the owner of the link another, which opens the door that
// wrong codes closed: where a code is demanded there is no way around it.
func (h *Flow) mailUnlock(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "token")
	if err != nil {
		return err
	}
	owner, err := h.owner(r, form["token"])
	if err != nil {
		return err
	}
	v := web.Asking(r)
	if err := h.Store.MailUnlock(r.Context(), h.Proof.CodeDoor(owner.User), v.Actor(), v.Now); err != nil {
		return err
	}
	page, err := h.choosePage(w, r, owner, form["token"])
	if err != nil {
		return err
	}
	return h.ShowDone(w, r, "passwordreset/choose", ui.T("reset.doneUnlockSent"), page)
}
