package oidc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// fault is what a program is told that asked wrongly (RFC 6749 §5.2).
type fault struct {
	status int
	code   string
	why    string
}

func (f *fault) Error() string { return f.code + ": " + f.why }

func badRequest(why string) error { return &fault{http.StatusBadRequest, invalidRequest, why} }

// badGrant is one answer for a code or refresh token that is unknown, too old,
// used, ended, or another application's.
func badGrant() error {
	return &fault{http.StatusBadRequest, "invalid_grant", "the code or refresh token is not good, or not for this"}
}

// badClient is one answer for an application that is unknown and for a secret
// that is wrong.
func badClient() error {
	return &fault{http.StatusUnauthorized, "invalid_client", "the client is not known, or did not prove itself as it has to"}
}

// answerFault tells a program what it did wrong; every other error is for the
// floor.
func answerFault(w http.ResponseWriter, r *http.Request, err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	if f.status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twinlock", charset="UTF-8"`)
	}
	return web.JSON(w, f.status, map[string]string{"error": f.code, "error_description": f.why})
}

// client finds out which application is asking. One that keeps a secret proves
// it by the secret, in one of two places and not in both (RFC 6749 §2.3); a
// public one only says who it is, and is held to its code challenge instead.
func (h *Flow) client(r *http.Request, p parameters) (store.Registered, error) {
	id, given, err := credentials(r, p)
	if err != nil {
		return store.Registered{}, err
	}
	c, err := h.Store.Registered(r.Context(), auth.ApplicationID(id))
	if errors.Is(err, store.ErrNotFound) {
		return c, badClient()
	} else if err != nil {
		return c, err
	}
	if !proves(c, given) {
		v := web.Asking(r)
		by := auth.Actor{Device: v.Device, Network: v.Network.String()}
		if err := h.Store.RefuseClient(r.Context(), by, c.Application, v.Now); err != nil {
			return c, err
		}
		return c, badClient()
	}
	return c, nil
}

func proves(c store.Registered, given string) bool {
	if c.Client.Public {
		return given == ""
	}
	token, ok := secret.Parse(given)
	return ok && token.Hash().Equal(c.Secret)
}

// credentials are a client_id and a secret, "" for none.
func credentials(r *http.Request, p parameters) (id, given string, err error) {
	if p.repeats("client_id", "client_secret") || len(r.Header.Values("Authorization")) > 1 {
		return "", "", badRequest("a parameter came more than once")
	}
	id, given = p.get("client_id"), p.get("client_secret")
	if r.Header.Get("Authorization") == "" {
		if id == "" {
			return "", "", badClient()
		}
		return id, given, nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", badClient()
	}
	if given != "" {
		return "", "", badRequest("the client proves itself in two places")
	}
	// Inside the header both are written as in a form (RFC 6749 §2.3.1).
	user, err = url.QueryUnescape(user)
	if err != nil || !web.IsText(user) {
		return "", "", badClient()
	}
	if password, err = url.QueryUnescape(password); err != nil {
		return "", "", badClient()
	}
	if id != "" && id != user {
		return "", "", badRequest("client_id is another than in the header")
	}
	return user, password, nil
}
