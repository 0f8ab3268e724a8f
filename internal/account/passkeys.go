package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// passkeyRoutes are the addresses of somebody's passkeys. The second and the third
// are also where a login leads that owes a second factor, so they look by themselves
// at who comes.
func (h *Flow) passkeyRoutes() []web.Route {
	const plugin = auth.PasskeysPlugin
	return []web.Route{
		{Method: http.MethodGet, Path: "/account/passkeys", Need: web.SignedIn, Plugin: plugin, Serve: h.showPasskeys},
		{Method: http.MethodGet, Path: "/account/passkeys/new", Need: web.Anybody, Serve: h.showNewPasskey},
		{Method: http.MethodPost, Path: "/account/passkeys/new", Need: web.Anybody, Serve: h.postNewPasskey},
		{Method: http.MethodPost, Path: "/account/passkeys/rename", Need: web.SignedIn, Plugin: plugin, Serve: h.renamePasskey},
		{Method: http.MethodGet, Path: "/account/passkeys/remove", Need: web.SignedIn, Plugin: plugin, Serve: h.showRemovePasskey},
		{Method: http.MethodPost, Path: "/account/passkeys/remove", Need: web.SignedIn, Plugin: plugin, Action: auth.ChangeAccount, Serve: h.removePasskey},
		{Method: http.MethodGet, Path: "/account/passkeys/offer", Need: web.SignedIn, Plugin: plugin, Serve: h.showOffer},
	}
}

// passkeyEntry is one in the list of somebody's passkeys.
type passkeyEntry struct {
	factorEntry
	Synced     bool
	Elsewhere  string // the domain that it was made for, where that is not ours
	Unreadable bool
	Open       bool // its name is ready to be edited
}

// passkeysPage lists somebody's passkeys.
type passkeysPage struct {
	ui.Summary
	Passkeys []passkeyEntry
	Most     int
	Accepted string // for the browser, as JSON
}

// Full tells that there is no room for another. Those of another domain take none.
func (p passkeysPage) Full() bool {
	here := 0
	for _, e := range p.Passkeys {
		if e.Elsewhere == "" {
			here++
		}
	}
	return here >= p.Most
}

func newPasskeysPage(all []store.Passkey, domain string, most int) passkeysPage {
	page := passkeysPage{Most: most}
	for _, k := range all {
		e := passkeyEntry{factorEntry: newFactorEntry(string(k.ID), k.Name, ui.T("passkey.unnamed"), k.Created, k.LastUsed),
			Synced: k.Key.Synced, Unreadable: !k.Readable()}
		if e.Name.Label = ui.T("passkey.name"); k.Domain != domain {
			e.Elsewhere = k.Domain
		}
		page.Passkeys = append(page.Passkeys, e)
	}
	return page
}

// domain is what passkeys are made for here.
func (h *Flow) domain() string {
	if h.Floor.Passkeys == nil {
		return ""
	}
	return h.Floor.Passkeys.Domain()
}

func (h *Flow) showPasskeys(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "added")
	if err != nil {
		return err
	}
	return h.showPasskeysWith(w, r, http.StatusOK, func(p *passkeysPage) {
		if n := len(p.Passkeys); n > 0 && query["added"] != "" {
			p.Passkeys[n-1].Open = true
		}
	})
}

// showPasskeysWith shows the list as a form left it.
func (h *Flow) showPasskeysWith(w http.ResponseWriter, r *http.Request, status int, mark func(*passkeysPage)) error {
	u := web.Asking(r).User()
	all, err := h.Store.Passkeys(r.Context(), u.ID)
	if err != nil {
		return err
	}
	page := newPasskeysPage(all, h.domain(), h.Rules.Passkeys)
	if page.Accepted, err = h.accepted(r, all); err != nil {
		return err
	}
	mark(&page)
	return h.Show(w, r, status, "account/passkeys", page)
}

// acceptedPasskeys is what a browser is told of somebody's passkeys, so that it
// offers no others of theirs, and by the right name.
type acceptedPasskeys struct {
	Domain      string   `json:"rpId"`
	Handle      string   `json:"userId"`
	Credentials []string `json:"allAcceptedCredentialIds"`
	Address     string   `json:"name"`
	Called      string   `json:"displayName"`
}

// accepted is "" for whoever has never made a passkey. An empty list says that none
// is accepted any more.
func (h *Flow) accepted(r *http.Request, all []store.Passkey) (string, error) {
	u := web.Asking(r).User()
	handle, err := h.Store.PasskeyHandle(r.Context(), u.ID)
	if err != nil || handle == nil {
		return "", err
	}
	told := acceptedPasskeys{Domain: h.domain(), Handle: base64.RawURLEncoding.EncodeToString(handle),
		Credentials: []string{}, Address: u.Address, Called: u.Called()}
	for _, k := range all {
		if k.Domain == h.domain() {
			told.Credentials = append(told.Credentials, base64.RawURLEncoding.EncodeToString(k.Key.Credential))
		}
	}
	text, err := json.Marshal(told)
	return string(text), err
}

func (h *Flow) passkeysSection(r *http.Request) (*passkeysSection, error) {
	v := web.Asking(r)
	if !v.Policy().Passkeys {
		return nil, nil
	}
	all, err := h.Store.Passkeys(r.Context(), v.User().ID)
	if err != nil {
		return nil, err
	}
	section := passkeysSection{Count: len(all)}
	section.Accepted, err = h.accepted(r, all)
	return &section, err
}

