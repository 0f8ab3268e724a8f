package account

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// showCodes answers with codes that were just made. This is the only answer
// that ever holds them: they are kept hashed, and a reload of it activates or
// makes nothing, for what it sent is spent.
func (h *Flow) showCodes(w http.ResponseWriter, r *http.Request, done ui.Text, codes []recovery.Code, next string) error {
	v := web.Asking(r)
	page := newCodesShown(h.Site, v.User().Address, v.Now, next)
	for _, c := range codes {
		page.Codes = append(page.Codes, c.Reveal())
	}
	return h.ShowDone(w, r, "account/new-codes", done, page)
}

// postSaved leaves the page that showed the codes. A missing tick cannot show
// them again; it can only say how to get others.
func (h *Flow) postSaved(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "saved", "next")
	if err != nil {
		return err
	}
	next := web.ReturnTo(form["next"])
	if next == "" {
		next = "/account"
	}
	if form["saved"] == "" {
		return h.Show(w, r, http.StatusUnprocessableEntity, "account/not-saved", newNotSavedPage(next))
	}
	return web.Redirect(w, next)
}

func (h *Flow) showRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	return h.showRecoveryCodesWith(w, r, http.StatusOK, func(*codeForm) {})
}

// showRecoveryCodesWith shows the page as its form left it.
func (h *Flow) showRecoveryCodesWith(w http.ResponseWriter, r *http.Request, status int, mark func(*codeForm)) error {
	page, err := h.recoveryCodesPage(r)
	if err != nil {
		return err
	}
	if page.Passkey, err = h.askPasskey(w, r, auth.MakingRecoveryCodes); err != nil {
		return err
	}
	mark(&page.codeForm)
	return h.Show(w, r, status, "account/recovery-codes", page)
}

// recoveryCodesPage is 404 where no code is asked for.
func (h *Flow) recoveryCodesPage(r *http.Request) (recoveryCodesPage, error) {
	u := web.Asking(r).User()
	if !web.Asking(r).Policy().AsksCode(u) {
		return recoveryCodesPage{}, web.NotFound()
	}
	set, err := h.Store.RecoverySet(r.Context(), u.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return recoveryCodesPage{}, err
	}
	return newRecoveryCodesPage(set, h.Rules.RecoveryCodesFew, web.Asking(r).Policy().AsksAuthenticator(u)), nil
}

// postRecoveryCodes makes new codes, and voids the old ones.
func (h *Flow) postRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "code", "ceremony", "passkey")
	if err != nil {
		return err
	}
	if _, err := h.recoveryCodesPage(r); err != nil {
		return err
	}

	// Decide and write.
	var token secret.Token
	var codes []recovery.Code
	done, err := h.withCode(w, r, form, auth.MakingRecoveryCodes, func(c proof.Code) error {
		fresh, set, err := h.freshCodes(r)
		if err != nil {
			return err
		}
		codes = fresh
		token, err = h.Store.MakeRecoveryCodes(r.Context(), v.Actor(), set, c.Claim, c.Paid, v.Now)
		return err
	}, func(status int, mark func(*codeForm)) error { return h.showRecoveryCodesWith(w, r, status, mark) })
	if err != nil || !done {
		return err
	}

	// Answer.
	if err := h.GoOn(w, r, token); err != nil {
		return err
	}
	return h.showCodes(w, r, ui.T("recovery.doneMade"), codes, "/account")
}
