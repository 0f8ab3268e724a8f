package ui

// Passkey is what a page's script needs to ask for a passkey. Its form has the
// fields ceremony and passkey; where there is no script it stays hidden. The zero
// value asks for none.
type Passkey struct {
	Options  string // for the browser, as JSON
	Ceremony string // sealed

	// Unknown is a passkey that nobody has, so that the browser need not offer it
	// again, as JSON.
	Unknown string
}

// IsZero tells that no passkey is asked for.
func (p Passkey) IsZero() bool { return p.Ceremony == "" }