func (h *Flow) renamePasskey(w http.ResponseWriter, r *http.Request) error {
	name := func(ctx context.Context, by auth.Actor, id, name string, now time.Time) error {
		return h.Store.RenamePasskey(ctx, by, auth.PasskeyID(id), name, now)
	}
	return h.rename(w, r, name, func(refuse refusal) error {
		return h.showPasskeysWith(w, r, http.StatusUnprocessableEntity, func(p *passkeysPage) { p.Summary = refuse(p.entries()) })
	}, "passkey.doneRenamed", "/account/passkeys")
}

func (p passkeysPage) entries() (all []*factorEntry) {
	for i := range p.Passkeys {
		all = append(all, &p.Passkeys[i].factorEntry)
	}
	return all
}

// removePage asks whether a passkey is to be removed, or says why it is kept. The
// last one goes by a code, as the authenticator app does.
type removePage struct {
	codeForm // for the last one
	ID       auth.PasskeyID
	Name     string
	Last     bool    // the password alone then opens the account
	Kept     ui.Text // why it stays; zero where it may go
}

// keptTexts say why the last passkey stays.
var keptTexts = map[auth.Kept]ui.Text{
	auth.LastForDemand: ui.T("passkey.keptDemanded"),
	auth.LastReadable:  ui.T("passkey.keptUnreadable"),
	auth.NoPassword:    ui.T("passkey.keptPassword"),
}

func (h *Flow) showRemovePasskey(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "id")
	if err != nil {
		return err
	}
	return h.showRemoveWith(w, r, auth.PasskeyID(query["id"]), http.StatusOK, func(*codeForm) {})
}

// showRemoveWith shows the page as its form left it.
func (h *Flow) showRemoveWith(w http.ResponseWriter, r *http.Request, id auth.PasskeyID, status int, mark func(*codeForm)) error {
	page, err := h.removePage(r, id)
	if err != nil {
		return err
	}
	if page.Last {
		if page.Passkey, err = h.askPasskey(w, r, auth.RemovingLastPasskey); err != nil {
			return err
		}
	}
	mark(&page.codeForm)
	return h.Show(w, r, status, "account/remove-passkey", page)
}

// removePage is 404 for a passkey that is not the person's.
func (h *Flow) removePage(r *http.Request, id auth.PasskeyID) (page removePage, err error) {
	u, p := web.Asking(r).User(), web.Asking(r).Policy()
	all, err := h.Store.Passkeys(r.Context(), u.ID)
	if err != nil {
		return page, err
	}
	i := slices.IndexFunc(all, func(k store.Passkey) bool { return k.ID == id })
	if i < 0 {
		return page, web.NotFound()
	}
	page = removePage{codeForm: newRecoveryForm(), ID: id, Name: all[i].Name}
	if !p.AsksPasskey(u) || !store.IsLastPasskey(all, all[i], h.domain()) {
		return page, nil
	}
	readable, err := h.Store.HasReadableApp(r.Context(), u)
	if err != nil {
		return page, err
	}
	page.Kept = keptTexts[auth.MayRemovePasskey(u, p, 1, readable)]
	page.Last = page.Kept.IsZero() && !p.AsksAuthenticator(u)
	return page, nil
}

func (h *Flow) removePasskey(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "id", "code", "ceremony", "passkey")
	if err != nil {
		return err
	}
	page, err := h.removePage(r, auth.PasskeyID(form["id"]))
	if err != nil {
		return err
	}

	// Decide and write.
	var token secret.Token
	remove := func(c proof.Code) (err error) {
		removal := store.PasskeyRemoval{Passkey: page.ID, Domain: h.domain(), Code: c.Claim, Paid: c.Paid}
		token, err = h.Store.RemovePasskey(r.Context(), v.Actor(), removal, v.Now)
		return err
	}
	done := true
	if page.Last {
		done, err = h.withCode(w, r, form, auth.RemovingLastPasskey, remove, func(status int, mark func(*codeForm)) error {
			return h.showRemoveWith(w, r, page.ID, status, mark)
		})
	} else {
		err = remove(proof.Code{})
	}

	// Answer.
	if err != nil {
		return h.refuseRemoval(w, r, page, err)
	} else if !done {
		return nil
	}
	h.KeepSession(w, token)
	h.Notice(w, "passkey.doneRemoved")
	return web.Redirect(w, "/account/passkeys")
}

// refuseRemoval answers what kept a passkey from being removed.
func (h *Flow) refuseRemoval(w http.ResponseWriter, r *http.Request, page removePage, err error) error {
	var kept *store.KeptError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return web.NotFound()
	case errors.Is(err, store.ErrSpent): // another page of this session was faster
		return web.Redirect(w, "/account/passkeys")
	case errors.Is(err, store.ErrNeedsCode): // it has just become the last one
		return h.showRemoveWith(w, r, page.ID, http.StatusUnprocessableEntity, refusalOf(proof.Missing, web.Asking(r).Now))
	case errors.As(err, &kept):
		page.Kept, page.Summary = ui.Text{}, ui.SummarizeAmong(keptTexts[kept.Why])
		return h.Show(w, r, http.StatusUnprocessableEntity, "account/remove-passkey", page)
	}
	return err
}
