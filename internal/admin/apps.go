package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
	"github.com/twinlock/twinlock/internal/written"
)

func (h *Flow) showApps(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "recipe")
	if err != nil {
		return err
	}
	program, err := chosenRecipe(query)
	if err != nil {
		return err
	}
	apps, err := h.Store.Applications(r.Context())
	if err != nil {
		return err
	}
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return err
	}
	page := newAppsPage(apps, newAppForm(auth.Application{}, groups, nil))
	page.follow(program)
	return h.Show(w, r, http.StatusOK, "admin/apps", page)
}

// addApp makes an application of the kind that was chosen.
func (h *Flow) addApp(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r, append(appFields(groups), "kind", "redirect-uris", "public", "recipe")...)
	if err != nil {
		return err
	}
	program, err := chosenRecipe(form)
	if err != nil {
		return err
	}
	kind := auth.Kind(form["kind"])
	if program != nil {
		kind = program.Kind
	}
	typed, a, err := h.appTyped(r.Context(), form, groups, auth.Application{Kind: kind})
	if err != nil {
		return err
	}
	page := newAppsPage(nil, typed)
	if page.fill(a.Kind, form); !page.knows(a.Kind) {
		return web.BadRequest()
	}
	page.follow(program)
	client := auth.Client{Public: form["public"] != "", RedirectURIs: lines(form["redirect-uris"])}
	filled := page.check(h.PublicURL, a, client)
	if page.HasFailed() {
		return h.refuseApp(w, r, page)
	}
	switch {
	case program != nil:
		err = h.addByRecipe(w, r, a, filled)
	case a.Kind == auth.SpeaksOpenID:
		err = h.addClient(w, r, a, client, nil)
	default:
		if a, err = h.Store.AddApplication(r.Context(), v.Actor(), a, v.Now); err == nil {
			h.Notice(w, "adminapps.doneAdded")
			return web.Redirect(w, "/admin/apps/"+string(a.ID))
		}
	}
	if page.refuseAddress(err, a) {
		return h.refuseApp(w, r, page)
	}
	return err
}

// refuseApp shows the form of a new application again.
func (h *Flow) refuseApp(w http.ResponseWriter, r *http.Request, page appsPage) error {
	var err error
	if page.Apps, err = h.Store.Applications(r.Context()); err != nil {
		return err
	}
	return h.Show(w, r, http.StatusUnprocessableEntity, "admin/apps", page)
}

// appTyped reads the form of an application into its page, with what is wrong
// marked, and into the application.
func (h *Flow) appTyped(ctx context.Context, form web.Form, groups []auth.Group, a auth.Application) (appForm, auth.Application, error) {
	var wrongName, wrongDescription ui.Text
	a.Name, wrongName = web.ReadWritten(form["name"], written.Name)
	a.Description, wrongDescription = web.ReadWritten(form["description"], written.Description)
	a.URL, a.Everyone, a.Groups = strings.TrimSpace(form["url"]), form["whom"] == "everyone", ticked(groups, form)
	hosts, typedHosts := form["hosts"]
	if typedHosts {
		a.Hosts = lines(hosts)
	}
	people, problem, err := h.peopleNamed(ctx, form["people"])
	if err != nil {
		return appForm{}, a, err
	}
	a.Users = people
	page := newAppForm(a, groups, nil)
	page.Name.Value, page.Name.Error = form["name"], wrongName
	page.Description.Value, page.Description.Error = form["description"], wrongDescription
	page.People.Value, page.People.Error = form["people"], problem
	if page.Hosts != nil && typedHosts {
		page.Hosts.Value = hosts
	}
	page.check(a)
	return page, a, nil
}

// application is the one that a route names.
func (h *Flow) application(r *http.Request) (auth.Application, error) {
	return h.Store.Application(r.Context(), auth.ApplicationID(r.PathValue("id")))
}

