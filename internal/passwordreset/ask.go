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
// word on whether anybody has it. The letter is queued after the answer is
// decided, and goes only to an address that is stored.
func (h *Flow) postAsk(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "email")
	if err != nil {
		return err
	}
	typed, err := address.Parse(form["email"])
	if err != nil {
		page := newAskPage(form["email"])
		page.Email.Error = ui.T("login.malformedAddress")
		page.Summary = ui.Summarize(ui.Text{}, &page.Email)
		return h.Show(w, r, http.StatusUnprocessableEntity, "passwordreset/ask", page)
	}
	if err := h.mail(r.Context(), web.Asking(r), typed.Canonical); err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "passwordreset/sent", sentPage{Address: typed.Spelling, Life: h.Link.Life})
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
