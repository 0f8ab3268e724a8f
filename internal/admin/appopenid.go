package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/redirect"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// openIDForm is how an application speaks OpenID Connect with us.
type openIDForm struct {
	Seen                  string // tells this from what it may be meanwhile
	Redirects, LogoutURIs ui.Field
	LogoutNotice          ui.Field
	Public                ui.Checkbox // settled when the application is made
	Scopes                []ui.Checkbox
	WithPKCE, WithConsent ui.Checkbox
	RSA                   ui.Checkbox
}

// openIDFields are the names of its fields.
var openIDFields = []string{"seen", "redirect-uris", "logout-uris", "logout-notice", "scope-profile", "scope-email", "scope-groups",
	"scope-offline_access", "pkce", "consent", "rsa"}

// scopeTicks are what a client may ask for besides openid, without which there is
// no signing in.
func scopeTicks(may auth.Scopes) (ticks []ui.Checkbox) {
	for _, s := range auth.AllScopes[1:] {
		ticks = append(ticks, ui.Checkbox{Name: "scope-" + string(s), Label: ui.T("adminapps.scope-" + string(s)), Checked: may.Has(s)})
	}
	return ticks
}

// tickedScopes reads them.
func tickedScopes(form web.Form) auth.Scopes {
	may := auth.Scopes{auth.ScopeOpenID}
	for _, s := range auth.AllScopes[1:] {
		if form["scope-"+string(s)] != "" {
			may = append(may, s)
		}
	}
	return may
}

func newOpenIDForm(c auth.Client) openIDForm {
	return openIDForm{
		Seen: shownOfClient(c),
		Redirects: ui.Field{Name: "redirect-uris", Label: ui.T("adminapps.redirects"), Hint: ui.T("adminapps.redirectsHint"),
			Kind: ui.KindLines, Rows: max(2, len(c.RedirectURIs)), Value: strings.Join(c.RedirectURIs, "\n"), Required: true},
		LogoutURIs: ui.Field{Name: "logout-uris", Label: ui.T("adminapps.logoutURIs"), Hint: ui.T("adminapps.logoutURIsHint"),
			Kind: ui.KindLines, Rows: max(2, len(c.LogoutURIs)), Value: strings.Join(c.LogoutURIs, "\n")},
		LogoutNotice: ui.Field{Name: "logout-notice", Label: ui.T("adminapps.logoutNotice"), Hint: ui.T("adminapps.logoutNoticeHint"),
			Kind: ui.KindURL, Value: c.LogoutNotice},
		Scopes:      scopeTicks(c.Scopes),
		Public:      ui.Checkbox{Name: "public", Label: ui.T("adminapps.public"), Hint: ui.T("adminapps.publicHint"), Checked: c.Public},
		WithPKCE:    ui.Checkbox{Name: "pkce", Label: ui.T("adminapps.pkce"), Hint: ui.T("adminapps.pkceHint"), Checked: !c.WithoutPKCE},
		WithConsent: ui.Checkbox{Name: "consent", Label: ui.T("adminapps.consent"), Hint: ui.T("adminapps.consentHint"), Checked: !c.WithoutConsent},
		RSA:         ui.Checkbox{Name: "rsa", Label: ui.T("adminapps.rsa"), Hint: ui.T("adminapps.rsaHint"), Checked: c.Algorithm == auth.RS256},
	}
}

// shownOfClient tells what the form shows of a client.
func shownOfClient(c auth.Client) string {
	return asShown([]any{slices.Sorted(slices.Values(c.RedirectURIs)), slices.Sorted(slices.Values(c.LogoutURIs)), c.LogoutNotice,
		c.Scopes, c.WithoutPKCE, c.WithoutConsent, c.Algorithm})
}

// typed gives the client that the form describes, and the form with what is
// wrong marked. Whether it is public is c's.
func (openIDForm) typed(form web.Form, c auth.Client) (openIDForm, auth.Client) {
	c.RedirectURIs, c.LogoutURIs = lines(form["redirect-uris"]), lines(form["logout-uris"])
	c.LogoutNotice, c.Scopes = strings.TrimSpace(form["logout-notice"]), tickedScopes(form)
	c.WithoutPKCE, c.WithoutConsent = form["pkce"] == "", form["consent"] == ""
	c.Algorithm = auth.ES256
	if form["rsa"] != "" {
		c.Algorithm = auth.RS256
	}
	page := newOpenIDForm(c)
	redirects, logouts, notice := redirect.CheckClient(c)
	page.Redirects.Error, page.LogoutURIs.Error, page.LogoutNotice.Error = wrongRedirect(redirects), wrongRedirect(logouts), wrongRedirect(notice)
	return page, c
}

// wrongRedirect says what is wrong with addresses of a client; nil is nothing.
func wrongRedirect(err error) ui.Text {
	var wrong *redirect.AddressError
	switch {
	case err == nil:
		return ui.Text{}
	case errors.As(err, &wrong):
		return ui.T("adminapps.wrongRedirect", "Address", wrong.Address)
	case errors.Is(err, redirect.ErrNone):
		return ui.T("adminapps.missingRedirect")
	}
	return ui.N("adminapps.manyRedirects", redirect.Most)
}

// lines are the lines of a text that say something.
func lines(text string) (said []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			said = append(said, line)
		}
	}
	return said
}

