package passwordreset

import (
	"context"
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showAsk(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "next")
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "passwordreset/ask", newAskPage("", query["next"]))
}

// postAsk answers everybody alike: with the address that was typed, and no
// word on whether anybody has it. The letter goes to the address as it is
// stored.
func (h *Flow) postAsk(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "email", "next")
	if err != nil {
		return err
	}
	page := newAskPage(form["email"], form["next"])
	typed, ok := page.read()
	if !ok {
		return h.Show(w, r, http.StatusUnprocessableEntity, "passwordreset/ask", page)
	}
	err = h.mail(r.Context(), h.From(r), typed.Canonical)
	if status, why := web.NotNow(w, r, err, web.HeldText); status != 0 {
		page.Summary = ui.SummarizeAmong(why, &page.Email)
		return h.Show(w, r, status, "passwordreset/ask", page)
	} else if err != nil {
		return err
	}
	h.KeepReturn(w, r, page.Next, h.Link.Life)
	return h.Show(w, r, http.StatusOK, "passwordreset/sent", h.newSentPage(typed, page.Next))
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
	page := h.newSentPage(typed, h.Return(r))
	err = h.mail(r.Context(), h.From(r), typed.Canonical)
	if status, why := web.NotNow(w, r, err, web.HeldText); status != 0 {
		return h.Show(w, r, status, "passwordreset/sent", page.held(why))
	} else if err != nil {
		return err
	}
	h.KeepReturn(w, r, page.Next, h.Link.Life)
	return h.ShowDone(w, r, "passwordreset/sent", ui.T("forgot.doneAgain"), page)
}

// mail sends the link to whoever has the address. For everybody else the
// request is recorded all the same: both take as long. While the
// visitor has to wait it gives a *store.WaitError.
func (h *Flow) mail(ctx context.Context, from proof.From, canonical string) error {
	u, err := h.Store.UserByAddress(ctx, canonical)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := h.Proof.PayReset(ctx, from, u.ID); err != nil {
		return err
	}
	if u.State != auth.Active {
		return h.Store.MailNoReset(ctx, canonical, from.Actor, from.Now)
	}
	return h.Store.MailReset(ctx, u, h.Link, from.Actor, from.Now)
}
