package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// From is where the visitor's tries come from.
func (f *Floor) From(r *http.Request) proof.From {
	v := Asking(r)
	return proof.From{Actor: v.Actor(), Network: v.Network, Device: f.Device(r), Now: v.Now}
}

// Attempt finds a pending login of this browser, and whose it is;
// store.ErrNotFound where it is another browser's, or finished.
func (f *Floor) Attempt(r *http.Request, id string) (auth.Attempt, auth.User, error) {
	browser := f.KnownBrowser(r)
	if browser.IsZero() {
		return auth.Attempt{}, auth.User{}, store.ErrNotFound
	}
	attempt, err := f.Store.Attempt(r.Context(), auth.AttemptID(id), browser.Hash())
	if err != nil {
		return attempt, auth.User{}, err
	}
	u, err := f.Store.User(r.Context(), attempt.User)
	return attempt, u, err
}

// Owes tells what a pending login owes next, under the policy of now.
func (f *Floor) Owes(r *http.Request, a auth.Attempt, u auth.User) (auth.Step, error) {
	policy, err := f.Live.PolicyOf(r.Context(), u.ID)
	if err != nil {
		return "", err
	}
	return auth.Next(a, u, policy, Asking(r).Now), nil
}

// FinishLogin turns an attempt that owes nothing into a session, and gives it
// to the browser. It is the one way in: every flow that signs somebody in ends
// here. An attempt that still owes something is store.ErrSpent.
func (f *Floor) FinishLogin(w http.ResponseWriter, r *http.Request, id auth.AttemptID) (auth.User, error) {
	attempt, err := f.Store.Attempt(r.Context(), id, f.KnownBrowser(r).Hash())
	if errors.Is(err, store.ErrNotFound) {
		return auth.User{}, store.ErrSpent
	} else if err != nil {
		return auth.User{}, err
	}
	policy, err := f.Live.PolicyOf(r.Context(), attempt.User)
	if err != nil {
		return auth.User{}, err
	}
	_, u, err := f.finishLogin(w, r, id, f.finishFor(r, policy))
	return u, err
}

// FinishLoginHere is FinishLogin for an attempt that this very request began:
// the browser may not have sent its cookie yet.
func (f *Floor) FinishLoginHere(w http.ResponseWriter, r *http.Request, a auth.Attempt) (auth.User, error) {
	_, u, err := f.finishHere(w, r, a, 0)
	return u, err
}

// FinishLoginOffering is FinishLoginHere for a login that may lead on to the offer
// of a passkey, which counts as made where it is true. One comes so long after
// another; 0 is never.
func (f *Floor) FinishLoginOffering(w http.ResponseWriter, r *http.Request, a auth.Attempt, every time.Duration) (offers bool, err error) {
	if f.Passkeys == nil {
		every = 0
	}
	made, _, err := f.finishHere(w, r, a, every)
	return made.OffersPasskey, err
}

func (f *Floor) finishHere(w http.ResponseWriter, r *http.Request, a auth.Attempt, offer time.Duration) (store.NewSession, auth.User, error) {
	policy, err := f.Live.PolicyOf(r.Context(), a.User)
	if err != nil {
		return store.NewSession{}, auth.User{}, err
	}
	finish := f.finishFor(r, policy)
	finish.PasskeyOffer = offer
	return f.finishLogin(w, r, a.ID, finish)
}

func (f *Floor) finishLogin(w http.ResponseWriter, r *http.Request, id auth.AttemptID, finish store.Finish) (store.NewSession, auth.User, error) {
	made, u, err := f.Store.FinishLogin(r.Context(), Asking(r).Actor(), id, finish, Asking(r).Now)
	if err != nil {
		return made, u, err
	}
	return made, u, f.letIn(w, r, made)
}

// finishFor is how a login of the browser that asks is finished.
func (f *Floor) finishFor(r *http.Request, policy auth.Policy) store.Finish {
	return store.Finish{Policy: policy, Replaces: Asking(r).Presence.Session.ID, Device: f.Device(r)}
}

// letIn gives the browser the session of a finished login.
func (f *Floor) letIn(w http.ResponseWriter, r *http.Request, made store.NewSession) error {
	if err := f.GoOn(w, r, made.Token); err != nil {
		return err
	}
	f.forgetReturn(w, r)
	if !made.Device.IsZero() {
		f.KeepDevice(w, made.Device)
	}
	return nil
}

// ProvePassword begins a login whose password is right. Where nothing more is owed
// it is finished at once: in tells so, and the browser holds its session.
func (f *Floor) ProvePassword(w http.ResponseWriter, r *http.Request, p store.ProvedPassword) (a auth.Attempt, in bool, err error) {
	v := Asking(r)
	policy, err := f.Live.PolicyOf(r.Context(), p.User.ID)
	if err != nil {
		return a, false, err
	}
	finish := f.finishFor(r, policy)
	p.Held, p.Finish = finish.Replaces, &finish
	a, made, err := f.Store.ProvePassword(r.Context(), v.Actor(), p, v.Now)
	if err != nil || made.Token.IsZero() {
		return a, false, err
	}
	return a, true, f.letIn(w, r, made)
}

// GoOn gives the browser a session that was just made or renewed, and lets the
// rest of this request be asked under it: a page that is shown at once needs
// the secret of the new session, not of the old.
func (f *Floor) GoOn(w http.ResponseWriter, r *http.Request, token secret.Token) error {
	v := Asking(r)
	f.KeepSession(w, token)
	presence, err := f.Live.Who(r.Context(), token.Hash(), v.Now)
	if err != nil {
		return err
	}
	v.Token, v.Presence = token, presence
	f.preferPersons(v)
	return nil
}

// Login is the address of the login that leads on to one of our own addresses;
// "" for wherever logins lead.
func Login(next string) string { return withNext("/login", next) }

// ForgotPassword is the address of the page for a forgotten password, which leads
// on like Login.
func ForgotPassword(next string) string { return withNext("/forgot-password", next) }

func withNext(page, next string) string {
	if next == "" {
		return page
	}
	return page + "?" + url.Values{"next": {next}}.Encode()
}

// Logout ends the session that the cookie names, lapsed ones too, and asks the
// browser to forget what it kept of us.
func (f *Floor) Logout(w http.ResponseWriter, r *http.Request) error {
	v := Asking(r)
	if held := v.Presence.Session; held.ID != "" {
		actor := v.Actor()
		actor.User, actor.Session = v.Presence.User, held
		err := f.Store.EndSession(r.Context(), actor, held.User, held.ID, auth.EventLogout, "logout", v.Now)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	f.DropSession(w)
	f.forgetReturn(w, r)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return nil
}

// MailedPath is the address of a page of ours with a token, as letters carry
// it below the public URL from the settings, whatever host a request named.
func MailedPath(path string, token secret.Token) string {
	return path + "?" + url.Values{"token": {token.Reveal()}}.Encode()
}