// addClient makes an application that speaks OpenID Connect, and shows its
// secret, which nobody can be shown again; where a program was chosen, in its
// settings.
func (h *Flow) addClient(w http.ResponseWriter, r *http.Request, a auth.Application, c auth.Client, program *recipe.Recipe) error {
	v := web.Asking(r)
	made, clientSecret, err := h.Store.AddClient(r.Context(), v.Actor(), a, c, v.Now)
	if err != nil {
		return err
	}
	page := newSecretPage(h.PublicURL, made, clientSecret)
	if program != nil {
		page.tell(*program, h.PublicURL)
	}
	return h.ShowDone(w, r, "admin/app-secret", ui.T("adminapps.doneAdded"), page)
}

// changeOpenID changes how an application speaks OpenID Connect.
func (h *Flow) changeOpenID(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, openIDFields...)
	if err != nil {
		return err
	}
	a, err := h.application(r)
	if err != nil {
		return err
	}
	before, err := h.Store.Client(ctx, a.ID)
	if err != nil {
		return err
	}

	// Decide.
	typed, changed := openIDForm{}.typed(form, before)
	typed.Seen = form["seen"] // a slip tells nobody of what somebody may have changed
	if summary := ui.Summarize(ui.Text{}, &typed.Redirects, &typed.LogoutURIs, &typed.LogoutNotice); summary.HasFailed() {
		return h.showOpenID(w, r, http.StatusUnprocessableEntity, a, typed, summary)
	}

	// Write.
	err = h.Store.ChangeClient(ctx, v.Actor(), a.ID, v.Now, func(is *auth.Client) error {
		before = *is
		if shownOfClient(before) != form["seen"] {
			return errUnseen
		}
		*is = changed
		return nil
	})

	// Answer.
	if errors.Is(err, errUnseen) {
		typed.Seen = shownOfClient(before)
		return h.showOpenID(w, r, http.StatusConflict, a, typed, ui.Summarize(ui.T("adminapps.changedOpenID")))
	} else if err != nil {
		return err
	}
	h.Notice(w, "adminapps.doneSaved")
	return web.Redirect(w, "/admin/apps/"+string(a.ID))
}

// showOpenID shows the page of an application with how it speaks OpenID Connect as
// it was typed.
func (h *Flow) showOpenID(w http.ResponseWriter, r *http.Request, status int, a auth.Application, typed openIDForm, summary ui.Summary) error {
	page, err := h.appPage(r, a)
	if err != nil {
		return err
	}
	page.OpenID.openIDForm, page.Summary = typed, summary
	return h.Show(w, r, status, "admin/app", page)
}

// makeSecret makes an application's secret anew, after it was asked once more:
// the application cannot sign anybody in until it knows the new one.
func (h *Flow) makeSecret(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	a, asked, err := h.askOnceMore(w, r, func(a auth.Application) (confirmPage, error) {
		return confirmPage{Title: ui.T("adminapps.secretTitle", "Name", a.Name), Text: ui.T("adminapps.secretText"), Button: ui.T("adminapps.secretMake")}, nil
	})
	if err != nil || !asked {
		return err
	}
	made, err := h.Store.NewClientSecret(r.Context(), v.Actor(), a.ID, v.Now)
	if err != nil {
		return err
	}
	return h.ShowDone(w, r, "admin/app-secret", ui.T("adminapps.doneSecret"), newSecretPage(h.PublicURL, a, made))
}

// secretPage shows what the other side has to be told, the secret only here.
type secretPage struct {
	App    auth.Application
	Values []ui.Definition
	Secret string         // "" for a public client
	Recipe *recipeSection // nil where no program was chosen
}

// tell puts the program's settings into the page, with the secret in them.
func (p *secretPage) tell(program recipe.Recipe, issuer string) {
	all, _ := recipe.Find(program.ID)
	filled, wrong := filledFor(all, recipe.Values{App: p.App.URL, Issuer: issuer, ClientID: string(p.App.ID), Secret: p.Secret})
	if wrong.IsZero() {
		p.Recipe = newRecipeSection(filled, filled.Redirects)
	}
}

func newSecretPage(issuer string, a auth.Application, s secret.Token) secretPage {
	p := secretPage{App: a, Values: valuesFor(issuer, a.ID)}
	if !s.IsZero() {
		p.Secret = s.Reveal()
	}
	return p
}

// valuesFor are what is copied into the other side.
func valuesFor(issuer string, id auth.ApplicationID) []ui.Definition {
	value := func(key, v string) ui.Definition {
		return ui.Definition{Term: ui.T(key), Value: ui.Words(v), Code: true, Copy: v}
	}
	return []ui.Definition{
		value("adminapps.clientID", string(id)),
		value("adminapps.issuer", issuer),
		value("adminapps.discovery", issuer+"/.well-known/openid-configuration"),
	}
}

// openIDSection is the part of an application's page about OpenID Connect.
type openIDSection struct {
	openIDForm
	Values []ui.Definition
	Secret bool // it keeps one, which can be made anew
}

// openIDOf is nil for an application that does not speak it.
func (h *Flow) openIDOf(r *http.Request, a auth.Application) (*openIDSection, error) {
	if a.Kind != auth.SpeaksOpenID {
		return nil, nil
	}
	c, err := h.Store.Client(r.Context(), a.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &openIDSection{openIDForm: newOpenIDForm(c), Values: valuesFor(h.PublicURL, a.ID), Secret: !c.Public}, nil
}
