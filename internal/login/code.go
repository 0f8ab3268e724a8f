package login

import (
	"errors"
	"net/http"
	"slices"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// pending is a login that owes the code, and whose it is.
type pending struct {
	auth.Attempt
	owner  auth.User
	policy auth.Policy
}

// owing serves a login of this browser that owes the code; any other begins anew.
func (h *Flow) owing(w http.ResponseWriter, r *http.Request, id string, serve func(pending) error) error {
	attempt, u, err := h.Attempt(r, id)
	if errors.Is(err, store.ErrNotFound) {
		return h.startAgain(w, againLate, "")
	} else if err != nil {
		return err
	}
	policy, err := h.Live.PolicyOf(r.Context(), u.ID)
	if err != nil {
		return err
	}
	if auth.Next(attempt, u, policy, web.Asking(r).Now) != auth.StepCode {
		return h.startAgain(w, againLate, attempt.Return)
	}
	return serve(pending{attempt, u, policy})
}

func (h *Flow) showCode(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "attempt", "way", "from")
	if err != nil {
		return err
	}
	return h.owing(w, r, query["attempt"], func(p pending) error {
		page, err := h.codePage(w, r, p, query["way"])
		if err != nil {
			return err
		}
		if query["way"] == "other" && page.HasOthers() {
			page.Way, page.From = "", wayOf(query["from"], page.Ways)
		}
		return h.Show(w, r, http.StatusOK, "login/code", page)
	})
}

// codePage asks in this way, or in the first that its owner has.
func (h *Flow) codePage(w http.ResponseWriter, r *http.Request, p pending, spelled string) (codePage, error) {
	set, err := h.Store.RecoverySet(r.Context(), p.owner.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return codePage{}, err
	}
	begun, err := h.BeginProof(w, r, auth.ProvingCode, p.owner, p.policy, string(p.ID))
	if err != nil {
		return codePage{}, err
	}
	ways := auth.Ways(p.owner, p.policy, set.Left())
	if begun.IsZero() { // none of theirs was made for here
		ways = slices.DeleteFunc(ways, func(w auth.Way) bool { return w == auth.WayPasskey })
	}
	page := newCodePage(p.Attempt, p.owner, wayOf(spelled, ways), ways)
	page.Passkey = begun
	return page, nil
}

// wayOf is the way that an address spells, where there is such a one, or the first.
func wayOf(spelled string, ways []auth.Way) auth.Way {
	for _, way := range ways {
		if spellingOf(way) == spelled {
			return way
		}
	}
	if len(ways) == 0 {
		return auth.WayRecoveryCode // of which none is left, as the page's help says
	}
	return ways[0]
}

// postCode takes a code of the authenticator or a recovery code, from one field,
// or the answer of a passkey.
func (h *Flow) postCode(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "attempt", "code", "ceremony", "passkey", "way")
	if err != nil {
		return err
	}
	return h.owing(w, r, form["attempt"], func(p pending) error { return h.takeCode(w, r, p, form) })
}

func (h *Flow) takeCode(w http.ResponseWriter, r *http.Request, p pending, form web.Form) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	page, err := h.codePage(w, r, p, form["way"])
	if err != nil {
		return err
	}

	// Decide.
	checked, err := h.Factor(r, h.Proof, p.owner, p.policy, form, auth.ProvingCode, string(p.ID))
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		page.mark(why)
		return h.Show(w, r, status, "login/code", page)
	} else if err != nil {
		return err
	}

	// Write.
	attempt := p.Attempt
	if checked.Verdict == proof.Right {
		attempt, err = h.Store.ProveCode(ctx, v.Actor(), attempt, checked.Claim, h.Rules.WrongCodes, checked.Paid, v.Now)
		if errors.Is(err, store.ErrSpent) {
			checked.Verdict, err = checked.WhenSpent(), nil // another request was faster
		}
		if err != nil {
			return err
		}
	}
	if checked.Verdict != proof.Right {
		if err := h.Proof.RefuseCode(ctx, h.From(r), p.owner, checked); err != nil {
			return err
		}
	}
	if refuses(checked.Verdict) {
		if attempt, err = h.Store.RefuseCode(ctx, v.Actor(), attempt, p.owner, checked.Verdict != proof.Wrong, h.Rules.WrongCodes, v.Now); err != nil {
			return err
		}
	}

	// Answer.
	if checked.Verdict == proof.Right {
		if checked.Claim.Recovery {
			h.tellLeft(w, checked.Left-1)
		}
		return h.goNext(w, r, attempt, p.owner)
	}
	if auth.Next(attempt, p.owner, p.policy, v.Now) != auth.StepCode {
		return h.startAgain(w, againMany, attempt.Return)
	}
	page.refuse(checked.Verdict, attempt, v.Now, h.Rules.WrongCodes)
	return h.Show(w, r, http.StatusUnprocessableEntity, "login/code", page)
}

// refuses tells what counts against a pending login.
func refuses(v proof.Verdict) bool {
	return v == proof.Spent || v == proof.Wrong || v == proof.NotTaken
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
