package web

import (
	"net/http"
	"net/url"

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

// FinishLogin turns an attempt that owes nothing into a session, and gives it
// to the browser. It is the one way in: every flow that signs somebody in ends
// here. An attempt that still owes something is store.ErrSpent.
func (f *Floor) FinishLogin(w http.ResponseWriter, r *http.Request, id auth.AttemptID) (auth.User, error) {
	attempt, err := f.Store.Attempt(r.Context(), id, f.KnownBrowser(r).Hash())
	if err != nil {
		return auth.User{}, store.ErrSpent
	}
	policy, err := f.Live.PolicyOf(r.Context(), attempt.User)
	if err != nil {
		return auth.User{}, err
	}
	return f.finishLogin(w, r, id, policy)
}

// FinishLoginHere is FinishLogin for an attempt that this very request began:
// the browser may not have sent its cookie yet.
func (f *Floor) FinishLoginHere(w http.ResponseWriter, r *http.Request, a auth.Attempt) (auth.User, error) {
	policy, err := f.Live.PolicyOf(r.Context(), a.User)
	if err != nil {
		return auth.User{}, err
	}
	return f.finishLogin(w, r, a.ID, policy)
}

func (f *Floor) finishLogin(w http.ResponseWriter, r *http.Request, id auth.AttemptID, policy auth.Policy) (auth.User, error) {
	v := Asking(r)
	made, u, err := f.Store.FinishLogin(r.Context(), v.Actor(), id, store.Finish{
		Policy: policy, Replaces: v.Presence.Session.ID, Device: f.Device(r),
	}, v.Now)
	if err != nil {
		return auth.User{}, err
	}
	f.KeepSession(w, made.Token)
	if !made.Device.IsZero() {
		f.KeepDevice(w, made.Device)
	}
	return u, nil
}

// MailedPath is the address of a page of ours with a token, as letters carry
// it below the public URL from the settings, whatever host a request named.
func MailedPath(path string, token secret.Token) string {
	return path + "?" + url.Values{"token": {token.Reveal()}}.Encode()
}
