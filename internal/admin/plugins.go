package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showPlugins(w http.ResponseWriter, r *http.Request) error {
	page, err := h.pluginsPage(r.Context())
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "admin/plugins", page)
}

func (h *Flow) pluginsPage(ctx context.Context) (pluginsPage, error) {
	page := pluginsPage{Given: h.Settings.Edition == config.Cloud}
	activations, err := h.Live.Activations(ctx)
	if err != nil {
		return page, err
	}
	groups, err := h.Store.Groups(ctx)
	if err != nil {
		return page, err
	}
	for _, a := range activations {
		region, err := h.region(ctx, a, groups)
		if err != nil {
			return page, err
		}
		page.Plugins = append(page.Plugins, region)
	}
	return page, nil
}

func (h *Flow) region(ctx context.Context, a auth.Activation, groups []auth.Group) (pluginRegion, error) {
	p, _ := auth.PluginByID(a.Plugin)
	asked, err := h.Store.AskedForCode(ctx, a)
	if err != nil {
		return pluginRegion{}, err
	}
	people, err := h.addressesOf(ctx, a.Users)
	if err != nil {
		return pluginRegion{}, err
	}
	return newPluginRegion(p, a, groups, people, len(asked)), nil
}

// addressesOf gives the addresses of people who are still there.
func (h *Flow) addressesOf(ctx context.Context, ids []auth.UserID) (addresses []string, err error) {
	for _, id := range ids {
		u, err := h.Store.User(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		addresses = append(addresses, u.Address)
	}
	return addresses, nil
}

// changePlugin activates, deactivates, or says for whom. Where people who have
// two-factor authentication on would no longer be asked for a code, it first
// shows how many, and asks the administrator for a code of their own.
func (h *Flow) changePlugin(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	before, groups, err := h.pluginAndGroups(r)
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r, append(groupFields(groups), "active", "whom", "people", "really", "code")...)
	if err != nil {
		return err
	}

	// Decide.
	wanted, problem, err := h.wanted(ctx, before, groups, form)
	if err != nil {
		return err
	}
	if !problem.IsZero() {
		return h.refusePlugin(w, r, before.Plugin, form, problem)
	}
	losing, err := h.losing(ctx, before, wanted)
	if err != nil {
		return err
	}
	if losing > 0 {
		confirmed, err := h.confirmLoss(w, r, wanted, form, groups, losing)
		if err != nil || !confirmed {
			return err
		}
	}

	// Write.
	if err := h.Store.SetActivation(ctx, v.Actor(), wanted, v.Now); err != nil {
		return err
	}

	// Answer.
	h.Notice(w, doneKey(before, wanted))
	return web.Redirect(w, "/admin/plugins")
}

func doneKey(before, after auth.Activation) string {
	switch {
	case after.Active && !before.Active:
		return "plugins.doneActivated"
	case !after.Active && before.Active:
		return "plugins.doneDeactivated"
	}
	return "plugins.doneSaved"
}

func (h *Flow) pluginAndGroups(r *http.Request) (auth.Activation, []auth.Group, error) {
	if h.Settings.Edition == config.Cloud {
		return auth.Activation{}, nil, web.NotFound() // the operator's settings say
	}
	activations, err := h.Store.Activations(r.Context())
	if err != nil {
		return auth.Activation{}, nil, err
	}
	i := slices.IndexFunc(activations, func(a auth.Activation) bool { return string(a.Plugin) == r.PathValue("id") })
	if i < 0 {
		return auth.Activation{}, nil, web.NotFound()
	}
	groups, err := h.Store.Groups(r.Context())
	return activations[i], groups, err
}

// groupFields are the names of the ticks, one for each group.
func groupFields(groups []auth.Group) (names []string) {
	for _, g := range groups {
		names = append(names, groupField(g))
	}
	return names
}

func groupField(g auth.Group) string { return "group-" + string(g.ID) }

