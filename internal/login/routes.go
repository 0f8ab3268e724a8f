package login

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow signs people in. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof *proof.Examiner
	Rules Rules

	// SignUpOffered tells whether a stranger may create an account.
	SignUpOffered func(context.Context) (bool, error)
}

// Rules are the numbers of this flow.
type Rules struct {
	Timeout          time.Duration // of a pending login
	WrongCodes       int           // end a pending login
	RecoveryCodesFew int           // with so many left, or fewer, a person is asked to make new ones
	PasskeyOffer     time.Duration // how long after one offer of a passkey the next may come; 0: never
	ResetLink        store.Mailed  // for a password that somebody else must be taken to know
}

// Routes are the flow's addresses, in the order a visitor meets them.
func (h *Flow) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/login", Need: web.Anybody, Popup: true, Serve: h.showPassword},
		{Method: http.MethodPost, Path: "/login", Need: web.Anybody, Popup: true, Serve: h.postPassword},
		{Method: http.MethodPost, Path: "/login/passkey", Need: web.Anybody, Popup: true, Serve: h.postPasskey},
		{Method: http.MethodPost, Path: "/login/passkey/begin", Need: web.Anybody, Background: true, Serve: h.beginPasskey},
		{Method: http.MethodGet, Path: "/login/code", Need: web.Anybody, Popup: true, Serve: h.showCode},
		{Method: http.MethodPost, Path: "/login/code", Need: web.Anybody, Popup: true, Serve: h.postCode},
		{Method: http.MethodPost, Path: "/login/back", Need: web.Anybody, Popup: true, Serve: h.back},
		{Method: http.MethodGet, Path: "/login/confirm", Need: web.Anybody, Popup: true, Serve: h.showConfirm},
		{Method: http.MethodPost, Path: "/login/confirm", Need: web.Anybody, Popup: true, Held: true, Serve: h.postConfirm},
		{Method: http.MethodPost, Path: "/login/window", Need: web.Anybody, Background: true, Serve: h.returnThroughWindow},
		{Method: http.MethodPost, Path: "/login/window/state", Need: web.Anybody, Background: true, Serve: h.windowState},
		{Method: http.MethodPost, Path: "/login/window/stay", Need: web.SignedIn, Background: true, Own: true, Serve: h.stay},
		{Method: http.MethodGet, Path: "/login/unlock", Need: web.Anybody, Serve: h.showUnlock},
		{Method: http.MethodPost, Path: "/login/unlock", Need: web.Anybody, Serve: h.postUnlock},
		{Method: http.MethodGet, Path: "/logout", Need: web.Anybody, Serve: h.showLogout},
		{Method: http.MethodPost, Path: "/logout", Need: web.Anybody, Serve: h.logout},
	}
}
