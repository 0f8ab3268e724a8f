package app_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// demand is what a route asks of whoever comes, in one line of the table.
type demand struct {
	need       web.Need
	plugin, or auth.PluginID
	action     auth.Action
	background bool
	foreign    bool
}

var (
	public          = demand{need: web.Anybody}
	asked           = demand{need: web.Anybody, background: true}                // by pages and programs
	anywhere        = demand{need: web.Anybody, foreign: true}                   // from pages of applications, to be looked at and no more
	programs        = demand{need: web.Anybody, background: true, foreign: true} // by applications, on no cookie's word
	signedIn        = demand{need: web.SignedIn}
	seesAdmin       = demand{need: web.Administrator, action: auth.SeeAdministration}
	changes         = demand{need: web.Administrator, action: auth.ChangeAdministration}
	protection      = demand{need: web.SignedIn, plugin: auth.TwoFactorPlugin}
	application     = demand{need: web.SignedIn, plugin: auth.OpenIDConnectPlugin}
	eitherFactor    = demand{need: web.SignedIn, plugin: auth.TwoFactorPlugin, or: auth.PasskeysPlugin}
	weakensEither   = demand{need: web.SignedIn, plugin: auth.TwoFactorPlugin, or: auth.PasskeysPlugin, action: auth.RemoveFactor}
	ofPasskeys      = demand{need: web.SignedIn, plugin: auth.PasskeysPlugin}
	removesPasskeys = demand{need: web.SignedIn, plugin: auth.PasskeysPlugin, action: auth.ChangeAccount}
	changesFactors  = demand{need: web.SignedIn, plugin: auth.TwoFactorPlugin, action: auth.ChangeAccount}
	weakens         = demand{need: web.SignedIn, plugin: auth.TwoFactorPlugin, action: auth.RemoveFactor}
)

func fresh(a auth.Action) demand { return demand{need: web.SignedIn, action: a} }

