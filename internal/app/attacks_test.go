package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/web"
)

// opensList tells whether a cookie opens the application list.
func opensList(site *apptest.Site, cookie string) bool {
	thief := site.Browser()
	thief.SetCookie("twinlock", cookie)
	return thief.Ask(thief.Request(http.MethodGet, "/apps", nil)).Status == http.StatusOK
}

// Whoever put a cookie into the browser before, or copied one on the way, has
// nothing of what the person proves afterwards.
func TestEachProofGivesANewCookieAndTheOneBeforeIsDead(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada, b := site.Person("ada@example.org"), site.Browser()
	planted := strings.Repeat("A", 43)
	b.SetCookie("twinlock", planted)
	before := planted
	for _, step := range []struct {
		proves string
		does   func()
	}{
		{"the password", func() { b.SignIn(ada).WantPath("/apps") }},
		{"the set-up", func() { b.EnableTwoFactor(ada) }},
		{"password and code once more", func() {
			site.Clock.Turn(16 * time.Minute)
			page := b.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", nextPassword).Press()
			page.Form("Send code").Fill("Login code", ada.Code()).Press().WantStatus(http.StatusOK)
		}},
	} {
		step.does()
		now := b.Cookie("twinlock")
		if now == before || !opensList(site, now) {
			t.Errorf("after %s the cookie is the same: %v; it opens the list: %v", step.proves, now == before, opensList(site, now))
		}
		if opensList(site, before) {
			t.Errorf("after %s the cookie of before still opens the list", step.proves)
		}
		before = now
	}
}

const nextPassword = "eleven quiet foxes near Delft"

// endings are what ends a person's live sessions elsewhere.
var endings = map[string]func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser){
	"ended from the list": func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser) {
		elsewhere.Get("/account/sessions").Form("End session").Press().WantPath("/account/sessions")
	},
	"all others ended": func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser) {
		elsewhere.Get("/account/sessions").Form("End all others").Press().WantPath("/account/sessions")
	},
	"password changed": func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser) {
		elsewhere.Get("/account").Form("Change password").Fill("Current password", ada.Password).
			Fill("New password", nextPassword).Press().WantPath("/account")
	},
	"password reset": func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser) {
		b := site.Browser()
		b.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
		b.Get(apptest.Link(t, site.Mail.Last(t, ada.Address))).Form("Set new password").Fill("New password", nextPassword).Press().WantPath("/login")
	},
	"two-factor authentication disabled": func(t *testing.T, site *apptest.Site, ada *apptest.Person, elsewhere *apptest.Browser) {
		elsewhere.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.Code()).Press().WantPath("/account")
	},
	"factors cleared": func(t *testing.T, site *apptest.Site, ada *apptest.Person, _ *apptest.Browser) {
		must(t, site.Store.ClearFactors(t.Context(), apptest.Command, ada.ID, "lost the phone", site.Now()))
	},
	"ended by an administrator": func(t *testing.T, site *apptest.Site, ada *apptest.Person, _ *apptest.Browser) {
		_, err := site.Store.EndSessions(t.Context(), apptest.Command, ada.ID, "", "ended by the administrator", site.Now())
		must(t, err)
	},
	"disabled": func(t *testing.T, site *apptest.Site, ada *apptest.Person, _ *apptest.Browser) {
		must(t, site.Store.DisableUser(t.Context(), apptest.Command, ada.ID, site.Now()))
	},
	"deleted": func(t *testing.T, site *apptest.Site, ada *apptest.Person, _ *apptest.Browser) {
		must(t, site.Store.DeleteUser(t.Context(), apptest.Command, ada.ID, site.Now()))
	},
}

func TestACopiedCookieIsDeadAfterEveryEnding(t *testing.T) {
	for what, end := range endings {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			site := apptest.New(t)
			site.Activate(auth.TwoFactorPlugin)
			ada, b, elsewhere := site.Person("ada@example.org"), site.Browser(), site.Browser()
			b.SignIn(ada)
			b.EnableTwoFactor(ada)
			site.Clock.Turn(time.Minute)
			elsewhere.SignIn(ada).WantPath("/apps")
			site.Clock.Turn(time.Minute)
			copied := b.Cookie("twinlock")
			if !opensList(site, copied) {
				t.Fatal("a live session opens nothing")
			}
			end(t, site, ada, elsewhere)
			if opensList(site, copied) {
				t.Error("the copied cookie still opens the list")
			}
		})
	}
}

