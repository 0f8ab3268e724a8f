package admin

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recipe"
	"github.com/twinlock/twinlock/internal/redirect"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// recipeChoices are the programs that were read up, of one kind or, for "", of
// every kind, after the words for none of them.
func recipeChoices(kind auth.Kind, none ui.Text, chosen string) ui.Choices {
	c := ui.Choices{Name: "recipe", Legend: ui.T("adminapps.recipe"), Options: []ui.Option{{Label: none, Chosen: chosen == ""}}}
	for _, r := range recipe.All() {
		if kind == "" || r.Kind == kind {
			c.Options = append(c.Options, ui.Option{Value: r.ID, Label: ui.Words(r.Name), Chosen: r.ID == chosen})
		}
	}
	return c
}

// chosenRecipe is the recipe that an address or a form names; nil for none. One
// that there is not is refused.
func chosenRecipe(form web.Form) (*recipe.Recipe, error) {
	if form["recipe"] == "" {
		return nil, nil
	}
	r, ok := recipe.Find(form["recipe"])
	if !ok {
		return nil, web.BadRequest()
	}
	return &r, nil
}

// filledFor gives the recipe filled for an application, or what is wrong with
// the application's address: its program's addresses follow from it.
func filledFor(r recipe.Recipe, v recipe.Values) (recipe.Recipe, ui.Text) {
	filled, err := r.Filled(v)
	if err != nil {
		return r, ui.T("adminapps.wrongAddress")
	}
	if r.Kind == auth.SpeaksOpenID && cmp.Or(redirect.CheckClient(filled.Client())) != nil {
		return r, ui.T("adminapps.wrongRedirect", "Address", v.App)
	}
	return filled, ui.Text{}
}

// addByRecipe makes an application as its program's recipe says. The secret of
// one that has any is shown in the program's own settings.
func (h *Flow) addByRecipe(w http.ResponseWriter, r *http.Request, a auth.Application, filled recipe.Recipe) error {
	v := web.Asking(r)
	if filled.Kind == auth.SpeaksOpenID {
		return h.addClient(w, r, a, filled.Client(), &filled)
	}
	made, err := h.Store.AddGate(r.Context(), v.Actor(), auth.Gate{Application: a, Rules: filled.Rules()}, v.Now)
	if err != nil {
		return err
	}
	h.Notice(w, "adminapps.doneAdded")
	return web.Redirect(w, "/admin/apps/"+string(made.ID)+"?recipe="+filled.ID)
}

// recipeSection shows what to put into a program's settings.
type recipeSection struct {
	Name    string
	Behind  bool // a proxy stands before it, and is told all there is to tell
	Where   ui.Text
	Snippet ui.Snippet
	Notes   ui.Text
	Lacks   []string // redirect URIs of the program that are not registered
	Source  string
	Read    time.Time
	Tried   string
}

func newRecipeSection(filled recipe.Recipe, registered []string) *recipeSection {
	s := &recipeSection{Name: filled.Name, Behind: filled.Kind == auth.BehindProxy, Where: ui.InEach(filled.Where), Notes: ui.InEach(filled.Notes),
		Source: filled.Source, Read: filled.Read, Tried: filled.Tried,
		Snippet: ui.Snippet{ID: "snippet", Label: ui.T("adminapps.snippet", "Name", filled.Name), Code: filled.Snippet}}
	for _, address := range filled.Redirects {
		if !slices.Contains(registered, address) {
			s.Lacks = append(s.Lacks, address)
		}
	}
	return s
}

// withheld stands where a secret belongs that is not shown again.
const withheld = "CLIENT-SECRET"

// tellRecipe puts the settings of a program into the page of an application.
func (h *Flow) tellRecipe(page *appPage, r *recipe.Recipe) {
	if page.App.Kind.Plugin() == "" {
		return
	}
	chosen := ""
	if r != nil {
		chosen = r.ID
		filled, wrong := filledFor(*r, recipe.Values{App: page.App.URL, Issuer: h.PublicURL, ClientID: string(page.App.ID), Secret: withheld})
		if page.RecipeWrong = wrong; wrong.IsZero() {
			var registered []string
			if page.OpenID != nil {
				registered = lines(page.OpenID.Redirects.Value)
			}
			page.Recipe = newRecipeSection(filled, registered)
		}
	}
	choices := recipeChoices(page.App.Kind, ui.T("adminapps.recipeChoose"), chosen)
	page.Recipes = &choices
}
