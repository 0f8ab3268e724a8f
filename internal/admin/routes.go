package admin

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

//go:embed pages
var files embed.FS

// Pages holds the flow's templates.
var Pages fs.FS = files

// Flow is the administrator's pages. It is safe for concurrent use.
type Flow struct {
	*web.Floor
	Proof    *proof.Examiner
	Settings config.Config

	// Registration is who may create an account, as it now holds.
	Registration   func(context.Context) (config.Registration, error)
	InvitationLink store.Mailed
	ResetLink      store.Mailed
}

// Routes are the flow's addresses.
func (h *Flow) Routes() []web.Route {
	see := func(path string, serve func(http.ResponseWriter, *http.Request) error) web.Route {
		return web.Route{Method: http.MethodGet, Path: path, Need: web.Administrator, Action: auth.SeeAdministration, Serve: serve}
	}
	change := func(path string, serve func(http.ResponseWriter, *http.Request) error) web.Route {
		return web.Route{Method: http.MethodPost, Path: path, Need: web.Administrator, Action: auth.ChangeAdministration, Serve: serve}
	}
	return []web.Route{
		see("/admin", h.showOverview),
		see("/admin/plugins", h.showPlugins),
		change("/admin/plugins/{id}", h.changePlugin),
		see("/admin/users", h.showUsers),
		change("/admin/users/invite", h.invite),
		{Method: http.MethodGet, Path: "/admin/invitations", Need: web.Administrator, Action: auth.SeeAdministration,
			Unasked: loadsAgain, Serve: h.showInvitations},
		see("/admin/invitations/list", h.showInvitationList),
		change("/admin/invitations/list", h.inviteList),
		see("/admin/users/{id}", h.showUser),
		change("/admin/users/{id}/{change}", h.changeUser),
		see("/admin/groups", h.showGroups),
		change("/admin/groups", h.addGroup),
		change("/admin/groups/{id}", h.changeGroup),
		change("/admin/groups/{id}/delete", h.deleteGroup),
		see("/admin/apps", h.showApps),
		change("/admin/apps", h.addApp),
		see("/admin/apps/{id}", h.showApp),
		change("/admin/apps/{id}", h.changeApp),
		change("/admin/apps/{id}/openid", h.changeOpenID),
		change("/admin/apps/{id}/secret", h.makeSecret),
		change("/admin/apps/{id}/rules", h.addRule),
		change("/admin/apps/{id}/rules/change", h.changeRules),
		change("/admin/apps/{id}/two-factor", h.changeRequirement),
		{Method: http.MethodPost, Path: "/admin/apps/{id}/logo", Need: web.Administrator, Action: auth.ChangeAdministration,
			Upload: true, Serve: h.changeLogo},
		change("/admin/apps/{id}/logo/remove", h.removeLogo),
		change("/admin/apps/{id}/delete", h.deleteApp),
		see("/admin/proxy-check", h.showProxyCheck),
		see("/admin/events", h.showEvents),
		see("/admin/settings", h.showSettings),
		change("/admin/settings/registration", h.saveRegistration),
		change("/admin/settings/test-letter", h.sendTestLetter),
	}
}
