package apptest

import (
	"strings"

	"golang.org/x/net/html"
)

// nameOf is what a screen reader calls an element: aria-labelledby, aria-label,
// its label, or for buttons and links their own words.
func (p *Page) nameOf(n *html.Node) string {
	if ids := attr(n, "aria-labelledby"); ids != "" {
		var words []string
		for id := range strings.FieldsSeq(ids) {
			words = append(words, textOf(p.byID(id)))
		}
		return strings.Join(words, " ")
	}
	if label := attr(n, "aria-label"); label != "" {
		return label
	}
	if isField(n) {
		for _, label := range p.all(tagged("label")) {
			if attr(label, "for") == attr(n, "id") {
				return textOf(label)
			}
		}
		return ""
	}
	return textOf(n)
}

func (p *Page) byID(id string) *html.Node {
	for _, n := range p.all(func(n *html.Node) bool { return attr(n, "id") == id }) {
		return n
	}
	return nil
}

func tagged(tag string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == tag }
}

// below gives the shown elements inside n that fit.
func below(n *html.Node, fits func(*html.Node) bool) (found []*html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type != html.ElementNode || isUnseen(child) {
			continue
		}
		if fits(child) {
			found = append(found, child)
		}
		found = append(found, below(child, fits)...)
	}
	return found
}

// isUnseen tells what is not shown without scripts, or to nobody. A dialog is
// closed until a script opens it.
func isUnseen(n *html.Node) bool {
	switch n.Data {
	case "script", "style", "template", "dialog", "head":
		return true
	}
	return has(n, "hidden")
}

// textOf gives the words of an element as they are read out, spaces folded.
func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	writeText(&b, n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func writeText(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		b.WriteString(n.Data)
		return
	case n.Type == html.ElementNode && (isUnseen(n) || attr(n, "aria-hidden") == "true"):
		return
	case attr(n, "role") == "img":
		b.WriteString(attr(n, "aria-label"))
		return
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		writeText(b, child)
	}
	if n.Type == html.ElementNode && !isInline[n.Data] {
		b.WriteByte(' ')
	}
}

// isInline are the elements that do not part two words.
var isInline = map[string]bool{"a": true, "abbr": true, "b": true, "code": true, "em": true, "i": true,
	"kbd": true, "mark": true, "span": true, "strong": true, "time": true, "wbr": true}

func rawText(n *html.Node) string {
	if n.FirstChild == nil {
		return ""
	}
	return n.FirstChild.Data
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
