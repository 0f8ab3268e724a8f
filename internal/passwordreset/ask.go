package passwordreset

import (
	"context"
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showAsk(w http.ResponseWriter, r *http.Request) error {
	return h.Show(w, r, http.StatusOK, "passwordreset/ask", newAskPage(""))
}

// postAsk answers everybody alike: with the address that was typed, and no
// word on whether anybody has it. The letter goes to the address as it is
// stored.
func (h *Flow) postAsk(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "email")
	if err != nil {
		return err
	}
	page := newAskPage(form["email"])
	typed, ok := page.read()
	if !ok {
		return h.Show(w, r, http.StatusUnprocessableEntity, "passwordreset/ask", page)
	}
	if err := h.mail(r.Context(), web.Asking(r), typed.Canonical); err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "passwordreset/sent", h.newSentPage(typed))
}

// mailAgain is postAsk from the page that it showed.
func (h *Flow) mailAgain(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "email")
	if err != nil {
		return err
	}
	typed, err := address.Parse(form["email"])
	if err != nil {
		return web.Redirect(w, "/forgot-password")
	}
	if err := h.mail(r.Context(), web.Asking(r), typed.Canonical); err != nil {
		return err
	}
	return h.ShowDone(w, r, "passwordreset/sent", ui.T("forgot.doneAgain"), h.newSentPage(typed))
}

// mail sends the link to whoever has the address. For everybody else the
// request is recorded all the same: both take one transaction.
func (h *Flow) mail(ctx context.Context, v *web.Visitor, canonical string) error {
	u, err := h.Store.UserByAddress(ctx, canonical)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && u.State != auth.Active:
		return h.Store.Record(ctx, v.Actor(), auth.EventResetRequested, "", "nobody to write to", v.Now)
	case err != nil:
		return err
	}
	return h.Store.MailReset(ctx, u, h.Link, v.Actor(), v.Now)
}
