package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
)

var brokenLogins = map[string]brokenFlow{
	"login": {
		route: "POST /login",
		fill:  func(s *scene) sending { return s.logInPage(s.browser) },
		done:  func(s *scene) bool { return s.sessions() == 1 },
	},
	"login code": {
		route: "POST /login/code",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			return s.logInPage(s.Browser()).Press().Form("Send code").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return s.sessions() == 2 },
	},
	"recovery code": {
		route: "POST /login/code",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			code := s.ada.RecoveryCodes[0]
			s.ada.RecoveryCodes = s.ada.RecoveryCodes[1:]
			return s.logInPage(s.Browser()).Press().Form("Send code").Fill("Login code", code)
		},
		done: func(s *scene) bool { return s.sessions() == 2 },
	},
	"back from the code": {
		route: "POST /login/back",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			s.there = s.Browser()
			s.page = s.logInPage(s.there).Press()
			return posting(s.there, "/login/back", parameter(s, s.page, "attempt"))
		},
		done: func(s *scene) bool { return !s.there.Get(s.page.Path).HasButton("Send code") },
	},
	"set-up that a login owes": {
		route: "POST /account/two-factor",
		begin: func(s *scene) {
			must(s.T, s.Store.SetMustUseTwoFactor(s.Context(), apptest.Command, s.ada.ID, true, s.Now()))
		},
		fill: func(s *scene) sending { return s.setUp(s.logInPage(s.Browser()).Press()) },
		done: func(s *scene) bool { return s.ada.User().TwoFactor() },
	},
	"confirmation by a fresh code": {
		route: "POST /login/confirm",
		begin: (*scene).stale,
		fill: func(s *scene) sending {
			return s.confirms(s.browser.Get("/account/authenticators/new"))
		},
		done: (*scene).isFresh,
	},
	"a form that waits for a fresh code": {
		route: "POST /login/confirm",
		begin: (*scene).stale,
		fill: func(s *scene) sending {
			form := s.browser.Get("/account").Form("Change address").Fill("New email address", s.newcomer)
			if s.isFresh() {
				return form
			}
			return s.confirms(form.Press())
		},
		done: func(s *scene) bool { return s.letters(s.newcomer) == 1 },
	},
	"return through the open window": {
		route: "POST /login/window",
		begin: func(s *scene) {
			s.protected()
			page := s.browser.Once("/login/window/state", url.Values{}).WantStatus(http.StatusOK)
			var told struct{ Secret string }
			must(s.T, json.Unmarshal([]byte(page.Body), &told))
			s.window = told.Secret
			s.Clock.Turn(s.Config.SessionIdle)
		},
		fill: func(s *scene) sending {
			return posting(s.browser, "/login/window", url.Values{"password": {s.ada.Password}, "secret": {s.window}})
		},
		done: func(s *scene) bool { return opens(s.browser, "/account") },
	},
	"unlock link": {
		route: "POST /login/unlock",
		begin: func(s *scene) {
			for range s.Config.ThrottleClosed {
				s.Browser().Post("/login", url.Values{"email": {s.ada.Address}, "password": {guessed}, "next": {""}})
				s.Clock.Turn(time.Second)
			}
		},
		fill: func(s *scene) sending {
			return s.Browser().Get(apptest.Link(s, s.Mail.Last(s, s.ada.Address))).Form("Unlock account")
		},
		done: func(s *scene) bool { return s.closedDoors() == 0 },
	},
	"logout": {
		route: "POST /logout",
		begin: (*scene).signedIn,
		fill:  func(s *scene) sending { return s.browser.Get("/logout").Form("Log out here") },
		done:  func(s *scene) bool { return s.sessions() == 0 },
	},
	"asking for a new password": {
		route: "POST /forgot-password",
		fill:  (*scene).forgets,
		done:  func(s *scene) bool { return s.letters(s.ada.Address) == 1 },
	},
	"asking for a new password again": {
		route: "POST /forgot-password/again",
		begin: func(s *scene) { s.page = s.forgets().Press() },
		fill:  func(s *scene) sending { return s.page.Form("Send again") },
		done:  func(s *scene) bool { return s.letters(s.ada.Address) == 2 },
	},
	"forgotten password": {
		route: "POST /forgot-password/new",
		begin: (*scene).protected,
		fill: func(s *scene) sending {
			s.forgets().Press()
			link := apptest.Link(s, s.Mail.Last(s, s.ada.Address))
			return s.Browser().Get(link).Form("Set new password").Fill("New password", another)
		},
		done: func(s *scene) bool { return !s.ada.User().TwoFactor() && s.sessions() == 0 },
	},
	"unlock link for whoever must keep the code": {
		route:    "POST /forgot-password/unlock",
		settings: []string{"on_password_reset=keep", "reset_link=4h"},
		begin: func(s *scene) {
			s.protected()
			s.forgets().Press()
			link := apptest.Link(s, s.Mail.Last(s, s.ada.Address))
			for range s.Config.ThrottleClosed + 1 {
				s.page = s.Browser().Get(link).Form("Set new password").Fill("New password", another).Fill("Login code", "000000").Press()
				s.Clock.Turn(time.Second)
			}
			s.Clock.Turn(time.Hour)     // until another may be sent
			s.count = s.unlockLetters() // the door that closed has sent one
		},
		fill: func(s *scene) sending { return s.page.Form("Send unlock link") },
		done: func(s *scene) bool { return s.unlockLetters() > s.count },
	},
}

