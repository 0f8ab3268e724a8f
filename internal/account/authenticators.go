package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// authenticatorRoutes are the addresses of the authenticator apps that somebody has.
func (h *Flow) authenticatorRoutes() []web.Route {
	const plugin, change = auth.TwoFactorPlugin, auth.ChangeAccount
	return []web.Route{
		{Method: http.MethodGet, Path: "/account/authenticators", Need: web.SignedIn, Plugin: plugin, Serve: h.showAuthenticators},
		{Method: http.MethodPost, Path: "/account/authenticators/rename", Need: web.SignedIn, Plugin: plugin, Serve: h.renameAuthenticator},
		{Method: http.MethodPost, Path: "/account/authenticators/remove", Need: web.SignedIn, Plugin: plugin, Action: change, Serve: h.removeAuthenticator},
		{Method: http.MethodGet, Path: "/account/authenticators/new", Need: web.SignedIn, Plugin: plugin, Action: change, Serve: h.showNewAuthenticator},
		{Method: http.MethodPost, Path: "/account/authenticators/new", Need: web.SignedIn, Plugin: plugin, Action: change, Serve: h.addAuthenticator},
		{Method: http.MethodGet, Path: "/account/authenticators/replace", Need: web.SignedIn, Plugin: plugin, Action: change, Serve: h.showReplacement},
		{Method: http.MethodPost, Path: "/account/authenticators/replace", Need: web.SignedIn, Plugin: plugin, Action: change, Serve: h.replaceAuthenticator},
	}
}

// factorEntry is a passkey or an authenticator app in a list of them.
type factorEntry struct {
	ID       string
	Called   ui.Text
	Made     time.Time
	LastUsed time.Time // zero: never
	Name     ui.Field  // names it anew
}

func newFactorEntry(id, name string, unnamed ui.Text, made, used time.Time) factorEntry {
	e := factorEntry{ID: id, Called: unnamed, Made: made, LastUsed: used,
		Name: ui.Field{Name: "name", ID: "name-" + id, Label: ui.T("authenticators.name"), Value: name, Required: true, Autocomplete: "off"}}
	if name != "" {
		e.Called = ui.Words(name)
	}
	return e
}

// authenticatorsPage lists the authenticator apps that somebody has.
type authenticatorsPage struct {
	ui.Summary
	Authenticators []factorEntry
	Most           int
}

// Several tells that one may be removed.
func (p authenticatorsPage) Several() bool { return len(p.Authenticators) > 1 }

// Full tells that there is no room for another.
func (p authenticatorsPage) Full() bool { return len(p.Authenticators) >= p.Most }

func newAuthenticatorsPage(all []store.ListedAuthenticator) authenticatorsPage {
	page := authenticatorsPage{Most: store.MostAuthenticators}
	for _, a := range all {
		page.Authenticators = append(page.Authenticators,
			newFactorEntry(a.ID, a.Name, ui.T("authenticators.unnamed"), a.Created, a.LastUsed))
	}
	return page
}

// authenticators gives the apps of the person, oldest first. Whose app is off has
// none to see here.
func (h *Flow) authenticators(r *http.Request) ([]store.ListedAuthenticator, error) {
	u := web.Asking(r).User()
	if !u.HasAuthenticator() {
		return nil, web.NotFound()
	}
	return h.Store.ListedAuthenticators(r.Context(), u.ID)
}

func (h *Flow) showAuthenticators(w http.ResponseWriter, r *http.Request) error {
	return h.showAuthenticatorsWith(w, r, http.StatusOK, func(*authenticatorsPage) {})
}

// showAuthenticatorsWith shows the list as a form left it.
func (h *Flow) showAuthenticatorsWith(w http.ResponseWriter, r *http.Request, status int, mark func(*authenticatorsPage)) error {
	all, err := h.authenticators(r)
	if err != nil {
		return err
	}
	page := newAuthenticatorsPage(all)
	mark(&page)
	return h.Show(w, r, status, "account/authenticators", page)
}

func (h *Flow) renameAuthenticator(w http.ResponseWriter, r *http.Request) error {
	return h.rename(w, r, h.Store.RenameAuthenticator, func(refuse refusal) error {
		return h.showAuthenticatorsWith(w, r, http.StatusUnprocessableEntity, func(p *authenticatorsPage) { p.Summary = refuse(p.entries()) })
	}, "authenticators.doneRenamed", "/account/authenticators")
}

func (p authenticatorsPage) entries() (all []*factorEntry) {
	for i := range p.Authenticators {
		all = append(all, &p.Authenticators[i])
	}
	return all
}

// refusal marks in a list what was refused.
type refusal func([]*factorEntry) ui.Summary

// rename names a passkey or an authenticator app of the person's anew, and leads back
// to its list. A name that will not do shows the list again.
func (h *Flow) rename(w http.ResponseWriter, r *http.Request, name func(ctx context.Context, by auth.Actor, id, name string, now time.Time) error,
	again func(refusal) error, done, list string) error {
	form, err := web.ReadForm(r, "id", "name")
	if err != nil {
		return err
	}
	chosen, refused := web.ReadFactorName(form["name"])
	if !refused.IsZero() {
		return again(refuseName(form, refused))
	}
	v := web.Asking(r)
	err = name(r.Context(), v.Actor(), form["id"], chosen, v.Now)
	if errors.Is(err, store.ErrNotFound) {
		return web.NotFound()
	} else if err != nil {
		return err
	}
	h.Notice(w, done)
	return web.Redirect(w, list)
}

// refuseName marks the field that a name was typed into.
func refuseName(form web.Form, why ui.Text) refusal {
	return func(entries []*factorEntry) ui.Summary {
		for _, e := range entries {
			if e.ID == form["id"] {
				e.Name.Value, e.Name.Error = form["name"], why
				return ui.SummarizeAmong(ui.Text{}, &e.Name)
			}
		}
		return ui.SummarizeAmong(why) // it is gone meanwhile
	}
}

func (h *Flow) removeAuthenticator(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "id")
	if err != nil {
		return err
	}
	token, err := h.Store.RemoveAuthenticator(r.Context(), v.Actor(), form["id"], v.Now)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return web.NotFound()
	case errors.Is(err, store.ErrSpent): // another page of this session was faster
		return web.Redirect(w, "/account/authenticators")
	case errors.Is(err, store.ErrLastFactor):
		return h.showAuthenticatorsWith(w, r, http.StatusUnprocessableEntity, func(p *authenticatorsPage) {
			p.Summary = ui.SummarizeAmong(ui.T("authenticators.lastOne"))
		})
	case err != nil:
		return err
	}
	h.KeepSession(w, token)
	h.Notice(w, "authenticators.doneRemoved")
	return web.Redirect(w, "/account/authenticators")
}
