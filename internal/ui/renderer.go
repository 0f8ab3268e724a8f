package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinlock/twinlock/internal/i18n"
)

//go:embed templates pages
var files embed.FS

// Renderer makes pages. It is safe for concurrent use.
type Renderer struct {
	bundle   *i18n.Bundle
	flows    map[string]fs.FS
	assets   *assets
	alone    string   // the style sheet, for pages that bring it along
	compiled sync.Map // compilation → func() (*template.Template, error)
	buffers  sync.Pool
}

// compilation is a page in a language: what one template set is made for.
type compilation struct{ language, page string }

// New makes a renderer for the pages of flows, each a file system with
// pages/<page>/page.html: flows["login"] holds the page "login/password".
// Nothing is compiled before it is first shown.
func New(bundle *i18n.Bundle, flows map[string]fs.FS) *Renderer {
	all := map[string]fs.FS{"ui": files}
	for name, flow := range flows {
		all[name] = flow
	}
	return &Renderer{
		bundle:  bundle,
		flows:   all,
		assets:  newAssets(all),
		alone:   aloneStyle(),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

// Render answers with a page. It writes nothing at all before the whole page
// is made: where it gives an error, w is untouched and another answer may be
// sent.
func (r *Renderer) Render(w http.ResponseWriter, status int, page string, shell Shell, data any) error {
	texts := r.bundle.Texts(shell.Language)
	set, err := r.compile(compilation{texts.Tag(), page})
	if err != nil {
		return err
	}
	buffer := r.buffers.Get().(*bytes.Buffer)
	defer r.giveBack(buffer)
	if err := execute(buffer, set, shell, data); err != nil {
		return fmt.Errorf("render %s: %w", page, err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(buffer.Len()))
	header.Set("Content-Language", texts.Tag())
	w.WriteHeader(status)
	_, err = buffer.WriteTo(w)
	if err != nil {
		return fmt.Errorf("send %s: %w", page, err)
	}
	return nil
}

// execute makes the title first: it goes into the head and above the page.
func execute(buffer *bytes.Buffer, set *template.Template, shell Shell, data any) error {
	if err := set.ExecuteTemplate(buffer, "title", data); err != nil {
		return err
	}
	title := html.UnescapeString(strings.TrimSpace(buffer.String()))
	buffer.Reset()
	if shell.Site == "" {
		shell.Site = "Twinlock"
	}
	return set.ExecuteTemplate(buffer, "layout", view{Shell: shell, Title: title, Data: data})
}

// keptBuffer is the size in bytes above which a buffer is not used again: one
// long list must not stay in memory.
const keptBuffer = 256 << 10

func (r *Renderer) giveBack(buffer *bytes.Buffer) {
	if buffer.Cap() <= keptBuffer {
		buffer.Reset()
		r.buffers.Put(buffer)
	}
}

// CompileAll compiles every page in every language, and gives what is wrong
// with any of them.
func (r *Renderer) CompileAll() error {
	var problems []error
	for _, page := range r.Pages() {
		for _, language := range r.bundle.Languages() {
			if _, err := r.compile(compilation{language.Tag, page}); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// Pages lists the names of all pages, in order.
func (r *Renderer) Pages() []string {
	var pages []string
	for flow, files := range r.flows {
		paths, _ := fs.Glob(files, "pages/*/page.html")
		for _, path := range paths {
			pages = append(pages, flow+"/"+strings.Split(path, "/")[1])
		}
	}
	slices.Sort(pages)
	return pages
}

func (r *Renderer) compile(what compilation) (*template.Template, error) {
	once, _ := r.compiled.LoadOrStore(what, sync.OnceValues(func() (*template.Template, error) {
		return r.parse(what)
	}))
	return once.(func() (*template.Template, error))()
}

func (r *Renderer) parse(what compilation) (*template.Template, error) {
	flow, page, _ := strings.Cut(what.page, "/")
	files, ok := r.flows[flow]
	if !ok {
		return nil, fmt.Errorf("compile %s: no flow has this page", what.page)
	}
	set, err := r.components(what.language)
	if err != nil {
		return nil, err
	}
	shared, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", what.page, err)
	}
	if set, err = set.ParseFS(files, append(shared, "pages/"+page+"/page.html")...); err != nil {
		return nil, fmt.Errorf("compile %s: %w", what.page, err)
	}
	return set, nil
}

// components is the layout and everything that pages may use, in a language.
func (r *Renderer) components(language string) (*template.Template, error) {
	set, err := template.New("").Funcs(r.functions(language)).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("compile components: %w", err)
	}
	return set, nil
}

// functions are what templates may call.
func (r *Renderer) functions(language string) template.FuncMap {
	texts := r.bundle.Texts(language)
	return template.FuncMap{
		"t":          texts.T,
		"n":          texts.N,
		"say":        func(t Text) string { return t.In(texts) },
		"date":       func(at time.Time) string { return texts.Date(at, nil) },
		"datetime":   func(at time.Time) string { return texts.DateTime(at, nil) },
		"instant":    func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"duration":   texts.Duration,
		"lang":       texts.Tag,
		"languages":  r.bundle.Languages,
		"svgicon":    svgIcon,
		"asset":      r.assets.address,
		"wordsOf":    func(name string) []string { return strings.SplitAfter(name, "_") }, // where the name of a setting may break
		"copying":    func(what string) Copy { return Copy{What: what} },
		"aloneStyle": func() template.CSS { return template.CSS(r.alone) },
		"scripts":    func() []string { return scripts },
	}
}