// wanted is the state that a form asks for. The button Activate or Deactivate
// changes only that; Save changes only for whom.
func (h *Flow) wanted(ctx context.Context, before auth.Activation, groups []auth.Group, form web.Form) (auth.Activation, ui.Text, error) {
	wanted := before
	if form["active"] != "" {
		wanted.Active = form["active"] == "yes"
		return wanted, ui.Text{}, nil
	}
	wanted.Everyone = form["whom"] == "everyone"
	wanted.Groups = nil
	for _, g := range groups {
		if form[groupField(g)] != "" {
			wanted.Groups = append(wanted.Groups, g.ID)
		}
	}
	people, problem, err := h.peopleNamed(ctx, form["people"])
	wanted.Users = people
	return wanted, problem, err
}

// peopleNamed turns addresses, one a line, into people. The first that nobody
// has is named in the problem.
func (h *Flow) peopleNamed(ctx context.Context, lines string) (ids []auth.UserID, problem ui.Text, err error) {
	for line := range strings.FieldsFuncSeq(lines, func(c rune) bool { return c == '\n' || c == '\r' || c == ',' || c == ' ' }) {
		parsed, err := address.Parse(line)
		if err != nil {
			return nil, ui.T("admin.noSuchPerson", "Address", line), nil
		}
		u, err := h.Store.UserByAddress(ctx, parsed.Canonical)
		if errors.Is(err, store.ErrNotFound) {
			return nil, ui.T("admin.noSuchPerson", "Address", line), nil
		} else if err != nil {
			return nil, ui.Text{}, err
		}
		if !slices.Contains(ids, u.ID) {
			ids = append(ids, u.ID)
		}
	}
	return ids, ui.Text{}, nil
}

// refusePlugin shows the page again with what was typed.
func (h *Flow) refusePlugin(w http.ResponseWriter, r *http.Request, id auth.PluginID, form web.Form, problem ui.Text) error {
	page, err := h.pluginsPage(r.Context())
	if err != nil {
		return err
	}
	for i := range page.Plugins {
		region := &page.Plugins[i]
		if region.ID != id {
			continue
		}
		region.fill(form)
		region.People.Error = problem
		page.Summary = ui.SummarizeAmong(ui.Text{}, &region.People)
	}
	return h.Show(w, r, http.StatusUnprocessableEntity, "admin/plugins", page)
}

// losing counts the people who are asked for a code now and would not be.
func (h *Flow) losing(ctx context.Context, before, after auth.Activation) (n int, err error) {
	asked, err := h.Store.AskedForCode(ctx, before)
	if err != nil {
		return 0, err
	}
	still, err := h.Store.AskedForCode(ctx, after)
	for id := range asked {
		if !still[id] {
			n++
		}
	}
	return n, err
}

// confirmLoss asks whether so many people shall lose the code's protection,
// and for a code of the administrator's own where one can be asked for. It
// answers the request itself until both are given.
func (h *Flow) confirmLoss(w http.ResponseWriter, r *http.Request, wanted auth.Activation, form web.Form, groups []auth.Group, losing int) (confirmed bool, err error) {
	ctx, v := r.Context(), web.Asking(r)
	page := newPluginConfirmPage(wanted, form, groups, losing, v.Policy().AsksCode(v.User()))
	if form["really"] == "" {
		return false, h.Show(w, r, http.StatusOK, "admin/plugin-confirm", page)
	}
	if page.Code == nil {
		return true, nil
	}
	checked, err := h.Proof.Code(ctx, h.From(r), v.User(), form["code"])
	var wait *store.WaitError
	switch {
	case errors.As(err, &wait):
		page.refuse(ui.T("admin.codeWait"))
		return false, h.Show(w, r, http.StatusTooManyRequests, "admin/plugin-confirm", page)
	case err != nil:
		return false, err
	case checked.Verdict != proof.Right:
		page.refuse(ui.T("admin.codeWrong"))
		if err := h.Proof.RefuseCode(ctx, h.From(r), v.User(), checked); err != nil {
			return false, err
		}
		return false, h.Show(w, r, http.StatusUnprocessableEntity, "admin/plugin-confirm", page)
	}
	token, err := h.Store.Confirm(ctx, v.Actor(), store.Confirmation{Code: checked.Claim}, checked.Paid, v.Now)
	if errors.Is(err, store.ErrSpent) {
		page.refuse(ui.T("admin.codeWrong"))
		return false, h.Show(w, r, http.StatusUnprocessableEntity, "admin/plugin-confirm", page)
	} else if err != nil {
		return false, err
	}
	h.KeepSession(w, token)
	return true, nil
}
