package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
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
				page := w.Body.Bytes()
				if example.Shell.Alone {
					page = withoutAllowedStyle(t, page, pages.AloneStyle())
				}
				for _, problem := range uitest.Problems(page) {
					t.Error(problem)
				}
			})
		}
	}
}

// withoutAllowedStyle takes the one style out of a page that brings it along,
// where the content security policy allows that very one.
func withoutAllowedStyle(t *testing.T, page []byte, allowed string) []byte {
	t.Helper()
	before, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, after, ok := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	if !ok || "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'" != allowed {
		t.Errorf("the page's style is not the one that its policy allows, %s", allowed)
	}
	if bytes.Contains(style, []byte("url(")) {
		t.Error("the page's style asks for a picture that is not there")
	}
	return append(before[:len(before):len(before)], after...)
}
