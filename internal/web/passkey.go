package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
)

// Ceremony is what a page asks a passkey for. It is in no table: it travels in
// the page, sealed, so that whoever only asks writes nothing.
type Ceremony struct {
	Purpose    auth.Ceremony
	Challenge  auth.Challenge
	User       auth.UserID // "" where anybody may answer
	Generation int64       // of the account
	Handle     []byte      // that a new passkey is made for
	Began      time.Time
	SetBacks   int64 // of the clock, before it began

	over time.Time
}

// Answered is the ceremony as a right answer to it spends it.
func (c Ceremony) Answered() store.Ceremony { return store.CeremonyOf(c.Challenge, c.over) }

// BeginPasskey gives what a page needs to ask for a passkey: of anybody, or of
// one person where who is given. The ceremony opens for this purpose and in this
// browser alone, and where bound is not "" for that: the session's id, the
// attempt's, or the hash of a mailed link. It is the zero value where no passkey
// can answer: none works here, or none of this person's was made for here.
func (f *Floor) BeginPasskey(w http.ResponseWriter, r *http.Request, purpose auth.Ceremony, who *auth.User, bound string) (ui.Passkey, error) {
	if f.Passkeys == nil {
		return ui.Passkey{}, nil
	}
	v := Asking(r)
	c := Ceremony{Purpose: purpose, Began: v.Now, SetBacks: v.SetBacks}
	begun, err := f.beginPasskey(r, &c, who)
	if err != nil || begun.Challenge == "" {
		return ui.Passkey{}, err
	}
	c.Challenge = begun.Challenge
	plain, err := json.Marshal(c)
	if err != nil {
		return ui.Passkey{}, err
	}
	sealed, err := f.Ring.Seal(plain, ceremonyRow(purpose, f.Browser(w, r).Hash().Text(), bound))
	return ui.Passkey{Options: string(begun.Options), Ceremony: base64.RawURLEncoding.EncodeToString(sealed),
		RenewIn: (f.PasskeyTimeout * 4 / 5).Milliseconds()}, err
}

// BeginProof is BeginPasskey for one that stands in the code's place: the zero value
// also where theirs do not count.
func (f *Floor) BeginProof(w http.ResponseWriter, r *http.Request, purpose auth.Ceremony, u auth.User, p auth.Policy, bound string) (ui.Passkey, error) {
	if !p.AsksPasskey(u) {
		return ui.Passkey{}, nil
	}
	return f.BeginPasskey(w, r, purpose, &u, bound)
}

func (f *Floor) beginPasskey(r *http.Request, c *Ceremony, who *auth.User) (passkey.Begun, error) {
	if who == nil {
		return f.Passkeys.BeginSignIn()
	}
	person, err := f.passkeysOf(r, *who)
	if err != nil {
		return passkey.Begun{}, err
	}
	c.User, c.Generation, c.Handle = who.ID, who.Generation, person.Handle
	switch {
	case c.Purpose == auth.AddingPasskey:
		return f.Passkeys.BeginAdding(person)
	case len(person.Passkeys) == 0:
		return passkey.Begun{}, nil
	}
	return f.Passkeys.BeginProof(person)
}

// passkeysOf is a person with those of their passkeys that work here. Who has
// never made one gets the handle that their first will be made for: the same on
// each page, so that what a device made for a page that was too late gives way to
// what it makes for the next.
func (f *Floor) passkeysOf(r *http.Request, u auth.User) (passkey.Person, error) {
	handle, err := f.Store.PasskeyHandle(r.Context(), u.ID)
	if err != nil {
		return passkey.Person{}, err
	}
	if handle == nil {
		derived := f.Ring.Derive("passkey handle", []byte(u.ID))
		handle = derived[:]
	}
	person := passkey.Person{Handle: handle, Address: u.Address, Name: u.Called()}
	all, err := f.Store.Passkeys(r.Context(), u.ID)
	for _, p := range all {
		if p.Works(f.Passkeys.Domain()) {
			person.Passkeys = append(person.Passkeys, p.Key)
		}
	}
	return person, err
}

