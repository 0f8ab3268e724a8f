package ui

// summaryID is the summary's id in the document; there is one on a page.
const summaryID = "summary"

// Summary stands above a form that was refused, in role=alert: one sentence
// saying what to do next, and a link to each marked field. The zero Summary
// shows nothing. A page's struct embeds it, and its title then begins with
// "Error:".
type Summary struct {
	Text    Text
	Marked  []Mark
	Focused bool
}

// Mark leads to a field to correct.
type Mark struct {
	ID   string // of the field
	Text Text   // the field's error, or its label
}

// HasFailed tells that there is something to correct.
func (s Summary) HasFailed() bool { return !s.Text.IsZero() || len(s.Marked) > 0 }

// Summarize makes the summary of a form from all its fields, in their order,
// and sets the focus: to the field where the form has only one, otherwise to
// the summary. A zero text says how many fields are marked. Where nothing is
// marked and nothing is to be said, nothing changes.
func Summarize(text Text, fields ...*Field) Summary {
	s := Summary{Text: text}
	for _, f := range fields {
		if f.IsMarked() {
			s.Marked = append(s.Marked, markOf(f))
		}
	}
	if !s.HasFailed() {
		return s
	}
	if text.IsZero() {
		s.Text = N("form.problems", len(s.Marked))
	}
	for _, f := range fields {
		f.Autofocus = len(fields) == 1
	}
	s.Focused = len(fields) != 1
	return s
}

func markOf(f *Field) Mark {
	if f.Error.IsZero() {
		return Mark{ID: f.Identity(), Text: f.Label}
	}
	return Mark{ID: f.Identity(), Text: f.Error}
}