// A link to the login may name where the visitor was going. It leads nowhere
// else than to pages of this server.
func TestALinkToTheLoginLeadsToNoOtherSite(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	ours := string(site.Config.PublicURL)
	for _, evil := range []string{
		"//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example", "HTTPS://evil.example/",
		ours + "@evil.example", ours + ".evil.example", "//localhost:8080@evil.example", "/%2fevil.example", "/%2f%2fevil.example", "%2f%2fevil.example",
		"/%5cevil.example", "javascript:alert(1)", "java\tscript:alert(1)", "/\t/evil.example", "/\r\nSet-Cookie: twinlock=x", "/\x00/evil.example",
		"data:text/html,x", " //evil.example", "/.//evil.example", "http://", "///evil.example", "/" + strings.Repeat("a", 9000), "/login", "/logout",
	} {
		b := site.Browser()
		page := b.Ask(b.Request(http.MethodPost, "/login", url.Values{"email": {ada.Address}, "password": {ada.Password}, "next": {evil}}))
		if page.Status == http.StatusBadRequest && page.Header.Get("Location") == "" {
			continue // no form of ours sends that
		}
		to, err := b.Request(http.MethodGet, "/login", nil).URL.Parse(page.Header.Get("Location"))
		if page.Status != http.StatusSeeOther || err != nil || to.Host != "localhost:8080" || page.Header.Get("Set-Cookie") == "" {
			t.Errorf("%q leads to %q, %v", evil, page.Header.Get("Location"), err)
		}
		signedIn := b.Ask(b.Request(http.MethodGet, "/login?"+url.Values{"next": {evil}}.Encode(), nil)).Header.Get("Location")
		if signedIn != "" && (!strings.HasPrefix(signedIn, "/") || strings.HasPrefix(signedIn, "//") || strings.Contains(signedIn, "evil") && !strings.HasPrefix(signedIn, "/.//")) {
			t.Errorf("%q leads whoever is signed in to %q", evil, signedIn)
		}
	}
}

// A thief who changes something cannot keep its owner from hearing of it.
func TestTheOwnerIsToldOfEveryChangeOfWhatProtectsTheAccount(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.SignIn(ada)
	seen, moved := 0, "ada.new@example.org"
	hears := func(what, at string, kinds ...mail.Kind) {
		t.Helper()
		site.Clock.Turn(time.Minute) // the next code
		letters := site.Mail.To(t, at)
		for _, kind := range kinds {
			if !slices.ContainsFunc(letters, func(l mail.Message) bool { return l.Kind == kind }) {
				t.Errorf("%s: %s gets %v, want %s", what, at, site.Mail.Kinds(t, at), kind)
			}
		}
		for _, letter := range letters {
			for _, hidden := range append(ada.RecoveryCodes, ada.Password, nextPassword) {
				if strings.Contains(letter.Text, hidden) || strings.Contains(letter.HTML, hidden) {
					t.Errorf("%s: the letter %s says %q", what, letter.Kind, hidden)
				}
			}
		}
		seen++
	}
	b.EnableTwoFactor(ada)
	hears("enabling", ada.Address, mail.Kind(auth.LetterTwoFactorEnabled))
	b.Get("/account/recovery-codes").Form("Generate new codes").Fill("Login code", ada.Code()).Press().WantStatus(http.StatusOK)
	hears("new recovery codes", ada.Address, mail.Kind(auth.LetterRecoveryCodesAnew))
	b.Get("/account").Form("Change password").Fill("Current password", ada.Password).Fill("New password", nextPassword).Press().WantPath("/account")
	ada.Password = nextPassword
	hears("a new password", ada.Address, mail.Kind(auth.LetterPasswordChanged))
	b.Get("/account/two-factor").Form("Disable").Fill("Login code", ada.Code()).Press().WantPath("/account")
	hears("disabling", ada.Address, mail.Kind(auth.LetterTwoFactorDisabled))
	codes := b.EnableTwoFactor(ada).List("Recovery codes")
	site.Clock.Turn(time.Minute)
	thief := site.Browser()
	thief.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().
		Form("Send code").Fill("Login code", codes[0]).Press().WantStatus(http.StatusOK)
	hears("a recovery code", ada.Address, mail.Kind(auth.LetterRecoveryCodeUsed), mail.Kind(auth.LetterNewDevice))
	b.Get("/account").Form("Change address").Fill("New email address", moved).Press().WantPath("/account")
	b.Get(apptest.Link(t, site.Mail.Last(t, moved))).Form("Change address").Press().WantPath("/account")
	hears("a new address", ada.Address, mail.Kind(auth.LetterAddressChangedOld))
	hears("a new address", moved, mail.Kind(auth.LetterAddressChangedNew))
	if seen != 7 {
		t.Errorf("%d changes were made", seen)
	}
}

