package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// person is what an application may learn of somebody, by its scopes. sub is
// the account's own identifier: random, for ever, and never given out again.
type person struct {
	Subject auth.UserID `json:"sub"`

	Name     string `json:"name,omitempty"`
	Locale   string `json:"locale,omitempty"`
	Username string `json:"preferred_username,omitempty"` // the address: it needs both scopes

	Email    string `json:"email,omitempty"`
	Verified *bool  `json:"email_verified,omitempty"`

	Groups *[]string `json:"groups,omitempty"` // absent without the scope, empty for none
}

func (h *Flow) person(ctx context.Context, u auth.User, scopes auth.Scopes) (person, error) {
	p := person{Subject: u.ID}
	if scopes.Has(auth.ScopeProfile) {
		p.Name, p.Locale = u.Name, u.Language
	}
	if scopes.Has(auth.ScopeEmail) {
		verified := true // nobody has an account whose address was not confirmed
		p.Email, p.Verified = u.Address, &verified
	}
	if scopes.Has(auth.ScopeProfile) && scopes.Has(auth.ScopeEmail) {
		p.Username = u.Address
	}
	if scopes.Has(auth.ScopeGroups) {
		groups, err := h.Store.GroupsOf(ctx, u.ID)
		if err != nil {
			return p, err
		}
		names := []string{}
		for _, g := range groups {
			names = append(names, g.Name)
		}
		p.Groups = &names
	}
	return p, nil
}

// idToken tells an application who signed in, how and when (OpenID Connect Core
// 1.0 §2). What the person agreed to share is in it too: some applications ask
// nowhere else.
type idToken struct {
	Issuer     string             `json:"iss"`
	Audience   auth.ApplicationID `json:"aud"`
	Expires    int64              `json:"exp"`
	Issued     int64              `json:"iat"`
	AuthTime   int64              `json:"auth_time"`
	Nonce      string             `json:"nonce,omitempty"`
	Class      string             `json:"acr"`
	Methods    []string           `json:"amr"` // RFC 8176
	Session    auth.SessionID     `json:"sid"`
	AccessHash string             `json:"at_hash"`
	person
}

// withIDToken adds the ID token. One that comes with a refresh tells the same
// login as the first, and no nonce (OpenID Connect Core 1.0 §12.2).
func (h *Flow) withIDToken(r *http.Request, c store.Registered, g auth.Grant, scopes auth.Scopes, u auth.User, nonce string, made tokens) (tokens, error) {
	now := web.Asking(r).Now
	learned, err := h.person(r.Context(), u, scopes)
	if err != nil {
		return made, err
	}
	claims := idToken{
		Issuer: h.PublicURL, Audience: c.ID, Issued: now.Unix(), Expires: h.accessEnds(g, now).Unix(),
		AuthTime: g.Authentication.At.Unix(), Nonce: nonce, Session: g.Session,
		AccessHash: leftHalf(made.Access), person: learned,
		Class: g.Authentication.Class(), Methods: g.Authentication.Methods(),
	}
	made.ID, err = h.sign(r.Context(), c.Client.Algorithm, idTokenKind, claims, now)
	return made, err
}

// leftHalf binds an access token to the ID token beside it (OpenID Connect Core
// 1.0 §3.1.3.6).
func leftHalf(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// opens tells whether a grant still opens its application: the person may open
// it, and its session owes no code.
func (h *Flow) opens(ctx context.Context, c store.Registered, g auth.Grant, u auth.User) (bool, error) {
	groups, err := h.Store.GroupsOf(ctx, u.ID)
	if err != nil {
		return false, err
	}
	policy, err := h.Live.PolicyFor(ctx, u.ID, groups)
	if err != nil {
		return false, err
	}
	return u.State == auth.Active && !g.OwesCode(u, policy) && c.OpeningFor(u, groups, policy) == auth.Opens, nil
}
