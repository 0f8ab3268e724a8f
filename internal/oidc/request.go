package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// request is what an application asks for, checked. While a person logs in it
// waits in an address, sealed.
type request struct {
	Client    auth.ApplicationID
	Redirect  string
	State     string
	Nonce     string
	Challenge string
	Scopes    auth.Scopes

	Silent  bool        // prompt=none: nobody is to see a page
	Login   bool        // prompt=login: a full login, made after the request
	Consent bool        // prompt=consent: asked again, whatever was said before
	MaxAge  int64       // seconds that a login may be old; -1 for no limit
	Code    bool        // acr_values names a login with a code
	Subject auth.UserID // of id_token_hint; "" for anybody
	Hint    string      // login_hint

	Began time.Time
}

// refusal is what an application is told in place of an answer (RFC 6749
// §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6). why is for its developers.
type refusal struct{ code, why string }

func (r *refusal) Error() string { return r.code + ": " + r.why }

const (
	invalidRequest      = "invalid_request"
	invalidScope        = "invalid_scope"
	accessDenied        = "access_denied"
	loginRequired       = "login_required"
	consentRequired     = "consent_required"
	interactionRequired = "interaction_required"
)

// The classes of a login (acr). Both names are registered elsewhere and mean
// what they say.
const (
	acrPassword = auth.ClassPassword
	acrCode     = auth.ClassCode
)

// The most that is taken, in bytes: all of it has to find room in an address.
const (
	longestState   = 2000
	longestNonce   = 500
	longestHint    = 300
	longestRequest = 4200 // as it waits, before it is sealed
)

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // SHA-256 in base64url

// read checks a request of a known client with a known address for the answer.
// What the application is to be told is a *refusal.
func (h *Flow) read(r *http.Request, p parameters, c store.Registered, now time.Time) (request, error) {
	req := request{
		Client: c.ID, Redirect: p.get("redirect_uri"), State: p.get("state"), Nonce: p.get("nonce"),
		Challenge: p.get("code_challenge"), MaxAge: -1, Hint: p.get("login_hint"), Began: now,
	}
	for _, check := range []func(parameters, *request) *refusal{
		checkForm, checkWhatIsNotHere, checkResponse, checkChallenge, checkPrompt, checkMaxAge,
	} {
		if refused := check(p, &req); refused != nil {
			return req, refused
		}
	}
	req.Scopes = auth.ParseScopes(p.get("scope"))
	if refused := req.keepTo(c.Client); refused != nil {
		return req, refused
	}
	req.Code = slices.Contains(strings.Fields(p.get("acr_values")), acrCode)
	if hint := p.get("id_token_hint"); hint != "" {
		told, err := h.readIDToken(r.Context(), hint)
		if errors.Is(err, errNotOurs) || err == nil && told.Audience != string(c.ID) {
			return req, &refusal{invalidRequest, "id_token_hint is no ID token of ours for this client"}
		} else if err != nil {
			return req, err
		}
		req.Subject = auth.UserID(told.Subject)
	}
	if written, err := json.Marshal(req); err != nil || len(written) > longestRequest {
		return req, &refusal{invalidRequest, "state, nonce and the other parameters together are too long"}
	}
	return req, nil
}

func checkForm(p parameters, req *request) *refusal {
	switch {
	case p.repeats("response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "acr_values", "login_hint",
		"id_token_hint", "code_challenge", "code_challenge_method", "request", "request_uri", "registration", "ui_locales"):
		return &refusal{invalidRequest, "a parameter came more than once"}
	case len(req.State) > longestState, len(req.Nonce) > longestNonce, len(req.Hint) > longestHint:
		return &refusal{invalidRequest, "state, nonce or login_hint is too long"}
	}
	return nil
}

// checkWhatIsNotHere refuses by their own errors what discovery says is not
// supported (OpenID Connect Core 1.0 §3.1.2.6).
func checkWhatIsNotHere(p parameters, _ *request) *refusal {
	for _, name := range []string{"request", "request_uri", "registration"} {
		if p.get(name) != "" {
			return &refusal{name + "_not_supported", name + " is not supported"}
		}
	}
	return nil
}

func checkResponse(p parameters, _ *request) *refusal {
	switch kind, mode := p.get("response_type"), p.get("response_mode"); {
	case kind == "":
		return &refusal{invalidRequest, "response_type is missing"}
	case kind != "code":
		return &refusal{"unsupported_response_type", "response_type can only be code"}
	case mode != "" && mode != "query":
		return &refusal{invalidRequest, "response_mode can only be query"}
	}
	return nil
}

func checkChallenge(p parameters, req *request) *refusal {
	method := p.get("code_challenge_method")
	switch {
	case req.Challenge == "" && method != "":
		return &refusal{invalidRequest, "code_challenge is missing"}
	case req.Challenge == "":
		return nil
	case method != "S256":
		return &refusal{invalidRequest, "code_challenge_method has to be S256"}
	case !challengeForm.MatchString(req.Challenge):
		return &refusal{invalidRequest, "code_challenge is no SHA-256 in base64url"}
	}
	return nil
}

func checkPrompt(p parameters, req *request) *refusal {
	for _, word := range strings.Fields(p.get("prompt")) {
		switch word {
		case "none":
			req.Silent = true
		case "login":
			req.Login = true
		case "consent":
			req.Consent = true
		case "select_account":
			return &refusal{"account_selection_required", "prompt=select_account is not supported"}
		default:
			return &refusal{invalidRequest, "prompt has a word that is not known"}
		}
	}
	if req.Silent && (req.Login || req.Consent) {
		return &refusal{invalidRequest, "prompt=none goes with nothing else"}
	}
	return nil
}

func checkMaxAge(p parameters, req *request) *refusal {
	given := p.get("max_age")
	if given == "" {
		return nil
	}
	age, err := strconv.ParseInt(given, 10, 32)
	if err != nil || age < 0 {
		return &refusal{invalidRequest, "max_age is no number of seconds"}
	}
	req.MaxAge = age
	return nil
}

// keepTo holds a request against the registration, which may have changed while
// it waited: the application gets what it may ask for by now, and proves itself as
// it has to by now.
func (req *request) keepTo(c auth.Client) *refusal {
	req.Scopes = req.Scopes.Both(c.Scopes)
	switch {
	case !req.Scopes.Has(auth.ScopeOpenID):
		return &refusal{invalidScope, "scope has to name openid"}
	case req.Challenge == "" && (c.Public || !c.WithoutPKCE):
		return &refusal{invalidRequest, "code_challenge is missing; this client has to use PKCE"}
	}
	return nil
}

// owes tells what a session's proofs lack for this request; auth.Yes where they
// are enough. A login made before the request was sent is not one that
// prompt=login asks for.
func (req request) owes(a auth.Authentication, asksCode bool) auth.Answer {
	since := a.At.After(req.Began)
	switch {
	case req.Login && !since:
		return auth.NeedsBoth
	case req.MaxAge >= 0 && !since && a.At.Add(time.Duration(req.MaxAge)*time.Second).Before(req.Began):
		return auth.NeedsBoth
	case req.Code && asksCode && !a.Code:
		return auth.NeedsCode
	}
	return auth.Yes
}
