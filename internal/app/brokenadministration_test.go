package app_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

var brokenAdministration = map[string]brokenFlow{
	"a plug-in activated": {
		route: "POST /admin/plugins/{id}",
		begin: func(s *scene) {
			s.SetActivation(auth.Activation{Plugin: auth.ForwardAuthPlugin})
			s.administered()
		},
		fill: func(s *scene) sending {
			return posting(s.inside, "/admin/plugins/forward-auth", url.Values{"active": {"yes"}})
		},
		done: func(s *scene) bool { return s.activation(auth.ForwardAuthPlugin).Active },
	},
	"a plug-in for fewer people": {
		route: "POST /admin/plugins/{id}",
		begin: func(s *scene) {
			s.Activate(auth.TwoFactorPlugin)
			s.protected()
			s.administered()
		},
		fill: func(s *scene) sending {
			page := s.inside.Post("/admin/plugins/two-factor", url.Values{"whom": {"some"}, "people": {s.root.Address}})
			return page.Form("Save").Fill("Login code", s.root.Code())
		},
		done: func(s *scene) bool { return !s.activation(auth.TwoFactorPlugin).Everyone },
	},
	"an invitation": {
		route: "POST /admin/users/invite",
		begin: (*scene).administered,
		fill: func(s *scene) sending {
			return s.inside.Get("/admin/users").Form("Invite").Fill("Email", s.newcomer)
		},
		done: func(s *scene) bool { return s.letters(s.newcomer) == 1 },
	},
	"a list of invitations": {
		route: "POST /admin/invitations/list",
		begin: (*scene).administered,
		fill: func(s *scene) sending {
			page := s.inside.Get("/admin/invitations/list").Form("See what will happen").Fill("Addresses", s.newcomer).Press()
			return page.Form("Send 1 invitation")
		},
		done: func(s *scene) bool { return s.letters(s.newcomer) == 1 },
	},
	"an account disabled": {
		route: "POST /admin/users/{id}/{change}",
		begin: func(s *scene) {
			s.administered()
			s.signedIn()
		},
		fill: func(s *scene) sending { return s.personsPage().Form("Disable account") },
		done: func(s *scene) bool { return s.ada.User().State == auth.Disabled && s.sessions() == 0 },
	},
	"an administrator made": {
		route: "POST /admin/users/{id}/{change}",
		begin: (*scene).administered,
		fill:  func(s *scene) sending { return s.personsPage().Form("Make administrator") },
		done:  func(s *scene) bool { return s.ada.User().Administrator },
	},
	"second factors cleared": {
		route: "POST /admin/users/{id}/{change}",
		begin: func(s *scene) {
			s.administered()
			s.protected()
		},
		fill: func(s *scene) sending { return s.personsPage().Form("Clear second factors").Fill("Reason", "Lost it") },
		done: func(s *scene) bool { return !s.ada.User().TwoFactor() && s.sessions() == 0 },
	},
	"a password reset mailed": {
		route: "POST /admin/users/{id}/{change}",
		begin: (*scene).administered,
		fill:  func(s *scene) sending { return s.personsPage().Form("Mail a password reset") },
		done:  func(s *scene) bool { return s.letters(s.ada.Address) == 1 },
	},
	"a person put into a group": {
		route: "POST /admin/users/{id}/{change}",
		begin: (*scene).grouped,
		fill:  func(s *scene) sending { return s.personsPage().Form("Save").Tick(s.group.Name) },
		done: func(s *scene) bool {
			in, err := s.Store.GroupsOf(s.Context(), s.ada.ID)
			must(s.T, err)
			return len(in) == 1
		},
	},
	"an account deleted": {
		route: "POST /admin/users/{id}/{change}",
		begin: func(s *scene) {
			s.administered()
			s.signedIn()
		},
		fill: func(s *scene) sending { return s.personsPage().Form("Delete account").Press().Form("Delete account") },
		done: func(s *scene) bool {
			_, err := s.Store.User(s.Context(), s.ada.ID)
			return errors.Is(err, store.ErrNotFound)
		},
	},
	"a group added": {
		route: "POST /admin/groups",
		begin: (*scene).administered,
		fill: func(s *scene) sending {
			return s.inside.Get("/admin/groups").Form("Add group").Fill("Name of the group", s.newcomer)
		},
		done: func(s *scene) bool { return s.isGroup(s.newcomer) },
	},
	"a group changed": {
		route: "POST /admin/groups/{id}",
		begin: (*scene).grouped,
		fill: func(s *scene) sending {
			return posting(s.inside, "/admin/groups/"+string(s.group.ID), url.Values{"name": {s.newcomer}, "window": {"30"}})
		},
		done: func(s *scene) bool { return s.isGroup(s.newcomer) },
	},
	"a group deleted": {
		route: "POST /admin/groups/{id}/delete",
		begin: (*scene).grouped,
		fill: func(s *scene) sending {
			return posting(s.inside, "/admin/groups/"+string(s.group.ID)+"/delete", url.Values{"really": {"yes"}})
		},
		done: func(s *scene) bool { return !s.isGroup(s.group.Name) },
	},
	"an application added": {
		route: "POST /admin/apps",
		begin: (*scene).administered,
		fill: func(s *scene) sending {
			return s.inside.Get("/admin/apps").Form("Add application").Fill("Name", s.wiki.name).Fill("Address", s.wiki.url())
		},
		done: func(s *scene) bool { return s.hasApplication() },
	},
	"an application added that speaks OpenID Connect": {
		route: "POST /admin/apps",
		once:  true, // it brings the first key
		begin: (*scene).administered,
		fill: func(s *scene) sending {
			form := s.inside.Get("/admin/apps").Form("Add application").Fill("Name", s.wiki.name).Fill("Address", s.wiki.url())
			return form.Tick("OpenID Connect").Fill("Redirect URIs", s.wiki.back())
		},
		done: func(s *scene) bool { return s.hasApplication() && s.activation(auth.OpenIDConnectPlugin).Active },
	},
	"an application changed": {
		route: "POST /admin/apps/{id}",
		begin: (*scene).linked,
		fill:  func(s *scene) sending { return s.applicationsPage().Form("Save").Fill("Description", "What we know") },
		done:  func(s *scene) bool { return s.application().Description != "" },
	},
	"what an application may ask for changed": {
		route: "POST /admin/apps/{id}/openid",
		begin: func(s *scene) {
			s.administered()
			s.speaks()
		},
		fill: func(s *scene) sending {
			return s.applicationsPage().Form("Save OpenID Connect").Untick("Email address (email)")
		},
		done: func(s *scene) bool {
			c, err := s.Store.Client(s.Context(), s.wiki.ID)
			must(s.T, err)
			return !c.Scopes.Has(auth.ScopeEmail)
		},
	},
	"another secret of an application": {
		route: "POST /admin/apps/{id}/secret",
		begin: func(s *scene) {
			s.administered()
			s.speaks()
		},
		fill: func(s *scene) sending {
			return s.applicationsPage().Form("Make new secret").Press().Form("Make new secret")
		},
		done: func(s *scene) bool {
			c, err := s.Store.Registered(s.Context(), s.wiki.ID)
			must(s.T, err)
			return !c.Secret.Equal(s.wiki.secret.Hash())
		},
	},
	"a rule added": {
		route: "POST /admin/apps/{id}/rules",
		begin: func(s *scene) {
			s.administered()
			s.standsBehindProxy()
		},
		fill: func(s *scene) sending {
			form := s.applicationsPage().Form("Add rule").Fill("Path", "/deep")
			form.Values.Set("access", "two-factor")
			return form
		},
		done: func(s *scene) bool { return s.rules() == 1 },
	},
	"a rule deleted": {
		route: "POST /admin/apps/{id}/rules/change",
		begin: func(s *scene) {
			s.administered()
			s.standsBehindProxy()
			rule := auth.Rule{Path: "/deep", Access: auth.TwoFactor}
			must(s.T, s.Store.SetApplicationRules(s.Context(), apptest.Command, s.wiki.ID, []auth.Rule{rule}, s.Now()))
		},
		fill: func(s *scene) sending { return s.applicationsPage().Form("Delete: /deep") },
		done: func(s *scene) bool { return s.rules() == 0 },
	},
	"two-factor authentication required": {
		route: "POST /admin/apps/{id}/two-factor",
		begin: func(s *scene) {
			s.administered()
			s.speaks()
		},
		fill: func(s *scene) sending {
			const require = "Require two-factor authentication"
			return s.applicationsPage().Form(require).Press().Form(require)
		},
		done: func(s *scene) bool { return s.application().RequireTwoFactor },
	},
	"a logo": {
		route: "POST /admin/apps/{id}/logo",
		begin: (*scene).linked,
		fill: func(s *scene) sending {
			return request(func() *apptest.Page { return s.inside.Ask(s.upload("/admin/apps/"+string(s.wiki.ID)+"/logo", "logo")) })
		},
		done: (*scene).hasLogo,
	},
	"a logo removed": {
		route: "POST /admin/apps/{id}/logo/remove",
		begin: func(s *scene) {
			s.linked()
			must(s.T, s.Store.SetLogo(s.Context(), apptest.Command, s.wiki.ID, s.picture(), s.Now()))
		},
		fill: func(s *scene) sending { return s.applicationsPage().Form("Remove logo") },
		done: func(s *scene) bool { return !s.hasLogo() },
	},
	"an application deleted": {
		route: "POST /admin/apps/{id}/delete",
		begin: func(s *scene) {
			s.administered()
			s.speaks()
		},
		fill: func(s *scene) sending {
			return s.applicationsPage().Form("Delete application").Press().Form("Delete application")
		},
		done: func(s *scene) bool { return !s.hasApplication() },
	},
	"who may sign up": {
		route: "POST /admin/settings/registration",
		begin: func(s *scene) {
			s.administered()
			s.setRegistration("open").Press()
		},
		fill: func(s *scene) sending { return s.setRegistration("closed") },
		done: func(s *scene) bool { return !s.Browser().Get("/register").HasButton("Create account") },
	},
	"a test letter": {
		route: "POST /admin/settings/test-letter",
		begin: func(s *scene) {
			s.administered()
			s.count = s.letters(s.root.Address)
		},
		fill: func(s *scene) sending { return s.inside.Get("/admin/settings").Form("Send me a test letter") },
		done: func(s *scene) bool { return s.letters(s.root.Address) == s.count+1 },
	},
}

