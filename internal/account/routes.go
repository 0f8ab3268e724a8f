package account

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"time"

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

// Flow serves people's own settings. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof *proof.Examiner
	Judge func(chosen string, owner address.Address, name string) password.Verdict
	Rules Rules
}

// Rules are the numbers of this flow.
type Rules struct {
	SetUpTimeout     time.Duration  // how long a begun set-up keeps its key
	RecoveryCodes    int            // made at a time
	Passkeys         int            // that one person may have
	PasswordMinimum  int            // characters of a new one
	AddressLink      store.Mailed   // confirms a new address
	MailDomains      config.Domains // of a new address
	RecoveryCodesFew int            // with so many left, or fewer, a person is asked to make new ones
}

// Routes are the flow's addresses, in the order a visitor meets them.
func (h *Flow) Routes() []web.Route {
	return slices.Concat([]web.Route{
		{Method: http.MethodGet, Path: "/account", Need: web.SignedIn, Serve: h.showSettings},
	}, h.settingsRoutes(), h.twoFactorRoutes(), h.authenticatorRoutes(), h.passkeyRoutes())
}

// twoFactorRoutes are the addresses of two-factor authentication. The first
// two are also where a login leads that owes the set-up, so they look by
// themselves at who comes, and at whether the plug-in is enabled for them.
func (h *Flow) twoFactorRoutes() []web.Route {
	const plugin = auth.TwoFactorPlugin
	return []web.Route{
		{Method: http.MethodGet, Path: "/account/two-factor", Need: web.Anybody, Serve: h.showTwoFactor},
		{Method: http.MethodPost, Path: "/account/two-factor", Need: web.Anybody, Serve: h.postTwoFactor},
		{Method: http.MethodPost, Path: "/account/two-factor/disable", Need: web.SignedIn, Plugin: plugin, Action: auth.RemoveFactor, Serve: h.postDisable},
		{Method: http.MethodGet, Path: "/account/recovery-codes", Need: web.SignedIn, Plugin: plugin, Or: auth.PasskeysPlugin, Serve: h.showRecoveryCodes},
		{Method: http.MethodPost, Path: "/account/recovery-codes", Need: web.SignedIn, Plugin: plugin, Or: auth.PasskeysPlugin, Action: auth.RemoveFactor, Serve: h.postRecoveryCodes},
		{Method: http.MethodPost, Path: "/account/recovery-codes/saved", Need: web.SignedIn, Plugin: plugin, Or: auth.PasskeysPlugin, Serve: h.postSaved},
	}
}
