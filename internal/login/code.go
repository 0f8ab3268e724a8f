package login

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showCode(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "attempt")
	if err != nil {
		return err
	}
	attempt, u, err := h.Attempt(r, query["attempt"])
	if errors.Is(err, store.ErrNotFound) {
		return h.startAgain(w, againLate, "")
	} else if err != nil {
		return err
	}
	if step, err := h.Owes(r, attempt, u); err != nil || step != auth.StepCode {
		return errors.Join(err, h.startAgainUnless(err, w, attempt))
	}
	return h.Show(w, r, http.StatusOK, "login/code", newCodePage(attempt, u))
}

func (h *Flow) startAgainUnless(err error, w http.ResponseWriter, a auth.Attempt) error {
	if err != nil {
		return nil
	}
	return h.startAgain(w, againLate, a.Return)
}

// postCode takes the code of the authenticator, or a recovery code, from one
// field.
func (h *Flow) postCode(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "attempt", "code")
	if err != nil {
		return err
	}
	attempt, u, err := h.Attempt(r, form["attempt"])
	if errors.Is(err, store.ErrNotFound) {
		return h.startAgain(w, againLate, "")
	} else if err != nil {
		return err
	}
	if step, err := h.Owes(r, attempt, u); err != nil || step != auth.StepCode {
		return errors.Join(err, h.startAgainUnless(err, w, attempt))
	}
	page := newCodePage(attempt, u)

	// Decide.
	checked, err := h.Proof.Code(ctx, h.From(r), u, form["code"])
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		page.mark(why)
		return h.Show(w, r, status, "login/code", page)
	} else if err != nil {
		return err
	}

	// Write.
	if checked.Verdict == proof.Right {
		attempt, err = h.Store.ProveCode(ctx, v.Actor(), attempt, checked.Claim, h.Rules.WrongCodes, checked.Paid, v.Now)
		if errors.Is(err, store.ErrSpent) {
			checked.Verdict, err = proof.Spent, nil // another request was faster
		}
		if err != nil {
			return err
		}
	}
	if checked.Verdict == proof.Spent || checked.Verdict == proof.Wrong {
		if err := h.Proof.RefuseCode(ctx, h.From(r), u, checked); err != nil {
			return err
		}
		if attempt, err = h.Store.RefuseCode(ctx, v.Actor(), attempt, u, checked.Verdict == proof.Spent, h.Rules.WrongCodes, v.Now); err != nil {
			return err
		}
	}

	// Answer.
	if checked.Verdict == proof.Right {
		if checked.Claim.Recovery {
			h.tellLeft(w, checked.Left-1)
		}
		return h.goNext(w, r, attempt, u)
	}
	if step, err := h.Owes(r, attempt, u); err != nil || step != auth.StepCode {
		return errors.Join(err, h.tooMany(err, w, attempt))
	}
	page.refuse(checked.Verdict, attempt, v.Now, h.Rules.WrongCodes)
	return h.Show(w, r, http.StatusUnprocessableEntity, "login/code", page)
}

// tellLeft says on the next page how many recovery codes are left, and where
// they are few asks for new ones.
func (h *Flow) tellLeft(w http.ResponseWriter, left int) {
	if left <= h.Rules.RecoveryCodesFew {
		h.NoticeCount(w, "login.doneRecoveryFew", left)
		return
	}
	h.NoticeCount(w, "login.doneRecovery", left)
}

func (h *Flow) tooMany(err error, w http.ResponseWriter, a auth.Attempt) error {
	if err != nil {
		return nil
	}
	return h.startAgain(w, againMany, a.Return)
}

// back drops a pending login.
func (h *Flow) back(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "attempt")
	if err != nil {
		return err
	}
	attempt, _, err := h.Attempt(r, form["attempt"])
	if err == nil {
		err = h.Store.DropAttempt(r.Context(), web.Asking(r).Actor(), attempt, web.Asking(r).Now)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return web.Redirect(w, web.Login(attempt.Return))
}