// administered is a scene in which somebody has just signed in to administer.
func (s *scene) administered() {
	s.Helper()
	s.root, s.inside = s.Administrator("root-"+s.newcomer), s.Browser()
	s.inside.SignIn(s.root)
	s.inside.EnableTwoFactor(s.root)
}

// grouped is an administered scene with one group.
func (s *scene) grouped() {
	s.Helper()
	s.administered()
	all, err := s.Store.Groups(s.Context())
	must(s.T, err)
	for _, g := range all {
		must(s.T, s.Store.DeleteGroup(s.Context(), apptest.Command, g, store.AnyLoss, s.Now()))
	}
	s.group, err = s.Store.AddGroup(s.Context(), apptest.Command, "Staff of "+s.wiki.name, s.Now())
	must(s.T, err)
}

// linked is an administered scene with an application that is an address alone.
func (s *scene) linked() {
	s.Helper()
	s.administered()
	a, err := s.Store.AddApplication(s.Context(), apptest.Command, auth.Application{Kind: auth.Link, Name: s.wiki.name, URL: s.wiki.url(), Everyone: true}, s.Now())
	must(s.T, err)
	s.wiki.Application = a
}

func (s *scene) personsPage() *apptest.Page {
	s.Helper()
	return s.inside.Get("/admin/users/" + string(s.ada.ID))
}

