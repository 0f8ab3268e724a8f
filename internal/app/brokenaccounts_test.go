package app_test

import (
	"net/url"
	"strings"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/passkey/passkeytest"
	"github.com/twinlock/twinlock/internal/store"
)

var brokenAccounts = map[string]brokenFlow{
	"language by the page's button": {
		route: "POST /preferences",
		begin: (*scene).signedIn,
		fill:  func(s *scene) sending { return s.browser.Get("/account").Form("Deutsch") },
		done:  func(s *scene) bool { return s.ada.User().Language == "de" },
	},
	"language": {
		route: "POST /account/language",
		begin: (*scene).signedIn,
		fill:  func(s *scene) sending { return posting(s.browser, "/account/language", url.Values{"language": {"de"}}) },
		done:  func(s *scene) bool { return s.ada.User().Language == "de" },
	},
	"name": {
		route: "POST /account/name",
		begin: (*scene).signedIn,
		fill:  func(s *scene) sending { return posting(s.browser, "/account/name", url.Values{"name": {"Ada"}}) },
		done:  func(s *scene) bool { return s.ada.User().Name == "Ada" },
	},
	"change of password": {
		route: "POST /account/password",
		begin: (*scene).signedIn,
		fill: func(s *scene) sending {
			return s.browser.Get("/account").Form("Change password").Fill("Current password", s.ada.Password).Fill("New password", another)
		},
		done: func(s *scene) bool {
			u := s.ada.User()
			return u.PasswordChangedAt.After(u.Created)
		},
	},
	"asking for another address": {
		route: "POST /account/address",
		begin: (*scene).signedIn,
		fill:  (*scene).wantsAddress,
		done:  func(s *scene) bool { return s.letters(s.newcomer) == 1 },
	},
	"another address": {
		route: "POST /account/address/confirm",
		begin: func(s *scene) {
			s.signedIn()
			s.wantsAddress().Press()
		},
		fill: func(s *scene) sending {
			return s.browser.Get(apptest.Link(s, s.Mail.Last(s, s.newcomer))).Form("Change address")
		},
		done: func(s *scene) bool { return s.ada.User().Address == s.newcomer },
	},
	"end a session": {
		route: "POST /account/sessions/end",
		begin: (*scene).signedInTwice,
		fill:  func(s *scene) sending { return s.browser.Get("/account/sessions").Form("End session") },
		done:  func(s *scene) bool { return s.sessions() == 1 },
	},
	"end the other sessions": {
		route: "POST /account/sessions/end-others",
		begin: (*scene).signedInTwice,
		fill:  func(s *scene) sending { return s.browser.Get("/account/sessions").Form("End all others") },
		done:  func(s *scene) bool { return s.sessions() == 1 },
	},
	"enable": {
		route: "POST /account/two-factor",
		begin: (*scene).signedIn,
		fill:  func(s *scene) sending { return s.setUp(s.browser.Get("/account/two-factor")) },
		done:  func(s *scene) bool { return s.ada.User().TwoFactor() },
	},
	"disable": {
		route: "POST /account/two-factor/disable",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			return s.browser.Get("/account/two-factor").Form("Disable").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return !s.ada.User().TwoFactor() },
	},
	"new recovery codes": {
		route: "POST /account/recovery-codes",
		begin: func(s *scene) {
			s.protected()
			s.row = s.recoverySet()
		},
		fill: func(s *scene) sending {
			return s.browser.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return s.recoverySet() != s.row },
	},
	"a further app": {
		route: "POST /account/authenticators/new",
		begin: (*scene).protected,
		fill:  (*scene).addsApp,
		done:  func(s *scene) bool { return len(s.apps()) == 2 },
	},
	"a replaced app": {
		route: "POST /account/authenticators/replace",
		begin: func(s *scene) {
			s.protected()
			s.row = s.apps()[0].ID
		},
		fill: func(s *scene) sending { return s.setUp(s.browser.Get("/account/authenticators/replace")) },
		done: func(s *scene) bool { return s.apps()[0].ID != s.row },
	},
	"renaming an app": {
		route: "POST /account/authenticators/rename",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			return s.browser.Get("/account/authenticators").Form("Save").Fill("Name", "Phone")
		},
		done: func(s *scene) bool { return s.apps()[0].Name == "Phone" },
	},
	"removing an app": {
		route: "POST /account/authenticators/remove",
		begin: func(s *scene) {
			s.protected()
			s.addsApp().Press()
		},
		fill: func(s *scene) sending { return s.browser.Get("/account/authenticators").Form("Remove Tablet") },
		done: func(s *scene) bool { return len(s.apps()) == 1 },
	},
}

