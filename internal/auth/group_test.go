package auth

import "testing"

func TestAGroupsNameCannotForgeAnother(t *testing.T) {
	for name, may := range map[string]bool{
		"Staff": true, "Vertrieb & Einkauf": true, "": false, "a,admins": false, ",": false,
	} {
		if IsGroupName(name) != may {
			t.Errorf("IsGroupName(%q) = %v", name, !may)
		}
	}
}