func (s *scene) applicationsPage() *apptest.Page {
	s.Helper()
	return s.inside.Get("/admin/apps/" + string(s.wiki.ID))
}

func (s *scene) setRegistration(who string) sending {
	return posting(s.inside, "/admin/settings/registration", url.Values{"registration": {who}})
}

func (s *scene) activation(plugin auth.PluginID) auth.Activation {
	s.Helper()
	all, err := s.Store.Activations(s.Context())
	must(s.T, err)
	return all[slices.IndexFunc(all, func(a auth.Activation) bool { return a.Plugin == plugin })]
}

func (s *scene) isGroup(name string) bool {
	s.Helper()
	all, err := s.Store.Groups(s.Context())
	must(s.T, err)
	return slices.ContainsFunc(all, func(g auth.Group) bool { return g.Name == name })
}

func (s *scene) hasApplication() bool {
	s.Helper()
	all, err := s.Store.Applications(s.Context())
	must(s.T, err)
	return slices.ContainsFunc(all, func(a auth.Application) bool { return a.Name == s.wiki.name })
}

func (s *scene) application() auth.Application {
	s.Helper()
	a, err := s.Store.Application(s.Context(), s.wiki.ID)
	must(s.T, err)
	return a
}

func (s *scene) rules() int {
	s.Helper()
	all, err := s.Store.ApplicationRules(s.Context(), s.wiki.ID)
	must(s.T, err)
	return len(all)
}

func (s *scene) hasLogo() bool {
	s.Helper()
	_, err := s.Store.Logo(s.Context(), s.wiki.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Fatal(err)
	}
	return err == nil
}

func (s *scene) picture() []byte {
	s.Helper()
	var picture bytes.Buffer
	must(s.T, png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 30, 20))))
	return picture.Bytes()
}

// upload sends a picture as a browser does.
func (s *scene) upload(path, field string) *http.Request {
	s.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, "logo.png")
	must(s.T, err)
	_, err = part.Write(s.picture())
	must(s.T, err)
	must(s.T, form.Close())
	r := s.inside.Request(http.MethodPost, path, nil)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.ContentLength, r.Body = int64(body.Len()), io.NopCloser(&body)
	return r
}
