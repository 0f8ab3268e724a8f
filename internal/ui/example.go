package ui

// Example is a page in a named state with ready data. The same examples feed
// the gallery, the tests that render every page in every language, the
// accessibility run and the pictures.
type Example struct {
	Page  string // "login/password"
	Name  string // the state in words: "wrong password"
	Shell Shell
	Data  any
}

// SignedIn puts examples into the layout of somebody who is signed in: of Ada,
// where they do not say whose.
func SignedIn(examples []Example) []Example {
	for i := range examples {
		if examples[i].Shell.Menu == nil {
			examples[i].Shell.Menu = &Menu{Name: "Ada Lovelace"}
		}
	}
	return examples
}

// LeavePage is the data of the page "ui/leave", which leads to another place.
type LeavePage struct {
	Name string // of the application; "" where it does not matter
	Host string // where it leads, for people to see
	To   any    // a string; a template.URL where it may have a scheme of its own
}

// ErrorPage is the data of the page "ui/error", which says what went wrong and
// where to go from here.
type ErrorPage struct {
	Heading   Text
	Text      Text
	Action    Button
	Reference string // finds the request in the log; empty for none
}
