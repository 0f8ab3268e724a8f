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
	apps, err := h.Store.Applications(ctx)
	if err != nil {
		return page, err
	}
	for _, a := range activations {
		region, err := h.region(ctx, a, groups, apps)
		if err != nil {
			return page, err
		}
		page.Plugins = append(page.Plugins, region)
	}
	return page, nil
}

func (h *Flow) region(ctx context.Context, a auth.Activation, groups []auth.Group, apps []auth.Application) (pluginRegion, error) {
	p, _ := auth.PluginByID(a.Plugin)
	active := a
	active.Active = true
	asked, err := h.countAsked(ctx, active)
	if err != nil {
		return pluginRegion{}, err
	}
	people, err := h.addressesOf(ctx, a.Users)
	if err != nil {
		return pluginRegion{}, err
	}
	region := newPluginRegion(p, a, groups, people, asked)
	region.Apps = dependent(apps, a.Plugin)
	if a.Plugin == auth.PasskeysPlugin {
		region.Domain, region.Nameless = h.Settings.PublicURL.Host(), !h.Settings.PublicURL.HasName()
	}
	return region, nil
}

// countAsked counts the people who are asked for a plug-in's own factor: for a passkey
// where one of theirs works here.
func (h *Flow) countAsked(ctx context.Context, a auth.Activation) (int, error) {
	if a.Plugin == auth.PasskeysPlugin {
		return h.Store.AskedForPasskey(ctx, a, h.Settings.PublicURL.Host())
	}
	return h.Store.AskedForCode(ctx, a)
}

// dependent counts the applications that cannot be opened without a plug-in.
func dependent(apps []auth.Application, id auth.PluginID) (n int) {
	for _, a := range apps {
		if a.Kind.Plugin() == id {
			n++
		}
	}
	return n
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

// changePlugin activates, deactivates, or says for whom. The button Activate or
// Deactivate changes only that; Save changes only for whom.
func (h *Flow) changePlugin(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	id, groups, err := h.pluginAndGroups(r)
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r, append(append(groupFields(groups), "active", "whom", "people", "really"), lossFields...)...)
	if err != nil {
		return err
	}

	// Decide.
	wanted, problem, err := h.wanted(ctx, groups, form)
	if err != nil {
		return err
	}
	if !problem.IsZero() {
		return h.refusePlugin(w, r, id, form, problem)
	}

	if id == auth.PasskeysPlugin && form["active"] == "yes" && !h.Settings.PublicURL.HasName() {
		return web.NotFound() // there is no button for it
	}
	if form["active"] == "no" && form["really"] == "" {
		if asked, err := h.askedClosing(w, r, id); err != nil || asked {
			return err
		}
	}

	// Write.
	done, err := h.mayLose(w, r, form, pluginLossPage(id, form), func(a store.Accepts) error {
		return h.Store.ChangeActivation(ctx, v.Actor(), id, a, v.Now, wanted)
	})
	if err != nil || !done {
		return err
	}

	// Answer.
	h.Notice(w, doneKey(form))
	return web.Redirect(w, "/admin/plugins")
}

// askedClosing asks once more before applications can no longer be opened, where
// there are any.
func (h *Flow) askedClosing(w http.ResponseWriter, r *http.Request, id auth.PluginID) (asked bool, err error) {
	apps, err := h.Store.Applications(r.Context())
	if err != nil {
		return false, err
	}
	n := dependent(apps, id)
	if n == 0 {
		return false, nil
	}
	return true, h.Show(w, r, http.StatusOK, "admin/confirm", closingPage(id, n))
}

func closingPage(id auth.PluginID, apps int) confirmPage {
	return confirmPage{Title: ui.T("plugins." + string(id) + "-off"), Text: ui.N("plugins.closing", apps), Button: ui.T("plugins.deactivate"),
		Action: "/admin/plugins/" + string(id), Back: "/admin/plugins", Hidden: []ui.Hidden{{Name: "active", Value: "no"}}}
}

func pluginLossPage(id auth.PluginID, form web.Form) lossPage {
	page := lossPage{Title: ui.T("plugins.confirmFewer"), Button: ui.T("form.save"),
		Action: "/admin/plugins/" + string(id), Back: "/admin/plugins"}
	if form["active"] != "" {
		page.Title, page.Button = ui.T("plugins."+string(id)+"-off"), ui.T("plugins.deactivate")
	}
	return page
}

func doneKey(form web.Form) string {
	switch form["active"] {
	case "":
		return "plugins.doneSaved"
	case "yes":
		return "plugins.doneActivated"
	}
	return "plugins.doneDeactivated"
}

func (h *Flow) pluginAndGroups(r *http.Request) (auth.PluginID, []auth.Group, error) {
	p, ok := auth.PluginByID(auth.PluginID(r.PathValue("id")))
	if !ok || h.Settings.Edition == config.Cloud { // the operator's settings say
		return "", nil, web.NotFound()
	}
	groups, err := h.Store.Groups(r.Context())
	return p.ID, groups, err
}

// groupFields are the names of the ticks, one for each group.
func groupFields(groups []auth.Group) (names []string) {
	for _, g := range groups {
		names = append(names, groupField(g))
	}
	return names
}

func groupField(g auth.Group) string { return "group-" + string(g.ID) }

// wanted is the change that a form asks for.
func (h *Flow) wanted(ctx context.Context, groups []auth.Group, form web.Form) (func(*auth.Activation), ui.Text, error) {
	if form["active"] != "" {
		return func(a *auth.Activation) { a.Active = form["active"] == "yes" }, ui.Text{}, nil
	}
	people, problem, err := h.peopleNamed(ctx, form["people"])
	return func(a *auth.Activation) {
		a.Everyone, a.Groups, a.Users = form["whom"] == "everyone", ticked(groups, form), people
	}, problem, err
}

// ticked are the groups whose boxes are ticked.
func ticked(groups []auth.Group, form web.Form) (ids []auth.GroupID) {
	for _, g := range groups {
		if form[groupField(g)] != "" {
			ids = append(ids, g.ID)
		}
	}
	return ids
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