// table is every address of the program and what it demands. A new route has
// to be written here by hand, so that nobody opens a door by forgetting a word.
var table = map[string]demand{
	"GET /{$}":                           public,
	"POST /preferences":                  public,
	"GET /.well-known/change-password":   public,
	"GET /.well-known/passkey-endpoints": asked,
	"GET /healthz":                       asked,
	"GET /readyz":                        asked,

	"GET /login":                public,
	"POST /login":               public,
	"POST /login/passkey":       public,
	"POST /login/passkey/begin": asked,
	"GET /login/code":           public,
	"POST /login/code":          public,
	"POST /login/back":          public,
	"GET /login/confirm":        public,
	"POST /login/confirm":       public,
	"POST /login/window":        asked,
	"POST /login/window/state":  asked,
	"POST /login/window/stay":   {need: web.SignedIn, background: true},
	"GET /login/unlock":         public,
	"POST /login/unlock":        public,
	"GET /logout":               public,
	"POST /logout":              public,

	"GET /forgot-password":         public,
	"POST /forgot-password":        public,
	"POST /forgot-password/again":  public,
	"GET /forgot-password/new":     public,
	"POST /forgot-password/new":    public,
	"POST /forgot-password/unlock": public,

	"GET /register":           public,
	"POST /register":          public,
	"POST /register/again":    public,
	"GET /register/confirm":   public,
	"POST /register/confirm":  public,
	"GET /invitation":         public,
	"POST /invitation":        public,
	"POST /password-strength": asked,

	"GET /setup":  public,
	"POST /setup": public,

	"GET /apps": signedIn,

	"GET /account":                         signedIn,
	"POST /account/name":                   signedIn,
	"POST /account/language":               signedIn,
	"POST /account/password":               fresh(auth.ChangePassword),
	"GET /account/address":                 signedIn,
	"POST /account/address":                fresh(auth.ChangeAccount),
	"POST /account/address/confirm":        fresh(auth.ChangeAccount),
	"GET /account/sessions":                signedIn,
	"POST /account/sessions/end":           fresh(auth.EndSessions),
	"POST /account/sessions/end-others":    fresh(auth.EndSessions),
	"GET /account/applications":            application,
	"POST /account/applications/withdraw":  application,
	"GET /account/two-factor":              public, // a login may owe it: it looks by itself at who comes
	"POST /account/two-factor":             public,
	"POST /account/two-factor/disable":     weakens,
	"GET /account/recovery-codes":          eitherFactor,
	"POST /account/recovery-codes":         weakensEither,
	"POST /account/recovery-codes/saved":   eitherFactor,
	"GET /account/authenticators":          protection,
	"POST /account/authenticators/rename":  protection,
	"POST /account/authenticators/remove":  changesFactors,
	"GET /account/authenticators/new":      changesFactors,
	"POST /account/authenticators/new":     changesFactors,
	"GET /account/authenticators/replace":  changesFactors,
	"POST /account/authenticators/replace": changesFactors,
	"GET /account/passkeys":                ofPasskeys,
	"GET /account/passkeys/new":            public, // as the set-up of two-factor authentication
	"POST /account/passkeys/new":           public,
	"POST /account/passkeys/rename":        ofPasskeys,
	"GET /account/passkeys/remove":         ofPasskeys,
	"POST /account/passkeys/remove":        removesPasskeys,
	"GET /account/passkeys/offer":          ofPasskeys,

	"GET /.well-known/openid-configuration": programs,
	"GET /forward-auth/nginx":               asked, // by proxies: it looks by itself at who stands behind them
	"GET /forward-auth/caddy":               asked,
	"GET /forward-auth/traefik":             asked,
	"GET /forward-auth/hand-over":           {need: web.SignedIn, plugin: auth.ForwardAuthPlugin},

	"GET /oidc/keys":            programs,
	"GET /oidc/authorize":       public,
	"POST /oidc/authorize":      anywhere,
	"GET /oidc/continue":        public,
	"POST /oidc/consent":        signedIn,
	"GET /oidc/logout":          public,
	"POST /oidc/logout":         anywhere,
	"POST /oidc/logout/confirm": public,
	"POST /oidc/token":          programs,
	"OPTIONS /oidc/token":       programs,
	"GET /oidc/userinfo":        programs,
	"POST /oidc/userinfo":       programs,
	"OPTIONS /oidc/userinfo":    programs,
	"POST /oidc/revoke":         programs,
	"OPTIONS /oidc/revoke":      programs,

	"GET /admin":                         seesAdmin,
	"GET /admin/plugins":                 seesAdmin,
	"POST /admin/plugins/{id}":           changes,
	"GET /admin/users":                   seesAdmin,
	"POST /admin/users/invite":           changes,
	"GET /admin/invitations":             seesAdmin,
	"GET /admin/invitations/list":        seesAdmin,
	"POST /admin/invitations/list":       changes,
	"GET /admin/users/{id}":              seesAdmin,
	"POST /admin/users/{id}/{change}":    changes,
	"GET /admin/groups":                  seesAdmin,
	"POST /admin/groups":                 changes,
	"POST /admin/groups/{id}":            changes,
	"POST /admin/groups/{id}/delete":     changes,
	"GET /admin/apps":                    seesAdmin,
	"GET /admin/proxy-check":             seesAdmin,
	"POST /admin/apps":                   changes,
	"GET /apps/{id}":                     signedIn,
	"GET /apps/{id}/logo":                {need: web.SignedIn, background: true},
	"GET /admin/apps/{id}":               seesAdmin,
	"POST /admin/apps/{id}":              changes,
	"POST /admin/apps/{id}/openid":       changes,
	"POST /admin/apps/{id}/secret":       changes,
	"POST /admin/apps/{id}/rules":        changes,
	"POST /admin/apps/{id}/rules/change": changes,
	"POST /admin/apps/{id}/two-factor":   changes,
	"POST /admin/apps/{id}/logo":         changes,
	"POST /admin/apps/{id}/logo/remove":  changes,
	"POST /admin/apps/{id}/delete":       changes,
	"GET /admin/events":                  seesAdmin,
	"GET /admin/settings":                seesAdmin,
	"POST /admin/settings/registration":  changes,
	"POST /admin/settings/test-letter":   changes,
}

