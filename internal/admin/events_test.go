package admin

import (
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/i18n"
)

func TestTheRecordSaysInWordsWhatEachEventIs(t *testing.T) {
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range bundle.Languages() {
		said := map[string]auth.EventKind{}
		for _, kind := range auth.EventKinds {
			words := eventText(kind).In(bundle.Texts(language.Tag))
			if words == "" || strings.Contains(words, "event.") {
				t.Errorf("%s: nothing says what %s is", language.Tag, kind)
			}
			if other, twice := said[words]; twice {
				t.Errorf("%s: %s and %s are both %q", language.Tag, kind, other, words)
			}
			said[words] = kind
		}
	}
	if got := eventText("of.another.version").In(bundle.Texts("en")); got != "of.another.version" {
		t.Errorf("a kind that is not recorded any more is %v", got)
	}
}
