package kit

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/twinlock/twinlock/internal/apptest/program"
)

func TestMain(m *testing.M) {
	status := m.Run()
	Quit()
	os.Exit(status)
}

// site serves pages under their paths, and opens a tab on it.
func site(t *testing.T, pages map[string]string) *Tab {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == "/cookie" {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "ada", Path: "/", HttpOnly: true})
		}
		fmt.Fprintf(w, "<!doctype html><html lang=en><title>Page</title><meta name=viewport content='width=device-width'><main><h1>Page</h1>%s</main>", body)
	}))
	t.Cleanup(server.Close)
	return (&Server{&program.Server{URL: server.URL}, t}).Profile(t)
}

func TestControlsAreFoundByRoleAndExactName(t *testing.T) {
	tab := site(t, map[string]string{"/": `
		<label for=p>Password</label> <input id=p type=password>
		<button>Show password</button>
		<button aria-label="Log out">×</button>
		<button hidden>Secret</button>
		<div style="display:none"><a href="/x">Gone</a></div>
		<span>Login</span>
		<label><input type=checkbox checked>Keep</label>
		<details><summary>Ada</summary><a href="/in">Inside</a></details>
		<img alt="QR code" src="data:,">
		<section aria-labelledby=h><h2 id=h>Passkeys</h2></section>`})
	tab.Open("/")
	for _, tt := range []struct {
		role, name string
		want       bool
	}{
		{"textbox", "Password", true},
		{"button", "Show password", true},
		{"button", "Password", false},
		{"textbox", "Pass", false},
		{"textbox", "password", false},
		{"button", "Log out", true},
		{"button", "×", false},
		{"button", "Secret", false},
		{"link", "Gone", false},
		{"button", "Login", false},
		{"checkbox", "Keep", true},
		{"radio", "Keep", false},
		{"link", "Inside", false},
		{"image", "QR code", true},
		{"region", "Passkeys", true},
	} {
		if have := tab.Has(tt.role, tt.name); have != tt.want {
			t.Errorf("%s %q: found %v, want %v", tt.role, tt.name, have, tt.want)
		}
	}
	if !tab.Ticked("Keep") || tab.Tick("Keep").Ticked("Keep") {
		t.Error("the tick cannot be read, or not be taken away")
	}
	tab.Menu("Ada", "Inside").At("/in")
}

func TestAFormIsFilledAndSent(t *testing.T) {
	form := `<form action="/sent"><label>Email<input name=email value="old@example.org"></label><button>Login</button></form>`
	for name, prepare := range map[string]func(*Tab) *Tab{
		"with script":    func(tab *Tab) *Tab { return tab },
		"without script": (*Tab).WithoutScript,
		"on a phone":     (*Tab).Phone,
	} {
		t.Run(name, func(t *testing.T) {
			tab := prepare(site(t, map[string]string{"/": form, "/sent": "Thank you"}))
			tab.Open("/").Fill("Email", "ada@example.org")
			if tab.Value("Email") != "ada@example.org" {
				t.Errorf("the field holds %q", tab.Value("Email"))
			}
			tab.Press("Login").At("/sent").See("Thank you")
			if tab.Address() != "/sent?email=ada%40example.org" {
				t.Errorf("sent to %s", tab.Address())
			}
			tab.Back()
			tab.At("/")
		})
	}
}

func TestFillLeavesAFieldEmpty(t *testing.T) {
	tab := site(t, map[string]string{"/": `<label>Email<input value="old"></label>`}).Open("/")
	if tab.Fill("Email", "").Value("Email") != "" {
		t.Errorf("the field holds %q", tab.Value("Email"))
	}
}

// A button under something else cannot be pressed by a person either.
func TestWhatIsCoveredIsNotPressed(t *testing.T) {
	tab := site(t, map[string]string{"/": `
		<button onclick="document.title = 'pressed'">Save</button>
		<div style="position:fixed;inset:0;background:white" onclick="document.title = 'covered'"></div>`})
	tab.Open("/").Press("Save")
	var title string
	tab.Evaluate("document.title", &title)
	if title != "covered" {
		t.Errorf("the click reached %q", title)
	}
}

func TestWhatThePageSaysIsWaitedFor(t *testing.T) {
	tab := site(t, map[string]string{"/": `
		<div role=alert></div><div role=status></div><dialog aria-labelledby=d><h2 id=d>Session expired</h2></dialog>
		<script>setTimeout(() => {
			document.querySelector("[role=alert]").textContent = "Too late."
			document.querySelector("[role=status]").textContent = "Saved."
		}, 200)
		setTimeout(() => document.querySelector("dialog").showModal(), 1000)</script>`})
	tab.Open("/").HasNot("dialog", "Session expired").Alert("Too late.").Status("Saved.").See("Session expired")
	tab.Find("Session expired", "dialog")
	if tab.Has("heading", "Page") {
		t.Error("what lies under the dialog can still be reached")
	}
}

