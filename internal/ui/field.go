package ui

import "strings"

// Field is one box to type in, with its label above, hint and error beside it.
type Field struct {
	Name         string // as posted
	ID           string // in the document; empty means Name
	Label        Text   // its accessible name, exactly
	Kind         Kind
	Value        string // shown again; never that of a password or code
	Hint         Text
	Error        Text // marks the field and says why
	Marked       bool // marks the field where the summary alone says why
	Alone        bool // the error is all that the page refuses, and is said in role=alert
	Required     bool
	ReadOnly     bool
	Autofocus    bool   // the first empty field of a page that is only a form
	Autocomplete string // empty: what the kind says
	Rows         int    // of KindLines; zero means 4
	Letters      bool   // of a code: a recovery code is taken too, which a numeric keypad cannot type
	Recovery     bool   // of a code: a recovery code alone is taken, which has letters
	Accept       string // of KindFile: the types that are offered
	Judge        string // of a new password: where its strength is asked, see Strength
	JudgeWith    string // names of fields that are sent along, "email name"
}

// Kind says what is typed into a Field.
type Kind string

// The zero Kind is a line of text.
const (
	KindText     Kind = ""
	KindEmail    Kind = "email"
	KindPassword Kind = "password" // Autocomplete tells current-password (as when empty) from new-password
	KindCode     Kind = "code"     // authenticator or recovery code: one box, numeric keypad, letters allowed
	KindSearch   Kind = "search"
	KindNumber   Kind = "number"
	KindURL      Kind = "url"
	KindLines    Kind = "lines" // several lines
	KindFile     Kind = "file"  // its form sends multipart/form-data
)

// Identity is the field's id in the document.
func (f Field) Identity() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

// IsMarked tells that the field has to be corrected.
func (f Field) IsMarked() bool { return f.Marked || !f.Error.IsZero() }

// Shown is the value that goes back to the browser. What is secret does not,
// whoever filled it in.
func (f Field) Shown() string {
	if f.Kind == KindPassword || f.Kind == KindCode || f.Kind == KindFile {
		return ""
	}
	return f.Value
}

// Type is the input's type attribute. A code is text: a number would lose its
// zeros, and a recovery code has letters.
func (f Field) Type() string {
	switch f.Kind {
	case KindEmail, KindPassword, KindSearch, KindURL, KindFile:
		return string(f.Kind)
	default:
		return "text"
	}
}

// InputMode chooses the keypad of a phone.
func (f Field) InputMode() string {
	switch {
	case f.Kind == KindCode && !f.Recovery, f.Kind == KindNumber:
		return "numeric"
	default:
		return ""
	}
}

// Fills is the autocomplete attribute.
func (f Field) Fills() string {
	switch {
	case f.Autocomplete != "":
		return f.Autocomplete
	case f.Kind == KindCode:
		return "one-time-code"
	case f.Kind == KindPassword:
		return "current-password"
	default:
		return ""
	}
}

// IsProse tells that capitals and spelling may be corrected: only in a plain
// text field.
func (f Field) IsProse() bool { return f.Kind == KindText || f.Kind == KindLines }

// DescribedBy lists the ids of what explains the field; "" for nothing.
func (f Field) DescribedBy() string {
	ids := describedBy(f.Identity(), f.Hint, f.Error)
	if f.Marked && f.Error.IsZero() {
		ids = append(ids, summaryID)
	}
	return strings.Join(ids, " ")
}

// describedBy lists the ids of the hint and the error of a control, where it
// has them.
func describedBy(id string, hint, problem Text) []string {
	var ids []string
	if !hint.IsZero() {
		ids = append(ids, id+"-hint")
	}
	if !problem.IsZero() {
		ids = append(ids, id+"-error")
	}
	return ids
}

// Checkbox is one tick.
type Checkbox struct {
	Name     string
	ID       string // empty means Name
	Value    string // as posted where ticked; empty means "on"
	Label    Text
	Hint     Text
	Error    Text
	Checked  bool
	Required bool
}

// Identity is the checkbox's id in the document.
func (c Checkbox) Identity() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Name
}

// DescribedBy lists the ids of what explains the tick; "" for nothing.
func (c Checkbox) DescribedBy() string {
	return strings.Join(describedBy(c.Identity(), c.Hint, c.Error), " ")
}

// Posted is the value attribute.
func (c Checkbox) Posted() string {
	if c.Value == "" {
		return "on"
	}
	return c.Value
}

// Choices is a group of which one is chosen: radios as "choices", a list as
// "select".
type Choices struct {
	Name    string
	ID      string // empty means Name; tell groups of one page apart by it
	Legend  Text
	Hint    Text
	Error   Text
	Options []Option
}

// Identity is the group's id in the document.
func (c Choices) Identity() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Name
}

// DescribedBy lists the ids of what explains the group; "" for nothing.
func (c Choices) DescribedBy() string {
	return strings.Join(describedBy(c.Identity(), c.Hint, c.Error), " ")
}

// Option is one of Choices.
type Option struct {
	Value  string
	Label  Text
	Hint   Text
	Chosen bool
}
