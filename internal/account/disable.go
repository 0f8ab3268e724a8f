package account

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showDisable(w http.ResponseWriter, r *http.Request) error {
	return h.Show(w, r, http.StatusOK, "account/disable", newDisablePage(web.Asking(r).User(), web.Asking(r).Policy()))
}

// postDisable removes the authenticator apps, and the recovery codes with the last
// second factor.
func (h *Flow) postDisable(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "code")
	if err != nil {
		return err
	}
	if !v.User().HasAuthenticator() {
		return web.Redirect(w, "/account/two-factor")
	}

	// Decide and write.
	var token secret.Token
	done, err := h.withCode(w, r, form["code"], func(c proof.Code) (err error) {
		token, err = h.Store.DisableTwoFactor(r.Context(), v.Actor(), c.Claim, c.Paid, v.Now)
		return err
	}, func(status int, why ui.Text) error {
		page := newDisablePage(v.User(), v.Policy())
		page.refuse(why)
		return h.Show(w, r, status, "account/disable", page)
	})
	if err != nil || !done {
		return err
	}

	// Answer.
	h.KeepSession(w, token)
	h.Notice(w, "twofactor.doneDisabled")
	return web.Redirect(w, "/account")
}

// withCode examines a typed code, and has a right one spent by the very
// transaction that it is good for. Any other is refused: then done is false
// and the answer is given.
func (h *Flow) withCode(w http.ResponseWriter, r *http.Request, typed string, spend func(proof.Code) error, refuse func(int, ui.Text) error) (done bool, err error) {
	ctx, v := r.Context(), web.Asking(r)

	// Decide.
	checked, err := h.Proof.Code(ctx, h.From(r), v.User(), typed)
	if err != nil {
		return false, refuseForNow(w, r, err, refuse)
	}

	// Write.
	if checked.Verdict == proof.Right {
		switch err := spend(checked); {
		case errors.Is(err, store.ErrSpent):
			checked.Verdict = proof.Spent // another request was faster
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
	return false, refuse(http.StatusUnprocessableEntity, web.CodeText(checked.Verdict, v.Now))
}

// refuseForNow answers what could not be done for now; any other error it gives
// back.
func refuseForNow(w http.ResponseWriter, r *http.Request, err error, refuse func(int, ui.Text) error) error {
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return refuse(status, why)
	}
	return err
}