func nameOf(rt web.Route) string { return rt.Method + " " + rt.Path }

func TestEveryRouteDemandsWhatTheTableSays(t *testing.T) {
	site := apptest.New(t)
	found := map[string]bool{}
	for _, rt := range site.Floor.Routes() {
		found[nameOf(rt)] = true
		want, listed := table[nameOf(rt)]
		got := demand{need: rt.Need, plugin: rt.Plugin, or: rt.Or, action: rt.Action, background: rt.Background, foreign: rt.Foreign}
		switch {
		case !listed:
			t.Errorf("%s is not in the table", nameOf(rt))
		case got != want:
			t.Errorf("%s demands %+v, want %+v", nameOf(rt), got, want)
		}
	}
	for name := range table {
		if !found[name] {
			t.Errorf("%s is in the table and not in the program", name)
		}
	}
}

// answer is how the floor deals with a request, before any page does.
type answer string

const (
	in       answer = "let in"
	toLogin  answer = "303 to the login"
	nobody   answer = "401"
	may      answer = "403"
	missing  answer = "404"
	again    answer = "asked to prove again"
	toSetUp  answer = "303 to the set-up"
	ownHands answer = "answered without an error"
)

// standing is a visitor, and what every kind of demand gives them.
type standing struct {
	name   string
	become func(t *testing.T, site *apptest.Site) *apptest.Browser

	signedIn, seesAdmin, changes, changesAccount, plugin answer

	noPhone bool // and so no recovery codes either
}

func standings() []standing {
	out := standing{signedIn: toLogin, seesAdmin: toLogin, changes: toLogin, changesAccount: toLogin, plugin: toLogin}
	outside := func(name string, become func(*testing.T, *apptest.Site) *apptest.Browser) standing {
		s := out
		s.name, s.become = name, become
		return s
	}
	return []standing{
		outside("anonymous", func(t *testing.T, site *apptest.Site) *apptest.Browser { return site.Browser() }),
		outside("somebody with a made-up cookie", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := site.Browser()
			b.SetCookie("twinlock", strings.Repeat("A", 43))
			return b
		}),
		outside("a login that owes the code", owesCode),
		outside("a login that owes the set-up", owesSetUp),
		outside("lapsed", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := signedInWithPhone(t, site)
			site.Clock.Turn(site.Config.SessionIdle)
			return b
		}),
		outside("past the overall limit", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := signedInWithPhone(t, site)
			for range 24 {
				site.Clock.Turn(59 * time.Minute)
				b.Get("/apps").WantPath("/apps")
			}
			site.Clock.Turn(24 * time.Minute)
			return b
		}),
		outside("logged out, with the cookie of before", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := signedInWithPhone(t, site)
			old := b.Cookie("twinlock")
			b.Post("/logout", nil).WantPath("/login")
			b.SetCookie("twinlock", old)
			return b
		}),
		outside("disabled", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b, eve := signedInAs(site, "eve@example.org")
			must(t, site.Store.DisableUser(t.Context(), apptest.Command, eve.ID, site.Now()))
			return b
		}),
		outside("deleted", func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b, eve := signedInAs(site, "eve@example.org")
			must(t, site.Store.DeleteUser(t.Context(), apptest.Command, eve.ID, site.Now()))
			return b
		}),
		{name: "a session that owes the code", become: sessionOwesCode,
			signedIn: again, seesAdmin: again, changes: again, changesAccount: again, plugin: again},
		{name: "a person", become: signedInWithPhone,
			signedIn: in, seesAdmin: may, changes: may, changesAccount: in, plugin: in},
		{name: "a person whose proofs are a quarter of an hour old", become: func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := signedInWithPhone(t, site)
			site.Clock.Turn(15 * time.Minute)
			return b
		}, signedIn: in, seesAdmin: may, changes: may, changesAccount: again, plugin: in},
		{name: "a person for whom the plug-in is not enabled", become: func(t *testing.T, site *apptest.Site) *apptest.Browser {
			site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin, Active: true})
			site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin, Active: true})
			site.SetActivation(auth.Activation{Plugin: auth.OpenIDConnectPlugin, Active: true})
			site.SetActivation(auth.Activation{Plugin: auth.ForwardAuthPlugin, Active: true})
			b, _ := signedInAs(site, "eve@example.org")
			return b
		}, signedIn: in, seesAdmin: may, changes: may, changesAccount: in, plugin: missing},
		{name: "an administrator", become: administratorWithPhone,
			signedIn: in, seesAdmin: in, changes: in, changesAccount: in, plugin: in},
		{name: "an administrator whose code is a quarter of an hour old", become: func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := administratorWithPhone(t, site)
			site.Clock.Turn(15 * time.Minute)
			return b
		}, signedIn: in, seesAdmin: in, changes: again, changesAccount: again, plugin: in},
		{name: "an administrator without the set-up", become: func(t *testing.T, site *apptest.Site) *apptest.Browser {
			b := site.Browser()
			b.SignIn(site.Administrator("root@example.org"))
			return b
		}, signedIn: in, seesAdmin: toSetUp, changes: toSetUp, changesAccount: in, plugin: in, noPhone: true},
		{name: "an administrator who lost the role", become: func(t *testing.T, site *apptest.Site) *apptest.Browser {
			site.Administrator("other@example.org")
			root := site.Administrator("root@example.org")
			b := site.Browser()
			b.SignIn(root)
			must(t, site.Store.SetAdministrator(t.Context(), apptest.Command, root.ID, false, site.Now()))
			return b
		}, signedIn: in, seesAdmin: may, changes: may, changesAccount: in, plugin: in, noPhone: true},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func signedInAs(site *apptest.Site, email string) (*apptest.Browser, *apptest.Person) {
	p, b := site.Person(email), site.Browser()
	b.SignIn(p)
	return b, p
}

