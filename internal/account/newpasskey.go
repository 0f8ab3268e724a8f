package account

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/passkey"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// newPasskeyPage lets somebody make a passkey. It is also the page that offers one
// after a login.
type newPasskeyPage struct {
	ui.Summary
	Title   ui.Text
	Text    ui.Text
	Account string  // whose login waits for this; "" inside a session
	Admits  bool    // the administration waits for this
	Effect  ui.Text // of a first one on what opens the account
	Attempt auth.AttemptID
	Next    string
	Other   string // the page that sets up an app in its place; "" for none
	Back    ui.Button
	Passkey ui.Passkey
}

// newPasskeyPage is 404 where no passkey can be made at all.
func (h *Flow) newPasskeyPage(w http.ResponseWriter, r *http.Request, e enroller) (page newPasskeyPage, err error) {
	page = newPasskeyPage{Title: ui.T("passkey.add"), Text: ui.T("passkey.intro"), Effect: effectOn(e.User), Admits: e.administers(),
		Attempt: e.Attempt.ID, Next: e.Next, Other: e.Other,
		Back: ui.Button{Label: ui.T("form.back"), Href: "/account/passkeys", Look: ui.Secondary}}
	switch {
	case e.Next != "":
		page.Back.Href = e.backTo()
	case !e.HasPasskeys():
		page.Back.Href = "/account"
	}
	if e.forced() {
		page.Account = e.Address
	}
	page.Passkey, err = h.BeginPasskey(w, r, auth.AddingPasskey, &e.User, e.row)
	if err == nil && page.Passkey.IsZero() {
		err = web.NotFound()
	}
	return page, err
}

// effectOn tells how a first passkey changes what opens an account.
func effectOn(u auth.User) ui.Text {
	switch {
	case u.HasPasskeys():
		return ui.Text{}
	case u.TwoFactor():
		return ui.T("passkey.firstBeside")
	}
	return ui.T("passkey.first")
}

// asMaker serves whoever may make a passkey now: inside a session with fresh
// proofs, or with the attempt of a login that owes it.
func (h *Flow) asMaker(w http.ResponseWriter, r *http.Request, form web.Form, serve func(enroller) error) error {
	v := web.Asking(r)
	switch {
	case form["attempt"] != "":
		return h.asOwing(w, r, form["attempt"], auth.PasskeysPlugin, serve)
	case !v.SignedIn():
		return h.SendToLogin(w, r, auth.PasskeysPlugin)
	case !v.Policy().Passkeys:
		return web.NotFound()
	}
	if missing := auth.May(v.Actor(), auth.ChangeAccount, v.Policy(), v.Now); missing != auth.Yes {
		return h.AskAgain(w, r, missing)
	}
	e := makerOf(v, web.ReturnTo(form["next"]))
	e.Other = otherSetUp(e, v.Policy(), auth.PasskeysPlugin)
	return serve(e)
}

// makerOf makes a passkey inside a session.
func makerOf(v *web.Visitor, next string) enroller {
	return enroller{User: v.User(), Next: next, Home: "/account/passkeys?added=yes", row: string(v.Presence.Session.ID)}
}

func (h *Flow) showNewPasskey(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "attempt", "next")
	if err != nil {
		return err
	}
	return h.asMaker(w, r, query, func(e enroller) error {
		full, err := h.isFull(r, e.User)
		if err != nil {
			return err
		}
		if full && !e.forced() {
			return web.Redirect(w, "/account/passkeys")
		}
		return h.askNewPasskey(w, r, e, http.StatusOK, ui.Text{})
	})
}

// isFull tells that somebody has as many passkeys as they may.
func (h *Flow) isFull(r *http.Request, u auth.User) (bool, error) {
	all, err := h.Store.Passkeys(r.Context(), u.ID)
	return newPasskeysPage(all, h.domain(), h.Rules.Passkeys).Full(), err
}

func (h *Flow) askNewPasskey(w http.ResponseWriter, r *http.Request, e enroller, status int, problem ui.Text) error {
	page, err := h.newPasskeyPage(w, r, e)
	if err != nil {
		return err
	}
	page.Summary = ui.SummarizeAmong(problem)
	return h.Show(w, r, status, "account/new-passkey", page)
}