// askOnceMore shows what will happen to the application that a route names,
// until the form says that this was asked.
func (h *Flow) askOnceMore(w http.ResponseWriter, r *http.Request, what func(auth.Application) (confirmPage, error)) (a auth.Application, asked bool, err error) {
	form, err := web.ReadForm(r, "really")
	if err != nil {
		return a, false, err
	}
	if a, err = h.application(r); err != nil || form["really"] != "" {
		return a, err == nil, err
	}
	page, err := what(a)
	if err != nil {
		return a, false, err
	}
	page.Action, page.Back = r.URL.Path, "/admin/apps/"+string(a.ID)
	return a, false, h.Show(w, r, http.StatusOK, "admin/confirm", page)
}

// appFields are the names of the form's fields.
func appFields(groups []auth.Group) []string {
	return append(groupFields(groups), "name", "description", "url", "hosts", "whom", "people")
}

// isWebAddress tells an address that a card may lead to.
func isWebAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && slices.Contains([]string{"https", "http"}, u.Scheme)
}

func (h *Flow) showApp(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "person", "recipe")
	if err != nil {
		return err
	}
	program, err := chosenRecipe(query)
	if err != nil {
		return err
	}
	a, err := h.application(r)
	if err != nil {
		return err
	}
	page, err := h.appPage(r, a)
	if err != nil {
		return err
	}
	if err := h.askAbout(r.Context(), &page, query["person"]); err != nil {
		return err
	}
	if h.tellRecipe(&page, program); program != nil {
		if page.Proxy, err = h.proxyOf(a, program.Upstream); err != nil {
			return err
		}
	}
	page.Summary = ui.Summarize(ui.Text{}, &page.Person)
	return h.Show(w, r, http.StatusOK, "admin/app", page)
}

// appPage is an application with its form as it is kept, and everything else
// about it.
func (h *Flow) appPage(r *http.Request, a auth.Application) (appPage, error) {
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return appPage{}, err
	}
	people, err := h.addressesOf(r.Context(), a.Users)
	if err != nil {
		return appPage{}, err
	}
	return h.aroundForm(r, a, newAppForm(a, groups, people))
}

// aroundForm is the page of an application with the form as it was typed.
func (h *Flow) aroundForm(r *http.Request, a auth.Application, form appForm) (appPage, error) {
	ctx, v := r.Context(), web.Asking(r)
	page := newAppPage(a, form)
	page.MayRequire = auth.MayRequireTwoFactor(v.Actor(), v.Policy())
	var err error
	if page.OpenID, err = h.openIDOf(r, a); err != nil {
		return page, err
	}
	h.tellRecipe(&page, nil)
	if page.Proxy, err = h.proxyOf(a, ""); err != nil {
		return page, err
	}
	if page.Rules, err = h.rulesOf(r, a); err != nil {
		return page, err
	}
	logos, err := h.Store.LogoVersions(ctx)
	if err != nil {
		return page, err
	}
	page.LogoVersion = logos[a.ID]
	days, err := h.Store.SignIns(ctx, a.ID, chartDays, v.Now)
	if err != nil {
		return page, err
	}
	page.SignIns = signInChart(days)
	if a.RequireTwoFactor {
		_, page.Refused, err = h.Store.Unasked(ctx, a.ID, 0)
	}
	return page, err
}

// errOpens is a change that makes something public without saying so.
var errOpens = errors.New("something becomes public")

