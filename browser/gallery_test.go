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
	"github.com/twinlock/twinlock/internal/ui"
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

// show opens an example, and waits for the dialog that covers it by itself.
func show(t *testing.T, tab *kit.Tab, number int, example ui.Example, query string) {
	t.Helper()
	tab.Open(fmt.Sprintf("/%d?%s", number, query))
	if example.Shell.Window == nil {
		return
	}
	kit.Eventually(t, "the dialog of "+example.Name, func() bool {
		var open bool
		return tab.Look(`!!document.querySelector("dialog[open]")`, &open) && open
	})
}

// TestEveryPageIsAccessible holds in the dark as well, where a page has other
// colours and nothing else.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	for theme, check := range map[string]func(*kit.Tab) []kit.Violation{"light": (*kit.Tab).Accessibility, "dark": (*kit.Tab).Contrast} {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			tab := openGallery(t)
			for i, example := range app.Examples() {
				show(t, tab, i, example, "language=de&theme="+theme)
				for _, v := range check(tab) {
					t.Errorf("%s, %s: %s (%s) at %s", example.Page, example.Name, v.Help, v.Impact, v.Nodes[0].HTML)
				}
			}
		})
	}
}

// TestNoPageScrollsSideways holds at the width of a small phone with texts a
// third longer than English, and where text is twice as large, by the
// browser's zoom or by itself.
func TestNoPageScrollsSideways(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*kit.Tab){
		"on a small phone":  func(tab *kit.Tab) { tab.Narrow() },
		"at twice the zoom": func(tab *kit.Tab) { tab.Zoomed() },
		"at twice the text": func(tab *kit.Tab) {
			tab.Before(`addEventListener("DOMContentLoaded", () => { document.documentElement.style.fontSize = "200%" })`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := openGallery(t)
			prepare(tab)
			for i, example := range app.Examples() {
				show(t, tab, i, example, "language=en-XA")
				var beyond int
				tab.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &beyond)
				if beyond > 0 {
					t.Errorf("%s, %s: %d px too wide", example.Page, example.Name, beyond)
				}
				var cut []string
				tab.Evaluate(cutOff, &cut)
				for _, words := range cut {
					t.Errorf("%s, %s: cut off: %s", example.Page, example.Name, words)
				}
			}
		})
	}
}

// cutOff finds words that do not fit into what holds them. The person's own
// name and the site's are shortened with dots.
const cutOff = `[...document.querySelectorAll("button, a, label, legend, h1, h2, h3, p, li, dt, dd, summary, .badge")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .scroll, .area, .brand, .menu, .skip, .bottom button span"))
	.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== "inline")
	.map(e => e.outerHTML.slice(0, 120))`

// TestEverythingToPressIsLargeEnough holds for a thumb (44 px) on a phone, and
// for a pointer (24 px). Links inside sentences are exempt.
func TestEverythingToPressIsLargeEnough(t *testing.T) {
	t.Parallel()
	for _, least := range []int{24, 44} {
		tab := openGallery(t)
		if least == 44 {
			tab.Phone()
		}
		for i, example := range app.Examples() {
			show(t, tab, i, example, "language=en")
			var small []string
			tab.Evaluate(fmt.Sprintf(tooSmall, least), &small)
			for _, what := range small {
				t.Errorf("%s, %s: smaller than %d px: %s", example.Page, example.Name, least, what)
			}
		}
	}
}

// A tick is pressed by its label too, and a tile all over.
const tooSmall = `(least => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .skip, .tile") && e.type !== "hidden")
	.filter(e => !(e.localName === "a" && e.closest("p, li, td, th, dd") && getComputedStyle(e).display === "inline"))
	.map(e => [e, (e.closest(".tick") ?? e).getBoundingClientRect()])
	.filter(([, box]) => Math.min(box.width, box.height) < least - 0.5)
	.map(([e, box]) => Math.round(box.width) + " by " + Math.round(box.height) + " " + e.outerHTML.slice(0, 100)))(%d)`

// sight is a way to look at the pages.
type sight struct {
	name    string
	query   string
	prepare func(*kit.Tab)
}

var sights = []sight{
	{"desktop, light", "theme=light", func(*kit.Tab) {}},
	{"desktop, dark", "theme=dark", func(*kit.Tab) {}},
	{"desktop, forced colours", "", func(tab *kit.Tab) { tab.ForcedColours(true) }},
	{"phone, light", "theme=light", func(tab *kit.Tab) { tab.Phone() }},
	{"phone, dark", "theme=dark", func(tab *kit.Tab) { tab.Phone() }},
	{"phone, German", "theme=light&language=de", func(tab *kit.Tab) { tab.Phone() }},
}

// TestPictures draws every page when it is asked to; otherwise one, to see
// that it can.
func TestPictures(t *testing.T) {
	examples := app.Examples()
	folder := "pictures"
	if !*pictures {
		examples, folder = examples[:1], t.TempDir()
	}
	for _, sight := range sights {
		tab := openGallery(t)
		sight.prepare(tab)
		for i, example := range examples {
			show(t, tab, i, example, sight.query)
			name := strings.ReplaceAll(example.Page+" "+example.Name, "/", " ")
			tab.Keep(folder, name+", "+sight.name)
		}
	}
}
