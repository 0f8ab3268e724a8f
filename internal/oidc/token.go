package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// tokens are what an application gets for a code or a refresh token.
//
// The access token is opaque: 256 random bits, kept as a hash. So it ends the
// moment that its session does, says nothing of anybody to whoever comes across
// it, and cannot be taken for an ID token.
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int64  `json:"expires_in"` // seconds
	Scope   string `json:"scope"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token,omitempty"`
}

// token gives tokens for a code, or newer ones for a refresh token.
func (h *Flow) token(w http.ResponseWriter, r *http.Request) error {
	given, err := h.exchange(r)
	if err != nil {
		return answerFault(w, r, err)
	}
	return web.JSON(w, http.StatusOK, given)
}

func (h *Flow) exchange(r *http.Request) (tokens, error) {
	p, ok := readBody(r)
	if !ok {
		return tokens{}, badRequest("the body is no form")
	}
	if p.repeats("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope") {
		return tokens{}, badRequest("a parameter came more than once")
	}
	c, err := h.client(r, p)
	if err != nil {
		return tokens{}, err
	}
	switch p.get("grant_type") {
	case "":
		return tokens{}, badRequest("grant_type is missing")
	case "authorization_code":
		return h.forCode(r, p, c)
	case "refresh_token":
		return h.forRefresh(r, p, c)
	}
	return tokens{}, &fault{http.StatusBadRequest, "unsupported_grant_type", "grant_type can be authorization_code or refresh_token"}
}

// forCode exchanges a code. One that was used before has been in other hands:
// whatever was given for it ends. One that the application itself presents
// wrongly is spent.
func (h *Flow) forCode(r *http.Request, p parameters, c store.Registered) (tokens, error) {
	ctx, now := r.Context(), web.Asking(r).Now

	// Read.
	code, ok := secret.Parse(p.get("code"))
	if !ok {
		return tokens{}, badGrant()
	}
	g, err := h.Store.GrantOfCode(ctx, code.Hash())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return tokens{}, badGrant()
	case err != nil:
		return tokens{}, err
	}

	// Decide.
	switch {
	case g.Application != c.ID:
		return tokens{}, badGrant() // its own application may still come
	case !g.CodeUsed.IsZero():
		return tokens{}, h.misused(r, g, "a code came a second time")
	case g.Redirect != p.get("redirect_uri"), !verifies(g.Challenge, p.get("code_verifier")):
		return tokens{}, h.misused(r, g, "a code came with another address or verifier")
	case !g.Ended.IsZero(), !now.Before(g.CodeExpires):
		return tokens{}, badGrant() // before it costs a signature
	}
	u, err := h.stillOpens(r, c, g)
	if err != nil {
		return tokens{}, err
	}

	if g.Scopes = g.Scopes.Both(c.Client.Scopes); !g.Scopes.Has(auth.ScopeOpenID) {
		return tokens{}, badGrant()
	}

	made, issue := h.issue(g, g.Scopes, now)
	if made, err = h.withIDToken(r, c, g, g.Scopes, u, g.Nonce, made); err != nil {
		return tokens{}, err // before anything is written: the code comes again
	}

	// Write.
	err = h.Store.Exchange(ctx, g, issue, now)
	if errors.Is(err, store.ErrSpent) {
		return tokens{}, h.lostOr(r, g, code.Hash())
	} else if err != nil {
		return tokens{}, err
	}

	// Answer.
	return made, nil
}

// lostOr tells a code that ran out from one that somebody else was faster with.
func (h *Flow) lostOr(r *http.Request, g auth.Grant, code secret.Hash) error {
	again, err := h.Store.GrantOfCode(r.Context(), code)
	if err == nil && !again.CodeUsed.IsZero() {
		return h.misused(r, g, "a code came a second time")
	}
	return badGrant()
}

