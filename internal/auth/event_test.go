package auth

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

func TestEveryKindOfEventIsListed(t *testing.T) {
	source, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`EventKind = "([^"]+)"`).FindAllSubmatch(source, -1)
	for _, kind := range found {
		if !slices.Contains(EventKinds, EventKind(kind[1])) {
			t.Errorf("%s is not in EventKinds, so nobody can look for it", kind[1])
		}
	}
	if len(found) != len(EventKinds) {
		t.Errorf("%d kinds, and %d in EventKinds", len(found), len(EventKinds))
	}
}