// Fields that a form does not have change nothing, and are refused.
func TestTheSettingsTakeNoOtherFields(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.SignIn(ada)
	before := dump(t, site)
	forms := map[string]url.Values{
		"/account/name":     {"name": {"Ada"}},
		"/account/password": {"current-password": {ada.Password}, "new-password": {nextPassword}, "username": {ada.Address}},
		"/account/address":  {"email": {"new@example.org"}},
	}
	for address, form := range forms {
		for _, more := range []url.Values{{"role": {"administrator"}}, {"administrator": {"1"}}, {"two_factor": {"false"}}, {"two_factor_since": {"0"}},
			{"verified": {"true"}}, {"state": {"active"}}, {"id": {"1"}}, {"must_use_two_factor": {"0"}}} {
			with := url.Values{}
			for _, values := range []url.Values{form, more} {
				for name, value := range values {
					with[name] = value
				}
			}
			b.Once(address, with).WantStatus(http.StatusBadRequest)
		}
		for name := range form { // and no field comes twice, or as a list
			twice, listed := url.Values{}, url.Values{}
			for other, value := range form {
				twice[other], listed[other] = value, value
			}
			twice[name] = append(slices.Clone(form[name]), "another")
			delete(listed, name)
			listed[name+"[]"] = form[name]
			b.Once(address, twice).WantStatus(http.StatusBadRequest)
			b.Once(address, listed).WantStatus(http.StatusBadRequest)
		}
	}
	before.wantSame(t, dump(t, site))
}

// No page shows an administrator what lets somebody in: not the hash of a
// password, not a key, no code, no token, of anybody.
func TestNoPageShowsAnAdministratorWhatLetsPeopleIn(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	eli, b := site.Administrator("eli@example.org"), site.Browser()
	ada, hers := site.Person("ada@example.org"), site.Browser()
	hers.SignIn(ada)
	key := strings.ReplaceAll(hers.Get("/account/two-factor").Definition("Secret key"), " ", "")
	codes := hers.EnableTwoFactor(ada).List("Recovery codes")
	site.Browser().Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
	letters := site.Mail.To(t, ada.Address)
	link := apptest.Link(t, letters[slices.IndexFunc(letters, func(l mail.Message) bool { return l.Kind == mail.Kind(auth.LetterReset) })])
	b.SignIn(eli)
	b.EnableTwoFactor(eli)
	db := database(t, site)
	hidden := append(codes, key, ada.Password, hers.Cookie("twinlock"), link[len(link)-43:])
	hidden = append(hidden, texts(t, db, `SELECT password_hash FROM users WHERE canonical = ?`, ada.Address)...)
	if len(hidden) != 15 || slices.Contains(hidden, "") {
		t.Fatalf("%d things are to be hidden", len(hidden))
	}
	pages := []string{"/admin/users/" + string(ada.ID)}
	for _, rt := range site.Floor.Routes() {
		if rt.Need == web.Administrator && rt.Method == http.MethodGet && !strings.Contains(rt.Path, "{") {
			pages = append(pages, rt.Path)
		}
	}
	for _, address := range pages {
		page := b.Get(address).WantStatus(http.StatusOK)
		for _, h := range hidden {
			if strings.Contains(page.Body, h) || strings.Contains(page.Body, strings.ReplaceAll(h, "-", "")) {
				t.Errorf("%s shows %q", address, h)
			}
		}
	}
	if page := b.Get(pages[0]); !page.Says(ada.Address) {
		t.Error("the page of the person is another's")
	}
}

