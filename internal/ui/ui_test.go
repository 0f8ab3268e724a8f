package ui_test

import (
	"compress/gzip"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/ui/sample"
	"github.com/twinlock/twinlock/internal/ui/uitest"
)

// renderer has the sample's pages, and whatever else a test brings.
func renderer(t testing.TB, more map[string]fs.FS) *ui.Renderer {
	t.Helper()
	bundle, err := i18n.LoadWithPseudo()
	if err != nil {
		t.Fatal(err)
	}
	flows := map[string]fs.FS{"sample": sample.Pages()}
	for name, flow := range more {
		flows[name] = flow
	}
	return ui.New(bundle, flows)
}

// onePage is a flow "test" with a page "test/page" of this text.
func onePage(main string) map[string]fs.FS {
	text := `{{define "title"}}A & B{{end}}{{define "main"}}` + main + `{{end}}`
	return map[string]fs.FS{"test": fstest.MapFS{"pages/page/page.html": {Data: []byte(text)}}}
}

func page(t *testing.T, r *ui.Renderer, name string, shell ui.Shell, data any) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := r.Render(w, http.StatusOK, name, shell, data); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func TestEveryPageCompilesInEveryLanguage(t *testing.T) {
	if err := renderer(t, nil).CompileAll(); err != nil {
		t.Error(err)
	}
}

func TestExamplesAreSoundInEveryLanguage(t *testing.T) {
	r := renderer(t, nil)
	for _, example := range sample.Examples() {
		for _, language := range []string{"en", "de", i18n.Pseudo} {
			t.Run(example.Page+", "+example.Name+", "+language, func(t *testing.T) {
				example.Shell.Language = language
				text := page(t, r, example.Page, example.Shell, example.Data)
				for _, problem := range uitest.Problems([]byte(text)) {
					t.Error(problem)
				}
				if !strings.Contains(text, `<html lang="`+language+`"`) {
					t.Error("the page is in another language")
				}
			})
		}
	}
}

func TestNothingIsSentWhenATemplateFails(t *testing.T) {
	r := renderer(t, onePage(`<p>half a page</p>{{.NoSuchThing}}`))
	w := httptest.NewRecorder()
	if err := r.Render(w, http.StatusOK, "test/page", ui.Shell{}, struct{}{}); err == nil {
		t.Error("no error")
	}
	if w.Body.Len() != 0 || len(w.Header()) != 0 {
		t.Errorf("sent %v %q", w.Header(), w.Body)
	}
}

func TestUnknownPagesIconsAndAssetsAreErrors(t *testing.T) {
	for _, main := range []string{`{{svgicon "no such"}}`, `{{asset "no-such.css"}}`} {
		r := renderer(t, onePage(main))
		if err := r.Render(httptest.NewRecorder(), http.StatusOK, "test/page", ui.Shell{}, nil); err == nil {
			t.Errorf("%s gave no error", main)
		}
	}
	for _, name := range []string{"test/none", "none/page", "page", ""} {
		if err := renderer(t, onePage("")).Render(httptest.NewRecorder(), http.StatusOK, name, ui.Shell{}, nil); err == nil {
			t.Errorf("page %q gave no error", name)
		}
	}
}

func TestAnAnswerSaysWhatItIs(t *testing.T) {
	w := httptest.NewRecorder()
	if err := renderer(t, onePage("")).Render(w, http.StatusTeapot, "test/page", ui.Shell{Language: "de"}, nil); err != nil {
		t.Fatal(err)
	}
	answer := w.Result()
	if answer.StatusCode != http.StatusTeapot || answer.ContentLength != int64(w.Body.Len()) ||
		answer.Header.Get("Content-Type") != "text/html; charset=utf-8" || answer.Header.Get("Content-Language") != "de" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
}

