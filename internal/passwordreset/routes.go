package passwordreset

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow resets passwords. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof    *proof.Examiner
	Settings config.Config
	Judge    func(ctx context.Context, chosen string, owner address.Address, name string) (password.Verdict, error)
	Link     store.Mailed
}

// Routes are the flow's addresses, in the order a visitor meets them.
func (h *Flow) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/forgot-password", Need: web.Anybody, Serve: h.showAsk},
		{Method: http.MethodPost, Path: "/forgot-password", Need: web.Anybody, Serve: h.postAsk},
		{Method: http.MethodPost, Path: "/forgot-password/again", Need: web.Anybody, Serve: h.mailAgain},
		{Method: http.MethodGet, Path: "/forgot-password/new", Need: web.Anybody, Serve: h.showChoose},
		{Method: http.MethodPost, Path: "/forgot-password/new", Need: web.Anybody, Serve: h.postChoose},
		{Method: http.MethodPost, Path: "/forgot-password/unlock", Need: web.Anybody, Serve: h.mailUnlock},
	}
}

// demandsCode tells whether this person's new password needs a current code:
// the settings keep the second factors, and the person has them on.
func (h *Flow) demandsCode(u auth.User, p auth.Policy) bool {
	on := h.Settings.OnReset
	if u.Administrator {
		on = h.Settings.OnResetAdmins
	}
	return p.AsksCode(u) && on == config.KeepFactors
}
