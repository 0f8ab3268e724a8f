package register

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/address"
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

// Judge holds a new password to the rules, for whoever will own it; a
// *slots.BusyError where too many ask.
type Judge func(ctx context.Context, chosen string, owner address.Address, name string) (password.Verdict, error)

// Flow makes accounts. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof    *proof.Examiner
	Settings config.Config
	Judge    Judge
	Link     store.Mailed
	Timeout  time.Duration // of the login that confirming begins

	// JudgeInvited judges whose invitation was looked at, in no stranger's line.
	JudgeInvited Judge

	// JudgeTyped judges while a password is typed, and makes nobody wait.
	JudgeTyped Judge

	// Registration is who may create an account, as it now holds.
	Registration func(context.Context) (config.Registration, error)
}

// Routes are the flow's addresses, in the order a visitor meets them.
func (h *Flow) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/register", Need: web.Anybody, Popup: true, Serve: h.showCreate},
		{Method: http.MethodPost, Path: "/register", Need: web.Anybody, Popup: true, Serve: h.postCreate},
		{Method: http.MethodPost, Path: "/register/again", Need: web.Anybody, Serve: h.mailAgain},
		{Method: http.MethodGet, Path: "/register/confirm", Need: web.Anybody, Popup: true, Serve: h.showConfirm},
		{Method: http.MethodPost, Path: "/register/confirm", Need: web.Anybody, Popup: true, Serve: h.postConfirm},
		{Method: http.MethodGet, Path: "/invitation", Need: web.Anybody, Serve: h.showInvitation},
		{Method: http.MethodPost, Path: "/invitation", Need: web.Anybody, Serve: h.postInvitation},
		{Method: http.MethodPost, Path: "/password-strength", Need: web.Anybody, Background: true, Serve: h.judgeStrength},
	}
}
