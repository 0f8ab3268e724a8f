package oidc

import (
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/web"
)

// configuration is what works here (OpenID Connect Discovery 1.0 §3, RFC 8414
// §2). What is not in it does not work.
type configuration struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	Keys          string `json:"jwks_uri"`
	Revocation    string `json:"revocation_endpoint"`
	Logout        string `json:"end_session_endpoint"`

	Scopes         []string `json:"scopes_supported"`
	ResponseTypes  []string `json:"response_types_supported"`
	ResponseModes  []string `json:"response_modes_supported"`
	GrantTypes     []string `json:"grant_types_supported"`
	Classes        []string `json:"acr_values_supported"`
	SubjectTypes   []string `json:"subject_types_supported"`
	Algorithms     []string `json:"id_token_signing_alg_values_supported"`
	TokenAuth      []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth []string `json:"revocation_endpoint_auth_methods_supported"`
	Claims         []string `json:"claims_supported"`
	Prompts        []string `json:"prompt_values_supported"`
	Locales        []string `json:"ui_locales_supported"`
	Challenges     []string `json:"code_challenge_methods_supported"`

	TellsLogout     bool `json:"backchannel_logout_supported"`
	TellsSession    bool `json:"backchannel_logout_session_supported"`
	SaysIssuer      bool `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameter bool `json:"claims_parameter_supported"`
	Request         bool `json:"request_parameter_supported"`
	RequestURI      bool `json:"request_uri_parameter_supported"` // absent would mean true
}

func (h *Flow) discovery(w http.ResponseWriter, r *http.Request) error {
	c := configuration{
		Issuer:        h.PublicURL,
		Authorization: h.PublicURL + authorizePath, Token: h.PublicURL + tokenPath,
		Userinfo: h.PublicURL + userinfoPath, Keys: h.PublicURL + keysPath,
		Revocation: h.PublicURL + revokePath, Logout: h.PublicURL + logoutPath,

		ResponseTypes: []string{"code"}, ResponseModes: []string{"query"},
		GrantTypes:   []string{"authorization_code", "refresh_token"},
		Classes:      []string{acrPassword, acrCode},
		SubjectTypes: []string{"public"},
		Algorithms:   []string{string(auth.ES256), string(auth.RS256)},
		TokenAuth:    []string{"client_secret_basic", "client_secret_post", "none"},
		Claims: []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid",
			"name", "locale", "preferred_username", "email", "email_verified", "groups"},
		Prompts:    []string{"none", "login", "consent"},
		Challenges: []string{"S256"},
		SaysIssuer: true, TellsLogout: true, TellsSession: true,
	}
	c.RevocationAuth = c.TokenAuth
	for _, s := range auth.AllScopes {
		c.Scopes = append(c.Scopes, string(s))
	}
	for _, l := range h.Bundle.Languages() {
		c.Locales = append(c.Locales, l.Tag)
	}
	mayBeKept(w)
	return web.JSON(w, http.StatusOK, c)
}

// mayBeKept lets applications keep an answer for a while. New keys are published
// long enough before they sign.
func mayBeKept(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Del("Pragma")
}

// keys gives the public halves of every key that something may have been signed
// with, or soon will be (RFC 7517 §5).
func (h *Flow) keys(w http.ResponseWriter, r *http.Request) error {
	all, err := h.Store.SigningKeys(r.Context())
	if err != nil {
		return err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range all {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private().Public(), KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"})
	}
	mayBeKept(w)
	return web.JSON(w, http.StatusOK, set)
}
