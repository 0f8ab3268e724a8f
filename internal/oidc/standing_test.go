package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
)

// Whoever has only half logged in is nobody to an application: no page of ours
// sends it a code, and silently it is told that nobody is signed in.
func TestHalfALoginIsNoneForApplications(t *testing.T) {
	for name, become := range map[string]func(*apptest.Site, *apptest.Person) (*apptest.Browser, string){
		"the code is owed": func(site *apptest.Site, ada *apptest.Person) (*apptest.Browser, string) {
			b := site.Browser()
			b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
			return b, "/login"
		},
		"a session that owes its code": func(site *apptest.Site, ada *apptest.Person) (*apptest.Browser, string) {
			site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
			b := site.Browser()
			b.SignIn(ada).WantPath("/apps")
			site.Activate(auth.TwoFactorPlugin)
			return b, "/login/confirm"
		},
		"the set-up is owed": func(site *apptest.Site, _ *apptest.Person) (*apptest.Browser, string) {
			eve := site.Person("eve@example.org")
			must(t, site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, eve.ID, true, site.Now()))
			b := site.Browser()
			b.SignIn(eve).WantPath("/account/two-factor")
			return b, "/login"
		},
		"a login that was cut short": func(site *apptest.Site, ada *apptest.Person) (*apptest.Browser, string) {
			b := site.Browser()
			b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press()
			site.Clock.Turn(site.Config.LoginTimeout)
			return b, "/login"
		},
	} {
		t.Run(name, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
			ada, phone := withPhone(site, "ada@example.org")
			token, _ := app.signIn(phone)
			hint, _ := token.Extra("id_token").(string)
			browser, leads := become(site, ada)
			for _, more := range []string{"", "prompt=login", "prompt=consent", "max_age=0", "acr_values=" + acrCode} {
				if page := browser.Get(app.begin(more).Address).WantPath(leads); page.SentTo() != "" {
					t.Errorf("%s: sent to %s", more, page.SentTo())
				}
			}
			for _, more := range []string{"scope=openid", "id_token_hint=" + hint, "max_age=10000"} {
				v := app.begin("prompt=none", more)
				app.wantError(browser.Get(v.Address), v, "login_required")
			}
			if page := browser.Post("/oidc/consent", url.Values{"waiting": {"x"}, "person": {"x"}, "answer": {"allow"}}); page.SentTo() != "" && !strings.HasPrefix(page.SentTo(), "/login") {
				t.Errorf("consent leads to %q", page.SentTo())
			}
			if got := app.ask(http.MethodGet, "/oidc/userinfo", nil, withToken(browser.Cookie("twinlock"))); got.Status != http.StatusUnauthorized {
				t.Errorf("userinfo answers %d", got.Status)
			}
		})
	}
}

// A cookie of a session that is over opens nothing to an application either.
func TestAnOldCookieSignsNobodyIn(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *apptest.Site, *apptest.Person, *apptest.Browser){
		"logout": func(_ *testing.T, _ *apptest.Site, _ *apptest.Person, b *apptest.Browser) { b.Post("/logout", nil) },
		"inactive": func(_ *testing.T, s *apptest.Site, _ *apptest.Person, _ *apptest.Browser) {
			s.Clock.Turn(s.Config.SessionIdle)
		},
		"ended by an administrator": func(t *testing.T, s *apptest.Site, p *apptest.Person, _ *apptest.Browser) {
			_, err := s.Store.EndSessions(t.Context(), apptest.Command, p.ID, "", "test", s.Now())
			must(t, err)
		},
		"disabled": func(t *testing.T, s *apptest.Site, p *apptest.Person, _ *apptest.Browser) {
			must(t, s.Store.DisableUser(t.Context(), apptest.Command, p.ID, s.Now()))
		},
		"deleted": func(t *testing.T, s *apptest.Site, p *apptest.Person, _ *apptest.Browser) {
			must(t, s.Store.DeleteUser(t.Context(), apptest.Command, p.ID, s.Now()))
		},
		"factors cleared": func(t *testing.T, s *apptest.Site, p *apptest.Person, b *apptest.Browser) {
			s.Activate(auth.TwoFactorPlugin)
			b.EnableTwoFactor(p)
			must(t, s.Store.ClearFactors(t.Context(), apptest.Command, p.ID, "lost phone", s.Now()))
		},
		"password changed elsewhere": func(_ *testing.T, s *apptest.Site, p *apptest.Person, _ *apptest.Browser) {
			elsewhere := s.Browser()
			elsewhere.SignIn(p)
			elsewhere.Get("/account").Form("Change password").Fill("Current password", p.Password).Fill("New password", another).Press().WantStatus(http.StatusOK)
		},
		"password reset by mail": func(t *testing.T, s *apptest.Site, p *apptest.Person, _ *apptest.Browser) {
			resetPassword(t, s, p)
		},
		"a new session id after a fresh proof": func(_ *testing.T, _ *apptest.Site, p *apptest.Person, b *apptest.Browser) {
			b.Get("/account").Form("Change password").Fill("Current password", p.Password).Fill("New password", another).Press().WantStatus(http.StatusOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			site := apptest.New(t)
			app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
			ada, browser := signedIn(site, "ada@example.org")
			app.signIn(browser, "prompt=none")
			thief := site.Browser()
			thief.SetCookie("twinlock", browser.Cookie("twinlock"))
			end(t, site, ada, browser)
			v := app.begin("prompt=none")
			app.wantError(thief.Get(v.Address), v, "login_required")
			thief.Get(app.begin().Address).WantPath("/login")
		})
	}
}

