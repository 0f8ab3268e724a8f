package oidc

import (
	"net/http"

	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/web"
)

// revoke ends a token by the wish of the application that holds it (RFC 7009). A
// token that is not there, or another's, is answered like one that was.
func (h *Flow) revoke(w http.ResponseWriter, r *http.Request) error {
	p, ok := readBody(r)
	if !ok || p.repeats("token", "token_type_hint") {
		return answerFault(w, r, badRequest("the body is no form, or names something more than once"))
	}
	c, err := h.client(r, p)
	if err != nil {
		return answerFault(w, r, err)
	}
	if p.get("token") == "" {
		return answerFault(w, r, badRequest("token is missing"))
	}
	if token, ok := secret.Parse(p.get("token")); ok {
		if err := h.Store.RevokeToken(r.Context(), c.ID, token.Hash(), web.Asking(r).Now); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
