package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// withApplications is a server with so many applications for everyone, named
// "Tool 1" and so on.
func withApplications(t *testing.T, n int) *kit.Server {
	t.Helper()
	s := kit.Start(t)
	s.Person(ada, good, "--name", "Ada")
	for i := range n {
		s.Run("", "app", "add", fmt.Sprintf("Tool %d", i+1), "--url", fmt.Sprintf("https://tool%d.example.org/", i+1), "--allow-everyone")
	}
	return s
}

func TestApplicationsAreSearchedFromTwelveOn(t *testing.T) {
	s := withApplications(t, 11)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps").See("Tool 11")
	if tab.Has("searchbox", "Search applications") {
		t.Error("eleven are searched")
	}
	s.Run("", "app", "add", strings.Repeat("Donaudampfschifffahrt", 4), "--url", "https://boats.example.org/", "--allow-everyone")
	tab.Open("/apps").Fill("Search applications", "donau").Press("Search").Status("1 of 12 applications")
	if tab.Has("link", "Tool 1") {
		t.Error("what does not match is shown")
	}
	if typed := tab.Value("Search applications"); typed != "donau" {
		t.Errorf("the field holds %q", typed)
	}
	for _, width := range []func(){func() { tab.Narrow() }, func() { tab.Phone() }} {
		width()
		var beyond int
		if tab.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &beyond); beyond > 0 {
			t.Errorf("a long name makes the page %d px too wide", beyond)
		}
	}
	tab.Press("Show all applications").At("/apps").See("Tool 11")
	tab.Fill("Search applications", "nothing of the kind").Press("Search").See("Nothing found").Status("“nothing of the kind”")
	tab.Press("Show all applications").See("Tool 11")
}

func TestApplicationsAreSearchedByKeyboardAlone(t *testing.T) {
	s := withApplications(t, 12)
	tab := s.Profile(t)
	login(tab, ada, good).At("/apps").See("Tool 12")
	h := hands{t, tab}
	h.to("Search applications").press("Tool 12").press(enter)
	tab.Status("1 of 12 applications")
	h.to("Show all applications").to("Tool 12")
	var to string
	if tab.Evaluate(`document.activeElement.href`, &to); to != "https://tool12.example.org/" {
		t.Errorf("the tile leads to %q", to)
	}
	h.to("Search applications").press("\b\b").press(enter) // what is there is chosen by the tabulator, and one backspace removes it
	tab.At("/apps").See("Tool 7")
}
