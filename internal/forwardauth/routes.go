package forwardauth

import (
	"embed"
	"io/fs"
	"net/http"
	"sync"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow answers proxies. It is safe for concurrent use.
type Flow struct {
	*web.Floor

	ours       origin.Origin // of the public URL, which the settings hold to be one
	complained sync.Map      // from unasked to the *atomic.Int64 of when the log was last told so, Unix seconds
}

// Routes are the flow's addresses, in the order a visitor meets them.
func (h *Flow) Routes() []web.Route {
	h.ours, _ = origin.Parse(h.PublicURL)
	question := func(d dialect) web.Route {
		return web.Route{Method: http.MethodGet, Path: "/forward-auth/" + d.Name, Need: web.Anybody, Background: true, About: web.AboutProxy, Serve: h.answerTo(d), Quick: h.quickTo(d)}
	}
	return []web.Route{
		question(nginx), question(caddy), question(traefik),
		{Method: http.MethodGet, Path: handOverPath, Need: web.SignedIn, Plugin: auth.ForwardAuthPlugin, Ticket: true, Serve: h.beginHandOver},
	}
}