// AnsweredPasskey opens a ceremony again: false where it is over, was begun for
// something else, in another browser, or before the account was changed.
func (f *Floor) AnsweredPasskey(r *http.Request, purpose auth.Ceremony, sealed, bound string) (c Ceremony, ok bool, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || f.Passkeys == nil {
		return c, false, nil
	}
	plain, _, err := f.Ring.Open(raw, ceremonyRow(purpose, f.KnownBrowser(r).Hash().Text(), bound))
	if err != nil || json.Unmarshal(plain, &c) != nil {
		return Ceremony{}, false, nil
	}
	c.over = c.Began.Add(f.PasskeyTimeout)
	v := Asking(r)
	if c.SetBacks != v.SetBacks || v.Now.Before(c.Began) || !v.Now.Before(c.over) {
		return c, false, nil
	}
	ok, err = f.isOfToday(r, c)
	return c, ok, err
}

// isOfToday tells whether nothing was changed in the account since.
func (f *Floor) isOfToday(r *http.Request, c Ceremony) (bool, error) {
	if c.User == "" {
		return true, nil
	}
	u, err := f.Store.User(r.Context(), c.User)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && u.Generation == c.Generation, err
}

func ceremonyRow(purpose auth.Ceremony, browser, bound string) string {
	return "passkey/" + string(purpose) + "/" + browser + "/" + bound
}

// Asked is the ceremony as its answer is examined.
func (c Ceremony) Asked() proof.Asked {
	return proof.Asked{Challenge: c.Challenge, Ceremony: c.Answered(), BesidePassword: c.Purpose == auth.ProvingCode}
}

// Factor examines what a form brings in a code's place: its field code, or the
// answer of a passkey in its fields ceremony and passkey, as far as that counts
// for this person. Both at once are refused with 400.
func (f *Floor) Factor(r *http.Request, e *proof.Examiner, u auth.User, p auth.Policy, form Form, purpose auth.Ceremony, bound string) (proof.Code, error) {
	code := e.RecoveryCode
	if p.AsksAuthenticator(u) {
		code = e.Code
	}
	return f.factor(r, e, u, p, form, purpose, bound, code)
}

// FactorByLetter is Factor for whoever shows a mailed link in place of the
// password: see [proof.Examiner.CodeByLetter].
func (f *Floor) FactorByLetter(r *http.Request, e *proof.Examiner, u auth.User, p auth.Policy, form Form, link secret.Hash) (proof.Code, error) {
	code := e.RecoveryCodeByLetter
	if p.AsksAuthenticator(u) {
		code = e.CodeByLetter
	}
	return f.factor(r, e, u, p, form, auth.ResettingPassword, link.Text(), code)
}

type examineCode func(ctx context.Context, from proof.From, u auth.User, typed string) (proof.Code, error)

func (f *Floor) factor(r *http.Request, e *proof.Examiner, u auth.User, p auth.Policy, form Form, purpose auth.Ceremony, bound string, code examineCode) (proof.Code, error) {
	ctx, from := r.Context(), f.From(r)
	switch {
	case form["passkey"] != "" && form["code"] != "":
		return proof.Code{}, BadRequest()
	case form["passkey"] == "":
		return code(ctx, from, u, form["code"])
	case !p.AsksPasskey(u):
		return proof.Code{Verdict: proof.Over}, nil // the page is from before
	}
	c, ok, err := f.AnsweredPasskey(r, purpose, form["ceremony"], bound)
	if err != nil {
		return proof.Code{}, err
	} else if !ok || c.User != u.ID {
		return proof.Code{Verdict: proof.Over}, nil
	}
	return e.Passkey(ctx, from, u, c.Asked(), form["passkey"])
}

// OffersPasskeys tells whether strangers are offered to sign in with a passkey:
// whether it works for anybody.
func (f *Floor) OffersPasskeys(ctx context.Context) (bool, error) {
	if f.Passkeys == nil {
		return false, nil
	}
	all, err := f.Live.Activations(ctx)
	return slices.ContainsFunc(all, func(a auth.Activation) bool {
		return a.Plugin == auth.PasskeysPlugin && a.Active && a.IsForSomebody()
	}), err
}

// SetUpPage is where somebody sets up a second factor: an authenticator app where
// they may have one, otherwise a passkey.
func SetUpPage(p auth.Policy) string {
	if !p.TwoFactor && p.Passkeys {
		return "/account/passkeys/new"
	}
	return "/account/two-factor"
}