func TestPagesAreRenderedAtTheSameTime(t *testing.T) {
	r := renderer(t, nil)
	var all sync.WaitGroup
	for range 8 {
		for _, example := range sample.Examples() {
			all.Go(func() {
				if err := r.Render(httptest.NewRecorder(), http.StatusOK, example.Page, example.Shell, example.Data); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

func TestTheTitleSaysPageSiteAndError(t *testing.T) {
	r := renderer(t, onePage(""))
	failed := ui.Summarize(ui.Words("Wrong."))
	for _, c := range []struct {
		what  string
		shell ui.Shell
		data  any
		want  string
	}{
		{"plain", ui.Shell{}, nil, "A &amp; B · Twinlock"},
		{"own name", ui.Shell{Site: "<Acme>"}, nil, "A &amp; B · &lt;Acme&gt;"},
		{"shell failed", ui.Shell{Failed: true}, nil, "Error: A &amp; B · Twinlock"},
		{"page failed", ui.Shell{}, struct{ ui.Summary }{failed}, "Error: A &amp; B · Twinlock"},
		{"page did not fail", ui.Shell{}, struct{ ui.Summary }{}, "A &amp; B · Twinlock"},
		{"in German", ui.Shell{Failed: true, Language: "de"}, nil, "Fehler: A &amp; B · Twinlock"},
	} {
		if got := page(t, r, "test/page", c.shell, c.data); !strings.Contains(got, "<title>"+c.want+"</title>") {
			t.Errorf("%s: no title %q", c.what, c.want)
		}
	}
}

func TestTheMenuIsThereForPeopleOnlyAndAdministrationForAdministrators(t *testing.T) {
	r := renderer(t, onePage(""))
	for _, c := range []struct {
		menu          *ui.Menu
		logout, admin bool
	}{
		{nil, false, false},
		{&ui.Menu{Name: "ada@example.org"}, true, false},
		{&ui.Menu{Name: "Eli", Administrator: true}, true, true},
	} {
		got := page(t, r, "test/page", ui.Shell{Menu: c.menu}, nil)
		if strings.Contains(got, `action="/logout"`) != c.logout || strings.Contains(got, `href="/admin"`) != c.admin {
			t.Errorf("%+v: wrong entries", c.menu)
		}
	}
}

func TestTheInitialIsALetterInAnyScript(t *testing.T) {
	for name, want := range map[string]string{"ada": "A", "émile": "É", "γιώργος": "Γ", "山田": "山"} {
		if got := (ui.Menu{Name: name}).Initial(); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSecretsDoNotGoBackToTheBrowser(t *testing.T) {
	r := renderer(t, onePage(`{{range .}}{{template "field" .}}{{end}}`))
	got := page(t, r, "test/page", ui.Shell{}, []ui.Field{
		{Name: "p", Label: ui.Words("P"), Kind: ui.KindPassword, Value: "hunter2"},
		{Name: "c", Label: ui.Words("C"), Kind: ui.KindCode, Value: "482913"},
		{Name: "e", Label: ui.Words("E"), Kind: ui.KindEmail, Value: "ada@example.org"},
	})
	if strings.Contains(got, "hunter2") || strings.Contains(got, "482913") {
		t.Error("a secret is in the page")
	}
	if !strings.Contains(got, `value="ada@example.org"`) {
		t.Error("the address is not typed any more")
	}
}

func TestWhatPeopleTypedIsShownAsTextOnly(t *testing.T) {
	const evil = `"><script>alert(1)</script>{{.}}`
	r := renderer(t, onePage(`{{range .}}{{template "field" .}}{{end}}`))
	got := page(t, r, "test/page", ui.Shell{Site: evil, Path: evil, Notice: ui.Words(evil), Menu: &ui.Menu{Name: evil}}, []ui.Field{
		{Name: "n", Label: ui.Words(evil), Value: evil, Hint: ui.T("form.pageOf", "Page", evil), Error: ui.Words(evil)},
		{Name: "l", Label: ui.Words("L"), Kind: ui.KindLines, Value: "</textarea>" + evil},
	})
	if strings.Contains(got, "<script>alert") {
		t.Error("it is a script")
	}
	for _, problem := range uitest.Problems([]byte(got)) {
		t.Error(problem)
	}
}

// A page that leads on links where it leads; what no browser should follow is
// not written into it, unless an application registered it.
func TestAPageThatLeadsOnLinksWebSitesAndWhatWasRegistered(t *testing.T) {
	r := renderer(t, nil)
	for _, c := range []struct {
		to   any
		want string
	}{
		{"https://wiki.example.org/?a=1&b=2", `href="https://wiki.example.org/?a=1&amp;b=2"`},
		{"javascript:alert(1)", `href="#ZgotmplZ"`},
		{template.URL("org.example.app:/signed-in?code=x"), `href="org.example.app:/signed-in?code=x"`},
	} {
		if got := page(t, r, "ui/leave", ui.Shell{}, ui.LeavePage{Host: "host", To: c.to}); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %s", c.to, c.want)
		}
	}
}

func TestFieldsAreNamedMarkedAndExplained(t *testing.T) {
	r := renderer(t, onePage(`{{template "field" .}}`))
	got := page(t, r, "test/page", ui.Shell{}, ui.Field{
		Name: "email", Label: ui.T("form.email"), Required: true,
		Hint: ui.Words("As in your mail."), Error: ui.Words("There is no @ in it."),
	})
	for _, want := range []string{
		`<label for="email">Email</label><span class="required" aria-hidden="true">*</span>`,
		`aria-invalid="true" aria-describedby="email-hint email-error"`,
		" required",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestACodeFieldTakesAnythingThatIsTypedOrPasted(t *testing.T) {
	r := renderer(t, onePage(`{{template "field" .}}`))
	got := page(t, r, "test/page", ui.Shell{}, ui.Field{Name: "code", Label: ui.T("form.code"), Kind: ui.KindCode})
	input := regexp.MustCompile(`<input id="code"[^>]*>`).FindString(got)
	for _, want := range []string{`type="text"`, `inputmode="numeric"`, `autocomplete="one-time-code"`, `spellcheck="false"`} {
		if !strings.Contains(input, want) {
			t.Errorf("%s lacks %s", input, want)
		}
	}
}

func TestASummaryFocusesTheOnlyFieldOrItself(t *testing.T) {
	email := ui.Field{Name: "email", Label: ui.T("form.email"), Autofocus: true, Marked: true}
	password := ui.Field{Name: "password", Label: ui.T("form.password"), Error: ui.Words("Too short.")}
	both := ui.Summarize(ui.Text{}, &email, &password)
	if !both.Focused || email.Autofocus || len(both.Marked) != 2 || both.Text.IsZero() {
		t.Errorf("two fields: %+v", both)
	}
	code := ui.Field{Name: "code", Label: ui.T("form.code"), Error: ui.Words("Wrong.")}
	one := ui.Summarize(ui.Text{}, &code)
	if one.Focused || !code.Autofocus || !one.HasFailed() {
		t.Errorf("one field: %+v", one)
	}
	calm := ui.Field{Name: "email", Autofocus: true}
	if none := ui.Summarize(ui.Text{}, &calm, &calm); none.HasFailed() || !calm.Autofocus {
		t.Errorf("nothing wrong: %+v", none)
	}
}

func TestTextsSayTheirValuesInTheSameLanguage(t *testing.T) {
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	text := ui.T("form.pageOf", "Page", 15*time.Minute, "Pages", ui.T("form.password"))
	if got := text.In(bundle.Texts("de")); got != "Seite 15 Minuten von Passwort" {
		t.Errorf("got %q", got)
	}
}

func TestAPageWithItsAssetsIsSmallOverTheWire(t *testing.T) {
	const limit = 50 << 10
	r := renderer(t, nil)
	for _, example := range sample.Examples() {
		text := page(t, r, example.Page, example.Shell, example.Data)
		total := len(zipped(t, text))
		for _, address := range addresses(text) {
			total += len(fetch(t, r, address))
		}
		if total > limit {
			t.Errorf("%s, %s: %d bytes", example.Page, example.Name, total)
		}
	}
}

var assetAddress = regexp.MustCompile(`/assets/[0-9a-f]+/[a-z0-9./-]+`)

// addresses are the assets that a page names.
func addresses(text string) []string { return assetAddress.FindAllString(text, -1) }

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func fetch(t *testing.T, r *ui.Renderer, address string) string {
	t.Helper()
	w := ask(r, http.MethodGet, address, "gzip, br")
	if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %d %v", address, w.Code, w.Header())
	}
	return w.Body.String()
}

func ask(r *ui.Renderer, method, address, encoding string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	request := httptest.NewRequest(method, address, nil)
	request.Header.Set("Accept-Encoding", encoding)
	r.Assets().ServeHTTP(w, request)
	return w
}

func TestAssetsAreKeptForAsLongAsTheirAddressIsRight(t *testing.T) {
	r := renderer(t, map[string]fs.FS{"test": fstest.MapFS{"pages/page/own.js": {Data: []byte("own()")}}})
	current := addresses(page(t, r, "sample/form", ui.Shell{}, sample.Examples()[0].Data))[0]
	hash := strings.Split(current, "/")[2]
	for _, c := range []struct {
		address string
		status  int
		keep    string
	}{
		{"/assets/" + hash + "/twinlock.css", http.StatusOK, "public, max-age=31536000, immutable"},
		{"/assets/" + hash + "/test/page/own.js", http.StatusOK, "public, max-age=31536000, immutable"},
		{"/assets/0000000000000000/twinlock.css", http.StatusOK, "no-cache"},
		{"/assets/" + hash + "/none.css", http.StatusNotFound, ""},
		{"/assets/" + hash + "/../ui.go", http.StatusNotFound, ""},
		{"/assets/", http.StatusNotFound, ""},
	} {
		w := ask(r, http.MethodGet, c.address, "")
		if w.Code != c.status || w.Header().Get("Cache-Control") != c.keep {
			t.Errorf("%s: %d %q", c.address, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

func TestAssetsAreCompressedForWhoeverReadsThat(t *testing.T) {
	r := renderer(t, nil)
	for encoding, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "br, gzip;q=0.8": true, "gzip;q=0": false, "gzip; q=0.0": false, "xgzip": false,
	} {
		w := ask(r, http.MethodGet, "/assets/x/twinlock.css", encoding)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed %v", encoding, got)
		}
	}
	if w := ask(r, http.MethodHead, "/assets/x/twinlock.css", ""); w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d bytes, %v", w.Body.Len(), w.Header())
	}
}

func TestScriptsImportOnlyWhatThereIs(t *testing.T) {
	r := renderer(t, nil)
	imported := regexp.MustCompile(`from '\./([^']+)'`)
	for _, address := range addresses(page(t, r, "sample/form", ui.Shell{}, sample.Examples()[0].Data)) {
		for _, found := range imported.FindAllStringSubmatch(ask(r, http.MethodGet, address, "").Body.String(), -1) {
			if w := ask(r, http.MethodGet, "/assets/x/"+found[1], ""); w.Code != http.StatusOK {
				t.Errorf("%s imports %s", address, found[1])
			}
		}
	}
}

func BenchmarkRender(b *testing.B) {
	r := renderer(b, nil)
	example := sample.Examples()[0]
	for b.Loop() {
		if err := r.Render(httptest.NewRecorder(), http.StatusOK, example.Page, example.Shell, example.Data); err != nil {
			b.Fatal(err)
		}
	}
}
