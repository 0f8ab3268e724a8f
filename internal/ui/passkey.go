package ui

// Passkey is what a page's script needs to ask for a passkey. Its form has the
// fields ceremony and passkey; where there is no script it stays hidden. The zero
// value asks for none.
type Passkey struct {
	Options  string // for the browser, as JSON
	Ceremony string // sealed
	RenewIn  int64  // milliseconds, after which a page that stays open begins anew; it is over soon after

	// Unknown is a passkey that nobody has, so that the browser need not offer it
	// again, as JSON.
	Unknown string
}

// IsZero tells that no passkey is asked for.
func (p Passkey) IsZero() bool { return p.Ceremony == "" }