// What strangers and people write is text on every page, whoever reads it.
func TestNobodyCanPutAScriptOnAPage(t *testing.T) {
	site := apptest.New(t)
	const script = `"><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}`
	eli, b := site.Administrator("eli@example.org"), site.Browser()
	ada, hers := site.Person("ada@example.org"), site.Browser()
	hers.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) "+script+" Firefox/140.0")
	hers.SignIn(ada)
	hers.Get("/account").Form("Save").Fill("Name", script).Press().WantPath("/account")
	must(t, ignoring(site.Store.AddApplication(t.Context(), apptest.Command,
		auth.Application{Name: script, Description: script, URL: "https://wiki.example.org/?" + script, Everyone: true}, site.Now())))
	must(t, ignoring(site.Store.AddGroup(t.Context(), apptest.Command, "<script>x", site.Now())))
	b.SignIn(eli)
	for from, addresses := range map[*apptest.Browser][]string{
		hers: {"/apps", "/account", "/account/sessions", "/login?" + url.Values{"next": {script}, "email": {script}, "again": {script}}.Encode(), "/" + url.PathEscape(script)},
		b:    {"/admin", "/admin/users", "/admin/users/" + string(ada.ID), "/admin/apps", "/admin/groups", "/admin/events", "/admin/plugins", "/admin/users?" + url.Values{"search": {script}}.Encode()},
	} {
		for _, address := range addresses {
			page := from.Get(address)
			for _, live := range []string{"<script>alert", "<script>x", "<img src=x"} {
				if strings.Contains(page.Body, live) {
					t.Errorf("%s has %s", address, live)
				}
			}
		}
	}
}

func ignoring[T any](_ T, err error) error { return err }

// The policies that keep scripts, frames, caches and guesses at types away
// stand on every answer, refusals and unknown addresses included.
func TestEveryAnswerForbidsFramesScriptsAndCaches(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.TwoFactorPlugin)
	site.Activate(auth.OpenIDConnectPlugin)
	site.Activate(auth.ForwardAuthPlugin)
	for who, b := range map[string]*apptest.Browser{"a stranger": site.Browser(), "an administrator": administratorWithPhone(t, site)} {
		asks := map[string]*http.Request{"no such page": b.Request(http.MethodGet, "/no/such/page", nil), "no such method": b.Request(http.MethodPut, "/login", nil)}
		for _, rt := range site.Floor.Routes() {
			asks[nameOf(rt)] = b.Request(rt.Method, addressOf(site, rt), url.Values{})
		}
		for name, r := range asks {
			h := b.Ask(r).Header
			policy := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s, %s: the policy %q lacks %s", who, name, policy, part)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
				t.Errorf("%s, %s: the policy is %q", who, name, policy)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Server") != "" ||
				!strings.HasPrefix(name, "GET /assets") && !strings.Contains(h.Get("Cache-Control"), "no-store") && !isPublicKeys(name) {
				t.Errorf("%s, %s: %v", who, name, h)
			}
		}
	}
}

// isPublicKeys tells what applications may keep for a while.
func isPublicKeys(route string) bool {
	return slices.Contains([]string{"GET /oidc/keys", "GET /.well-known/openid-configuration"}, route)
}

// After a logout the browser forgets what it showed.
func TestALogoutClearsWhatTheBrowserKept(t *testing.T) {
	site := apptest.New(t)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.SignIn(ada)
	if got := b.Once("/logout", nil).Header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data is %s", got)
	}
	b.Get("/account").WantPath("/login")
	for _, method := range []string{http.MethodGet, http.MethodHead} { // by an image, or a link
		again := site.Browser()
		again.SignIn(ada)
		again.Ask(again.Request(method, "/logout", nil))
		again.Get("/apps").WantPath("/apps")
	}
}

// A body that no form of ours has is not read to its end, and no hash is
// computed of it.
func TestAPasswordOfAMegabyteIsRefusedUnread(t *testing.T) {
	site := apptest.New(t)
	ada := site.Person("ada@example.org")
	for size, want := range map[int]int{1 << 20: http.StatusRequestEntityTooLarge, 60 << 10: http.StatusUnprocessableEntity} {
		b := site.Browser()
		begun := time.Now()
		b.Once("/login", url.Values{"email": {ada.Address}, "password": {strings.Repeat("a", size)}, "next": {""}}).WantStatus(want)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%d bytes took %s", size, took)
		}
	}
	fields := url.Values{"email": {ada.Address}, "password": {ada.Password}, "next": {""}}
	for i := range 3000 {
		fields.Set(fmt.Sprintf("f%d", i), "x")
	}
	site.Browser().Once("/login", fields).WantStatus(http.StatusBadRequest)
}
