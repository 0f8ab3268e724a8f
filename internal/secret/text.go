package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is a secret that somebody else chose: a password, a typed code. It does
// not print itself. Only the unexported field of a struct that is printed
// whole escapes it, because fmt asks no methods there.
type Text string

// Reveal gives the text itself.
func (t Text) Reveal() string { return string(t) }

// IsZero tells whether the text is empty.
func (t Text) IsZero() bool { return t == "" }

// String hides the text.
func (Text) String() string { return hidden }

// GoString hides the text from %#v.
func (Text) GoString() string { return hidden }

// Format hides the text from every verb.
func (Text) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the text from log/slog.
func (Text) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text from JSON and every other encoder that asks.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }
