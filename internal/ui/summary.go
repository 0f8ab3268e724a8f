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
	AtField bool // the only field says it already, beside itself and in role=alert
}

// Mark leads to a field to correct.
type Mark struct {
	ID   string // of the field
	Text Text   // the field's error, or its label
}

// HasFailed tells that there is something to correct.
func (s Summary) HasFailed() bool { return !s.Text.IsZero() || len(s.Marked) > 0 }

// Summarize makes the summary of a form from all fields of the page, in their
// order, and sets the focus: to the field where the page has only one, which
// then says by itself what is wrong; otherwise to the summary, which links to
// each marked field. A zero text is made from the marked fields. Where nothing
// is marked and nothing is to be said, nothing changes.
func Summarize(text Text, fields ...*Field) Summary {
	if len(fields) == 1 {
		return onlyField(text, fields[0])
	}
	return SummarizeAmong(text, fields...)
}

// SummarizeAmong is Summarize for a page that has other fields besides.
func SummarizeAmong(text Text, fields ...*Field) Summary {
	s := Summary{Text: text}
	for _, f := range fields {
		if f.IsMarked() {
			s.Marked = append(s.Marked, markOf(f))
		}
	}
	if !s.HasFailed() {
		return s
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

// onlyField focuses the field. What is said above it and beside it would be
// the same, so it is said beside it alone.
func onlyField(text Text, f *Field) Summary {
	switch {
	case !f.Error.IsZero():
		f.Autofocus, f.Alone = true, true
		return Summary{Text: f.Error, AtField: true}
	case text.IsZero() && !f.Marked:
		return Summary{}
	case text.IsZero():
		text = f.Label
	}
	f.Autofocus = true
	return Summary{Text: text}
}

func markOf(f *Field) Mark {
	if f.Error.IsZero() {
		return Mark{ID: f.Identity(), Text: f.Label}
	}
	return Mark{ID: f.Identity(), Text: f.Error}
}
