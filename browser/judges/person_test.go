package judges

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// question is what a provider asks a person on the way.
type question string

const (
	asksLogin   question = "a login"
	asksConsent question = "consent"
	asksLogout  question = "whether to log out"
)

// person sits at a browser of their own, without script, and answers whatever
// the provider asks.
type person struct {
	j    *judge
	http *http.Client
}

func (j *judge) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		j.stop("%v", err)
	}
	return &person{j, &http.Client{Jar: jar, Transport: j.wire, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// arrival is where a way through the browser ended.
type arrival struct {
	Asked  []question // on the way
	At     *url.URL   // an address of the application; nil where it ended at a page of the provider
	Status int        // of that page
	page   *html.Node
}

// answer is what came along to the application.
func (a arrival) answer() url.Values {
	if a.At == nil {
		return nil
	}
	return a.At.Query()
}

func (a arrival) String() string {
	if a.At != nil {
		return "at " + a.At.String()
	}
	return fmt.Sprintf("at a page of the provider (%d): %s", a.Status, strings.Join(strings.Fields(textOf(a.page)), " "))
}

// open goes to an address and on until the application is reached, or a page
// that asks nothing more.
func (p *person) open(address string) arrival {
	return p.follow(p.ask(http.MethodGet, address, nil, ""), asksLogin, asksConsent)
}

// leave goes to an address and on, and says yes to a logout.
func (p *person) leave(address string) arrival {
	return p.follow(p.ask(http.MethodGet, address, nil, ""), asksLogout)
}

// look goes to an address and answers nothing.
func (p *person) look(address string) arrival {
	return p.follow(p.ask(http.MethodGet, address, nil, ""))
}

// send posts a form of the application's own page.
func (p *person) send(address string, form url.Values) arrival {
	return p.follow(p.ask(http.MethodPost, address, form, p.j.app.URL), asksLogin, asksConsent)
}

func (p *person) ask(method, address string, form url.Values, origin string) *http.Response {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		p.j.stop("%v", err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
	}
	answer, err := p.http.Do(r)
	if err != nil {
		p.j.stop("%v", err)
	}
	return answer
}

// follow goes on from an answer, answering these questions.
func (p *person) follow(answer *http.Response, answering ...question) (a arrival) {
	for range 30 {
		here := answer.Request.URL
		root, err := html.Parse(answer.Body)
		answer.Body.Close()
		if err != nil {
			p.j.stop("%v", err)
		}
		if to := leadsTo(answer); to != "" {
			next, err := here.Parse(to)
			if err != nil {
				p.j.stop("led to %q: %v", to, err)
			}
			if "http://"+next.Host == p.j.app.URL {
				a.At = next
				return a
			}
			if next.Host != here.Host || next.Scheme != here.Scheme {
				p.j.stop("led to %s, where nobody asked to go", next)
			}
			answer = p.ask(http.MethodGet, next.String(), nil, "")
			continue
		}
		asked, form := p.j.reads(formsOf(root))
		if form == nil || asked != "" && !slices.Contains(answering, asked) {
			a.Status, a.page = answer.StatusCode, root
			return a
		}
		if asked != "" {
			a.Asked = append(a.Asked, asked)
		}
		to, err := here.Parse(form.Action)
		if err != nil {
			p.j.stop("a form leads to %q: %v", form.Action, err)
		}
		answer = p.ask(http.MethodPost, to.String(), form.Values, here.Scheme+"://"+here.Host)
	}
	p.j.stop("the provider asks for ever: %v", a.Asked)
	return a
}

func leadsTo(answer *http.Response) string {
	if to := answer.Header.Get("Location"); to != "" && answer.StatusCode/100 == 3 {
		return to
	}
	_, to, _ := strings.Cut(answer.Header.Get("Refresh"), "url=")
	return to
}

// form is a form of a page, as it stands there.
type form struct {
	Action string
	Values url.Values
	Press  url.Values // what its buttons add, any of them
}

// with fills fields in.
func (f form) with(pairs ...string) *form {
	f.Values = maps.Clone(f.Values)
	for i := 0; i < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return &f
}

func formsOf(root *html.Node) (forms []form) {
	nodes := map[*html.Node]int{}
	byID := map[string]int{}
	var walk func(n *html.Node, around int)
	walk = func(n *html.Node, around int) {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form":
			around = nodes[n]
		case n.Data == "input" || n.Data == "button":
			in := around
			if id, named := byID[attr(n, "form")]; named {
				in = id
			}
			if name := attr(n, "name"); in >= 0 && name != "" {
				if n.Data == "button" {
					forms[in].Press.Add(name, attr(n, "value"))
				} else if kind := attr(n, "type"); kind != "checkbox" && kind != "radio" {
					forms[in].Values.Set(name, attr(n, "value"))
				}
			}
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			walk(child, around)
		}
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			nodes[n] = len(forms)
			if id := attr(n, "id"); id != "" {
				byID[id] = len(forms)
			}
			forms = append(forms, form{Action: attr(n, "action"), Values: url.Values{}, Press: url.Values{}})
		}
	}
	walk(root, -1)
	return forms
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(root *html.Node) string {
	var words strings.Builder
	if root == nil {
		return ""
	}
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words.WriteString(n.Data + " ")
		}
	}
	return words.String()
}