const another = "eleven quiet otters paddle"

// resetPassword sets a forgotten password anew, by the letter.
func resetPassword(t *testing.T, site *apptest.Site, p *apptest.Person) {
	t.Helper()
	b := site.Browser()
	b.Get("/forgot-password").Form("Send reset link").Fill("Email", p.Address).Press()
	page := b.Get(apptest.Link(t, site.Mail.Last(t, p.Address)))
	page.Form("Set new password").Fill("New password", another).Press().WantPath("/login")
}

// A login page that a request led to belongs to the browser that it was opened
// in: somebody else's answer to the question goes nowhere.
func TestConsentIsBoundToItsBrowser(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site)
	_, browser := signedIn(site, "ada@example.org")
	v := app.begin()
	question := browser.Get(v.Address).Form("Allow")
	_, beas := signedIn(site, "bea@example.org")
	beas.Get(app.begin().Address)
	for _, answer := range []string{"allow", "deny"} {
		question.Values.Set("answer", answer)
		if page := beas.Post("/oidc/consent", question.Values); page.Status != http.StatusBadRequest || page.SentTo() != "" {
			t.Errorf("%s in another browser: %d, sent to %q", answer, page.Status, page.SentTo())
		}
	}
	strange := browser.Request(http.MethodPost, "/oidc/consent", question.Values)
	strange.Header.Set("Origin", "https://evil.example")
	if page := browser.Ask(strange); page.Status < 400 || page.SentTo() != "" {
		t.Errorf("from another site: %d, sent to %q", page.Status, page.SentTo())
	}
	if page := browser.Get("/oidc/consent"); page.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", page.Status)
	}
}

// After a return with the password alone, what asks for a code or a fresh login
// asks for it.
func TestAfterAReturnACodeIsAskedFirst(t *testing.T) {
	site := apptest.New(t)
	app := register(t, site, func(_ *auth.Application, c *auth.Client) { c.WithoutConsent = true })
	ada, browser := withPhone(site, "ada@example.org")
	for _, parameter := range []string{"prompt=login", "max_age=59", "max_age=0", "acr_values=" + acrCode} {
		browser.Get("/apps")
		returnThroughWindow(t, site, browser, ada)
		if !strings.HasPrefix(parameter, "prompt") {
			silent := app.begin(parameter, "prompt=none")
			app.wantError(browser.Get(silent.Address), silent, "login_required")
		}
		v := app.begin(parameter)
		page := browser.Get(v.Address).WantPath("/login/confirm")
		button := "Confirm"
		if !page.HasButton(button) {
			button = "Send code"
		}
		form := page.Form(button)
		if button == "Confirm" {
			form.Fill("Password", ada.Password)
		}
		if page = form.Press(); page.SentTo() != "" {
			t.Errorf("%s: without a code sent to %s", parameter, page.SentTo())
		}
		site.Clock.Turn(time.Minute)
		form = page.Form(button).Fill("Login code", ada.Code())
		if button == "Confirm" {
			form.Fill("Password", ada.Password)
		}
		token, err := app.exchange(app.code(form.Press(), v), v)
		must(t, err)
		if got := app.verify(token, v.Nonce); got.Class != acrCode {
			t.Errorf("%s: %+v", parameter, got)
		}
	}
}
