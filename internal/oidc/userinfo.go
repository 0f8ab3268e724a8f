package oidc

import (
	"errors"
	"net/http"
	"strings"

	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// userinfo tells whoever holds an access token what its scopes let it learn
// (OpenID Connect Core 1.0 §5.3). The person is looked at now: who may no longer
// open the application is told to nobody.
func (h *Flow) userinfo(w http.ResponseWriter, r *http.Request) error {
	given, err := bearer(r)
	if err != nil {
		return answerBearer(w, err)
	}
	token, ok := secret.Parse(given)
	if !ok {
		return answerBearer(w, badToken())
	}
	a, err := h.Store.Access(r.Context(), token.Hash(), web.Asking(r).Now)
	if errors.Is(err, store.ErrNotFound) {
		return answerBearer(w, badToken())
	} else if err != nil {
		return err
	}
	c, err := h.Store.Registered(r.Context(), a.Application)
	if err != nil {
		return err
	}
	opens, err := h.opens(r.Context(), c, a.Grant, a.User)
	if err != nil {
		return err
	}
	if !opens {
		return answerBearer(w, badToken())
	}
	learned, err := h.person(r.Context(), a.User, a.Scopes.Both(c.Client.Scopes))
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, learned)
}

func badToken() error {
	return &fault{http.StatusUnauthorized, "invalid_token", "the access token is not good, or no longer"}
}

// bearer reads an access token from the header, or from the body of a form; from
// both, or from an address, where logs would keep it, it is refused (RFC 6750
// §2, RFC 9700 §4.3.2).
func bearer(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	var body parameters
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" {
		body, _ = readBody(r)
	}
	switch {
	case r.URL.Query().Has("access_token"):
		return "", badRequest("an access token does not belong into an address")
	case len(headers) > 1, body.repeats("access_token"), len(headers) > 0 && body.get("access_token") != "":
		return "", badRequest("the access token came more than once")
	case len(headers) == 0:
		if given := body.get("access_token"); given != "" {
			return given, nil
		}
		return "", &fault{status: http.StatusUnauthorized}
	}
	scheme, given, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", &fault{status: http.StatusUnauthorized}
	}
	return strings.TrimLeft(given, " "), nil
}

// answerBearer refuses as RFC 6750 §3 says: without a token, without a reason.
func answerBearer(w http.ResponseWriter, err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	challenge := `Bearer realm="Twinlock"`
	if f.code != "" {
		challenge += `, error="` + f.code + `", error_description="` + f.why + `"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
	if f.code == "" {
		return &web.Refusal{Status: f.status}
	}
	return web.JSON(w, f.status, map[string]string{"error": f.code, "error_description": f.why})
}
