// Package gallery shows every page in every named state, with ready data. The
// developer's server serves it, the accessibility run and the pictures read it.
package gallery

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/ui"
)

// Handler serves the list of all examples at prefix, and each at prefix and
// its number. The query may choose language and theme.
func Handler(prefix string) (http.Handler, error) {
	bundle, err := i18n.LoadWithPseudo()
	if err != nil {
		return nil, err
	}
	pages := ui.New(bundle, app.FlowPages)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", pages.Assets())
	mux.HandleFunc("GET "+prefix+"{$}", func(w http.ResponseWriter, r *http.Request) { list(w, prefix) })
	mux.HandleFunc("GET "+prefix+"{number}", func(w http.ResponseWriter, r *http.Request) { show(w, r, pages) })
	return mux, nil
}

func show(w http.ResponseWriter, r *http.Request, pages *ui.Renderer) {
	examples := app.Examples()
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 0 || number >= len(examples) {
		http.NotFound(w, r)
		return
	}
	e := examples[number]
	e.Shell.Language = r.URL.Query().Get("language")
	e.Shell.Theme = ui.Theme(r.URL.Query().Get("theme"))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' "+pages.AloneStyle()+"; img-src 'self' data:; connect-src 'self'")
	if err := pages.Render(w, http.StatusOK, e.Page, e.Shell, e.Data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

var index = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Gallery</title>
<h1>Every page in every state</h1>
<ol start="0">{{$prefix := .Prefix}}{{range $i, $e := .Examples}}<li>{{$e.Page}}, {{$e.Name}}:
{{range $.Languages}}<a href="{{$prefix}}{{$i}}?language={{.}}">{{.}}</a> {{end}}<a href="{{$prefix}}{{$i}}?theme=dark">dark</a></li>{{end}}</ol>`))

func list(w http.ResponseWriter, prefix string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := index.Execute(w, struct {
		Prefix    string
		Languages []string
		Examples  []ui.Example
	}{prefix, []string{"en", "de", i18n.Pseudo}, app.Examples()})
	if err != nil {
		fmt.Fprintln(w, err)
	}
}
