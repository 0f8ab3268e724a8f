package admin

import (
	"errors"
	"math"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
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
	switch {
	case form["really"] == "":
		return h.showRequirement(w, r, http.StatusOK, a)
	case !require && form["seen"] != requirementAsShown(true, nil):
		return h.showRequirement(w, r, http.StatusConflict, a)
	}

	// Write.
	err = h.Store.Alter(ctx, v.Actor(), a.ID, v.Now, store.Alteration{Require: &require, Refusing: func(people []auth.User) error {
		if form["seen"] != requirementAsShown(false, people) {
			return errUnseen
		}
		return nil
	}})
	if errors.Is(err, errUnseen) {
		return h.showRequirement(w, r, http.StatusConflict, a)
	} else if err != nil {
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

// showRequirement names whom the demand would refuse as things are; of one that
// is lifted, nobody. A conflict is of whoever has seen something else.
func (h *Flow) showRequirement(w http.ResponseWriter, r *http.Request, status int, a auth.Application) (err error) {
	var people []auth.User
	if !a.RequireTwoFactor {
		if people, _, err = h.Store.Unasked(r.Context(), a.ID, math.MaxInt32); err != nil {
			return err
		}
	}
	page := newRequirePage(a, people)
	if status == http.StatusConflict {
		page.Summary = ui.Summarize(ui.T("adminapps.requireChanged"))
	}
	return h.Show(w, r, status, "admin/require", page)
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
