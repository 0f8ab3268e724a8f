package admin

import (
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
	form, err := web.ReadForm(r, "require", "really")
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
	if form["really"] == "" {
		return h.warnOfRequirement(w, r, a)
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

// warnOfRequirement names whom the demand would refuse as things are.
func (h *Flow) warnOfRequirement(w http.ResponseWriter, r *http.Request, a auth.Application) error {
	people, all, err := h.Store.Unasked(r.Context(), a.ID, losers)
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "admin/require", requirePage{App: a, People: people, All: all, More: all - len(people)})
}
