package app_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/slots"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// scene is a site with a person in a browser, on a database that can break.
type scene struct {
	*testing.T
	*apptest.Site
	wire    *storetest.Wire
	ada     *apptest.Person
	browser *apptest.Browser

	newcomer string // who has no account yet
}

func newScene(t *testing.T, engine string) *scene {
	t.Helper()
	s := &scene{T: t, wire: new(storetest.Wire)}
	s.Site = apptest.NewWith(t, app.Options{Through: s.wire.Through}, "database_url="+storetest.Migrated[engine](t))
	s.Activate(auth.TwoFactorPlugin)
	s.enter("")
	return s
}

// enter lets another person come, in a browser of their own.
func (s *scene) enter(name string) {
	s.Helper()
	s.ada, s.browser = s.Person("ada"+name+"@example.org"), s.Browser()
	s.newcomer = "bob" + name + "@example.org"
}

// protected is a scene in which the person has two-factor authentication on.
func (s *scene) protected() {
	s.Helper()
	s.browser.SignIn(s.ada)
	s.browser.EnableTwoFactor(s.ada)
	s.Clock.Turn(time.Minute)
}

func (s *scene) sessions() int {
	s.Helper()
	all, err := s.Store.Sessions(s.Context(), s.ada.ID)
	if err != nil {
		s.Fatal(err)
	}
	return len(all)
}

func (s *scene) logInPage(b *apptest.Browser) *apptest.Form {
	s.Helper()
	return b.Get("/login").Form("Login").Fill("Email", s.ada.Address).Fill("Password", s.ada.Password)
}

// brokenFlow is one form of a flow: how it is filled in, on whatever is there by
// then, and whether what it is for has come true.
type brokenFlow struct {
	begin func(*scene)
	fill  func(*scene) *apptest.Form
	done  func(*scene) bool
}

var brokenFlows = map[string]brokenFlow{
	"login": {
		fill: func(s *scene) *apptest.Form { return s.logInPage(s.browser) },
		done: func(s *scene) bool { return s.sessions() == 1 },
	},
	"login code": {
		begin: (*scene).protected,
		fill: func(s *scene) *apptest.Form {
			return s.logInPage(s.Browser()).Press().Form("Send code").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return s.sessions() == 2 },
	},
	"recovery code": {
		begin: (*scene).protected,
		fill: func(s *scene) *apptest.Form {
			code := s.ada.RecoveryCodes[0]
			s.ada.RecoveryCodes = s.ada.RecoveryCodes[1:]
			return s.logInPage(s.Browser()).Press().Form("Send code").Fill("Login code", code)
		},
		done: func(s *scene) bool { return s.sessions() == 2 },
	},
	"enable": {
		begin: func(s *scene) { s.browser.SignIn(s.ada) },
		fill: func(s *scene) *apptest.Form {
			page := s.browser.Get("/account/two-factor")
			s.ada.SetUpPhone(page.Definition("Secret key"))
			return page.Form("Activate").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return s.ada.User().TwoFactor() },
	},
	"disable": {
		begin: (*scene).protected,
		fill: func(s *scene) *apptest.Form {
			return s.browser.Get("/account/two-factor").Form("Disable").Fill("Login code", s.ada.Code())
		},
		done: func(s *scene) bool { return !s.ada.User().TwoFactor() },
	},
	"forgotten password": {
		begin: (*scene).protected,
		fill: func(s *scene) *apptest.Form {
			s.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", s.ada.Address).Press()
			link := apptest.Link(s, s.Mail.Last(s, s.ada.Address))
			return s.Browser().Get(link).Form("Set new password").Fill("New password", "nine grey geese over Ghent")
		},
		done: func(s *scene) bool { return !s.ada.User().TwoFactor() && s.sessions() == 0 },
	},
	"sign-up": {
		fill: func(s *scene) *apptest.Form {
			b := s.Browser()
			b.Get("/register").Form("Create account").Fill("Email", s.newcomer).Fill("Password", apptest.Password).Press()
			return b.Get(apptest.Link(s, s.Mail.Last(s, s.newcomer))).Form("Confirm address")
		},
		done: func(s *scene) bool {
			_, err := s.Store.UserByAddress(s.Context(), s.newcomer)
			return err == nil
		},
	},
	"end the other sessions": {
		begin: func(s *scene) {
			s.Browser().SignIn(s.ada)
			s.browser.SignIn(s.ada)
		},
		fill: func(s *scene) *apptest.Form { return s.browser.Get("/account/sessions").Form("End all others") },
		done: func(s *scene) bool { return s.sessions() == 1 },
	},
}

