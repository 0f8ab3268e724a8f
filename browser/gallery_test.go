package browser

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/gallery"
	"github.com/twinlock/twinlock/browser/kit"
	"github.com/twinlock/twinlock/internal/app"
)

var pictures = flag.Bool("pictures", false, "keep a picture of every page in browser/pictures")

func openGallery(t *testing.T) *kit.Tab {
	t.Helper()
	pages, err := gallery.Handler("/")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	return kit.Browse(t, server.URL)
}

func TestEveryPageIsAccessible(t *testing.T) {
	tab := openGallery(t)
	for i, example := range app.Examples() {
		for _, theme := range []string{"light", "dark"} {
			tab.Open(fmt.Sprintf("/%d?theme=%s&language=de", i, theme))
			for _, v := range tab.Accessibility() {
				t.Errorf("%s, %s, %s: %s (%s) at %s", example.Page, example.Name, theme, v.Help, v.Impact, v.Nodes[0].HTML)
			}
		}
	}
}

// TestNoPageScrollsSideways holds at the width of a small phone, with texts a
// third longer than English.
func TestNoPageScrollsSideways(t *testing.T) {
	tab := openGallery(t).Narrow()
	for i, example := range app.Examples() {
		tab.Open(fmt.Sprintf("/%d?language=en-XA", i))
		var beyond int
		tab.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &beyond)
		if beyond > 0 {
			t.Errorf("%s, %s: %d px too wide", example.Page, example.Name, beyond)
		}
	}
}

// TestPictures draws every page when it is asked to; otherwise one, to see
// that it can.
func TestPictures(t *testing.T) {
	examples := app.Examples()
	folder := "pictures"
	if !*pictures {
		examples, folder = examples[:1], t.TempDir()
	}
	for _, device := range []string{"desktop", "phone"} {
		tab := openGallery(t)
		if device == "phone" {
			tab.Phone()
		}
		for i, example := range examples {
			for _, theme := range []string{"light", "dark"} {
				tab.Open(fmt.Sprintf("/%d?theme=%s", i, theme))
				name := strings.ReplaceAll(example.Page+" "+example.Name, "/", " ")
				tab.Keep(folder, fmt.Sprintf("%s, %s, %s", name, device, theme))
			}
		}
	}
}