// changeApp changes an application, once whoever brings a host to it that is
// open to everybody has said that they mean it.
func (h *Flow) changeApp(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	a, err := h.application(r)
	if err != nil {
		return err
	}
	groups, err := h.Store.Groups(r.Context())
	if err != nil {
		return err
	}
	typed, err := web.ReadForm(r, append(appFields(groups), "seen", "really", "back")...)
	if err != nil {
		return err
	}
	form, wanted, err := h.appTyped(r.Context(), typed, groups, a)
	if err != nil {
		return err
	}
	if typed["back"] != "" {
		form.Seen = typed["seen"]
		return h.showTyped(w, r, http.StatusOK, a, form)
	}
	var opened []auth.Address
	if !form.HasFailed() {
		err = h.Store.Alter(r.Context(), v.Actor(), a.ID, v.Now, store.Alteration{Gate: func(is *auth.Gate) (err error) {
			if shownOf(is.Application) != typed["seen"] {
				return errUnseen
			}
			if opened, err = store.OpenedAt(*is, wanted); err == nil && len(opened) > 0 && typed["really"] == "" {
				err = errOpens
			}
			if err != nil {
				return err
			}
			is.Name, is.Description, is.URL, is.Hosts = wanted.Name, wanted.Description, wanted.URL, wanted.Hosts
			is.Everyone, is.Groups, is.Users = wanted.Everyone, wanted.Groups, wanted.Users
			return nil
		}})
	}
	switch {
	case errors.Is(err, errOpens):
		return h.Show(w, r, http.StatusOK, "admin/confirm", publicPage(a, opened, "", r.URL.Path, typed, append(appFields(groups), "seen")))
	case errors.Is(err, errUnseen):
		if a, err = h.application(r); err != nil {
			return err
		}
		form.Summary, form.Seen = ui.Summarize(ui.T("adminapps.changed")), shownOf(a)
		return h.showTyped(w, r, http.StatusConflict, a, form)
	case form.HasFailed() || form.refuseAddress(err, a):
		form.Seen = typed["seen"] // nobody was told of what somebody may have changed
		return h.showTyped(w, r, http.StatusUnprocessableEntity, a, form)
	case err != nil:
		return err
	}
	h.Notice(w, "adminapps.doneSaved")
	return web.Redirect(w, "/admin/apps/"+string(a.ID))
}

// showTyped shows the page of an application with its form as it was typed.
func (h *Flow) showTyped(w http.ResponseWriter, r *http.Request, status int, a auth.Application, form appForm) error {
	page, err := h.aroundForm(r, a, form)
	if err != nil {
		return err
	}
	return h.Show(w, r, status, "admin/app", page)
}

func (h *Flow) deleteApp(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	a, asked, err := h.askOnceMore(w, r, func(a auth.Application) (confirmPage, error) {
		goes, err := h.Store.Belongings(r.Context(), a.ID, v.Now)
		return deletePage(a, goes), err
	})
	if err != nil || !asked {
		return err
	}
	if err := h.Store.DeleteApplication(r.Context(), v.Actor(), a, v.Now); err != nil {
		return err
	}
	h.Notice(w, "adminapps.doneDeleted")
	return web.Redirect(w, "/admin/apps")
}

// deletePage says what is lost with an application.
func deletePage(a auth.Application, goes store.Belongings) confirmPage {
	p := confirmPage{Title: ui.T("adminapps.deleteTitle", "Name", a.Name), Text: ui.T("adminapps.deleteAsk"), Button: ui.T("adminapps.delete")}
	switch {
	case a.Kind == auth.SpeaksOpenID && !goes.Secret:
		p.Goes = append(p.Goes, ui.T("adminapps.goes-public"))
	case a.Kind.Asks():
		p.Goes = append(p.Goes, ui.T("adminapps.goes-"+string(a.Kind)))
	}
	for _, counted := range []struct {
		key string
		n   int
	}{{"adminapps.goesSignedIn", goes.SignedIn}, {"adminapps.goesConsents", goes.Consents}, {"adminapps.goesRules", goes.Rules}, {"adminapps.goesSignIns", goes.SignIns}} {
		if counted.n > 0 {
			p.Goes = append(p.Goes, ui.N(counted.key, counted.n))
		}
	}
	if goes.Logo {
		p.Goes = append(p.Goes, ui.T("adminapps.goesLogo"))
	}
	if len(p.Goes) == 0 {
		p.Text = ui.T("adminapps.deleteAlone")
	}
	return p
}
