package admin

import (
	"context"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// changeRequirement makes an application demand two-factor authentication, or no
// longer, after a page that says what will happen and to whom. Only who uses it
// may.
func (h *Flow) changeRequirement(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "require", "seen", "really")
	if err != nil {
		return err
	}
	a, err := h.application(r)
	if err != nil {
		return err
	}

	// Decide.
	if !auth.MayRequireTwoFactor(v.Actor(), v.Policy()) {
		return &web.Refusal{Status: http.StatusForbidden, Heading: ui.T("adminapps.requireHeading"), Text: ui.T("adminapps.requireOwn"),
			Action: &ui.Button{Label: ui.T("form.back"), Href: "/admin/apps/" + string(a.ID)}}
	}
	require := form["require"] == "yes"
	switch {
	case require && !a.Kind.Asks():
		return web.NotFound()
	case !require && form["require"] != "no":
		return web.BadRequest()
	case require == a.RequireTwoFactor:
		return h.refuseRequirement(w, r, a)
	}
	page, err := h.requirement(ctx, a)
	switch {
	case err != nil:
		return err
	case form["really"] == "":
		return h.Show(w, r, http.StatusOK, "admin/require", page)
	case form["seen"] != page.Seen:
		page.Summary = ui.Summarize(ui.T("adminapps.requireChanged"))
		return h.Show(w, r, http.StatusConflict, "admin/require", page)
	}

	// Write.
	if err := h.Store.RequireTwoFactor(ctx, v.Actor(), a.ID, require, v.Now); err != nil {
		return err
	}

	// Answer.
	done := "adminapps.doneLifted"
	if require {
		done = "adminapps.doneRequired"
	}
	h.Notice(w, done)
	return web.Redirect(w, "/admin/apps/"+string(a.ID))
}

// requirement names whom the demand would refuse as things are.
func (h *Flow) requirement(ctx context.Context, a auth.Application) (requirePage, error) {
	people, all, err := h.Store.Unasked(ctx, a.ID, losers)
	return newRequirePage(a, people, all), err
}

// refuseRequirement shows the application to whoever wants what it does already:
// their page was of before.
func (h *Flow) refuseRequirement(w http.ResponseWriter, r *http.Request, a auth.Application) error {
	page, err := h.appPage(r, a)
	if err != nil {
		return err
	}
	page.Summary = ui.Summarize(ui.T("adminapps.requireChanged"))
	return h.Show(w, r, http.StatusConflict, "admin/app", page)
}
