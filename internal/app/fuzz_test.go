package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/app"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store"
)

// FuzzEveryRoute: whatever anybody sends to whichever address, nothing falls
// over, and nothing changes that is another's: no account, no session, no group,
// no application and no setting. An administrator whose proof is fresh may change
// all that, and is only asked whether anything falls over. Nobody is led anywhere
// but to addresses of ours and of applications that there are.
func FuzzEveryRoute(f *testing.F) {
	town := build(f)
	for route, name := range town.routes {
		form, place := formsToFuzz[name], placeIn(name)
		f.Add(uint8(route), uint8(route), uint8(0), place, "next=/apps&search=x&page=2", form)
		if strings.HasPrefix(name, "POST ") {
			for who, v := range town.visitors {
				if strings.HasPrefix(v.name, "a person") || strings.HasPrefix(v.name, "an administrator") {
					f.Add(uint8(who), uint8(route), uint8(0), place, "", form)
				}
			}
			f.Add(uint8(route+1), uint8(route), uint8(1<<(route%8)), "x", "token=aaaa", form+"&no-such-field=x")
		}
	}
	town.addAstray(f)
	f.Fuzz(func(t *testing.T, who, route, how uint8, place, query, body string) {
		visitor := town.visitors[int(who)%len(town.visitors)]
		r := town.request(town.routes[int(route)%len(town.routes)], how, place, query, body)
		if r == nil {
			return
		}
		r.Header.Set("Cookie", visitor.cookies)
		w := httptest.NewRecorder()
		town.site.Handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s: %s %s with %q: %d", visitor.name, r.Method, r.URL, body, w.Code)
		}
		for _, to := range w.Header()["Location"] {
			if !mayLead(r.URL, to) {
				t.Errorf("%s: %s %s with %q leads to %q", visitor.name, r.Method, r.URL, body, to)
			}
		}
		if !town.changed(t) {
			return
		}
		if !visitor.mayChangeAll {
			visitor.others.wantSame(t, town.othersRows(t, visitor.id))
		}
		town.begin(t)
	})
}

// addAstray begins with the pages of visitors, and with every form that says where its
// visitor goes on, where it is somebody else who says it.
func (t *town) addAstray(f *testing.F) {
	addresses := []string{"//evil.example/", `/\evil.example/`, "https://evil.example/"}
	for route, name := range t.routes {
		for who := range t.visitors {
			astray := func(fields string) string {
				return leading.ReplaceAllString(fields, "${1}"+url.QueryEscape(addresses[(who+route)%len(addresses)]))
			}
			form, query := formsToFuzz[name], "next=/&back=/&client_id=CLIENT&redirect_uri=/&post_logout_redirect_uri=/&response_type=code"
			if strings.HasPrefix(name, "GET ") && !strings.HasPrefix(name, "GET /admin") || astray(form) != form {
				f.Add(uint8(who), uint8(route), uint8(0), placeIn(name), astray(query), astray(form))
			}
		}
	}
}

// leading are fields that say where a visitor goes on.
var leading = regexp.MustCompile(`\b(next=|back=|redirect_uri=|post_logout_redirect_uri=)[^&]*`)

// mayLead tells whether a visitor may be sent there: to us, to the application behind
// a proxy, and to the one address that the other application registered, with an answer.
func mayLead(from *url.URL, location string) bool {
	switch apptest.LeadsTo(from, location) {
	case "http://localhost:8080", "https://wiki.example.org":
		return true
	case "https://board.example.org":
		registered, _, _ := strings.Cut(location, "?")
		return registered == "https://board.example.org/"
	}
	return false
}

// heldForm is a form that waits until the person has proved the password anew.
func heldForm(f *testing.F, b *apptest.Browser) string {
	page := b.Once("/account/address", url.Values{"email": {"taken@example.org"}})
	_, after, found := strings.Cut(page.Body, `name="held" value="`)
	held, _, _ := strings.Cut(after, `"`)
	if !found || held == "" {
		f.Fatalf("no form is held: %d %s", page.Status, page.Text())
	}
	return held
}

