// Package uitest looks at finished pages as a browser and a screen reader do,
// and says what is wrong with them.
package uitest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Problems says what is wrong with a page, a sentence each; nothing means that
// it is sound. It looks for a missing doctype, elements left open, ids given twice or leading
// nowhere, controls and headings without a name, secrets sent back, and script
// or style written into the page, which the content security policy forbids.
func Problems(page []byte) []string {
	problems := unbalanced(page)
	if !bytes.HasPrefix(page, []byte("<!doctype html>")) {
		problems = append(problems, "something stands before the doctype")
	}
	document, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return append(problems, err.Error())
	}
	p := reading{ids: map[string]int{}, labels: map[string]string{}, problems: problems}
	p.collect(document)
	p.once("main")
	p.once("h1")
	p.once("title")
	for _, n := range p.elements {
		p.inspect(n)
	}
	return p.problems
}

// void elements have no end tag (HTML Standard §13.1.2).
var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// unbalanced compares start and end tags. The parser cannot be asked: it
// repairs whatever it is given.
func unbalanced(page []byte) []string {
	var open, problems []string
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			for _, name := range open {
				problems = append(problems, "<"+name+"> is never closed")
			}
			return problems
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return append(problems, fmt.Sprintf("</%s> closes %v", name, open))
			}
			open = open[:len(open)-1]
		}
	}
}

// reading is what is known of a page.
type reading struct {
	elements []*html.Node
	ids      map[string]int
	labels   map[string]string // by the id of the control
	problems []string
}

func (p *reading) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		p.elements = append(p.elements, n)
		if id := attr(n, "id"); id != "" {
			p.ids[id]++
		}
		if n.Data == "label" {
			p.labels[attr(n, "for")] += words(n)
		}
	}
	for child := range n.ChildNodes() {
		p.collect(child)
	}
}

func (p *reading) say(format string, values ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, values...))
}

func (p *reading) once(name string) {
	found := 0
	for _, n := range p.elements {
		if n.Data == name && n.Namespace == "" {
			found++
			if words(n) == "" {
				p.say("<%s> is empty", name)
			}
		}
	}
	if found != 1 {
		p.say("there are %d <%s>", found, name)
	}
}

func (p *reading) inspect(n *html.Node) {
	p.policy(n)
	p.references(n)
	switch n.Data {
	case "html":
		if attr(n, "lang") == "" {
			p.say("the page does not say its language")
		}
	case "input", "select", "textarea":
		p.control(n)
	case "button", "a", "summary", "h2", "h3", "legend":
		if words(n) == "" && attr(n, "aria-label") == "" {
			p.say("<%s class=%q> has no name", n.Data, attr(n, "class"))
		}
	case "form":
		if attr(n, "method") == "" || attr(n, "method") == "post" && attr(n, "action") == "" {
			p.say("a form does not say where it goes, or how")
		}
	}
}

// policy finds what the content security policy would refuse.
func (p *reading) policy(n *html.Node) {
	if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
		p.say("<%s> is written into the page", n.Data)
	}
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			p.say("<%s> has the attribute %s", n.Data, a.Key)
		}
		if strings.Contains(a.Val, "ZgotmplZ") {
			p.say("<%s %s> was not safe to fill in", n.Data, a.Key)
		}
	}
}

// references finds ids that are given twice, or that nothing has.
func (p *reading) references(n *html.Node) {
	if id := attr(n, "id"); p.ids[id] > 1 {
		p.say("the id %q is given %d times", id, p.ids[id])
	}
	for _, key := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls", "form"} {
		for id := range strings.FieldsSeq(attr(n, key)) {
			if p.ids[id] == 0 {
				p.say("<%s %s=%q> leads nowhere", n.Data, key, id)
			}
		}
	}
	if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && p.ids[id] == 0 {
		p.say("the link to #%s leads nowhere", id)
	}
}

func (p *reading) control(n *html.Node) {
	kind := attr(n, "type")
	if kind == "hidden" || attr(n, "aria-hidden") == "true" {
		return // such as the address that only a password's keeper reads
	}
	if p.labels[attr(n, "id")] == "" && attr(n, "aria-label") == "" && attr(n, "aria-labelledby") == "" {
		p.say("the field %q has no label", attr(n, "name"))
	}
	if (kind == "password" || attr(n, "autocomplete") == "one-time-code") && attr(n, "value") != "" {
		p.say("the field %q sends a secret back", attr(n, "name"))
	}
	if attr(n, "placeholder") != "" || attr(n, "maxlength") != "" || attr(n, "pattern") != "" {
		p.say("the field %q has a placeholder, maxlength or pattern", attr(n, "name"))
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// words are the text of an element, without what is hidden from a screen
// reader.
func words(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.TrimSpace(n.Data)
	}
	if attr(n, "aria-hidden") == "true" {
		return ""
	}
	var all []string
	if label := attr(n, "aria-label"); label != "" && n.Data != "a" {
		all = append(all, label)
	}
	for child := range n.ChildNodes() {
		if w := words(child); w != "" {
			all = append(all, w)
		}
	}
	return strings.Join(all, " ")
}
