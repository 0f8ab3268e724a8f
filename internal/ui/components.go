package ui

import "time"

// Button sends its form, or leads to an address where it has one.
type Button struct {
	Label Text // its accessible name, exactly
	Look  Look
	Icon  string
	Href  string // makes it a link
	Name  string // with Value: what is posted along with the form
	Value string
	Form  string // id of a form elsewhere in the page
}

// Look is how much a button asks for attention. The zero Look is the page's
// main action.
type Look string

// One primary button a form; danger for what cannot be undone.
const (
	Primary   Look = ""
	Secondary Look = "secondary"
	Danger    Look = "danger"
	Quiet     Look = "quiet" // looks like a link
)

// Hidden is a value that a form posts unseen.
type Hidden struct{ Name, Value string }

// Form posts its fields. Longer forms are written in the page's template.
type Form struct {
	Action  string
	Hidden  []Hidden
	Fields  []Field
	Buttons []Button
}

// Confirm is a region that asks once more before something that matters.
type Confirm struct {
	ID      string
	Heading Text // names the region
	Text    Text // what will happen, and to how many
	Form    Form
}

// Tone colours a Note or a badge, always beside words that say the same.
type Tone string

// The zero Tone is information.
const (
	Info    Tone = ""
	Good    Tone = "good"
	Warning Tone = "warning"
	Bad     Tone = "bad"
)

// Note stands out from the text around it.
type Note struct {
	Tone    Tone
	Heading Text
	Text    Text
	Action  *Button
}

// Icon is the note's icon.
func (n Note) Icon() string {
	switch n.Tone {
	case Good:
		return "check"
	case Warning, Bad:
		return "alert"
	default:
		return "info"
	}
}

// Badge is a short state in a list: "Active".
type Badge struct {
	Tone Tone
	Text Text
}

// Empty says why a list has nothing in it, and what to do.
type Empty struct {
	Icon    string
	Heading Text
	Text    Text
	Action  *Button
}

// Definition is a term with its value, as one row of "definitions", which
// takes a slice of them.
type Definition struct {
	Term  Text
	Value Text
	Code  bool      // set in fixed width
	Copy  string    // what a copy button copies; empty for no button
	At    time.Time // shown in place of Value where set
}

// Copy is a button that copies, shown where the browser is able to.
type Copy struct {
	Label Text   // zero means Copy
	What  string // the words to copy, or
	From  string // the id of the element whose text is copied
}

// Snippet is some lines to be pasted elsewhere, with a button that copies them.
type Snippet struct {
	ID    string
	Label Text // its accessible name
	Code  string
}

// Copy is the snippet's button.
func (s Snippet) Copy() Copy { return Copy{Label: T("form.copySettings"), From: s.ID} }

// Download is a button that saves the text of an element as a file, without
// asking the server. "print" is one too, and takes nothing.
type Download struct {
	From string // the id of the element
	File string // "codes.txt"
}

// Again is a form of one button that does once more what was just done. Where
// the browser is able to, the button rests for a while first and says how long;
// the server has limits of its own.
type Again struct {
	Action string
	Hidden []Hidden
	Label  Text
	Rest   time.Duration
}

// Ring counts down a period of the authenticator, again and again.
type Ring struct {
	Left, Period time.Duration
}

// Strength shows how good a new password is, while it is typed. It POSTs
// password=… and the fields it is told to send along to an address of the
// page's own flow, and gets a Judgement as JSON.
type Strength struct {
	ID   string // of the password's field
	URL  string
	With string // names of the other fields, with spaces between
}

// Strength is the bar under a field for a new password.
func (f Field) Strength() Strength {
	return Strength{ID: f.Identity(), URL: f.Judge, With: f.JudgeWith}
}

// Judgement is what Strength's address answers. Score is 0 to 4.
type Judgement struct {
	Score    int    `json:"score"`
	Accepted bool   `json:"accepted"`
	Text     string `json:"text"` // in the page's language
}

// Pagination leads through a long list. Addresses are empty at its ends, and Pages
// is 0 where nobody counted them.
type Pagination struct {
	Page, Pages    int
	Previous, Next string
}