// misused ends a grant that is in other hands, or may be.
func (h *Flow) misused(r *http.Request, g auth.Grant, why string) error {
	v := web.Asking(r)
	by := auth.Actor{Device: v.Device, Network: v.Network.String()}
	if err := h.Store.EndGrant(r.Context(), by, g, auth.EventGrantMisused, why, v.Now); err != nil {
		return err
	}
	return badGrant()
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// verifies holds a verifier against the challenge (RFC 7636 §4.6). A verifier
// for a code without a challenge is refused too: somebody took the challenge
// away on the road (RFC 9700 §4.8.2).
func verifies(challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	if !verifierForm.MatchString(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// stillOpens finds the person of a grant, and refuses where it no longer opens
// the application for them.
func (h *Flow) stillOpens(r *http.Request, c store.Registered, g auth.Grant) (auth.User, error) {
	ctx := r.Context()
	u, err := h.Store.User(ctx, g.User)
	if errors.Is(err, store.ErrNotFound) {
		return u, badGrant()
	} else if err != nil {
		return u, err
	}
	opens, err := h.opens(ctx, c, g, u)
	if err == nil && !opens {
		err = badGrant()
	}
	return u, err
}

// forRefresh spends a refresh token for a newer one. One that was used before
// has been in other hands: the whole grant ends (RFC 9700 §4.14.2).
func (h *Flow) forRefresh(r *http.Request, p parameters, c store.Registered) (tokens, error) {
	ctx, now := r.Context(), web.Asking(r).Now

	// Read.
	old, ok := secret.Parse(p.get("refresh_token"))
	if !ok {
		return tokens{}, badGrant()
	}
	g, used, err := h.Store.GrantOfRefresh(ctx, old.Hash())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return tokens{}, badGrant()
	case err != nil:
		return tokens{}, err
	}

	// Decide.
	switch {
	case g.Application != c.ID:
		return tokens{}, badGrant()
	case used:
		return tokens{}, h.misused(r, g, "a refresh token came a second time")
	case !g.Ended.IsZero(), !now.Before(g.Expires):
		return tokens{}, badGrant() // before it costs a signature
	}
	if g.Scopes = g.Scopes.Both(c.Client.Scopes); !g.Scopes.Has(auth.ScopeOpenID) || !g.Offline() {
		return tokens{}, badGrant()
	}
	scopes := g.Scopes
	if wanted := p.get("scope"); wanted != "" {
		scopes = auth.ParseScopes(wanted)
		if !scopes.Within(g.Scopes) || !scopes.Has(auth.ScopeOpenID) {
			return tokens{}, &fault{http.StatusBadRequest, invalidScope, "scope asks for more than was given, or leaves openid out"}
		}
	}
	u, err := h.stillOpens(r, c, g)
	if err != nil {
		return tokens{}, err
	}

	made, issue := h.issue(g, scopes, now)
	if made, err = h.withIDToken(r, c, g, scopes, u, "", made); err != nil {
		return tokens{}, err // before anything is written: the refresh token comes again
	}

	// Write.
	err = h.Store.Refresh(ctx, g, old.Hash(), issue, now)
	if errors.Is(err, store.ErrSpent) {
		if _, used, err := h.Store.GrantOfRefresh(ctx, old.Hash()); err == nil && used {
			return tokens{}, h.misused(r, g, "a refresh token came a second time")
		}
		return tokens{}, badGrant()
	} else if err != nil {
		return tokens{}, err
	}

	// Answer.
	return made, nil
}

// issue makes tokens and what is kept of them. None outlives its grant.
func (h *Flow) issue(g auth.Grant, scopes auth.Scopes, now time.Time) (tokens, store.Issue) {
	access := secret.New()
	expires := h.accessEnds(g, now)
	made := tokens{Access: access.Reveal(), Type: "Bearer", Expires: int64(expires.Sub(now) / time.Second), Scope: scopes.String()}
	kept := store.Issue{Access: access.Hash(), AccessExpires: expires, Scopes: scopes}
	if g.Offline() {
		refresh := secret.New()
		made.Refresh, kept.Refresh = refresh.Reveal(), refresh.Hash()
	}
	return made, kept
}

// accessEnds is when tokens that are made now are no longer good.
func (h *Flow) accessEnds(g auth.Grant, now time.Time) time.Time {
	expires := now.Add(h.Rules.Access)
	if expires.After(g.Expires) {
		return g.Expires
	}
	return expires
}
