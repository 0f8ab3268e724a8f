package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/ui/uitest"
)

func TestEveryPageOfEveryFlowIsSoundInEveryLanguage(t *testing.T) {
	bundle, err := i18n.LoadWithPseudo()
	if err != nil {
		t.Fatal(err)
	}
	pages := ui.New(bundle, FlowPages)
	if err := pages.CompileAll(); err != nil {
		t.Fatal(err)
	}
	for _, example := range Examples() {
		for _, language := range bundle.Languages() {
			t.Run(example.Page+", "+example.Name+", "+language.Tag, func(t *testing.T) {
				example.Shell.Language = language.Tag
				w := httptest.NewRecorder()
				if err := pages.Render(w, http.StatusOK, example.Page, example.Shell, example.Data); err != nil {
					t.Fatal(err)
				}
				for _, problem := range uitest.Problems(w.Body.Bytes()) {
					t.Error(problem)
				}
			})
		}
	}
}