// showOffer offers a passkey to somebody who has just signed in without one. Whoever
// does not want it goes on.
func (h *Flow) showOffer(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "next")
	if err != nil {
		return err
	}
	next := whereTo(web.ReturnTo(query["next"]))
	if web.Asking(r).User().HasPasskeys() {
		return web.Redirect(w, next)
	}
	page, err := h.newPasskeyPage(w, r, makerOf(web.Asking(r), next))
	if err != nil {
		return err
	}
	page.Title, page.Text, page.Admits = ui.T("passkey.offerTitle"), ui.T("passkey.offerText"), false
	page.Back = ui.Button{Label: ui.T("passkey.notNow"), Href: next, Look: ui.Secondary}
	return h.Show(w, r, http.StatusOK, "account/new-passkey", page)
}

func (h *Flow) postNewPasskey(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "attempt", "next", "ceremony", "passkey")
	if err != nil {
		return err
	}
	return h.asMaker(w, r, form, func(e enroller) error { return h.addPasskey(w, r, e, form) })
}

// addPasskey keeps the passkey that a browser made for this page.
func (h *Flow) addPasskey(w http.ResponseWriter, r *http.Request, e enroller, form web.Form) error {
	ctx, v := r.Context(), web.Asking(r)
	again := func(status int, why ui.Text) error { return h.askNewPasskey(w, r, e, status, why) }

	// Read.
	c, ok, err := h.AnsweredPasskey(r, auth.AddingPasskey, form["ceremony"], e.row)
	if err != nil {
		return err
	} else if !ok || c.User != e.ID {
		return again(http.StatusUnprocessableEntity, ui.T("passkey.over"))
	}

	// Decide.
	key, _, err := h.Passkeys.Add(form["passkey"], c.Challenge, passkey.Person{Handle: c.Handle, Address: e.Address, Name: e.Called()})
	if errors.Is(err, passkey.ErrRefused) {
		h.Log.DebugContext(ctx, "a new passkey was refused", "why", err)
		return again(http.StatusUnprocessableEntity, ui.T("passkey.notMade"))
	} else if err != nil {
		return err
	}
	name, err := h.passkeyName(r, e.User, key.AAGUID)
	if err != nil {
		return err
	}

	// Write.
	codes, set, err := h.firstCodes(r, e.User)
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		return again(status, why)
	} else if err != nil {
		return err
	}
	token, err := h.Store.AddPasskey(ctx, e.actor(v), store.NewPasskey{
		User: e.ID, Generation: c.Generation, Ceremony: c.Answered(), Key: key, Handle: c.Handle, Domain: h.domain(), Name: name,
		Codes: set, Attempt: e.Attempt.ID, Limit: h.Rules.Passkeys,
	}, v.Now)
	switch {
	case errors.Is(err, store.ErrSpent):
		return h.startAgain(w, r, setUpHomes[auth.PasskeysPlugin])
	case errors.Is(err, store.ErrTaken):
		return again(http.StatusUnprocessableEntity, ui.T("passkey.taken"))
	case errors.Is(err, store.ErrTooMany):
		return again(http.StatusUnprocessableEntity, ui.N("passkey.tooMany", h.Rules.Passkeys))
	case err != nil:
		return err
	}

	// Answer.
	return h.goOn(w, r, e, token, "passkey.doneAdded", codes)
}

// passkeyName is what a new passkey is called until its owner names it: as its kind
// is, with a number from the second of a kind on.
func (h *Flow) passkeyName(r *http.Request, u auth.User, kind [16]byte) (string, error) {
	all, err := h.Store.Passkeys(r.Context(), u.ID)
	if err != nil {
		return "", err
	}
	called, known := passkey.NameOf(kind)
	if !known {
		called = ui.T("passkey.unnamed").In(web.Asking(r).Texts)
	}
	name := called
	for n := 2; slices.ContainsFunc(all, func(k store.Passkey) bool { return k.Name == name }); n++ {
		name = called + " " + strconv.Itoa(n)
	}
	return name, nil
}
