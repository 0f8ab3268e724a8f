package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/twinlock/twinlock/internal/apptest/program"
)

// withoutWindows is where Debian puts it. Its command is a script, which would
// leave the browser running when it is ended.
const withoutWindows = "/usr/lib/chromium/chromium-headless-shell"

// one Chromium serves all tests of a process: the one without windows, where
// this machine has it, which takes a third of the time.
var chromium = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP *.example.org 127.0.0.1"),
	)
	if _, err := os.Stat(withoutWindows); err == nil {
		options = append(options, chromedp.ExecPath(withoutWindows))
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	// The library complains of events that are newer than itself.
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	atEnd = stop
	return ctx, chromedp.Run(ctx)
})

var atEnd = func() {}

// Quit ends the browser. TestMain calls it.
func Quit() {
	atEnd()
	program.Quit()
}

// Profile is one browser profile: cookies of its own.
type Profile struct {
	server  *Server
	t       testing.TB
	browser context.Context
	id      cdp.BrowserContextID
}

// Profile opens a fresh browser profile with one tab.
func (s *Server) Profile(t testing.TB) *Tab {
	t.Helper()
	b, err := chromium()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	p := &Profile{server: s, t: t, browser: b}
	whole := cdp.WithExecutor(b, chromedp.FromContext(b).Browser)
	if p.id, err = target.CreateBrowserContext().Do(whole); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	t.Cleanup(func() { _ = target.DisposeBrowserContext(p.id).Do(whole) })
	return p.Tab()
}

// Browse opens a profile for pages of a server that is not ours.
func Browse(t testing.TB, url string) *Tab {
	t.Helper()
	return (&Server{&program.Server{URL: url}, t}).Profile(t)
}

// Tab opens another tab of the profile. A profile without a window needs one
// first, so each tab gets its own.
func (p *Profile) Tab() *Tab {
	p.t.Helper()
	whole := cdp.WithExecutor(p.browser, chromedp.FromContext(p.browser).Browser)
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(p.id).WithNewWindow(true).Do(whole)
	if err != nil {
		p.t.Fatalf("open a tab: %v", err)
	}
	ctx, cancel := chromedp.NewContext(p.browser, chromedp.WithTargetID(id))
	p.t.Cleanup(cancel)
	tab := &Tab{Profile: p, ctx: ctx}
	chromedp.ListenTarget(ctx, tab.listen)
	if err := chromedp.Run(ctx); err != nil { // attaches for as long as the tab lives, so without a time limit
		p.t.Fatalf("open a tab: %v", err)
	}
	return tab.Desktop()
}

// Tab is one tab of a profile.
type Tab struct {
	*Profile
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// listen keeps what goes wrong in the page's own scripts.
func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.problems = append(tab.problems, e.ExceptionDetails.Error())
	case *page.EventJavascriptDialogOpening:
		tab.problems = append(tab.problems, "the page opened a dialog of the browser: "+e.Message)
	}
}

// Problems are the exceptions that scripts of the page threw.
func (tab *Tab) Problems() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return tab.problems
}

// glance is how long a look at a page may take: a question about a document
// that is just going is never answered, and is asked again.
const glance = time.Second

// try looks at a page, which may fail while it changes into another.
func (tab *Tab) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(tab.ctx, glance)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// ask looks until the page answers: a question that got lost must not pass for
// a page on which there is nothing.
func (tab *Tab) ask(what string, action chromedp.Action) {
	tab.t.Helper()
	Eventually(tab.t, what, func() bool { return tab.try(action) == nil })
}

func (tab *Tab) do(what string, actions ...chromedp.Action) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		tab.fail("%s: %v", what, err)
	}
}

// fail shows what the page looked like.
func (tab *Tab) fail(format string, args ...any) {
	tab.t.Helper()
	tab.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), tab.sight())
}

// sight is what can be told of the page for a failure, which may be nothing.
func (tab *Tab) sight() string {
	var where, text string
	_ = tab.try(chromedp.Location(&where))
	_ = tab.try(shownText(&text))
	return "at " + strings.TrimPrefix(where, tab.server.URL) + "\n" + text
}

