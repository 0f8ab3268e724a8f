package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showDisable(w http.ResponseWriter, r *http.Request) error {
	return h.showDisableWith(w, r, http.StatusOK, func(*codeForm) {})
}

// showDisableWith shows the page as its form left it.
func (h *Flow) showDisableWith(w http.ResponseWriter, r *http.Request, status int, mark func(*codeForm)) error {
	v := web.Asking(r)
	page := newDisablePage(v.User(), v.Policy())
	var err error
	if page.Passkey, err = h.askPasskey(w, r, auth.DisablingApps); err != nil {
		return err
	}
	mark(&page.codeForm)
	return h.Show(w, r, status, "account/disable", page)
}

// askPasskey asks for a passkey in the code's place, inside this session.
func (h *Flow) askPasskey(w http.ResponseWriter, r *http.Request, purpose auth.Ceremony) (ui.Passkey, error) {
	v := web.Asking(r)
	return h.BeginProof(w, r, purpose, v.User(), v.Policy(), string(v.Presence.Session.ID))
}

// postDisable removes the authenticator apps, and the recovery codes with the last
// second factor.
func (h *Flow) postDisable(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "code", "ceremony", "passkey")
	if err != nil {
		return err
	}
	if !v.User().HasAuthenticator() {
		return web.Redirect(w, "/account/two-factor")
	}

	// Decide and write.
	var token secret.Token
	done, err := h.withCode(w, r, form, auth.DisablingApps, func(c proof.Code) (err error) {
		token, err = h.Store.DisableTwoFactor(r.Context(), v.Actor(), c.Claim, c.Paid, v.Now)
		return err
	}, func(status int, mark func(*codeForm)) error { return h.showDisableWith(w, r, status, mark) })
	if err != nil || !done {
		return err
	}

	// Answer.
	h.KeepSession(w, token)
	h.Notice(w, "twofactor.doneDisabled")
	return web.Redirect(w, "/account")
}

// withCode examines what a form brings in a code's place, and has it, where it is
// right, spent by the very transaction that it is good for. Anything else is
// refused: then done is false and the answer is given.
func (h *Flow) withCode(w http.ResponseWriter, r *http.Request, form web.Form, purpose auth.Ceremony, spend func(proof.Code) error, refuse func(status int, mark func(*codeForm)) error) (done bool, err error) {
	ctx, v := r.Context(), web.Asking(r)

	// Decide.
	checked, err := h.Factor(r, h.Proof, v.User(), v.Policy(), form, purpose, string(v.Presence.Session.ID))
	if err != nil {
		return false, refuseForNow(w, r, err, refuse)
	}

	// Write.
	if checked.Verdict == proof.Right {
		switch err := spend(checked); {
		case errors.Is(err, store.ErrSpent):
			checked.Verdict = checked.WhenSpent() // another request was faster
		case err != nil:
			return false, refuseForNow(w, r, errors.Join(err, h.Proof.TakeBack(ctx, checked.Paid...)), refuse)
		default:
			return true, nil
		}
	}
	if err := h.Proof.RefuseCode(ctx, h.From(r), v.User(), checked); err != nil {
		return false, err
	}

	// Answer.
	return false, refuse(http.StatusUnprocessableEntity, refusalOf(checked.Verdict, v.Now))
}

// refusalOf says what is wrong: at the field of a code, or above the form with a
// passkey, which has none.
func refusalOf(verdict proof.Verdict, now time.Time) func(*codeForm) {
	return func(f *codeForm) {
		why := web.CodeTextAt(f.Code, verdict, now)
		if verdict.IsOfPasskey() {
			f.Summary = ui.SummarizeAmong(why, &f.Code)
			return
		}
		f.refuse(why)
	}
}

// refuseForNow answers what could not be done for now; any other error it gives
// back.
func refuseForNow(w http.ResponseWriter, r *http.Request, err error, refuse func(int, func(*codeForm)) error) error {
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return refuse(status, func(f *codeForm) { f.refuse(why) })
	}
	return err
}
