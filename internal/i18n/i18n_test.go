package i18n

import (
	"testing"
	"time"
)

func TestTextsSpeakTheirLanguage(t *testing.T) {
	b, err := LoadWithPseudo()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 3, 14, 35, 7, 0, time.UTC)
	for _, tag := range []string{"en", "de", Pseudo} {
		x := b.Texts(tag)
		t.Log(x.T("form.password"), x.N("form.problems", 1), x.N("form.problems", 3), x.DateTime(at, nil), x.Duration(90*time.Second), x.T("no.such"))
	}
	t.Log(b.Choose("", "fr-CH, de-AT;q=0.9, en;q=0.5"), b.Choose("", "fr"), b.Choose("de", "en"), b.Languages())
}
