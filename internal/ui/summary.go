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
// the summary, which then links to each marked field. A zero text is made from
// the marked fields. Where nothing is marked and nothing is to be said, nothing
// changes.
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
	if len(fields) == 1 {
		return onlyField(s, fields[0])
	}
	for _, f := range fields {
		f.Autofocus = false
	}
	s.Focused = true
	if text.IsZero() {
		s.Text = N("form.problems", len(s.Marked))
	}
	return s
}

// onlyField focuses the field. It says why itself, so a link to it would only
// say the same again.
func onlyField(s Summary, f *Field) Summary {
	f.Autofocus = true
	if s.Text.IsZero() {
		s.Text = s.Marked[0].Text
	}
	s.Marked = nil
	return s
}

func markOf(f *Field) Mark {
	if f.Error.IsZero() {
		return Mark{ID: f.Identity(), Text: f.Label}
	}
	return Mark{ID: f.Identity(), Text: f.Error}
}
