package apptest

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Page is an answer as somebody without scripts sees it.
type Page struct {
	Status int    // 0 where no answer came, which only a server far away can do
	Path   string // with the query
	Header http.Header
	Body   string

	browser *Browser
	root    *html.Node
}

func newPage(b *Browser, r *http.Request, answer *http.Response) *Page {
	b.t.Helper()
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil { // it broke off: nobody saw it
		body, answer = nil, lost()
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	return &Page{Status: answer.StatusCode, Path: r.URL.RequestURI(), Header: answer.Header, Body: string(body), browser: b, root: root}
}

// WantStatus ends the test where the page has another status.
func (p *Page) WantStatus(want int) *Page {
	p.browser.t.Helper()
	if p.Status != want {
		p.fatalf("status %d, want %d", p.Status, want)
	}
	return p
}

// WantPath ends the test where the visitor is on another page. The query does
// not matter.
func (p *Page) WantPath(want string) *Page {
	p.browser.t.Helper()
	if path, _, _ := strings.Cut(p.Path, "?"); path != want {
		p.fatalf("at %s, want %s", path, want)
	}
	return p
}

// WantDone ends the test where the page does not say in role=status what was
// done.
func (p *Page) WantDone(want string) *Page {
	p.browser.t.Helper()
	if got := p.role("status"); !slices.Contains(got, want) {
		p.fatalf("role=status says %q, want %q", got, want)
	}
	return p
}

// Done gives what the page says was done, "" for nothing.
func (p *Page) Done() string { return strings.Join(p.role("status"), " ") }

// Alert gives what the page says was refused, "" for nothing.
func (p *Page) Alert() string { return strings.Join(p.role("alert"), " ") }

func (p *Page) role(role string) (said []string) {
	for _, n := range p.all(func(n *html.Node) bool { return attr(n, "role") == role }) {
		if s := textOf(n); s != "" {
			said = append(said, s)
		}
	}
	return said
}

// SentTo is where an answer leads: by a redirect, or by a page that leads on; ""
// where it leads nowhere.
func (p *Page) SentTo() string {
	if to := p.Header.Get("Location"); to != "" {
		return to
	}
	_, to, _ := strings.Cut(p.Header.Get("Refresh"), "url=")
	return to
}

// Heading gives the page's own heading.
func (p *Page) Heading() string {
	for _, n := range p.all(tagged("h1")) {
		return textOf(n)
	}
	return ""
}

// Text gives the words of the page's main part, spaces folded.
func (p *Page) Text() string {
	for _, n := range p.all(tagged("main")) {
		return textOf(n)
	}
	return textOf(p.root)
}

// Unnumbered is Text without the number of the request, which no two pages share.
func (p *Page) Unnumbered() string {
	return strings.ReplaceAll(p.Text(), p.Header.Get("X-Request-Id"), "")
}

// Says tells whether the page's main part has these words.
func (p *Page) Says(words string) bool { return strings.Contains(p.Text(), words) }

// HasButton tells whether there is a button of this name.
func (p *Page) HasButton(name string) bool { return len(p.buttons(name)) > 0 }

// HasLink tells whether there is a link of this name.
func (p *Page) HasLink(name string) bool { return len(p.links(name)) > 0 }

// Href gives where the link of this name leads.
func (p *Page) Href(name string) string {
	p.browser.t.Helper()
	found := p.links(name)
	if len(found) == 0 {
		p.fatalf("no link %q", name)
	}
	return attr(found[0], "href")
}

// Follow follows the link of this name.
func (p *Page) Follow(name string) *Page {
	p.browser.t.Helper()
	return p.browser.Get(p.Href(name))
}

// List gives the items of the list of this name, the words of each.
func (p *Page) List(name string) (items []string) {
	p.browser.t.Helper()
	found := p.all(func(n *html.Node) bool { return (n.Data == "ul" || n.Data == "ol") && p.nameOf(n) == name })
	if len(found) != 1 {
		p.fatalf("%d lists %q", len(found), name)
	}
	for _, n := range below(found[0], tagged("li")) {
		items = append(items, textOf(n))
	}
	return items
}

// Definition gives the value beside a term.
func (p *Page) Definition(term string) string {
	p.browser.t.Helper()
	for _, n := range p.all(tagged("dt")) {
		if textOf(n) != term {
			continue
		}
		for next := n.NextSibling; next != nil; next = next.NextSibling {
			if next.Data == "dd" {
				return textOf(next)
			}
		}
	}
	p.fatalf("no definition of %q", term)
	return ""
}

func (p *Page) buttons(name string) []*html.Node {
	return p.all(func(n *html.Node) bool { return n.Data == "button" && p.nameOf(n) == name })
}

func (p *Page) links(name string) []*html.Node {
	return p.all(func(n *html.Node) bool { return n.Data == "a" && p.nameOf(n) == name })
}

// all gives the shown elements that fit, in the order of the page.
func (p *Page) all(fits func(*html.Node) bool) []*html.Node { return below(p.root, fits) }

func (p *Page) fatalf(format string, values ...any) {
	p.browser.t.Helper()
	values = append([]any{p.Path}, values...)
	p.browser.t.Fatalf("%s: "+format+"\nthe page says: %s", append(values, p.Text())...)
}