// FuzzHeldForm: what goes on after a proof is the form that was held for this
// session, byte for byte, and nothing else.
func FuzzHeldForm(f *testing.F) {
	town := build(f)
	held := town.held
	f.Add(held)
	f.Add(town.othersHeld)
	f.Add("A" + held[1:])
	f.Add(held[:len(held)-1])
	f.Add(held + "A")
	f.Add(held[:40] + town.othersHeld[40:])
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"Path":"/account/name","Values":{"name":["taken"]}}`)))
	for _, made := range []string{"A", "=", "%", "\x00", " ", strings.Repeat("A", 10000)} {
		f.Add(made)
	}
	right, _ := base64.RawURLEncoding.DecodeString(held)
	visitor := town.visitors[slices.IndexFunc(town.visitors, func(v fuzzVisitor) bool { return strings.HasPrefix(v.name, "a person without a phone") })]
	f.Fuzz(func(t *testing.T, held string) {
		if held == "" {
			return // nothing waited
		}
		r := town.request("POST /login/confirm", 0, "", "", url.Values{"password": {apptest.Password}, "held": {held}, "next": {""}, "ask": {""}}.Encode())
		r.Header.Set("Cookie", visitor.cookies)
		w := httptest.NewRecorder()
		town.site.Handler.ServeHTTP(w, r)
		raw, err := base64.RawURLEncoding.DecodeString(held)
		if ours := err == nil && bytes.Equal(raw, right); ours != (w.Code < 400) || w.Code >= 500 {
			t.Errorf("%q: %d", held, w.Code)
		}
		visitor.others.wantSame(t, town.othersRows(t, visitor.id))
		town.begin(t)
	})
}

// placeIn is what an address with a name in it is about.
func placeIn(route string) string {
	switch {
	case strings.Contains(route, "/users/"):
		return "VICTIM"
	case strings.Contains(route, "/groups/"):
		return "GROUP"
	case strings.Contains(route, "/plugins/"):
		return "two-factor"
	case strings.Contains(route, "/openid"), strings.Contains(route, "/secret"):
		return "CLIENT"
	}
	return "WIKI"
}

// town is a site with everybody in it, kept as a folder to begin from. The site
// stays until something is changed.
type town struct {
	folder   string
	now      time.Time
	routes   []string
	visitors []fuzzVisitor
	names    *strings.Replacer // of what there is

	held, othersHeld string // a form that waits for a proof, and one of another session

	copies  string // where copies of the folder are made
	site    *app.App
	db      *sql.DB
	version int64 // of the database, as SQLite counts them
}

type fuzzVisitor struct {
	name         string
	id           auth.UserID
	cookies      string
	mayChangeAll bool
	others       rows // that are not the visitor's
}

func build(f *testing.F) *town {
	site := apptest.New(f)
	for _, plugin := range []auth.PluginID{auth.TwoFactorPlugin, auth.PasskeysPlugin, auth.OpenIDConnectPlugin, auth.ForwardAuthPlugin} {
		site.Activate(plugin)
	}
	wiki, err := site.Store.AddApplication(f.Context(), apptest.Command,
		auth.Application{Name: "Wiki", URL: "https://wiki.example.org/", Everyone: true}, site.Now())
	fail(f, err)
	client, _, err := site.Store.AddClient(f.Context(), apptest.Command, auth.Application{Name: "Board", Everyone: true},
		auth.Client{RedirectURIs: []string{"https://board.example.org/"}}, site.Now())
	fail(f, err)
	group, err := site.Store.AddGroup(f.Context(), apptest.Command, "Staff", site.Now())
	fail(f, err)
	victim := site.Person("victim@example.org")
	site.Browser().SignIn(victim)
	victims := site.Browser()
	victims.SignIn(victim)
	victims.EnableTwoFactor(victim)
	t := &town{copies: f.TempDir()}
	signedIn := func(name string, p *apptest.Person) *apptest.Browser {
		b := site.Browser()
		b.SignIn(p)
		b.EnableTwoFactor(p)
		t.add(name, p.ID, b)
		return b
	}
	signedIn("lapsed", site.Person("lapsed@example.org"))
	site.Clock.Turn(45 * time.Minute)
	holding, other := site.Browser(), site.Browser()
	bare := site.Person("bare@example.org")
	holding.SignIn(bare)
	other.SignIn(bare)
	signedIn("a person whose proofs are old", site.Person("old@example.org"))
	signedIn("an administrator whose code is old", site.Administrator("old-root@example.org"))
	site.Clock.Turn(16 * time.Minute)
	ada := site.Person("ada@example.org")
	signedIn("a person", ada)
	t.add("a person without a phone whose proof is old", bare.ID, holding)
	t.held, t.othersHeld = heldForm(f, holding), heldForm(f, other)
	site.Clock.Turn(time.Minute)
	pending := site.Browser()
	pending.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password).Press().WantPath("/login/code")
	t.add("a login that owes the code", ada.ID, pending)
	t.add("nobody", "", site.Browser())
	root := site.Administrator("root@example.org")
	signedIn("an administrator", root)
	t.visitors[len(t.visitors)-1].mayChangeAll = true

	for _, rt := range site.Floor.Routes() {
		t.routes = append(t.routes, nameOf(rt))
	}
	slices.Sort(t.routes)
	sessions, err := site.Store.Sessions(f.Context(), victim.ID)
	fail(f, err)
	t.names = strings.NewReplacer("SESSION", string(sessions[0].ID), "VICTIM", string(victim.ID), "WIKI", string(wiki.ID), "CLIENT", string(client.ID), "GROUP", string(group.ID),
		"ROOT", string(root.ID), "ADA", string(ada.ID))
	t.folder = filepath.Join(f.TempDir(), "town")
	site.Restart() // everything is in the files
	t.now = site.Clock.Now()
	fail(f, os.CopyFS(t.folder, os.DirFS(site.Config.Data)))
	t.begin(f)
	f.Cleanup(func() { t.end(f) })
	for i, v := range t.visitors {
		t.visitors[i].others = t.othersRows(f, v.id)
	}
	return t
}

func (t *town) add(name string, id auth.UserID, b *apptest.Browser) {
	var cookies []string
	for _, cookie := range []string{"twinlock", "twinlock-login", "twinlock-device"} {
		if value := b.Cookie(cookie); value != "" {
			cookies = append(cookies, cookie+"="+value)
		}
	}
	t.visitors = append(t.visitors, fuzzVisitor{name: name, id: id, cookies: strings.Join(cookies, "; ")})
}

// begin opens the site as it was in the beginning.
func (t *town) begin(now testing.TB) {
	t.end(now)
	folder, err := os.MkdirTemp(t.copies, "")
	fail(now, err)
	fail(now, os.CopyFS(filepath.Join(folder, "data"), os.DirFS(t.folder)))
	fail(now, os.Chmod(filepath.Join(folder, "data", "keys", "sealing.key"), 0o600))
	c, err := config.Load(map[string]string{"data": filepath.Join(folder, "data"), "hash_slots": "2"}, nil, "")
	fail(now, err)
	t.site, err = app.New(context.Background(), c, app.Options{HashCost: apptest.HashCost, Now: func() time.Time { return t.now },
		Outgoing: &apptest.Mail{}, Log: slog.New(slog.DiscardHandler)})
	fail(now, err)
	fail(now, t.site.ObeySettings(context.Background()))
	t.db, err = sql.Open("sqlite", strings.TrimPrefix(c.DatabaseURL.Reveal(), "sqlite:")+"?mode=ro")
	fail(now, err)
	t.db.SetMaxOpenConns(1) // one counts
	t.changed(now)
}

// end closes the site and removes what it had.
func (t *town) end(now testing.TB) {
	if t.site == nil {
		return
	}
	fail(now, t.db.Close())
	fail(now, t.site.Close())
	fail(now, os.RemoveAll(filepath.Dir(t.site.Config.Data)))
}

// changed tells whether anything was written since it was asked last.
func (t *town) changed(now testing.TB) bool {
	var version int64
	fail(now, t.db.QueryRow("PRAGMA data_version").Scan(&version))
	before := t.version
	t.version = version
	return version != before
}

func fail(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request is one to a route, in the way that the bits of how say.
func (t *town) request(route string, how uint8, place, query, body string) *http.Request {
	method, path, _ := strings.Cut(route, " ")
	path = strings.ReplaceAll(path, "{$}", "")
	path = pathValue.ReplaceAllLiteralString(path, url.PathEscape(t.names.Replace(place)))
	if how&1 != 0 {
		method = []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch, "QUERY"}[how>>5]
	}
	r, err := http.NewRequest(method, "http://localhost:8080"+path, strings.NewReader(t.names.Replace(body)))
	if err != nil {
		return nil
	}
	r.URL.RawQuery = t.names.Replace(query)
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:40000"
	r.Header.Set("Origin", "http://localhost:8080")
	switch how >> 1 & 3 {
	case 1:
		r.Header.Set("Origin", "https://evil.example")
	case 2:
		r.Header.Del("Origin")
	}
	r.Header.Set("Content-Type", []string{"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", ""}[how>>3&3])
	return r
}

// anybodys are tables to which anybody may add: what was tried and from where,
// letters and the links in them, sign-ups, logins on their way, and what counts
// them. Nothing in them lets anybody in by itself.
var anybodys = []string{"throttle", "events", "letters", "links", "signups", "attempts", "sign_ins", "nodes", "duties", "clock"}

// othersRows is what the database holds that is not the visitor's own: rows that
// name neither the visitor nor something that does.
func (t *town) othersRows(now testing.TB, visitor auth.UserID) (all rows) {
	now.Helper()
	own := map[string]bool{string(visitor): visitor != ""}
	for _, table := range store.Tables {
		if slices.Contains(anybodys, table.Name) {
			continue
		}
		found, err := valuesOf(t.db, table.Name)
		fail(now, err)
		for _, row := range found {
			if slices.ContainsFunc(row, func(value string) bool { return own[value] }) {
				own[row[0]] = len(row[0]) > 8 // what it is called
				continue
			}
			all = append(all, table.Name+": "+strings.Join(row, " "))
		}
	}
	return all
}

func valuesOf(db *sql.DB, table string) (all [][]string, err error) {
	found, err := db.Query(fmt.Sprintf("SELECT * FROM %q", table))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns, err := found.Columns()
	for err == nil && found.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		err = found.Scan(into...)
		text := make([]string, len(row))
		for i, value := range row {
			text[i] = fmt.Sprint(value)
		}
		all = append(all, text)
	}
	return all, err
}

// formsToFuzz are what the forms send, to begin from.
var formsToFuzz = map[string]string{
	"POST /preferences":                    "language=de&theme=dark&back=/account",
	"POST /login":                          "email=victim@example.org&password=seven+grey+herons+over+Utrecht&next=/apps",
	"POST /login/passkey":                  "ceremony=aaaa&passkey=%7B%22id%22%3A%22AA%22%7D&next=/apps",
	"POST /login/passkey/begin":            "attempt=ATTEMPT",
	"POST /login/code":                     "attempt=ATTEMPT&code=123456&ceremony=&passkey=&way=authenticator",
	"POST /login/back":                     "attempt=ATTEMPT",
	"POST /login/confirm":                  "password=seven+grey+herons+over+Utrecht&code=123456&next=/admin&held=&ask=",
	"POST /login/window":                   "password=seven+grey+herons+over+Utrecht&secret=aaaa",
	"POST /login/window/state":             "",
	"POST /login/window/stay":              "",
	"POST /login/unlock":                   "token=aaaa",
	"POST /logout":                         "",
	"POST /forgot-password":                "email=victim@example.org&next=/apps",
	"POST /forgot-password/again":          "email=victim@example.org",
	"POST /forgot-password/new":            "token=aaaa&password=nine+white+gulls+over+Delft&code=123456",
	"POST /forgot-password/unlock":         "token=aaaa",
	"POST /register":                       "email=new@example.org&password=nine+white+gulls+over+Delft&next=/apps",
	"POST /register/again":                 "email=victim@example.org",
	"POST /register/confirm":               "token=aaaa&password=nine+white+gulls+over+Delft",
	"POST /invitation":                     "token=aaaa&name=Vic&password=nine+white+gulls+over+Delft",
	"POST /password-strength":              "password=nine+white+gulls&email=victim@example.org&name=Vic",
	"POST /setup":                          "token=aaaa&email=root@example.org&password=nine+white+gulls+over+Delft",
	"POST /account/name":                   "name=Ada",
	"POST /account/language":               "language=de",
	"POST /account/password":               "current-password=seven+grey+herons+over+Utrecht&new-password=nine+white+gulls+over+Delft&username=victim@example.org",
	"POST /account/address":                "email=victim@example.org",
	"POST /account/address/confirm":        "token=aaaa",
	"POST /account/sessions/end":           "session=SESSION",
	"POST /account/sessions/end-others":    "",
	"POST /account/applications/withdraw":  "application=CLIENT",
	"POST /account/passkeys/new":           "attempt=&next=/apps&ceremony=aaaa&passkey=%7B%22id%22%3A%22AA%22%7D",
	"POST /account/passkeys/rename":        "id=aaaa&name=Phone",
	"POST /account/passkeys/remove":        "id=aaaa",
	"POST /account/authenticators/new":     "set-up=aaaa&code=123456&name=Phone",
	"POST /account/authenticators/replace": "id=aaaa&set-up=aaaa&code=123456",
	"POST /account/authenticators/rename":  "id=aaaa&name=Phone",
	"POST /account/authenticators/remove":  "id=aaaa",
	"POST /account/two-factor":             "attempt=&next=/apps&set-up=aaaa&code=123456",
	"POST /account/two-factor/disable":     "code=123456",
	"POST /account/recovery-codes":         "code=123456",
	"POST /account/recovery-codes/saved":   "saved=on&next=/apps",
	"POST /oidc/consent":                   "waiting=aaaa&person=VICTIM&answer=allow",
	"POST /oidc/authorize":                 "client_id=CLIENT&redirect_uri=https://board.example.org/&response_type=code&scope=openid",
	"POST /oidc/logout":                    "client_id=CLIENT&post_logout_redirect_uri=https://board.example.org/",
	"POST /oidc/logout/confirm":            "leaving=aaaa",
	"POST /oidc/token":                     "grant_type=authorization_code&client_id=CLIENT&code=aaaa&code_verifier=x&redirect_uri=https://board.example.org/",
	"POST /oidc/revoke":                    "token=aaaa&client_id=CLIENT",
	"POST /admin/plugins/{id}":             "active=on&whom=some&people=victim@example.org&group-GROUP=on&really=yes&losing=&code=123456",
	"POST /admin/users/invite":             "email=new@example.org&name=New",
	"POST /admin/invitations/list":         "list=new@example.org,New&checked=&send=yes",
	"POST /admin/users/{id}/{change}":      "group-GROUP=on&reason=lost&really=yes&losing=&code=123456",
	"POST /admin/groups":                   "name=Guests",
	"POST /admin/groups/{id}":              "name=Crew&window=60&losing=&code=123456",
	"POST /admin/groups/{id}/delete":       "really=yes&losing=&code=123456",
	"POST /admin/apps":                     "kind=proxy&name=Chat&description=&url=https://chat.example.org/&hosts=chat.example.net&whom=everyone&people=&redirect-uris=&public=&recipe=",
	"POST /admin/apps/{id}":                "name=Chat&description=x&url=https://chat.example.org/&hosts=chat.example.net&whom=some&people=victim@example.org&group-GROUP=on&seen=&really=yes",
	"POST /admin/apps/{id}/openid":         "seen=&redirect-uris=https://board.example.org/&logout-uris=&logout-notice=&scope-profile=on&scope-email=on&pkce=on&consent=on&rsa=",
	"POST /admin/apps/{id}/secret":         "really=yes",
	"POST /admin/apps/{id}/rules":          "host=wiki.example.org&path=/public&access=public&group=GROUP&minutes=15&seen=&really=yes",
	"POST /admin/apps/{id}/rules/change":   "up=1&down=&delete=&seen=&really=yes",
	"POST /admin/apps/{id}/two-factor":     "require=on&seen=&really=yes",
	"POST /admin/apps/{id}/logo":           "--x\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--x--\r\n",
	"POST /admin/apps/{id}/delete":         "really=yes",
	"POST /admin/settings/registration":    "registration=closed",
	"POST /admin/settings/test-letter":     "",
}

// Every form of the program is one that the target begins from.
func TestEveryFormIsFuzzed(t *testing.T) {
	for name := range table {
		if _, listed := formsToFuzz[name]; !listed && strings.HasPrefix(name, "POST ") && name != "POST /oidc/userinfo" && !strings.HasSuffix(name, "/logo/remove") {
			t.Errorf("%s is sent by no seed", name)
		}
	}
	for name := range formsToFuzz {
		if _, listed := table[name]; !listed {
			t.Errorf("%s is no address of the program", name)
		}
	}
}