// Phone makes the tab a phone's.
func (tab *Tab) Phone() *Tab {
	tab.do("become a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	return tab
}

// Desktop makes the tab a desktop's, which every tab is at first.
func (tab *Tab) Desktop() *Tab {
	tab.do("become a desktop", chromedp.EmulateViewport(1280, 900))
	return tab
}

// Narrow makes the window as narrow as the smallest phone.
func (tab *Tab) Narrow() *Tab {
	tab.do("become narrow", chromedp.EmulateViewport(320, 640))
	return tab
}

// Zoomed is a desktop at twice the browser's zoom: half as many pixels.
func (tab *Tab) Zoomed() *Tab {
	tab.do("zoom", chromedp.EmulateViewport(640, 450, chromedp.EmulateScale(2)))
	return tab
}

// WithoutScript turns scripts off.
func (tab *Tab) WithoutScript() *Tab {
	tab.do("turn scripts off", emulation.SetScriptExecutionDisabled(true))
	return tab
}

// Dark makes the system prefer dark colours.
func (tab *Tab) Dark() *Tab { return tab.media("prefers-color-scheme", "dark") }

// ForcedColours makes the system choose all colours itself, as its contrast
// themes do; dark ones where dark is true.
func (tab *Tab) ForcedColours(dark bool) *Tab {
	if dark {
		return tab.media("forced-colors", "active", "prefers-color-scheme", "dark")
	}
	return tab.media("forced-colors", "active", "prefers-color-scheme", "light")
}

// OwnColours leaves the colours to the page again.
func (tab *Tab) OwnColours() *Tab { return tab.media() }

// ReducedMotion makes the system ask for less motion.
func (tab *Tab) ReducedMotion() *Tab { return tab.media("prefers-reduced-motion", "reduce") }

// media sets what the system prefers: names and values by turns.
func (tab *Tab) media(pairs ...string) *Tab {
	var features []*emulation.MediaFeature
	for i := 0; i < len(pairs); i += 2 {
		features = append(features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	tab.do("prefer other media", emulation.SetEmulatedMedia().WithFeatures(features))
	return tab
}

// AsPrinted shows the page as it would be printed; false shows the screen.
func (tab *Tab) AsPrinted(yes bool) *Tab {
	medium := "screen"
	if yes {
		medium = "print"
	}
	tab.do("show as printed", emulation.SetEmulatedMedia().WithMedia(medium))
	return tab
}

// Prefer tells servers which language the person reads.
func (tab *Tab) Prefer(language string) *Tab {
	tab.do("prefer a language", network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": language}))
	return tab
}

// Before runs a script in every page of the tab before the page's own.
func (tab *Tab) Before(script string) *Tab {
	tab.do("prepare pages", chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
	return tab
}

// Open goes to a path of the server, or to a whole address.
func (tab *Tab) Open(path string) *Tab {
	tab.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = tab.server.URL + path
	}
	tab.do("open "+path, chromedp.Navigate(path))
	return tab
}

// Reload loads the page again, and Back goes to the one before.
func (tab *Tab) Reload() { tab.t.Helper(); tab.do("reload", chromedp.Reload()) }

// Back goes to the page before. A page that Chromium kept comes back without
// loading again, so nothing but the history tells when it is there; and one that
// now leads elsewhere is another there, at the same place.
func (tab *Tab) Back() {
	tab.t.Helper()
	entries, at := tab.history()
	if at == 0 {
		tab.fail("there is no page before")
	}
	tab.do("go back", page.NavigateToHistoryEntry(entries[at-1].ID))
	tab.Until("the page before", func() bool {
		_, now := tab.history()
		return now == at-1 && tab.loaded()
	})
}

func (tab *Tab) history() (entries []*page.NavigationEntry, at int) {
	tab.t.Helper()
	tab.ask("the history", chromedp.ActionFunc(func(ctx context.Context) error {
		current, all, err := page.GetNavigationHistory().Do(ctx)
		entries, at = all, int(current)
		return err
	}))
	return entries, at
}

func (tab *Tab) loaded() (yes bool) {
	tab.t.Helper()
	tab.ask("whether the page is loaded", chromedp.Evaluate(`document.readyState === "complete"`, &yes))
	return yes
}

// Address is the path and query where the tab is.
func (tab *Tab) Address() string {
	tab.t.Helper()
	var where string
	tab.ask("the address", chromedp.Location(&where))
	return strings.TrimPrefix(where, tab.server.URL)
}

// At waits until the tab is at a path, and the page's scripts have begun.
func (tab *Tab) At(path string) *Tab {
	tab.t.Helper()
	tab.Until("the address "+path, func() bool {
		at, _, _ := strings.Cut(tab.Address(), "?")
		return at == path && tab.loaded()
	})
	return tab
}

// Until asks again and again until yes, and shows the page where it is in vain.
func (tab *Tab) Until(what string, yes func() bool) {
	tab.t.Helper()
	defer func() {
		if tab.t.Failed() {
			tab.t.Log(tab.sight())
		}
	}()
	Eventually(tab.t, what, yes)
}

// Text is what the page says, as far as it is shown.
func (tab *Tab) Text() (text string) {
	tab.t.Helper()
	tab.ask("the text of the page", shownText(&text))
	return text
}

func shownText(text *string) chromedp.Action {
	return chromedp.Evaluate(`document.body ? document.body.innerText : ""`, text)
}

// See waits until the page says something.
func (tab *Tab) See(words string) *Tab {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("the words %q", words), func() bool { return strings.Contains(tab.Text(), words) })
	return tab
}

// query finds the controls of a role and an exact accessible name; "" matches
// any.
func (tab *Tab) query(role, name string) (found []*accessibility.Node) {
	tab.t.Helper()
	tab.ask("the controls of the page", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		found, err = controls(ctx, role, name)
		return err
	}))
	return found
}

func controls(ctx context.Context, role, name string) (found []*accessibility.Node, err error) {
	// Asked through the page itself: asking the DOM domain for its document
	// while another one loads gets no answer.
	document, problem, err := runtime.Evaluate("document").Do(ctx)
	switch {
	case err != nil:
		return nil, err
	case problem != nil:
		return nil, problem
	}
	ask := accessibility.QueryAXTree().WithObjectID(document.ObjectID)
	if role != "" {
		ask = ask.WithRole(role)
	}
	if name != "" {
		ask = ask.WithAccessibleName(name)
	}
	nodes, err := ask.Do(ctx)
	for _, n := range nodes {
		if !n.Ignored {
			found = append(found, n)
		}
	}
	return found, err
}

// Has tells whether a control is there now.
func (tab *Tab) Has(role, name string) bool {
	tab.t.Helper()
	return len(tab.query(role, name)) > 0
}

// HasNot waits until a control is not there.
func (tab *Tab) HasNot(role, name string) *Tab {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("no %s %q", role, name), func() bool { return !tab.Has(role, name) })
	return tab
}

