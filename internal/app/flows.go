package app

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/twinlock/twinlock/internal/account"
	"github.com/twinlock/twinlock/internal/admin"
	"github.com/twinlock/twinlock/internal/apps"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/forwardauth"
	"github.com/twinlock/twinlock/internal/login"
	"github.com/twinlock/twinlock/internal/oidc"
	"github.com/twinlock/twinlock/internal/passwordreset"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/register"
	"github.com/twinlock/twinlock/internal/setup"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// FlowPages are the templates of all flows, by their names. They do not change.
var FlowPages = map[string]fs.FS{
	"login":   login.Pages,
	"account": account.Pages,
	"admin":   admin.Pages,
	"setup":   setup.Pages,
	"apps":    apps.Pages,
	"oidc":    oidc.Pages,

	"forwardauth":   forwardauth.Pages,
	"passwordreset": passwordreset.Pages,
	"register":      register.Pages,
}

// Examples are the pages of all flows in named states, for the gallery, the
// accessibility run and the pictures.
func Examples() []ui.Example {
	var all []ui.Example
	for _, examples := range [][]ui.Example{
		login.Examples(),
		account.Examples(),
		admin.Examples(),
		setup.Examples(),
		apps.Examples(),
		oidc.Examples(),
		forwardauth.Examples(),
		passwordreset.Examples(),
		register.Examples(),
		web.Examples(),
	} {
		all = append(all, examples...)
	}
	return all
}

// routes builds the flows and gives their addresses, in the order in which a
// visitor meets them.
func (a *App) routes(examiner *proof.Examiner) []web.Route {
	c := a.Config
	signIn := &login.Flow{
		Floor: a.Floor, Proof: examiner, SignUpOffered: a.signUpOffered,
		Rules: login.Rules{Timeout: c.LoginTimeout, WrongCodes: c.WrongCodes, RecoveryCodesFew: c.RecoveryCodesFew,
			PasskeyOffer: c.PasskeyOffer, ResetLink: mailed(c.ResetLink, "/forgot-password/new")},
	}
	a.Floor.AskAgain = signIn.AskAgain
	settings := &account.Flow{
		Floor: a.Floor, Proof: examiner, Judge: a.JudgePassword,
		Rules: account.Rules{PasswordMinimum: c.PasswordMinimum, AddressLink: mailed(c.VerifyLink, "/account/address"), MailDomains: c.MailDomains,
			SetUpTimeout: c.SetupTimeout, RecoveryCodes: c.RecoveryCodes, RecoveryCodesFew: c.RecoveryCodesFew, Passkeys: c.PasskeysPerPerson},
	}
	a.setup = &setup.Flow{Floor: a.Floor, Proof: examiner, Settings: c, Judge: a.JudgePassword, Timeout: c.LoginTimeout}
	forgotten := &passwordreset.Flow{
		Floor: a.Floor, Proof: examiner, Settings: c, Judge: a.judgeIn(a.linked), Link: a.ResetLink(),
	}
	signUp := &register.Flow{
		Floor: a.Floor, Proof: examiner, Settings: c, Judge: a.judgeIn(a.judges), JudgeInvited: a.judgeIn(a.linked), JudgeTyped: a.judgeIn(a.bar),
		Link: a.SignupLink(), Timeout: c.LoginTimeout, Registration: a.registration,
	}
	a.OpenID = &oidc.Flow{Floor: a.Floor, Rules: oidc.Rules{Code: c.AuthorizationCode, Access: c.AccessToken, Refresh: c.RefreshToken,
		SigningKey: c.SigningKey, Hint: c.SessionOverall + c.AccessToken, NoticeNetworks: c.NoticeNetworks}}
	routes := a.ownRoutes()
	administration := &admin.Flow{
		Floor: a.Floor, Proof: examiner, Settings: c, Registration: a.registration,
		InvitationLink: a.InvitationLink(), ResetLink: a.ResetLink(),
	}
	for _, flow := range [][]web.Route{
		signIn.Routes(),
		settings.Routes(),
		administration.Routes(),
		a.setup.Routes(),
		(&apps.Flow{Floor: a.Floor}).Routes(),
		a.OpenID.Routes(),
		(&forwardauth.Flow{Floor: a.Floor}).Routes(),
		forgotten.Routes(),
		signUp.Routes(),
	} {
		routes = append(routes, flow...)
	}
	return routes
}

// ownRoutes belong to no flow.
func (a *App) ownRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/{$}", Need: web.Anybody, Serve: a.start},
		a.Floor.PreferencesRoute(),
		{Method: http.MethodGet, Path: "/.well-known/change-password", Need: web.Anybody, Serve: a.changePassword},
		{Method: http.MethodGet, Path: "/.well-known/passkey-endpoints", Need: web.Anybody, Background: true, Serve: a.passkeyEndpoints},
		{Method: http.MethodGet, Path: "/healthz", Need: web.Anybody, Background: true, About: web.AboutHealth, Serve: a.healthy},
		{Method: http.MethodGet, Path: "/readyz", Need: web.Anybody, Background: true, About: web.AboutHealth, Serve: a.ready},
	}
}

// start leads to wherever the visitor may go: the set-up before there is an
// administrator, the application list, or the login that leads to it.
func (a *App) start(w http.ResponseWriter, r *http.Request) error {
	done, err := a.Live.SetUp(r.Context())
	switch {
	case err != nil:
		return err
	case !done:
		return web.Redirect(w, "/setup")
	}
	return web.Redirect(w, "/apps")
}

// changePassword is where password managers look (W3C, "A Well-Known URL for
// Changing Passwords").
func (a *App) changePassword(w http.ResponseWriter, r *http.Request) error {
	return web.Redirect(w, "/account#change-password")
}

// passkeyEndpoints tells password managers where passkeys are made and kept (W3C,
// "A Well-Known URL for Relying Party Passkey Endpoints"). It is nowhere while
// nobody may have any.
func (a *App) passkeyEndpoints(w http.ResponseWriter, r *http.Request) error {
	if offered, err := a.Floor.OffersPasskeys(r.Context()); err != nil {
		return err
	} else if !offered {
		return web.NotFound()
	}
	return web.JSON(w, http.StatusOK, map[string]string{
		"enroll": a.Floor.PublicURL + "/account/passkeys/new",
		"manage": a.Floor.PublicURL + "/account/passkeys",
	})
}

// registrationSetting is where an administrator's choice is kept.
const registrationSetting = "registration"

// registration is who may create an account: what the operator's settings
// say, or what an administrator chose.
func (a *App) registration(ctx context.Context) (config.Registration, error) {
	if a.Config.Given(registrationSetting) {
		return a.Config.Registration, nil
	}
	chosen, err := a.Live.Setting(ctx, registrationSetting)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.Config.Registration, nil
	case err != nil:
		return config.Closed, err
	}
	return config.Registration(chosen), nil
}

func (a *App) signUpOffered(ctx context.Context) (bool, error) {
	r, err := a.registration(ctx)
	return r == config.Open, err
}
