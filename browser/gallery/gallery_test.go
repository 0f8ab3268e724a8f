package gallery

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/ui"
)

var (
	pictures = flag.Bool("pictures", false, "keep a picture of every page in browser/pictures")
	only     = flag.String("only", "", "a regular expression: keep pictures of these pages alone, by their page and the example's name")
)

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	kit.Quit()
	os.Exit(status)
}

func openGallery(t *testing.T) *kit.Tab {
	t.Helper()
	pages, err := Handler("/")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	return kit.Browse(t, server.URL)
}

// display opens an example, and waits for the dialog that covers it by itself.
func display(t *testing.T, tab *kit.Tab, number int, example ui.Example, query string) {
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

// A look sees a page in one way, and finds what is wrong with it.
type look struct {
	name string
	see  func(*kit.Tab)
	find func(*kit.Tab) []string
}

// TestEveryPage opens every page in every state, and looks at each in all these
// ways. In the dark a page has other colours, and nothing else.
func TestEveryPage(t *testing.T) {
	every(t, "language=de&theme=light", []look{
		{"by a screen reader", asItIs, violations((*kit.Tab).Accessibility)},
		{"with a pointer", asItIs, within(fmt.Sprintf(tooSmall, 24))},
		{"pasting", asItIs, within(refusesPaste)},
		{"dark", turnDark, violations((*kit.Tab).Contrast)},
		{"in forced colours", func(tab *kit.Tab) { tab.ForcedColours(true) }, within(withoutBorder)},
		{"with a thumb", func(tab *kit.Tab) { tab.OwnColours().Phone() }, within(fmt.Sprintf(tooSmall, 44))},
	})
}

// TestEveryPageHasRoom holds for texts a third longer than English, at the width
// of a small phone, and where text is twice as large, by the browser's zoom or
// by itself.
func TestEveryPageHasRoom(t *testing.T) {
	every(t, "language=en-XA", []look{
		{"on a small phone", func(tab *kit.Tab) { tab.Narrow() }, within(tooWide)},
		{"at twice the zoom", func(tab *kit.Tab) { tab.Zoomed() }, within(tooWide)},
		{"at twice the text", func(tab *kit.Tab) { enlarge(tab.Desktop()) }, within(tooWide)},
	})
}

func every(t *testing.T, query string, looks []look) {
	t.Helper()
	t.Parallel()
	tab := openGallery(t)
	for i, example := range app.Examples() {
		display(t, tab.Desktop().OwnColours(), i, example, query)
		for _, l := range looks {
			l.see(tab)
			for _, wrong := range l.find(tab) {
				t.Errorf("%s, %s, %s: %s", example.Page, example.Name, l.name, wrong)
			}
		}
	}
}

func asItIs(*kit.Tab) {}

// turnDark does not wait for colours that go over into one another.
func turnDark(tab *kit.Tab) {
	tab.Evaluate(`document.documentElement.dataset.theme = "dark"; document.getAnimations().forEach(one => one.finish()); 0`, nil)
}

func enlarge(tab *kit.Tab) { tab.Evaluate(`document.documentElement.style.fontSize = "200%"; 0`, nil) }

// violations are what a check of axe-core finds.
func violations(check func(*kit.Tab) []kit.Violation) func(*kit.Tab) []string {
	return func(tab *kit.Tab) (found []string) {
		for _, v := range check(tab) {
			found = append(found, fmt.Sprintf("%s (%s) at %s", v.Help, v.Impact, v.Nodes[0].HTML))
		}
		return found
	}
}

// within is what an expression finds in the page.
func within(expression string) func(*kit.Tab) []string {
	return func(tab *kit.Tab) (found []string) {
		tab.Evaluate(expression, &found)
		return found
	}
}

// tooSmall finds what a thumb (44 px) or a pointer (24 px) would miss. Links
// inside sentences are exempt; a tick is pressed by its label too, and a
// tile all over.
const tooSmall = `(least => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .skip, .tile") && e.type !== "hidden")
	.filter(e => !(e.localName === "a" && e.closest("p, li, td, th, dd") && getComputedStyle(e).display === "inline"))
	.map(e => [e, (e.closest(".tick") ?? e).getBoundingClientRect()])
	.filter(([, box]) => Math.min(box.width, box.height) < least - 0.5)
	.map(([e, box]) => Math.round(box.width) + " by " + Math.round(box.height) + " " + e.outerHTML.slice(0, 100)))(%d)`

// refusesPaste finds fields that cannot be pasted into.
const refusesPaste = `[...document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio], .unseen), textarea")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && (e.readOnly || e.disabled
		|| !e.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: new DataTransfer() }))))
	.map(e => e.outerHTML.slice(0, 120))`

// withoutBorder finds fields and buttons that cannot be told from the paper
// around them where the system chooses all colours.
const withoutBorder = `[...document.querySelectorAll("main input, main select, main textarea, main .button, dialog input, dialog .button, .bottom [aria-current]")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && !["hidden", "checkbox", "radio"].includes(e.type) && !e.matches(".unseen"))
	.filter(e => {
		const is = getComputedStyle(e)
		return parseFloat(is.borderTopWidth) < 1 || is.borderTopStyle === "none" || is.borderTopColor === is.backgroundColor
			|| is.borderTopColor === getComputedStyle(document.body).backgroundColor
	})
	.map(e => e.outerHTML.slice(0, 120))`

// tooWide finds a page that scrolls sideways, and words that do not fit into what
// holds them. The person's own name and the site's are shortened with dots.
const tooWide = `[...document.documentElement.scrollWidth > innerWidth ? [document.documentElement.scrollWidth - innerWidth + " px too wide"] : [],
	...[...document.querySelectorAll("button, a, label, legend, h1, h2, h3, p, li, dt, dd, summary, .badge")]
	.filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".unseen, .scroll, .area, .brand, .menu, .skip, .bottom button span"))
	.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== "inline")
	.map(e => "cut off: " + e.outerHTML.slice(0, 120))]`

// A ring around what has the focus is seen on every page, in every colour.
func TestWhatHasTheFocusIsSeen(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*kit.Tab){
		"colours of our own": func(*kit.Tab) {}, "forced colours": func(tab *kit.Tab) { tab.ForcedColours(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := openGallery(t)
			prepare(tab)
			done := map[string]bool{}
			for i, example := range app.Examples() {
				if done[example.Page] { // its other states have the same controls
					continue
				}
				done[example.Page] = true
				display(t, tab, i, example, "language=en")
				tab.Evaluate(`scrollTo(0, 0); document.activeElement.blur()`, nil)
				seen := map[string]bool{}
				for range 12 {
					tab.Key("\t")
					var at struct{ Control, Wrong string }
					tab.Evaluate(focusRing, &at)
					if seen[at.Control] {
						break
					}
					seen[at.Control] = true
					if at.Wrong != "" {
						t.Errorf("%s, %s: %s at %s", example.Page, example.Name, at.Wrong, at.Control)
					}
				}
			}
		})
	}
}

const focusRing = `(() => {
	const e = document.activeElement
	const wrong = () => {
		if (e === document.body) return ""
		const rings = ["", "::after"].map(part => getComputedStyle(e, part))
		if (!rings.some(is => is.outlineStyle !== "none" && parseFloat(is.outlineWidth) >= 2)) return "no ring"
		const box = e.getBoundingClientRect()
		return box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth ? "out of sight" : ""
	}
	return { Control: e.outerHTML.slice(0, 100), Wrong: wrong() }
})()`

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
	folder := filepath.Join("..", "pictures")
	if !*pictures {
		examples, folder = examples[:1], t.TempDir()
	}
	drawn := regexp.MustCompile(*only)
	for _, sight := range sights {
		tab := openGallery(t)
		sight.prepare(tab)
		for i, example := range examples {
			name := strings.ReplaceAll(example.Page+" "+example.Name, "/", " ")
			if !drawn.MatchString(name) {
				continue
			}
			display(t, tab, i, example, sight.query)
			tab.Keep(folder, name+", "+sight.name)
		}
	}
}
