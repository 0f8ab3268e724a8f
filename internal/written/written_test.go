package written

import (
	"errors"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		about, typed, want string
		refused            error
	}{
		{"plain", "Ada Lovelace", "Ada Lovelace", nil},
		{"spaces around it", " \u00a0Ada\u3000 ", "Ada", nil},
		{"nothing", "", "", nil},
		{"spaces alone", "  ", "", ErrBlank},
		{"a joiner alone", "\u200d", "", ErrBlank},
		{"a filler alone", "\u3164", "", ErrBlank},
		{"100 letters of two bytes", strings.Repeat("é", 100), strings.Repeat("é", 100), nil},
		{"100 letters and their accents apart", strings.Repeat("e\u0301", 100), strings.Repeat("é", 100), nil},
		{"100 signs of two UTF-16 units", strings.Repeat("🦉", 100), strings.Repeat("🦉", 100), nil},
		{"100 letters, spaces around them", " " + strings.Repeat("e", 100) + " ", strings.Repeat("e", 100), nil},
		{"101 letters", strings.Repeat("e", 101), "", &TooLongError{100}},
		{"right to left", "ליאור", "ליאור", nil},
		{"a joiner inside", "کوه\u200cنورد", "کوه\u200cنورد", nil},
		{"markup", `<b>"Ada" {{.}}</b>`, `<b>"Ada" {{.}}</b>`, nil},
		{"a line end", "Ada\r\nBcc: eve@example.org", "", ErrSigns},
		{"a tab", "Ada\tEve", "", ErrSigns},
		{"a line separator", "Ada\u2028Eve", "", ErrSigns},
		{"the sign zero", "Ada\x00", "", ErrSigns},
		{"turned around", "Ada\u202egro.elpmaxe", "", ErrSigns},
		{"isolated", "Ada\u2067x\u2069", "", ErrSigns},
	} {
		t.Run(tt.about, func(t *testing.T) {
			text, err := Name.Read(tt.typed)
			var long, wanted *TooLongError
			same := errors.Is(err, tt.refused) || errors.As(err, &long) && errors.As(tt.refused, &wanted) && *long == *wanted
			if text != tt.want || !same {
				t.Errorf("Read(%q) = %q, %v; want %q, %v", tt.typed, text, err, tt.want, tt.refused)
			}
		})
	}
}
