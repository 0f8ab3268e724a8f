package ui

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// Shell is what the layout around a page needs to know. Its zero value is a
// signed-out English page in the system's colours.
type Shell struct {
	Language string // tag, as i18n.Bundle.Choose gives it
	Theme    Theme
	Site     string  // the site's name; empty means Twinlock
	Path     string  // where the language and theme buttons lead back to: a path that GET answers
	Menu     *Menu   // who is signed in; nil for nobody
	Nav      *Nav    // the pages beside this one, if it has any
	Notice   Text    // what has just been done, said in role=status
	Failed   bool    // the title says "Error:"; a page with a Summary does so by itself
	Alone    bool    // the page brings its style along and has nothing around it: it is shown at another host
	Window   *Window // what the session's own script needs; nil where nobody is fully signed in
}

// Theme is a choice of colours.
type Theme string

// The zero Theme is what the system says.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Menu is the user menu.
type Menu struct {
	Name          string // the person's name, or address where there is no name
	Administrator bool   // shows Administration
}

// Initial is the name's first letter, for the round sign beside it.
func (m Menu) Initial() string {
	first, _ := utf8.DecodeRuneInString(m.Name)
	return string(unicode.ToUpper(first))
}

// Nav leads to the pages of one area.
type Nav struct {
	Label Text // names the landmark
	Links []NavLink
}

// NavLink is one page of an area.
type NavLink struct {
	Label   Text
	Href    string
	Current bool
}

// Window is what a page of a live session hands to its script, which takes it
// out of the document at once.
type Window struct {
	Secret    string        // of the session, base64url
	Account   string        // the address, for password managers
	Person    string        // whose page this is, so that another person's return empties it
	IdleLeft  time.Duration // until the session lapses
	WarnLeft  time.Duration // until it says so beforehand
	TotalLeft time.Duration // until the overall limit
}

// view is what the layout's template gets.
type view struct {
	Shell
	Title string // of the page, in words
	Data  any
}

// HasFailed is true where the page has something to correct: said by its shell,
// or by the page itself, as one with a Summary does.
func (v view) HasFailed() bool {
	page, ok := v.Data.(interface{ HasFailed() bool })
	return v.Failed || ok && page.HasFailed()
}
