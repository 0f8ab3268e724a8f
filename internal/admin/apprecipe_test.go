package admin

import (
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/recipe"
)

func TestARecipesLogoutNoticeIsCheckedAsTheFormsIs(t *testing.T) {
	for notice, fits := range map[string]bool{"": true, "{{.App}}/logout": true, "{{.App}}/logout#here": false, "phone:/logout": false} {
		r := recipe.Recipe{Kind: auth.SpeaksOpenID, Proves: recipe.ByChallenge, Redirects: []string{"{{.App}}/answer"}, Notice: notice}
		if _, wrong := filledFor(r, recipe.Values{App: "https://app.example.org"}); wrong.IsZero() != fits {
			t.Errorf("%q: fits is %v, want %v", notice, wrong.IsZero(), fits)
		}
	}
}
