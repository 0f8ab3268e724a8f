package admin

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/picture"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// changeLogo takes an uploaded picture for an application.
func (h *Flow) changeLogo(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	a, err := h.application(r)
	if err != nil {
		return err
	}
	upload, err := web.ReadUpload(r, "logo")
	if err != nil {
		return err
	}

	// Decide.
	if len(upload) == 0 {
		return h.refuseLogo(w, r, a, ui.T("adminapps.logoMissing"))
	}
	var logo []byte
	var wrong error
	if err := h.Proof.Slots.Do(ctx, func() { logo, wrong = picture.Logo(upload) }); err != nil {
		return err
	}
	switch {
	case errors.Is(wrong, picture.ErrLarge):
		return h.refuseLogo(w, r, a, ui.T("adminapps.logoLarge"))
	case wrong != nil:
		return h.refuseLogo(w, r, a, ui.T("adminapps.logoFormat"))
	}

	// Write.
	if err := h.Store.SetLogo(ctx, v.Actor(), a.ID, logo, v.Now); err != nil {
		return err
	}

	// Answer.
	h.Notice(w, "adminapps.doneLogo")
	return web.Redirect(w, "/admin/apps/"+string(a.ID))
}

func (h *Flow) refuseLogo(w http.ResponseWriter, r *http.Request, a auth.Application, why ui.Text) error {
	page, err := h.appPage(r, a)
	if err != nil {
		return err
	}
	page.Logo.Error = why
	page.Summary = ui.Summarize(ui.Text{}, &page.Logo)
	return h.Show(w, r, http.StatusUnprocessableEntity, "admin/app", page)
}

// removeLogo leaves the application its initial.
func (h *Flow) removeLogo(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	id := auth.ApplicationID(r.PathValue("id"))
	if err := h.Store.SetLogo(r.Context(), v.Actor(), id, nil, v.Now); err != nil {
		return err
	}
	h.Notice(w, "adminapps.doneLogoRemoved")
	return web.Redirect(w, "/admin/apps/"+string(id))
}
