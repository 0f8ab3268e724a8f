package apptest

import (
	"cmp"

	"golang.org/x/net/html"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/hashing"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
	"github.com/twinlock/twinlock/internal/recovery"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// AddPasskey makes a passkey in the person's own device, which holds none before,
// and keeps it as the page does. It needs the person's login, and ends their other
// sessions. With the first one come recovery codes.
func (p *Person) AddPasskey(prepare ...func(*passkeytest.Authenticator)) {
	p.site.t.Helper()
	if p.Device == nil {
		p.Device = passkeytest.New(p.site.t)
	}
	for _, change := range prepare {
		change(p.Device)
	}
	b := p.site.Browser()
	b.SignIn(p)
	token, _ := secret.Parse(cmp.Or(b.Cookie("__Host-twinlock"), b.Cookie("twinlock")))
	presence, err := p.site.Live.Who(p.site.t.Context(), token.Hash(), p.site.Now())
	if err != nil {
		p.site.t.Fatal(err)
	}
	if err := p.keep(auth.Actor{User: presence.User, Session: presence.Session}); err != nil {
		p.site.t.Fatal(err)
	}
}

func (p *Person) keep(by auth.Actor) error {
	ctx, party := p.site.t.Context(), p.site.Floor.Passkeys
	handle, err := p.site.Store.PasskeyHandle(ctx, p.ID)
	if err != nil {
		return err
	}
	if handle == nil {
		handle = []byte("handle of " + p.ID)
	}
	who := passkey.Person{Handle: handle, Address: p.Address, Name: p.Address}
	begun, err := party.BeginAdding(who)
	if err != nil {
		return err
	}
	key, _, err := party.Add(p.Device.Create(string(begun.Options), string(p.site.Config.PublicURL)), begun.Challenge, who)
	if err != nil {
		return err
	}
	made := store.NewPasskey{User: p.ID, Generation: by.User.Generation, Key: key, Handle: handle, Domain: party.Domain(), Name: "Phone", Limit: 100,
		Ceremony: store.CeremonyOf(begun.Challenge, p.site.Now().Add(p.site.Config.PasskeyTimeout))}
	if !by.User.TwoFactor() {
		made.Codes = p.newRecoveryCodes()
	}
	_, err = p.site.Store.AddPasskey(ctx, by, made, p.site.Now())
	return err
}

func (p *Person) newRecoveryCodes() recovery.Set {
	p.site.t.Helper()
	codes := recovery.New(10)
	p.RecoveryCodes = nil
	for _, c := range codes {
		p.RecoveryCodes = append(p.RecoveryCodes, c.Reveal())
	}
	set, err := hashing.Here{}.HashCodes(HashCost, codes)
	if err != nil {
		p.site.t.Fatal(err)
	}
	return set
}

// Passkey fills the form that asks for a passkey with the answer of a device, as
// the page's script does. A test may spoil the answer.
func (p *Page) Passkey(device *passkeytest.Authenticator, spoil ...func(*passkeytest.Answer)) *Form {
	p.browser.t.Helper()
	f := p.asks()
	f.Values.Set("passkey", device.Get(attr(f.form, "data-options"), p.browser.origin, spoil...))
	return f
}

// NewPasskey fills the form that asks for a new passkey with one that a device
// makes.
func (p *Page) NewPasskey(device *passkeytest.Authenticator, spoil ...func(*passkeytest.Answer)) *Form {
	p.browser.t.Helper()
	f := p.asks()
	f.Values.Set("passkey", device.Create(attr(f.form, "data-options"), p.browser.origin, spoil...))
	return f
}

// PasskeyOptions are what the page asks a passkey with.
func (p *Page) PasskeyOptions() string {
	p.browser.t.Helper()
	return attr(p.asks().form, "data-options")
}

// AsksForPasskey tells whether the page asks for one, where there are scripts.
func (p *Page) AsksForPasskey() bool { return p.passkeyForm(p.root) != nil }

func (p *Page) asks() *Form {
	p.browser.t.Helper()
	form := p.passkeyForm(p.root)
	if form == nil {
		p.fatalf("nothing asks for a passkey")
	}
	f := &Form{page: p, button: form, form: form}
	f.Values = hiddenFields(form)
	return f
}

// passkeyForm finds the form, which a script shows.
func (p *Page) passkeyForm(n *html.Node) *html.Node {
	if n.Type == html.ElementNode && n.Data == "form" && has(n, "data-passkey") {
		return n
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if found := p.passkeyForm(child); found != nil {
			return found
		}
	}
	return nil
}