func TestEachProfileHasItsOwnCookies(t *testing.T) {
	tab := site(t, map[string]string{"/": "", "/cookie": ""}).Open("/cookie")
	cookies := tab.Cookies()
	if len(cookies) != 1 || cookies[0].Value != "ada" {
		t.Fatalf("cookies %v", cookies)
	}
	if second := tab.Tab().Open("/"); len(second.Cookies()) != 1 {
		t.Error("a second tab of the profile lacks the cookie")
	}
	stranger := tab.server.Profile(t).Open("/")
	if len(stranger.Cookies()) != 0 {
		t.Error("another profile has the cookie")
	}
	stranger.SetCookies(cookies)
	if copied := stranger.Cookies(); len(copied) != 1 || !copied[0].HTTPOnly {
		t.Errorf("copied cookies %v", copied)
	}
}

func TestTheTabIsWhatItIsToldToBe(t *testing.T) {
	tab := site(t, map[string]string{"/": `<script>document.documentElement.dataset.ran = "yes"</script><noscript>No script here</noscript>`})
	is := func(tab *Tab, expression string) (yes bool) {
		t.Helper()
		tab.Evaluate(expression, &yes)
		return yes
	}
	tab.Open("/")
	if is(tab, `matchMedia("(prefers-color-scheme: dark)").matches`) || !is(tab, `matchMedia("(min-width: 1000px)").matches`) {
		t.Error("the tab is dark or narrow from the beginning")
	}
	tab.Dark()
	if !is(tab, `matchMedia("(prefers-color-scheme: dark)").matches`) {
		t.Error("the tab is not dark")
	}
	phone := tab.Tab().Phone().Open("/")
	if !is(phone, `matchMedia("(max-width: 400px) and (pointer: coarse)").matches`) {
		t.Error("the tab is not a phone's")
	}
	tab.Tab().WithoutScript().Open("/").See("No script here")
}

// A page that is busy has not lost what is on it.
func TestABusyPageIsWaitedForBeforeSomethingIsSaidToBeMissing(t *testing.T) {
	tab := site(t, map[string]string{"/": `<button>Save</button><p role=status>Saved.</p>
		<script>setTimeout(() => { const end = Date.now() + 3000; while (Date.now() < end); }, 100)</script>`})
	for title, there := range map[string]func() bool{
		"control": func() bool { return tab.Has("button", "Save") },
		"text":    func() bool { return strings.Contains(tab.Text(), "Save") },
		"region":  func() bool { return tab.Region("status") == "Saved." },
	} {
		tab.Open("/")
		for begin := time.Now(); time.Since(begin) < 2*time.Second; {
			if !there() {
				t.Errorf("the %s is missing while the page is busy", title)
				break
			}
		}
	}
}

func TestProblemsOfScriptsAreKept(t *testing.T) {
	tab := site(t, map[string]string{"/": `<script>throw new Error("on purpose")</script>`}).Open("/")
	Eventually(t, "the exception is noticed", func() bool {
		return strings.Contains(strings.Join(tab.Problems(), "\n"), "on purpose")
	})
}

func TestTheAccessibilityCheckFindsAPlantedFault(t *testing.T) {
	tab := site(t, map[string]string{"/good": `<p>All is well.</p>`, "/bad": `<img src="data:,"><input>`})
	if found := tab.Open("/good").Accessibility(); len(found) != 0 {
		t.Errorf("found %+v on a page without fault", found)
	}
	ids := map[string]bool{}
	for _, v := range tab.Open("/bad").Accessibility() {
		ids[v.ID] = true
	}
	if !ids["image-alt"] || !ids["label"] {
		t.Errorf("found only %v", ids)
	}
}

func TestPicturesAndPrintsAreMade(t *testing.T) {
	tab := site(t, map[string]string{"/": "Hello"}).Open("/")
	if !bytes.HasPrefix(tab.Picture(), []byte("\x89PNG")) {
		t.Error("the picture is no PNG")
	}
	if !bytes.HasPrefix(tab.Print(), []byte("%PDF")) {
		t.Error("the print is no PDF")
	}
}

// The code is that of RFC 6238, Appendix B: the last six digits of its first
// row.
func TestTheAuthenticatorShowsTheCodesOfTheStandard(t *testing.T) {
	if code := Code(t, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", time.Unix(59, 0)); code != "287082" {
		t.Errorf("code %s, want 287082", code)
	}
}

func TestQRCodesAreReadFromPictures(t *testing.T) {
	const text = "otpauth://totp/Twinlock:ada@example.org?secret=GEZDGNBV"
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	code.Scale = 8
	if have := ReadQR(t, code.PNG()); have != text {
		t.Errorf("read %q", have)
	}
}
