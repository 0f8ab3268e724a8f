package auth

import (
	"strings"
	"testing"
)

func TestAGroupsNameCannotForgeAnother(t *testing.T) {
	for name, may := range map[string]bool{
		"Staff": true, "Vertrieb & Einkauf": true, "": false, "a,admins": false, "a\nadmins": false,
		strings.Repeat("x", 100): true, strings.Repeat("x", 101): false,
	} {
		if IsGroupName(name) != may {
			t.Errorf("IsGroupName(%q) = %v", name, !may)
		}
	}
}