// Find waits for a control of one of the roles.
func (tab *Tab) Find(name string, roles ...string) (found *accessibility.Node) {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("%s %q", strings.Join(roles, " or "), name), func() bool {
		for _, role := range roles {
			if nodes := tab.query(role, name); len(nodes) > 0 {
				found = nodes[0]
				return true
			}
		}
		return false
	})
	return found
}

// call calls a function of the page on a control.
func call(n *accessibility.Node, function string, result any) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		object, err := dom.ResolveNode().WithBackendNodeID(n.BackendDOMNodeID).Do(ctx)
		if err != nil {
			return err
		}
		value, problem, err := runtime.CallFunctionOn(function).WithObjectID(object.ObjectID).WithReturnByValue(true).Do(ctx)
		switch {
		case err != nil:
			return err
		case problem != nil:
			return problem
		case result != nil:
			return json.Unmarshal(value.Value, result)
		}
		return nil
	})
}

func (tab *Tab) on(n *accessibility.Node, function string, result any) {
	tab.t.Helper()
	tab.do("act on a control", call(n, function, result))
}

// Fill types into a field in one go, as a person pastes or a password manager
// fills in.
func (tab *Tab) Fill(name, value string) *Tab {
	tab.t.Helper()
	field := tab.Find(name, "textbox", "searchbox", "spinbutton")
	tab.on(field, `function() { this.focus(); this.select && this.select(); }`, nil)
	tab.do("type into "+name, input.InsertText(value))
	if value == "" {
		tab.on(field, `function() { this.value = "" }`, nil)
	}
	return tab
}

// Value is what a field holds.
func (tab *Tab) Value(name string) (value string) {
	tab.t.Helper()
	tab.on(tab.Find(name, "textbox", "searchbox", "spinbutton"), `function() { return this.value }`, &value)
	return value
}

// Press presses a button or follows a link with the mouse.
func (tab *Tab) Press(name string) *Tab {
	tab.t.Helper()
	tab.click(tab.Find(name, "button", "link", "DisclosureTriangle"))
	return tab
}

// Tick ticks a box or chooses a radio.
func (tab *Tab) Tick(name string) *Tab {
	tab.t.Helper()
	tab.click(tab.Find(name, "checkbox", "radio"))
	return tab
}

// Ticked tells whether a box is ticked.
func (tab *Tab) Ticked(name string) (ticked bool) {
	tab.t.Helper()
	tab.on(tab.Find(name, "checkbox", "radio"), `function() { return this.checked }`, &ticked)
	return ticked
}