var brokenNewcomers = map[string]brokenFlow{
	"asking for an account": {
		route: "POST /register",
		fill:  func(s *scene) sending { return s.signsUp(s.Browser()) },
		done:  func(s *scene) bool { return s.letters(s.newcomer) == 1 },
	},
	"asking for an account again": {
		route: "POST /register/again",
		begin: func(s *scene) { s.page = s.signsUp(s.Browser()).Press() },
		fill:  func(s *scene) sending { return s.page.Form("Send again") },
		done:  func(s *scene) bool { return s.letters(s.newcomer) == 2 },
	},
	"sign-up": {
		route: "POST /register/confirm",
		fill: func(s *scene) sending {
			b := s.Browser()
			s.signsUp(b).Press()
			return b.Get(apptest.Link(s, s.Mail.Last(s, s.newcomer))).Form("Confirm address")
		},
		done: func(s *scene) bool { return s.account().ID != "" },
	},
	"sign-up, confirmed in another browser": {
		route: "POST /register/confirm",
		begin: func(s *scene) { s.signsUp(s.Browser()).Press() },
		fill: func(s *scene) sending {
			page := s.Browser().Get(apptest.Link(s, s.Mail.Last(s, s.newcomer)))
			return page.Form("Confirm address").Fill("Password", apptest.Password)
		},
		done: func(s *scene) bool { return s.account().ID != "" },
	},
	"invitation accepted": {
		route: "POST /invitation",
		begin: (*scene).invites,
		fill: func(s *scene) sending {
			page := s.Browser().Get(apptest.Link(s, s.Mail.Last(s, s.newcomer)))
			return page.Form("Set new password").Fill("New password", another)
		},
		done: func(s *scene) bool { return s.account().HasPassword },
	},
	"the first administrator": {
		route: "POST /setup",
		once:  true,
		fill: func(s *scene) sending {
			var said strings.Builder
			must(s.T, s.Announce(s.Context(), &said))
			_, link, _ := strings.Cut(said.String(), "Set up: ")
			page := s.Browser().Get(strings.TrimSpace(link))
			return page.Form("Finish").Fill("Name", "Bob").Fill("Email", s.newcomer).Fill("Password", apptest.Password)
		},
		done: func(s *scene) bool { return s.account().Administrator },
	},
}

func (s *scene) signedInTwice() {
	s.Helper()
	s.Browser().SignIn(s.ada)
	s.browser.SignIn(s.ada)
}

// wantsAddress asks for the newcomer's address in the place of the person's.
func (s *scene) wantsAddress() sending {
	s.Helper()
	return s.browser.Get("/account").Form("Change address").Fill("New email address", s.newcomer)
}

// recoverySet is what is kept of the person's recovery codes.
func (s *scene) recoverySet() string {
	s.Helper()
	set, err := s.Store.RecoverySet(s.Context(), s.ada.ID)
	must(s.T, err)
	return set.Made.String()
}

func (s *scene) apps() []store.ListedAuthenticator {
	s.Helper()
	all, err := s.Store.ListedAuthenticators(s.Context(), s.ada.ID)
	must(s.T, err)
	return all
}

func (s *scene) addsApp() sending {
	s.Helper()
	return s.setUp(s.browser.Get("/account/authenticators/new")).Fill("Name", "Tablet")
}

func (s *scene) passkeys() int {
	s.Helper()
	all, err := s.Store.Passkeys(s.Context(), s.ada.ID)
	must(s.T, err)
	return len(all)
}

// makesPasskey makes one in a device that has none.
func (s *scene) makesPasskey() sending {
	s.Helper()
	return s.browser.Get("/account/passkeys/new").NewPasskey(passkeytest.New(s.T))
}

func (s *scene) signsUp(b *apptest.Browser) sending {
	s.Helper()
	return b.Get("/register").Form("Create account").Fill("Email", s.newcomer).Fill("Password", apptest.Password)
}

// invites invites the newcomer.
func (s *scene) invites() {
	s.Helper()
	parsed, err := address.Parse(s.newcomer)
	must(s.T, err)
	_, err = s.Store.InviteUser(s.Context(), apptest.Command, store.NewUser{Address: parsed}, s.InvitationLink(), s.Now())
	must(s.T, err)
}