func signedInWithPhone(_ *testing.T, site *apptest.Site) *apptest.Browser {
	b, p := signedInAs(site, "ada@example.org")
	b.EnableTwoFactor(p)
	return b
}

func administratorWithPhone(_ *testing.T, site *apptest.Site) *apptest.Browser {
	b, p := site.Browser(), site.Administrator("root@example.org")
	b.SignIn(p)
	b.EnableTwoFactor(p)
	return b
}

func sessionOwesCode(_ *testing.T, site *apptest.Site) *apptest.Browser {
	root := site.Administrator("root@example.org")
	b := site.Browser()
	b.SignIn(root)
	b.EnableTwoFactor(root)
	site.SetActivation(auth.Activation{Plugin: auth.TwoFactorPlugin})
	b.Post("/logout", nil)
	b.SignIn(root).WantPath("/apps")
	site.Activate(auth.TwoFactorPlugin)
	return b
}

// owesCode is a browser in which the password was right and the code is owed.
func owesCode(_ *testing.T, site *apptest.Site) *apptest.Browser {
	b, ada := signedInAs(site, "ada@example.org")
	b.EnableTwoFactor(ada)
	pending := site.Browser()
	pending.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	return pending
}

// owesSetUp is a browser in which the password was right and the set-up of
// two-factor authentication is owed.
func owesSetUp(t *testing.T, site *apptest.Site) *apptest.Browser {
	ada := site.Person("ada@example.org")
	must(t, site.Store.SetMustUseTwoFactor(t.Context(), apptest.Command, ada.ID, true, site.Now()))
	b := site.Browser()
	b.SignIn(ada).WantPath("/account/two-factor")
	return b
}

func (s standing) gets(d demand) answer {
	want := s.signedIn
	switch {
	case d.need == web.Anybody:
		return ownHands
	case d.action == auth.SeeAdministration:
		want = s.seesAdmin
	case d.action == auth.ChangeAdministration:
		want = s.changes
	case d.plugin != "" && s.plugin != in:
		want = s.plugin
	case d.action != "":
		want = s.changesAccount
	}
	if d.background && (want == toLogin || want == again) {
		return nobody
	}
	return want
}