// A form whose first call to the database fails, then its second, and so on, is
// never answered as a success that it is not, nor as a mistake of whoever sent it;
// and it can be done after.
func TestAFlowThatBreaksOffIsRefusedOrComplete(t *testing.T) {
	for engine := range storetest.Migrated {
		for name, f := range brokenFlows {
			t.Run(name+" on "+engine, func(t *testing.T) {
				t.Parallel()
				s, call := newScene(t, engine), 1
				for f.breaksAt(s, call) {
					call++
				}
				if call < 10 {
					t.Errorf("only %d calls: was the flow played?", call-1)
				}
			})
		}
	}
}

// breaksAt plays the flow with one call broken, and tells whether there was one
// of that number.
func (f brokenFlow) breaksAt(s *scene, call int) (broke bool) {
	s.Helper()
	s.enter(strconv.Itoa(call))
	s.Clock.Turn(10 * time.Minute)
	if f.begin != nil {
		f.begin(s)
	}
	form := f.fill(s)
	n := 0
	s.wire.Break(func(context.Context, storetest.Call) error {
		if n++; n != call {
			return nil
		}
		broke = true
		return errBrokeOff
	}, nil)
	page := form.Press()
	s.wire.Break(nil, nil)
	done := f.done(s)
	switch {
	case !broke && (!done || page.Status != http.StatusOK):
		s.Errorf("nothing broke, done: %v, status %d", done, page.Status)
	case broke && page.Status != http.StatusServiceUnavailable && !(page.Status == http.StatusOK && done && page.Alert() == ""):
		s.Errorf("call %d: status %d %q, done: %v", call, page.Status, page.Alert(), done)
	}
	if done {
		return broke
	}
	s.Clock.Turn(time.Minute)
	if again := f.fill(s).Press(); !f.done(s) {
		s.Errorf("call %d: once more is answered %d %q", call, again.Status, again.Alert())
	}
	return broke
}

// A database that hears a question and never answers holds nobody who logs in
// for ever, and the places of those who wait to be hashed are free again.
func TestADatabaseThatHangsHoldsNoPlaceInTheLine(t *testing.T) {
	t.Parallel()
	s, one := &scene{T: t, wire: new(storetest.Wire)}, slots.New(1, 1, time.Minute)
	s.Site = apptest.NewWith(t, app.Options{Through: s.wire.Through, Slots: one})
	s.ada, s.browser = s.Person("ada@example.org"), s.Browser()
	forms := []*apptest.Form{s.logInPage(s.browser), s.logInPage(s.Browser())} // as many as the line has places
	s.Floor.Patience = 500 * time.Millisecond
	goesOn := make(chan struct{})
	s.wire.Break(func(ctx context.Context, _ storetest.Call) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-goesOn:
			return errBrokeOff
		}
	}, nil)
	answered := make(chan *apptest.Page, len(forms))
	for _, form := range forms {
		go func() { answered <- form.Press() }()
	}
	late := time.After(20 * time.Second)
	for range forms {
		select {
		case page := <-answered:
			page.WantStatus(http.StatusServiceUnavailable)
		case <-late:
			close(goesOn)
			t.Fatal("it waits for ever")
		}
	}
	if load := one.Load(); load.Running+load.Waiting > 0 {
		t.Errorf("%+v", load)
	}
	s.wire.Break(nil, nil)
	s.Floor.Patience = 0
	if s.logInPage(s.browser).Press(); s.sessions() != 1 {
		t.Error("nobody can log in after")
	}
}

var errBrokeOff = brokeOff{errors.New("the database broke off")}

// brokeOff is a connection that broke.
type brokeOff struct{ error }

func (brokeOff) Timeout() bool   { return false }
func (brokeOff) Temporary() bool { return false }
