package passkey_test

import (
	"errors"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey"
)

// FuzzReadAnswer holds that whatever a browser sends is refused or names a
// passkey, and that nobody's opens anything.
func FuzzReadAnswer(f *testing.F) {
	o := newOwner(f, party(f))
	begun := o.begun(o.party.BeginSignIn())
	f.Add(o.phone.Get(string(begun.Options), ours))
	f.Add(o.phone.Create(string(o.begun(o.party.BeginAdding(o.Person)).Options), ours))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, answer string) {
		shown, err := o.party.Read(answer)
		if err == nil && len(shown.Credential) == 0 || err != nil && !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("read %+v; %v", shown, err)
		}
		if _, err := o.party.Check(answer, begun.Challenge, auth.PasskeyKey{}, nil, false); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("nobody's passkey: %v", err)
		}
	})
}

// FuzzAddAnswer holds that whatever a browser sends for a new passkey is refused
// or a key that can be kept.
func FuzzAddAnswer(f *testing.F) {
	o := newOwner(f, party(f))
	begun := o.begun(o.party.BeginAdding(o.Person))
	f.Add(o.phone.Create(string(begun.Options), ours))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, answer string) {
		k, _, err := o.party.Add(answer, begun.Challenge, o.Person)
		switch {
		case err != nil && !errors.Is(err, passkey.ErrRefused):
			t.Error(err)
		case err == nil && (k.IsZero() || len(k.Public) == 0):
			t.Errorf("made %+v", k)
		}
	})
}