// noSuchField is in no form of ours: a form that gets as far as its page is
// refused for it, and changes nothing.
var noSuchField = url.Values{"no-such-field": {"x"}}

// ask asks for a route as its own pages would.
func ask(site *apptest.Site, b *apptest.Browser, rt web.Route) *apptest.Page {
	form := noSuchField
	if rt.Method == http.MethodGet {
		form = nil
	}
	return b.Ask(b.Request(rt.Method, addressOf(site, rt), form))
}

// addressOf names somebody or something that exists where the path has a name.
func addressOf(site *apptest.Site, rt web.Route) string {
	path := strings.NewReplacer("{$}", "", "/plugins/{id}", "/plugins/two-factor", "{change}", "disable").Replace(rt.Path)
	if !strings.Contains(path, "{id}") {
		return path
	}
	if strings.Contains(path, "/apps/{id}") {
		if open, err := site.Store.Applications(context.Background()); err == nil && len(open) > 0 {
			return strings.ReplaceAll(path, "{id}", string(open[0].ID))
		}
		return path
	}
	somebody, _, err := site.Store.Users(context.Background(), store.UserFilter{}, site.Now())
	if err != nil || len(somebody) == 0 {
		return path
	}
	return strings.ReplaceAll(path, "{id}", string(somebody[0].ID))
}

func answered(rt web.Route, page *apptest.Page) answer {
	to, _, _ := strings.Cut(page.Header.Get("Location"), "?")
	switch {
	case page.Status >= 500:
		return answer(fmt.Sprint(page.Status))
	case rt.Need == web.Anybody:
		return ownHands
	case page.Status == http.StatusSeeOther && to == "/login":
		return toLogin
	case page.Status == http.StatusSeeOther && to == "/account/two-factor":
		return toSetUp
	case page.Status == http.StatusSeeOther && to == "/login/confirm":
		return again
	case page.Status == http.StatusForbidden && page.HasButton("Send code"), page.Status == http.StatusForbidden && page.HasButton("Confirm"):
		return again
	case page.Status == http.StatusUnauthorized:
		return nobody
	case page.Status == http.StatusForbidden:
		return may
	case page.Status == http.StatusBadRequest:
		return in
	case rt.Method == http.MethodGet && (page.Status == http.StatusOK || page.Status == http.StatusGone):
		return in
	case page.Status == http.StatusNotFound && rt.Plugin == "":
		return in // and found nothing of that name
	case page.Status == http.StatusNotFound:
		return missing
	}
	return answer(fmt.Sprintf("%d to %s", page.Status, to))
}

// ofAPhone are the pages of what somebody without a phone has not got.
var ofAPhone = map[string]bool{
	"GET /account/recovery-codes":         true,
	"GET /account/authenticators":         true,
	"GET /account/authenticators/new":     true,
	"GET /account/authenticators/replace": true,
}

// Every address is asked by every kind of visitor, and none of them changes
// anything by asking.
func TestEveryRouteInEveryStanding(t *testing.T) {
	for _, s := range standings() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			site := apptest.New(t)
			site.Activate(auth.TwoFactorPlugin)
			site.Activate(auth.PasskeysPlugin)
			site.Activate(auth.OpenIDConnectPlugin)
			site.Activate(auth.ForwardAuthPlugin)
			site.Administrator("first@example.org")
			_, err := site.Store.AddApplication(t.Context(), apptest.Command,
				auth.Application{Name: "Wiki", URL: "https://wiki.example.org/", Everyone: true}, site.Now())
			must(t, err)
			b := s.become(t, site)
			before := dump(t, site)
			for _, rt := range site.Floor.Routes() {
				want := s.gets(table[nameOf(rt)])
				if want == in && (s.noPhone && ofAPhone[nameOf(rt)] || nameOf(rt) == "GET /account/passkeys/remove") { // whose, it asks
					want = missing
				}
				if got := answered(rt, ask(site, b, rt)); got != want {
					t.Errorf("%s: %s, want %s", nameOf(rt), got, want)
				}
			}
			before.wantSame(t, dump(t, site))
			for _, rt := range site.Floor.Routes() {
				look(t, site, b, rt)
			}
			before.wantSame(t, dump(t, site))
		})
	}
}

