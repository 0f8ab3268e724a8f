package apptest

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form on its way to be sent.
type Form struct {
	Values url.Values // as they will be sent; tests may meddle

	page   *Page
	form   *html.Node
	button *html.Node
}

// Form finds the form that the button of this name sends, with everything that
// the page filled in.
func (p *Page) Form(button string) *Form {
	p.browser.t.Helper()
	found := p.buttons(button)
	if len(found) == 0 {
		p.fatalf("no button %q", button)
	}
	f := &Form{page: p, button: found[0], form: p.formOf(found[0]), Values: url.Values{}}
	if f.form == nil {
		p.fatalf("the button %q belongs to no form", button)
	}
	f.readFields()
	return f
}

// formOf is the form around an element, or the one that it names.
func (p *Page) formOf(n *html.Node) *html.Node {
	if id := attr(n, "form"); id != "" {
		return p.byID(id)
	}
	for n != nil && n.Data != "form" {
		n = n.Parent
	}
	return n
}

func (f *Form) readFields() {
	for _, n := range f.page.all(isField) {
		name := attr(n, "name")
		if name == "" || has(n, "disabled") || f.page.formOf(n) != f.form {
			continue
		}
		switch kind := attr(n, "type"); {
		case n.Data == "button", kind == "submit":
		case kind == "checkbox", kind == "radio":
			if has(n, "checked") {
				f.Values.Set(name, attr(n, "value"))
			}
		case n.Data == "textarea":
			f.Values.Set(name, rawText(n))
		case n.Data == "select":
			f.Values.Set(name, chosen(n))
		default:
			f.Values.Set(name, attr(n, "value"))
		}
	}
	if name := attr(f.button, "name"); name != "" {
		f.Values.Set(name, attr(f.button, "value"))
	}
}

// hiddenFields are what a form sends that nobody types, also where the form itself
// waits for a script.
func hiddenFields(n *html.Node) url.Values {
	values := url.Values{}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		for name, value := range hiddenFields(child) {
			values[name] = value
		}
		if child.Type == html.ElementNode && child.Data == "input" && attr(child, "type") == "hidden" {
			values.Set(attr(child, "name"), attr(child, "value"))
		}
	}
	return values
}

func isField(n *html.Node) bool {
	return n.Data == "input" || n.Data == "textarea" || n.Data == "select"
}

// Fill types into the field with this label, or chooses the option of this
// text in a list.
func (f *Form) Fill(label, value string) *Form {
	f.page.browser.t.Helper()
	n := f.labelled(label)
	if n.Data == "select" {
		for _, option := range below(n, tagged("option")) {
			if textOf(option) == value {
				value = attr(option, "value")
			}
		}
	}
	f.Values.Set(attr(n, "name"), value)
	return f
}

// Tick ticks the box, or chooses the radio button, with this label.
func (f *Form) Tick(label string) *Form {
	f.page.browser.t.Helper()
	n := f.labelled(label)
	f.Values.Set(attr(n, "name"), attr(n, "value"))
	return f
}

// Untick takes the tick away.
func (f *Form) Untick(label string) *Form {
	f.page.browser.t.Helper()
	f.Values.Del(attr(f.labelled(label), "name"))
	return f
}

func (f *Form) labelled(label string) *html.Node {
	f.page.browser.t.Helper()
	for _, n := range f.page.all(isField) {
		if f.page.formOf(n) == f.form && f.page.nameOf(n) == label {
			return n
		}
	}
	f.page.fatalf("no field %q in this form", label)
	return nil
}

// Press sends the form and goes where it leads.
func (f *Form) Press() *Page {
	f.page.browser.t.Helper()
	if strings.EqualFold(attr(f.form, "method"), http.MethodPost) {
		return f.page.browser.Post(f.action(), f.Values)
	}
	return f.page.browser.Get(f.action() + "?" + f.Values.Encode())
}

// PressOnce sends a form that changes something and stops at the first answer.
func (f *Form) PressOnce() *Page {
	f.page.browser.t.Helper()
	return f.page.browser.Once(f.action(), f.Values)
}

// action is where the form is sent.
func (f *Form) action() string {
	if to := attr(f.button, "formaction"); to != "" {
		return to
	}
	if to := attr(f.form, "action"); to != "" {
		return to
	}
	return f.page.Path
}

func chosen(list *html.Node) string {
	options := below(list, tagged("option"))
	for _, o := range options {
		if has(o, "selected") {
			return attr(o, "value")
		}
	}
	if len(options) == 0 {
		return ""
	}
	return attr(options[0], "value")
}
