package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/ui"
)

const preferencesLife = 400 * 24 * time.Hour

// readPreferences takes the language and theme that this browser chose, or
// what it says of itself. An application's suggestion comes between.
func (f *Floor) readPreferences(v *Visitor, r *http.Request) {
	chosen := f.chosenHere(r)
	language := cmp.Or(chosen.language, f.cookie(r, suggestedCookie))
	v.Texts = f.Bundle.Texts(f.Bundle.Choose(language, r.Header.Get("Accept-Language")))
	v.Theme = themeOf(chosen.theme)
}

func (f *Floor) chosenHere(r *http.Request) (p preferences) {
	p.language, p.theme, _ = strings.Cut(f.cookie(r, preferencesCookie), "|")
	return p
}

// SuggestLanguage shows pages in the first of these languages that there is,
// until the browser closes, unless somebody chose one here before.
func (f *Floor) SuggestLanguage(w http.ResponseWriter, r *http.Request, tags ...string) {
	tag, ok := f.Bundle.Find(tags...)
	if f.chosenHere(r).language != "" || !ok {
		return
	}
	f.setCookie(w, suggestedCookie, tag, 0)
	v := Asking(r)
	v.Texts = f.Bundle.Texts(tag)
	f.preferPersons(v)
}

// preferPersons lets what the person chose win over what the browser chose.
func (f *Floor) preferPersons(v *Visitor) {
	if !v.SignedIn() {
		return
	}
	if language := v.User().Language; language != "" {
		v.Texts = f.Bundle.Texts(language)
	}
	if theme := v.User().Theme; theme != "" {
		v.Theme = themeOf(theme)
	}
}

func themeOf(s string) ui.Theme {
	if t := ui.Theme(s); t == ui.ThemeLight || t == ui.ThemeDark {
		return t
	}
	return ui.ThemeSystem
}

// PreferencesRoute is where the language and theme buttons of every page
// lead. A signed-in person keeps the choice for every browser.
func (f *Floor) PreferencesRoute() Route {
	return Route{Method: http.MethodPost, Path: "/preferences", Need: Anybody, Serve: f.savePreferences}
}

func (f *Floor) savePreferences(w http.ResponseWriter, r *http.Request) error {
	form, err := ReadForm(r, "language", "theme", "back")
	if err != nil {
		return err
	}
	if language := form["language"]; language != "" && !f.speaks(language) {
		return BadRequest()
	}
	err = f.prefer(w, r, func(p *preferences) {
		if form["language"] != "" {
			p.language = form["language"]
		}
		if theme, chosen := form["theme"]; chosen {
			p.theme = string(themeOf(theme))
		}
	})
	if err != nil {
		return err
	}
	back := form["back"]
	if ReturnTo(back) == "" && !strings.HasPrefix(back, "/login") {
		back = "/"
	}
	return Redirect(w, back)
}

// PreferLanguage keeps the language that a signed-in person chose. One that we
// do not speak is refused.
func (f *Floor) PreferLanguage(w http.ResponseWriter, r *http.Request, language string) error {
	if !f.speaks(language) {
		return BadRequest()
	}
	return f.prefer(w, r, func(p *preferences) { p.language = language })
}

func (f *Floor) speaks(language string) bool {
	return slices.ContainsFunc(f.Bundle.Languages(), func(l i18n.Language) bool { return l.Tag == language })
}

// preferences are what was chosen by a press of a button; what is empty was not.
type preferences struct{ language, theme string }

// prefer changes what this browser keeps and, where somebody is signed in, what
// the account does. What was not chosen goes on following the browser.
func (f *Floor) prefer(w http.ResponseWriter, r *http.Request, change func(*preferences)) error {
	browsers := f.chosenHere(r)
	change(&browsers)
	f.setCookie(w, preferencesCookie, browsers.language+"|"+browsers.theme, preferencesLife)
	v := Asking(r)
	if !v.SignedIn() {
		return nil
	}
	persons := preferences{v.User().Language, v.User().Theme}
	change(&persons)
	return f.Store.SavePreferences(r.Context(), v.Actor(), persons.language, persons.theme, v.Now)
}
