package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
)

func TestASigningKeyComesBackAsItWas(t *testing.T) {
	for _, a := range []auth.Algorithm{auth.ES256, auth.RS256} {
		made, err := NewSigning(a)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := made.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		read, err := ParseSigning(a, raw)
		if err != nil || read.ID != made.ID || read.Algorithm != a {
			t.Errorf("%s: %q, want %q (%v)", a, read.ID, made.ID, err)
		}
		sum := sha256.Sum256([]byte("words"))
		if _, err := read.Private().Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		other, _ := NewSigning(a)
		if other.ID == made.ID {
			t.Error("two keys of one name")
		}
		for _, b := range []auth.Algorithm{auth.ES256, auth.RS256, "none", ""} {
			if _, err := ParseSigning(b, raw); (err == nil) != (a == b) {
				t.Errorf("a key for %s read as one for %q: %v", a, b, err)
			}
		}
		if printed := []byte(fmt.Sprintf("%v %+v %#v %s %x", made, made, made, made, made)); bytes.Contains(printed, raw[40:60]) || !bytes.Contains(printed, []byte(hidden)) {
			t.Errorf("it prints itself: %s", printed)
		}
	}
	if _, err := NewSigning("HS256"); err == nil {
		t.Error("a key for an algorithm that is not ours")
	}
	if _, err := ParseSigning(auth.ES256, []byte("junk")); err == nil {
		t.Error("junk is a key")
	}
}
