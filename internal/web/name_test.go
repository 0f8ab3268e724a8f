package web

import (
	"strings"
	"testing"
)

func TestReadName(t *testing.T) {
	for _, tt := range []struct {
		about, typed, want string
		refused            bool
	}{
		{"plain", "Ada Lovelace", "Ada Lovelace", false},
		{"spaces around it", " Ada ", "Ada", false},
		{"none", "", "", false},
		{"100 letters of two bytes", strings.Repeat("é", 100), strings.Repeat("é", 100), false},
		{"101 letters", strings.Repeat("e", 101), "", true},
		{"right to left", "ליאור", "ליאור", false},
		{"a joiner", "کوه\u200cنورد", "کوه\u200cنورد", false},
		{"markup", `<b>"Ada" {{.}}</b>`, `<b>"Ada" {{.}}</b>`, false},
		{"a line end", "Ada\r\nBcc: eve@example.org", "", true},
		{"a line separator", "Ada\u2028Eve", "", true},
		{"nothing", "Ada\x00", "", true},
		{"turned around", "Ada\u202egro.elpmaxe", "", true},
		{"isolated", "Ada\u2067x\u2069", "", true},
	} {
		t.Run(tt.about, func(t *testing.T) {
			name, refused := ReadName(tt.typed)
			if name != tt.want || refused.IsZero() == tt.refused {
				t.Errorf("ReadName(%q) = %q, refused %v; want %q, refused %v", tt.typed, name, !refused.IsZero(), tt.want, tt.refused)
			}
		})
	}
}
