package oidc

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow signs people in to applications. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Rules Rules

	telling telling
}

// Rules are the numbers of this flow.
type Rules struct {
	Code    time.Duration // how long a code waits to be exchanged
	Access  time.Duration // how long an access token works, and an ID token is good
	Refresh time.Duration // how long refresh tokens go on, however often they are used

	SigningKey time.Duration // how long a key signs
	Hint       time.Duration // how long an ID token may come back as a hint; its key is kept so long

	NoticeNetworks config.Networks // private ones in which applications are told of logouts under their names
}

const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/oidc/keys"
	authorizePath = "/oidc/authorize"
	continuePath  = "/oidc/continue"
	consentPath   = "/oidc/consent"
	tokenPath     = "/oidc/token"
	userinfoPath  = "/oidc/userinfo"
	revokePath    = "/oidc/revoke"
	logoutPath    = "/oidc/logout"
)

// Routes are the flow's addresses, in the order a visitor meets them. None is
// there while the plug-in is not active.
func (h *Flow) Routes() []web.Route {
	routes := slices.Concat([]web.Route{
		{Method: http.MethodGet, Path: authorizePath, Need: web.Anybody, Popup: true, Ticket: true, Unasked: isSilent, Serve: h.authorize},
		{Method: http.MethodPost, Path: authorizePath, Need: web.Anybody, Popup: true, Foreign: true, Unasked: comesAgain, Serve: h.authorizeByForm},
		{Method: http.MethodGet, Path: continuePath, Need: web.Anybody, Popup: true, Ticket: true, Serve: h.goOnWaiting},
		{Method: http.MethodPost, Path: consentPath, Need: web.SignedIn, Popup: true, Serve: h.consent},
		{Method: http.MethodGet, Path: logoutPath, Need: web.Anybody, Popup: true, Serve: h.logout},
		{Method: http.MethodPost, Path: logoutPath, Need: web.Anybody, Popup: true, Foreign: true, Serve: h.logoutByForm},
		{Method: http.MethodPost, Path: logoutPath + "/confirm", Need: web.Anybody, Popup: true, Serve: h.confirmLogout},
	},
		forPrograms(http.MethodGet, discoveryPath, h.discovery),
		forPrograms(http.MethodGet, keysPath, h.keys),
		forPrograms(http.MethodPost, tokenPath, h.token),
		forPrograms(http.MethodGet, userinfoPath, h.userinfo),
		forPrograms(http.MethodPost, userinfoPath, h.userinfo),
		forPrograms(http.MethodPost, revokePath, h.revoke),
	)
	for i := range routes {
		routes[i].Serve = h.whileActive(routes[i].Serve)
	}
	return routes
}

// forPrograms is an address that applications ask, also from a page of theirs.
// No cookie is looked at, so any page may: what opens something is in the
// request itself.
func forPrograms(method, path string, serve func(http.ResponseWriter, *http.Request) error) []web.Route {
	shared := func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Pragma", "no-cache")
		return serve(w, r)
	}
	routes := []web.Route{{Method: method, Path: path, Need: web.Anybody, Background: true, Foreign: true, Serve: shared}}
	if method == http.MethodPost && path != userinfoPath || path == userinfoPath && method == http.MethodGet {
		routes = append(routes, web.Route{Method: http.MethodOptions, Path: path, Need: web.Anybody, Background: true, Foreign: true, Serve: mayAsk})
	}
	return routes
}

// mayAsk answers a browser that asks beforehand whether a page may send this.
func mayAsk(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "3600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// whileActive answers 404 unless the plug-in is active for anybody: strangers
// and programs ask here, for whom nobody can say yet whether it is theirs.
func (h *Flow) whileActive(serve func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		activations, err := h.Live.Activations(r.Context())
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(activations, func(a auth.Activation) bool {
			return a.Plugin == auth.OpenIDConnectPlugin && a.Active
		}) {
			return web.NotFound()
		}
		return serve(w, r)
	}
}
