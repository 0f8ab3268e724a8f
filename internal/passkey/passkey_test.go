package passkey_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
)

const ours = "https://login.example.org"

func party(t testing.TB) *passkey.Party {
	t.Helper()
	p, err := passkey.NewParty(ours, "login.example.org", "Twinlock")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// owner has one passkey, in a phone.
type owner struct {
	t     testing.TB
	party *passkey.Party
	phone *passkeytest.Authenticator
	passkey.Person
}

func newOwner(t testing.TB, p *passkey.Party, prepare ...func(*passkeytest.Authenticator)) *owner {
	t.Helper()
	o := &owner{t: t, party: p, phone: passkeytest.New(t),
		Person: passkey.Person{Handle: []byte("handle " + rand.Text()), Address: "ada@example.org", Name: "Ada"}}
	for _, change := range prepare {
		change(o.phone)
	}
	o.add()
	return o
}

func (o *owner) add() {
	o.t.Helper()
	begun := o.begun(o.party.BeginAdding(o.Person))
	k, _, err := o.party.Add(o.phone.Create(string(begun.Options), ours), begun.Challenge, o.Person)
	if err != nil {
		o.t.Fatal(err)
	}
	o.Passkeys = append(o.Passkeys, k)
}

func (o *owner) begun(b passkey.Begun, err error) passkey.Begun {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

// key is the owner's first.
func (o *owner) key() auth.PasskeyKey { return o.Passkeys[0] }

// signsIn answers a sign-in, spoilt.
func (o *owner) signsIn(spoil ...func(*passkeytest.Answer)) (auth.PasskeyProved, error) {
	o.t.Helper()
	begun := o.begun(o.party.BeginSignIn())
	return o.party.Check(o.phone.Get(string(begun.Options), ours, spoil...), begun.Challenge, o.key(), o.Handle, true)
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("%s: %v, want ErrRefused", what, err)
	}
}

func TestAPasskeySignsIn(t *testing.T) {
	for name, change := range map[string]func(*passkeytest.Authenticator){
		"a phone":           func(*passkeytest.Authenticator) {},
		"a key that counts": func(a *passkeytest.Authenticator) { a.Counts, a.Syncs = true, false },
	} {
		o := newOwner(t, party(t), change)
		proved, err := o.signsIn()
		if err != nil || !proved.Verified || proved.CountedBack || proved.Synced != o.phone.Syncs || proved.Count != o.phone.Passkeys[0].Count {
			t.Errorf("%s: %+v; %v", name, proved, err)
		}
		if k := o.key(); k.Eligible != o.phone.Syncs || !slices.Equal(k.Transports, []string{"internal"}) || k.Format != "none" {
			t.Errorf("%s: kept is %+v", name, k)
		}
	}
}

func TestABeginningAsksForWhatItIsGoodFor(t *testing.T) {
	o := newOwner(t, party(t))
	read := func(b passkey.Begun, err error) (all map[string]any) {
		t.Helper()
		if err := json.Unmarshal(o.begun(b, err).Options, &all); err != nil {
			t.Fatal(err)
		}
		if all["timeout"] != 300_000.0 || all["challenge"] == "" {
			t.Errorf("options are %v", all)
		}
		return all
	}
	signIn, code, adding := read(o.party.BeginSignIn()), read(o.party.BeginProof(o.Person)), read(o.party.BeginAdding(o.Person))
	if signIn["userVerification"] != "required" || signIn["allowCredentials"] != nil || signIn["rpId"] != "login.example.org" {
		t.Errorf("a sign-in asks for %v", signIn)
	}
	if code["userVerification"] != "preferred" || len(code["allowCredentials"].([]any)) != 1 {
		t.Errorf("a code asks for %v", code)
	}
	selection, _ := adding["authenticatorSelection"].(map[string]any)
	if selection["residentKey"] != "required" || selection["userVerification"] != "preferred" || adding["attestation"] != "none" {
		t.Errorf("adding asks for %v", adding)
	}
	if n := len(adding["pubKeyCredParams"].([]any)); n != 3 || len(adding["excludeCredentials"].([]any)) != 1 {
		t.Errorf("adding takes %d algorithms, and excludes %v", n, adding["excludeCredentials"])
	}
}

func TestOriginIsComparedWhole(t *testing.T) {
	o := newOwner(t, party(t))
	for _, other := range []string{
		"https://evil.example.org", "https://login.example.org.evil.example", "https://evil-login.example.org", "https://login.example.or",
		"https://login.example.org:8443", "http://login.example.org", "https://sub.login.example.org", "https://example.org", "null", "",
		"https://login.example.org@evil.example", "android:apk-key-hash:abc",
	} {
		_, err := o.signsIn(func(a *passkeytest.Answer) { a.Origin = other })
		wantRefused(t, other, err)
		begun := o.begun(o.party.BeginAdding(passkey.Person{Handle: o.Handle, Address: o.Address}))
		_, _, err = o.party.Add(o.phone.Create(string(begun.Options), other), begun.Challenge, o.Person)
		wantRefused(t, "adding from "+other, err)
	}
	_, err := o.signsIn(func(a *passkeytest.Answer) { a.CrossOrigin = true })
	wantRefused(t, "in a frame of another origin", err)
}

func TestWhatDoesNotSignIn(t *testing.T) {
	o := newOwner(t, party(t))
	other := newOwner(t, o.party)
	for what, spoil := range map[string]func(*passkeytest.Answer){
		"another challenge":      func(a *passkeytest.Answer) { a.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		"no challenge":           func(a *passkeytest.Answer) { a.Challenge = "" },
		"another domain":         func(a *passkeytest.Answer) { a.Domain = "example.org" },
		"nobody there":           func(a *passkeytest.Answer) { a.Present = false },
		"nobody verified":        func(a *passkeytest.Answer) { a.Verified = false },
		"no handle":              func(a *passkeytest.Answer) { a.Handle = nil },
		"somebody else's handle": func(a *passkeytest.Answer) { a.Handle = other.Handle },
		"another's credential":   func(a *passkeytest.Answer) { a.Credential = other.key().Credential },
		"answer of a new one":    func(a *passkeytest.Answer) { a.Type = "webauthn.create" },
		"no signature":           func(a *passkeytest.Answer) { a.SpoilSignature = func([]byte) []byte { return nil } },
		"long signature":         func(a *passkeytest.Answer) { a.SpoilSignature = func(s []byte) []byte { return append(s, 0) } },
		"synced, not eligible":   func(a *passkeytest.Answer) { a.Eligible = false },
	} {
		_, err := o.signsIn(spoil)
		wantRefused(t, what, err)
	}
}

func TestFlippedSignature(t *testing.T) {
	o := newOwner(t, party(t))
	for bit := range 64 {
		_, err := o.signsIn(func(a *passkeytest.Answer) {
			a.SpoilSignature = func(s []byte) []byte { s[bit%len(s)] ^= 1 << (bit % 8); return s }
		})
		wantRefused(t, "a bit of the signature is another", err)
	}
}

func TestRegistrationAnswerIsNoLogin(t *testing.T) {
	o := newOwner(t, party(t))
	adding, signIn := o.begun(o.party.BeginAdding(o.Person)), o.begun(o.party.BeginSignIn())
	made := o.phone.Create(string(adding.Options), ours)
	_, err := o.party.Check(made, adding.Challenge, o.key(), o.Handle, true)
	wantRefused(t, "a new passkey's answer at the login", err)
	_, _, err = o.party.Add(o.phone.GetWith(o.phone.Passkeys[0], string(signIn.Options), ours), signIn.Challenge, o.Person)
	wantRefused(t, "a login's answer for a new passkey", err)
}

func TestAnAnswerIsHeldToItsOwnChallenge(t *testing.T) {
	o := newOwner(t, party(t))
	first, second := o.begun(o.party.BeginSignIn()), o.begun(o.party.BeginSignIn())
	_, err := o.party.Check(o.phone.Get(string(first.Options), ours), second.Challenge, o.key(), o.Handle, true)
	wantRefused(t, "the answer to another challenge", err)
	_, err = o.party.Check(o.phone.Get(string(first.Options), ours), "", o.key(), o.Handle, true)
	wantRefused(t, "an answer to no challenge", err)
	adding, again := o.begun(o.party.BeginAdding(o.Person)), o.begun(o.party.BeginAdding(o.Person))
	_, _, err = o.party.Add(o.phone.Create(string(adding.Options), ours), again.Challenge, o.Person)
	wantRefused(t, "a new passkey for another challenge", err)
}

func TestCounter(t *testing.T) {
	o := newOwner(t, party(t), func(a *passkeytest.Authenticator) { a.Syncs = false })
	for _, tt := range []struct {
		kept, told uint32
		back       bool
	}{
		{0, 0, false}, {0, 1, false}, {5, 6, false}, {5, 600, false}, {5, 5, true}, {5, 4, true}, {5, 0, true}, {1<<32 - 1, 0, true},
	} {
		begun := o.begun(o.party.BeginSignIn())
		k := o.key()
		k.Count = tt.kept
		proved, err := o.party.Check(o.phone.Get(string(begun.Options), ours, func(a *passkeytest.Answer) { a.Count = tt.told }), begun.Challenge, k, o.Handle, true)
		if err != nil || proved.CountedBack != tt.back {
			t.Errorf("%d after %d: %+v; %v", tt.told, tt.kept, proved, err)
		}
		if !tt.back && proved.Count != tt.told {
			t.Errorf("%d after %d: to be kept is %d", tt.told, tt.kept, proved.Count)
		}
	}
}

func TestWithoutVerification(t *testing.T) {
	o := newOwner(t, party(t), func(a *passkeytest.Authenticator) { a.Verifies = false })
	_, err := o.signsIn()
	wantRefused(t, "a login without verification", err)
	begun := o.begun(o.party.BeginProof(o.Person))
	proved, err := o.party.Check(o.phone.Get(string(begun.Options), ours), begun.Challenge, o.key(), o.Handle, false)
	if err != nil || proved.Verified {
		t.Errorf("beside a password: %+v; %v", proved, err)
	}
	// A key that once verified its owner has to do it again.
	o.phone.Verifies = true
	if proved, err := o.signsIn(); err != nil || !proved.Verified {
		t.Errorf("verified: %+v; %v", proved, err)
	}
	o.phone.Verifies = false
	proved, err = o.party.Check(o.phone.Get(string(begun.Options), ours), begun.Challenge, o.key(), o.Handle, false)
	if err != nil || proved.Verified {
		t.Errorf("beside a password again: %+v; %v", proved, err)
	}
}

func TestBackupEligibilityDoesNotChange(t *testing.T) {
	for _, syncs := range []bool{true, false} {
		o := newOwner(t, party(t), func(a *passkeytest.Authenticator) { a.Syncs = syncs })
		_, err := o.signsIn(func(a *passkeytest.Answer) { a.Eligible, a.Synced = !syncs, false })
		wantRefused(t, "another eligibility", err)
	}
	o := newOwner(t, party(t))
	if proved, err := o.signsIn(func(a *passkeytest.Answer) { a.Synced = false }); err != nil || proved.Synced {
		t.Errorf("no longer synced: %+v; %v", proved, err)
	}
}

func TestUnknownCostsWhatAWrongOneDoes(t *testing.T) {
	o := newOwner(t, party(t))
	begun := o.begun(o.party.BeginSignIn())
	answer := o.phone.Get(string(begun.Options), ours)
	var whys [2]string
	for i, k := range []auth.PasskeyKey{{}, newOwner(t, o.party).key()} {
		if i == 1 {
			k.Credential = o.key().Credential // a key that it was not signed with
		}
		_, err := o.party.Check(answer, begun.Challenge, k, o.Handle, true)
		wantRefused(t, "another key", err)
		whys[i] = err.Error()
	}
	if whys[0] != whys[1] {
		t.Errorf("unknown is refused with %q, wrong with %q: not after the same work", whys[0], whys[1])
	}
	// Nor does a signature of the stand-in, were there one, open anything.
	if shown, err := o.party.Read(answer); err != nil || !bytes.Equal(shown.Credential, o.key().Credential) || !bytes.Equal(shown.Handle, o.Handle) {
		t.Errorf("read %+v; %v", shown, err)
	}
}

func TestAddingHoldsToWhatWasAsked(t *testing.T) {
	o := newOwner(t, party(t))
	for what, spoil := range map[string]func(*passkeytest.Answer){
		"another domain":        func(a *passkeytest.Answer) { a.Domain = "evil.example" },
		"nobody there":          func(a *passkeytest.Answer) { a.Present = false },
		"a login's type":        func(a *passkeytest.Answer) { a.Type = "webauthn.get" },
		"no credential":         func(a *passkeytest.Answer) { a.Credential = nil },
		"synced, not eligible":  func(a *passkeytest.Answer) { a.Eligible, a.Synced = false, true },
		"a credential too long": func(a *passkeytest.Answer) { a.Credential = make([]byte, 1024) },
	} {
		begun := o.begun(o.party.BeginAdding(passkey.Person{Handle: o.Handle, Address: o.Address}))
		_, _, err := o.party.Add(o.phone.Create(string(begun.Options), ours, spoil), begun.Challenge, o.Person)
		wantRefused(t, what, err)
	}
}

func TestAnswersOfExtensionsThatNobodyAskedForAreIgnored(t *testing.T) {
	o := newOwner(t, party(t))
	if _, err := o.signsIn(func(a *passkeytest.Answer) { a.Extensions["credProps"] = map[string]any{"rk": true} }); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoAnswer(t *testing.T) {
	p := party(t)
	for _, answer := range []string{
		"", "null", "[]", "{}", "true", "1", `"x"`, "{", strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 10_000),
		`{"id":1}`, `{"id":"","rawId":"","type":"public-key","response":{}}`, strings.Repeat(" ", 64<<10), "{}{}",
	} {
		_, err := p.Read(answer)
		wantRefused(t, answer[:min(len(answer), 40)], err)
		_, _, err = p.Add(answer, "AAAA", passkey.Person{})
		wantRefused(t, "adding "+answer[:min(len(answer), 40)], err)
	}
	o := newOwner(t, p)
	begun := o.begun(p.BeginSignIn())
	answer := strings.Replace(o.phone.Get(string(begun.Options), ours), "{", "{"+strings.Repeat(" ", 17<<10), 1)
	_, err := p.Check(answer, begun.Challenge, o.key(), o.Handle, true)
	wantRefused(t, "an answer of 17 kB", err)
}

func TestPasskeysBelongToNames(t *testing.T) {
	for _, host := range []string{"localhost", "login.example.org", "xn--bcher-kva.example"} {
		p, err := passkey.NewParty("http://"+host, host, "Twinlock")
		if err != nil {
			t.Errorf("%s: %v", host, err)
		} else if _, err := p.BeginSignIn(); err != nil || p.Domain() != host {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestNames(t *testing.T) {
	for kind, want := range map[[16]byte]string{
		{}: "", {1}: "",
		{0xea, 0x9b, 0x8d, 0x66, 0x4d, 0x01, 0x1d, 0x21, 0x3c, 0xe4, 0xb6, 0xb4, 0x8c, 0xb5, 0x75, 0xd4}: "Google Password Manager",
		{0xfd, 0xb1, 0x41, 0xb2, 0x5d, 0x84, 0x44, 0x3e, 0x8a, 0x35, 0x46, 0x98, 0xc2, 0x05, 0xa5, 0x02}: "KeePassXC",
	} {
		if name, ok := passkey.NameOf(kind); name != want || ok != (want != "") {
			t.Errorf("%x is %q, %v", kind, name, ok)
		}
	}
}
