package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showGroups(w http.ResponseWriter, r *http.Request) error {
	page, err := h.groupsPage(r.Context())
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "admin/groups", page)
}

func (h *Flow) groupsPage(ctx context.Context) (groupsPage, error) {
	groups, err := h.Store.Groups(ctx)
	if err != nil {
		return groupsPage{}, err
	}
	members, err := h.Store.Members(ctx)
	return newGroupsPage(groups, members), err
}

func (h *Flow) addGroup(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "name")
	if err != nil {
		return err
	}
	name, problem := web.ReadGroupName(form["name"])
	if problem.IsZero() {
		_, err = h.Store.AddGroup(r.Context(), v.Actor(), name, v.Now)
		if errors.Is(err, store.ErrTaken) {
			problem, err = ui.T("groups.taken"), nil
		}
		if err != nil {
			return err
		}
	}
	if !problem.IsZero() {
		page, err := h.groupsPage(r.Context())
		if err != nil {
			return err
		}
		page.Name.Value, page.Name.Error = form["name"], problem
		page.Summary = ui.SummarizeAmong(ui.Text{}, &page.Name)
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/groups", page)
	}
	h.Notice(w, "groups.doneAdded")
	return web.Redirect(w, "/admin/groups")
}

// group finds the group that the address names.
func (h *Flow) group(r *http.Request) (auth.Group, error) {
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return auth.Group{}, err
	}
	i := slices.IndexFunc(groups, func(g auth.Group) bool { return string(g.ID) == r.PathValue("id") })
	if i < 0 {
		return auth.Group{}, store.ErrNotFound
	}
	return groups[i], nil
}

// changeGroup saves a group's name and its open window, in minutes; an empty
// one follows the settings.
func (h *Flow) changeGroup(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, append(lossFields, "name", "window")...)
	if err != nil {
		return err
	}
	g, err := h.group(r)
	if err != nil {
		return err
	}
	name, wrongName := web.ReadGroupName(form["name"])
	window, wrongWindow := minutes(form["window"])
	if wrongName.IsZero() && wrongWindow.IsZero() {
		page := lossPage{Title: ui.T("groups.renameTitle", "Name", g.Name), Button: ui.T("form.save"), Action: r.URL.Path, Back: "/admin/groups"}
		g.Name, g.OpenWindow = name, window
		done, err := h.mayLose(w, r, form, page, func(a store.Accepts) error {
			return h.Store.SetGroup(r.Context(), v.Actor(), g, a, v.Now)
		})
		switch {
		case errors.Is(err, store.ErrTaken):
			wrongName = ui.T("groups.taken")
		case err != nil || !done:
			return err
		}
	}
	if !wrongName.IsZero() || !wrongWindow.IsZero() {
		page, err := h.groupsPage(r.Context())
		if err != nil {
			return err
		}
		page.refuse(g.ID, form, wrongName, wrongWindow)
		return h.Show(w, r, http.StatusUnprocessableEntity, "admin/groups", page)
	}
	h.Notice(w, "groups.doneSaved")
	return web.Redirect(w, "/admin/groups")
}

// minutes reads a number of minutes up to a day, or says why it is refused;
// nothing typed is a negative time.
func minutes(typed string) (window time.Duration, refused ui.Text) {
	if strings.TrimSpace(typed) == "" {
		return -time.Millisecond, ui.Text{}
	}
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	if err != nil || n < 0 || n > 24*60 {
		return 0, ui.T("groups.wrongWindow")
	}
	return time.Duration(n) * time.Minute, ui.Text{}
}

func (h *Flow) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, append(lossFields, "really")...)
	if err != nil {
		return err
	}
	g, err := h.group(r)
	if err != nil {
		return err
	}
	remove := func(a store.Accepts) error { return h.Store.DeleteGroup(r.Context(), v.Actor(), g, a, v.Now) }
	losing, err := look(remove)
	if err != nil {
		return err
	}
	title := ui.T("groups.deleteTitle", "Name", g.Name)
	if len(losing) == 0 && form["really"] == "" {
		return h.Show(w, r, http.StatusOK, "admin/confirm", confirmPage{
			Title: title, Text: ui.T("groups.deleteText"),
			Button: ui.T("groups.delete"), Action: r.URL.Path, Back: "/admin/groups"})
	}
	page := lossPage{Title: title, Button: ui.T("groups.delete"), Action: r.URL.Path, Back: "/admin/groups"}
	done, err := h.mayLose(w, r, form, page, remove)
	if err != nil || !done {
		return err
	}
	h.Notice(w, "groups.doneDeleted")
	return web.Redirect(w, "/admin/groups")
}