// look asks for an address as programs do that follow links and preview them.
func look(t *testing.T, site *apptest.Site, b *apptest.Browser, rt web.Route) {
	t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		if page := b.Ask(b.Request(method, addressOf(site, rt), nil)); page.Status >= 500 {
			t.Errorf("%s %s: %d", method, rt.Path, page.Status)
		}
	}
}

func TestFormsOfOtherSitesAreRefusedOnEveryRoute(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	site.Activate(auth.OpenIDConnectPlugin)
	site.Activate(auth.ForwardAuthPlugin)
	b := administratorWithPhone(t, site)
	before := dump(t, site)
	ours := string(site.Config.PublicURL)
	strangers := map[string]http.Header{
		"without an origin":                 {},
		"from another site":                 {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		"from a sibling host":               {"Origin": {"http://app.localhost:8080"}, "Sec-Fetch-Site": {"same-site"}},
		"from another port":                 {"Origin": {"http://localhost:9090"}, "Sec-Fetch-Site": {"same-site"}},
		"from another scheme":               {"Origin": {"https://localhost:8080"}},
		"from a sandbox":                    {"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}},
		"from a host that begins like ours": {"Origin": {ours + ".evil.example"}},
		"with our address as referrer only": {"Referer": {ours + "/account"}},
		"by a link or a typed address":      {"Sec-Fetch-Site": {"none"}},
		"with JSON that a form passes off":  {"Content-Type": {"text/plain"}},
		"with two origins, the second ours": {"Origin": {"https://evil.example", ours}},
	}
	for _, rt := range site.Floor.Routes() {
		if rt.Method == http.MethodGet || rt.Foreign {
			continue
		}
		for from, header := range strangers {
			r := b.Request(rt.Method, addressOf(site, rt), url.Values{})
			r.Header.Del("Origin")
			maps.Copy(r.Header, header)
			if page := b.Ask(r); page.Status != http.StatusForbidden {
				t.Errorf("%s %s: %d, want 403", nameOf(rt), from, page.Status)
			}
		}
	}
	before.wantSame(t, dump(t, site))
}

// A login on its way gets no further than its own step, whatever it brings.
func TestALoginOnItsWayOpensNothingElse(t *testing.T) {
	for name, become := range map[string]func(*testing.T, *apptest.Site) *apptest.Browser{
		"the code is owed": owesCode, "the set-up is owed": owesSetUp,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := apptest.New(t)
			site.Activate(auth.TwoFactorPlugin)
			b := become(t, site)
			attempt := url.Values{"attempt": {pendingAttempt(t, site)}}
			for _, rt := range site.Floor.Routes() {
				if rt.Need == web.Anybody {
					continue
				}
				page := b.Ask(b.Request(rt.Method, addressOf(site, rt)+"?"+attempt.Encode(), attempt))
				if got := answered(rt, page); got != toLogin && got != nobody {
					t.Errorf("%s: %s", nameOf(rt), got)
				}
				if b.Cookie("twinlock") != "" {
					t.Fatalf("%s gave a session", nameOf(rt))
				}
			}
			b.Get("/account/two-factor").WantPath("/login")
			if name == "the code is owed" {
				b.Get("/account/two-factor?" + attempt.Encode()).WantPath("/login")
				b.Post("/account/two-factor", attempt).WantPath("/login")
			} else {
				b.Get("/login/code?" + attempt.Encode()).WantPath("/login")
				b.Post("/login/code", url.Values{"attempt": attempt["attempt"], "code": {"123456"}}).WantPath("/login")
			}
			if b.Cookie("twinlock") != "" {
				t.Error("a session came of it")
			}
		})
	}
}