func (s *scene) unlockLetters() (n int) {
	for _, kind := range s.Mail.Kinds(s, s.ada.Address) {
		if kind == mail.Unlock {
			n++
		}
	}
	return n
}

var brokenPasskeys = map[string]brokenFlow{
	"login by passkey": {
		route: "POST /login/passkey",
		begin: (*scene).withPasskey,
		fill:  func(s *scene) sending { return s.Browser().Get("/login").Passkey(s.ada.Device) },
		done:  func(s *scene) bool { return s.sessions() == s.count+1 },
	},
	"passkey in the code's place": {
		route: "POST /login/code",
		begin: (*scene).withPasskey,
		fill:  func(s *scene) sending { return s.logInPage(s.Browser()).Press().Passkey(s.ada.Device) },
		done:  func(s *scene) bool { return s.sessions() == s.count+1 },
	},
	"confirmation by a passkey": {
		route: "POST /login/confirm",
		begin: func(s *scene) {
			s.withPasskey()
			s.Clock.Turn(s.Config.Fresh)
		},
		fill: func(s *scene) sending { return s.browser.Get("/login/confirm?ask=both").Passkey(s.ada.Device) },
		done: (*scene).isFresh,
	},
	"a first passkey": {
		route: "POST /account/passkeys/new",
		begin: func(s *scene) {
			s.Activate(auth.PasskeysPlugin)
			s.signedIn()
		},
		fill: (*scene).makesPasskey,
		done: func(s *scene) bool { return s.passkeys() == 1 },
	},
	"a further passkey": {
		route: "POST /account/passkeys/new",
		begin: (*scene).withPasskey,
		fill:  (*scene).makesPasskey,
		done:  func(s *scene) bool { return s.passkeys() == 2 },
	},
	"renaming a passkey": {
		route: "POST /account/passkeys/rename",
		begin: (*scene).withPasskey,
		fill: func(s *scene) sending {
			return s.browser.Get("/account/passkeys").Form("Save").Fill("Name of the passkey", "Key ring")
		},
		done: func(s *scene) bool { return s.browser.Get("/account/passkeys").Says("Key ring") },
	},
	"removing a passkey": {
		route: "POST /account/passkeys/remove",
		begin: func(s *scene) {
			s.withPasskey()
			s.makesPasskey().Press()
		},
		fill: func(s *scene) sending {
			return s.browser.Get("/account/passkeys").Follow("Remove Phone").Form("Remove")
		},
		done: func(s *scene) bool { return s.passkeys() == 1 },
	},
	"removing the last passkey": {
		route: "POST /account/passkeys/remove",
		begin: (*scene).withPasskey,
		fill: func(s *scene) sending {
			return s.browser.Get("/account/passkeys").Follow("Remove Phone").Passkey(s.ada.Device)
		},
		done: func(s *scene) bool { return s.passkeys() == 0 && !s.ada.User().TwoFactor() },
	},
}

// another is a password that somebody chooses in the place of the first.
const another = "nine grey geese over Ghent"

// parameter is what an address says under a name.
func parameter(s *scene, page *apptest.Page, name string) url.Values {
	s.Helper()
	_, query, _ := strings.Cut(page.Path, "?")
	values, err := url.ParseQuery(query)
	must(s.T, err)
	return url.Values{name: values[name]}
}

// setUp fills the page of a set-up in, with a code of the phone that has its key
// from now on.
func (s *scene) setUp(page *apptest.Page) *apptest.Form {
	s.Helper()
	s.ada.SetUpPhone(page.Definition("Secret key"))
	return page.Form("Activate").Fill("Login code", s.ada.Code())
}

// stale is a protected scene in which the proofs are not fresh any more.
func (s *scene) stale() {
	s.Helper()
	s.protected()
	s.Clock.Turn(s.Config.Fresh)
}

// confirms fills the page in that asks for fresh proofs.
func (s *scene) confirms(page *apptest.Page) sending {
	s.Helper()
	return page.Form("Confirm").Fill("Password", s.ada.Password).Fill("Login code", s.ada.Code())
}

// isFresh tells whether a page that asks for fresh proofs is shown.
func (s *scene) isFresh() bool {
	for _, path := range []string{"/account/authenticators/new", "/account/passkeys/new"} {
		if page := s.browser.Get(path); page.Path == path && page.Status == http.StatusOK {
			return true
		}
	}
	return false
}

func (s *scene) closedDoors() int {
	s.Helper()
	all, err := s.Store.ClosedDoors(s.Context(), s.ada.ID)
	must(s.T, err)
	return len(all)
}

// forgets asks for a new password.
func (s *scene) forgets() sending {
	s.Helper()
	return s.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", s.ada.Address)
}

// withPasskey is a scene in which the person has a passkey, no app, and is signed in.
func (s *scene) withPasskey() {
	s.Helper()
	s.Activate(auth.PasskeysPlugin)
	s.ada.AddPasskey()
	s.browser.Get("/login").Passkey(s.ada.Device).Press().WantStatus(http.StatusOK)
	s.count = s.sessions()
}
