package ui_test

import (
	"io/fs"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/ui"
)

func TestEveryPageCompiles(t *testing.T) {
	bundle, err := i18n.LoadWithPseudo()
	if err != nil {
		t.Fatal(err)
	}
	page := `{{define "title"}}A & B{{end}}{{define "main"}}{{template "summary" .Summary}}{{template "field" .Email}}{{end}}`
	r := ui.New(bundle, map[string]fs.FS{"x": fstest.MapFS{"pages/y/page.html": {Data: []byte(page)}}})
	if err := r.CompileAll(); err != nil {
		t.Fatal(err)
	}
	f := ui.Field{Name: "email", Label: ui.T("form.email"), Kind: ui.KindEmail, Value: "a@b", Required: true, Marked: true}
	w := httptest.NewRecorder()
	if err := r.Render(w, 422, "x/y", ui.Shell{Menu: &ui.Menu{Name: "Ada"}}, struct {
		ui.Summary
		Email ui.Field
	}{ui.Summarize(ui.Text{}, &f), f}); err != nil {
		t.Fatal(err)
	}
	t.Log(w.Body)
}
