package account

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// further is an authenticator app that comes to those that somebody has: beside
// them, or in the place of one.
type further struct {
	Old  store.ListedAuthenticator // whose place it takes; zero where it comes beside them
	Name ui.Field                  // of one that comes beside them
}

// replaces tells that it takes another's place.
func (f further) replaces() bool { return f.Old.ID != "" }

// tell says on the page of a set-up what comes of it; nil says nothing more.
func (p *setUpPage) tell(f *further) {
	switch {
	case f == nil:
	case f.replaces():
		p.Title, p.Text, p.Action = ui.T("authenticators.replace"), ui.T("authenticators.replaceText"), "/account/authenticators/replace"
		p.Replaces, p.Instead = f.Old.ID, ui.T("authenticators.replaced", "Name", calledAuthenticator(f.Old))
	default:
		p.Title, p.Text, p.Action = ui.T("authenticators.add"), ui.T("authenticators.addText"), "/account/authenticators/new"
		p.Back, p.Name = "/account/authenticators", &f.Name
	}
}

func calledAuthenticator(a store.ListedAuthenticator) ui.Text {
	if a.Name == "" {
		return ui.T("authenticators.unnamed")
	}
	return ui.Words(a.Name)
}

// enrollerOf sets up one more app inside a session, whose proofs the floor has
// looked at. What it is for is sealed with its key.
func enrollerOf(r *http.Request, f *further) enroller {
	v := web.Asking(r)
	return enroller{User: v.User(), Further: f, row: setUpRow(v.User(), "further/"+f.Old.ID, string(v.Presence.Session.ID))}
}

// newFurther is one more app beside those that there are, by a name that tells it
// apart.
func (h *Flow) newFurther(r *http.Request, all []store.ListedAuthenticator) *further {
	name := ui.T("authenticators.unnamedNext", "Number", len(all)+1).In(web.Asking(r).Texts)
	return &further{Name: ui.Field{Name: "name", Label: ui.T("authenticators.name"), Value: name, Required: true, Autocomplete: "off"}}
}

func (h *Flow) showNewAuthenticator(w http.ResponseWriter, r *http.Request) error {
	all, err := h.authenticators(r)
	switch {
	case err != nil:
		return err
	case newAuthenticatorsPage(all).Full():
		return web.Redirect(w, "/account/authenticators")
	}
	return h.showSetUp(w, r, enrollerOf(r, h.newFurther(r, all)), http.StatusOK, ui.Text{})
}

// addAuthenticator keeps one more app whose code was shown.
func (h *Flow) addAuthenticator(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "set-up", "code", "name")
	if err != nil {
		return err
	}
	all, err := h.authenticators(r)
	if err != nil {
		return err
	}
	f := h.newFurther(r, all)
	name, refused := web.ReadFactorName(form["name"])
	f.Name.Value, f.Name.Error = form["name"], refused
	e := enrollerOf(r, f)
	if !refused.IsZero() {
		return h.refuseFurtherName(w, r, e, form)
	}
	return h.further(w, r, e, form, "authenticators.doneAdded", "/account/authenticators", func(n store.Enrolment) (secret.Token, error) {
		n.Name = name
		return h.Store.AddAuthenticator(r.Context(), web.Asking(r).Actor(), n, web.Asking(r).Now)
	})
}

// refuseFurtherName shows the set-up with its key again. The code was not looked at.
func (h *Flow) refuseFurtherName(w http.ResponseWriter, r *http.Request, e enroller, form web.Form) error {
	key, ok := h.openSetUp(e, form["set-up"], web.Asking(r))
	if !ok {
		return h.showSetUp(w, r, e, http.StatusUnprocessableEntity, ui.T("twofactor.setUpOver"))
	}
	page, err := h.setUpPage(e, key, form["set-up"], web.Asking(r).Now)
	if err != nil {
		return err
	}
	page.Summary = ui.SummarizeAmong(ui.Text{}, page.Name)
	return h.Show(w, r, http.StatusUnprocessableEntity, "account/set-up", page)
}

// showReplacement sets a new phone up, for one of several apps once it is said which.
func (h *Flow) showReplacement(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "id")
	if err != nil {
		return err
	}
	all, err := h.authenticators(r)
	if err != nil {
		return err
	}
	old, ok := authenticatorOf(all, query["id"])
	switch {
	case query["id"] == "" && len(all) > 1:
		return h.Show(w, r, http.StatusOK, "account/which-app", newWhichPage(all))
	case !ok:
		return web.Redirect(w, "/account/authenticators")
	}
	return h.showSetUp(w, r, enrollerOf(r, &further{Old: old}), http.StatusOK, ui.Text{})
}

// authenticatorOf finds one of somebody's apps; "" is the only one.
func authenticatorOf(all []store.ListedAuthenticator, id string) (store.ListedAuthenticator, bool) {
	for _, a := range all {
		if a.ID == id || id == "" && len(all) == 1 {
			return a, true
		}
	}
	return store.ListedAuthenticator{}, false
}

// whichPage asks which of several apps is replaced.
type whichPage struct{ Which ui.Choices }

func newWhichPage(all []store.ListedAuthenticator) whichPage {
	page := whichPage{ui.Choices{Name: "id", Legend: ui.T("authenticators.replaceWhich")}}
	for i, a := range all {
		page.Which.Options = append(page.Which.Options, ui.Option{Value: a.ID, Label: calledAuthenticator(a),
			Hint: ui.T("authenticators.setUpOn", "Time", a.Created), Chosen: i == 0})
	}
	return page
}

// replaceAuthenticator puts the app whose code was shown in an old one's place.
func (h *Flow) replaceAuthenticator(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "id", "set-up", "code")
	if err != nil {
		return err
	}
	all, err := h.authenticators(r)
	if err != nil {
		return err
	}
	old, ok := authenticatorOf(all, form["id"])
	if !ok || form["id"] == "" {
		return web.Redirect(w, "/account/authenticators")
	}
	return h.further(w, r, enrollerOf(r, &further{Old: old}), form, "authenticators.doneReplaced", "/account", func(n store.Enrolment) (secret.Token, error) {
		return h.Store.ReplaceAuthenticator(r.Context(), web.Asking(r).Actor(), old.ID, n, web.Asking(r).Now)
	})
}

// further keeps an app whose code was shown, and leads on.
func (h *Flow) further(w http.ResponseWriter, r *http.Request, e enroller, form web.Form, done, next string, keep func(store.Enrolment) (secret.Token, error)) error {
	k, ok, err := h.shownCode(w, r, e, form)
	if err != nil || !ok {
		return err
	}

	// Write.
	token, err := keep(store.Enrolment{User: e.ID, Generation: e.Generation, Key: k.Key, Step: k.Step, Paid: k.Paid})
	switch {
	case errors.Is(err, store.ErrSpent), errors.Is(err, store.ErrTooMany): // the list tells what there is now
		return web.Redirect(w, "/account/authenticators")
	case err != nil:
		return err
	}

	// Answer.
	h.KeepSetUp(w, "")
	h.KeepSession(w, token)
	h.Notice(w, done)
	return web.Redirect(w, next)
}