// click moves the mouse onto a control and presses it, so that whatever lies
// above it is in the way as it would be for a person.
func (tab *Tab) click(n *accessibility.Node) {
	tab.t.Helper()
	tab.on(n, `function() { this.scrollIntoView({ block: "center", behavior: "instant" }) }`, nil)
	tab.do("press", chromedp.ActionFunc(func(ctx context.Context) error {
		quads, err := dom.GetContentQuads().WithBackendNodeID(n.BackendDOMNodeID).Do(ctx)
		if err != nil {
			return err
		}
		q := quads[0]
		x, y := (q[0]+q[4])/2, (q[1]+q[5])/2
		return chromedp.MouseClickXY(x, y).Do(ctx)
	}))
}

// DoubleTap taps a control twice with a finger.
func (tab *Tab) DoubleTap(name string, roles ...string) *Tab {
	tab.t.Helper()
	n := tab.Find(name, roles...)
	tab.on(n, `function() { this.scrollIntoView({ block: "center", behavior: "instant" }) }`, nil)
	tab.do("tap twice", chromedp.ActionFunc(func(ctx context.Context) error {
		quads, err := dom.GetContentQuads().WithBackendNodeID(n.BackendDOMNodeID).Do(ctx)
		if err != nil {
			return err
		}
		q := quads[0]
		finger := []*input.TouchPoint{{X: (q[0] + q[4]) / 2, Y: (q[1] + q[5]) / 2}}
		for range 2 {
			if err := input.DispatchTouchEvent(input.TouchStart, finger).Do(ctx); err != nil {
				return err
			}
			if err := input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
	return tab
}

// Menu opens the user menu, which bears a person's name, and presses an entry.
func (tab *Tab) Menu(person, entry string) *Tab {
	tab.t.Helper()
	tab.click(tab.Find(person, "button", "DisclosureTriangle"))
	return tab.Press(entry)
}

// Key presses a key: "Enter", "Tab", "Escape".
func (tab *Tab) Key(keys string) *Tab {
	tab.t.Helper()
	tab.do("press a key", chromedp.KeyEvent(keys))
	return tab
}

// Region is the text of everything that has a role now; "" where nothing has.
func (tab *Tab) Region(role string) (said string) {
	tab.t.Helper()
	tab.ask("the text of what has the role "+role, chromedp.ActionFunc(func(ctx context.Context) error {
		nodes, err := controls(ctx, role, "")
		if err != nil {
			return err
		}
		var all []string
		for _, n := range nodes {
			var text string
			if err := call(n, `function() { return this.innerText }`, &text).Do(ctx); err != nil {
				return err
			}
			if text = strings.TrimSpace(text); text != "" {
				all = append(all, text)
			}
		}
		said = strings.Join(all, "\n")
		return nil
	}))
	return said
}

// Status waits until the page says, in role=status, what was done.
func (tab *Tab) Status(words string) *Tab {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("the status %q", words), func() bool { return strings.Contains(tab.Region("status"), words) })
	return tab
}

// Alert waits until the page says, in role=alert, what went wrong.
func (tab *Tab) Alert(words string) *Tab {
	tab.t.Helper()
	tab.Until(fmt.Sprintf("the alert %q", words), func() bool { return strings.Contains(tab.Region("alert"), words) })
	return tab
}

// Focused is the accessible name of the element with the focus.
func (tab *Tab) Focused() (name string) {
	tab.do("look for the focus", chromedp.Evaluate(
		`(() => { const e = document.activeElement; return e?.labels?.[0]?.innerText ?? e?.getAttribute?.("aria-label") ?? e?.id ?? "" })()`, &name))
	return name
}

// Evaluate runs an expression in the page.
func (tab *Tab) Evaluate(expression string, result any) {
	tab.t.Helper()
	tab.do("evaluate", chromedp.Evaluate(expression, result))
}

// Look is Evaluate for a page that may be changing; false where it could not
// be asked.
func (tab *Tab) Look(expression string, result any) bool {
	return tab.try(chromedp.Evaluate(expression, result)) == nil
}

// Cookies are the profile's cookies for the server.
func (tab *Tab) Cookies() []*network.Cookie { return tab.CookiesFor(tab.server.URL) }

// CookiesFor is Cookies for another address than the server's.
func (tab *Tab) CookiesFor(address string) (cookies []*network.Cookie) {
	tab.t.Helper()
	tab.do("read the cookies", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		cookies, err = network.GetCookies().WithURLs([]string{address}).Do(ctx)
		return err
	}))
	return cookies
}

// SetCookies gives the profile cookies, as somebody who copied them would.
func (tab *Tab) SetCookies(cookies []*network.Cookie) {
	tab.t.Helper()
	for _, c := range cookies {
		tab.do("set a cookie", network.SetCookie(c.Name, c.Value).WithURL(tab.server.URL).WithHTTPOnly(c.HTTPOnly).WithPath("/"))
	}
}

// AllowClipboard lets the page use the clipboard, and tests read it.
func (tab *Tab) AllowClipboard() *Tab {
	tab.t.Helper()
	tab.do("allow the clipboard", emulation.SetFocusEmulationEnabled(true), chromedp.ActionFunc(func(ctx context.Context) error {
		whole := cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		for _, name := range []string{"clipboard-write", "clipboard-read"} {
			err := browser.SetPermission(&browser.PermissionDescriptor{Name: name}, browser.PermissionSettingGranted).
				WithOrigin(tab.server.URL).WithBrowserContextID(tab.id).Do(whole)
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return tab
}

// Clipboard is what was copied last.
func (tab *Tab) Clipboard() (text string) {
	tab.t.Helper()
	tab.do("read the clipboard", chromedp.Evaluate(`navigator.clipboard.readText()`, &text,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return text
}

// Downloads makes the profile keep what it downloads in a folder, and gives it.
func (tab *Tab) Downloads() (folder string) {
	tab.t.Helper()
	folder = tab.t.(interface{ TempDir() string }).TempDir()
	tab.do("keep downloads", chromedp.ActionFunc(func(ctx context.Context) error {
		return browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(folder).
			WithBrowserContextID(tab.id).Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}))
	return folder
}

// Picture is the whole page as a PNG.
func (tab *Tab) Picture() (png []byte) {
	tab.t.Helper()
	tab.do("take a picture", chromedp.FullScreenshot(&png, 100))
	return png
}

// Keep writes a picture into a folder.
func (tab *Tab) Keep(folder, name string) {
	tab.t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), tab.Picture(), 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// Print is the page as it is printed.
func (tab *Tab) Print() (pdf []byte) {
	tab.t.Helper()
	tab.do("print", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	return pdf
}

// Violation is something that the accessibility check finds.
type Violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML string `json:"html"`
	} `json:"nodes"`
}

// axe is read from browser/node_modules, whether the tests are the browser's
// own or the kit's.
var axe = sync.OnceValues(func() (string, error) {
	const file = "node_modules/axe-core/axe.min.js"
	source, err := os.ReadFile(file)
	if err != nil {
		source, err = os.ReadFile(filepath.Join("..", file))
	}
	return string(source), err
})

// Accessibility runs axe-core on the page: WCAG 2.2 A and AA, and best
// practice.
func (tab *Tab) Accessibility() []Violation {
	tab.t.Helper()
	return tab.axe(`{ resultTypes: ["violations"] }`)
}

// Contrast runs the one rule of axe-core that is about colours.
func (tab *Tab) Contrast() []Violation {
	tab.t.Helper()
	return tab.axe(`{ resultTypes: ["violations"], runOnly: ["color-contrast"] }`)
}

func (tab *Tab) axe(options string) (violations []Violation) {
	tab.t.Helper()
	source, err := axe()
	if err != nil {
		tab.t.Fatalf("axe-core is missing (tools/prepare fetches it): %v", err)
	}
	var there bool
	if tab.Evaluate(`"axe" in window`, &there); !there {
		tab.Evaluate(source+"; 0", nil)
	}
	tab.do("check accessibility", chromedp.Evaluate(
		`axe.run(document, `+options+`).then(r => r.violations)`, &violations,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return violations
}

// Opened waits for the window that a page of this tab opened.
func (tab *Tab) Opened() *Tab {
	tab.t.Helper()
	whole := cdp.WithExecutor(tab.browser, chromedp.FromContext(tab.browser).Browser)
	own := chromedp.FromContext(tab.ctx).Target.TargetID
	var id target.ID
	Eventually(tab.t, "a window opens", func() bool {
		all, err := target.GetTargets().Do(whole)
		for _, one := range all {
			if one.OpenerID == own {
				id = one.TargetID
			}
		}
		return err == nil && id != ""
	})
	ctx, cancel := chromedp.NewContext(tab.browser, chromedp.WithTargetID(id))
	tab.t.Cleanup(cancel)
	opened := &Tab{Profile: tab.Profile, ctx: ctx}
	chromedp.ListenTarget(ctx, opened.listen)
	if err := chromedp.Run(ctx); err != nil {
		tab.t.Fatalf("look at the window: %v", err)
	}
	return opened
}
