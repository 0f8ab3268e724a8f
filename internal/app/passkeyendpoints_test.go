package app_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
)

// Password managers are told where passkeys are made, where anybody may have one.
func TestPasskeyEndpoints(t *testing.T) {
	const at = "/.well-known/passkey-endpoints"
	site := apptest.New(t)
	site.Browser().Get(at).WantStatus(http.StatusNotFound)
	site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin, Active: true})
	site.Browser().Get(at).WantStatus(http.StatusNotFound)
	site.Activate(auth.PasskeysPlugin)
	page := site.Browser().Get(at).WantStatus(http.StatusOK)
	var told map[string]string
	if err := json.Unmarshal([]byte(page.Body), &told); err != nil {
		t.Fatal(err)
	}
	home := site.Floor.PublicURL
	if len(told) != 2 || told["enroll"] != home+"/account/passkeys/new" || told["manage"] != home+"/account/passkeys" || page.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s %v", page.Header.Get("Content-Type"), told)
	}
}

// A number in the place of a name has no passkeys.
func TestPasskeysNeedAName(t *testing.T) {
	site := apptest.New(t, "public_url=http://127.0.0.1:8080")
	site.Activate(auth.PasskeysPlugin)
	site.Browser().Get("/.well-known/passkey-endpoints").WantStatus(http.StatusNotFound)
	if page := site.Browser().Get("/login"); page.AsksForPasskey() {
		t.Error("one is asked for")
	}
	site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin})
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	page := root.Get("/admin/plugins").WantStatus(http.StatusOK)
	if !page.Says("Passkeys need a host name in the setting public_url.") {
		t.Errorf("the page says %s", page.Text())
	}
	root.Post("/admin/plugins/passkeys", map[string][]string{"active": {"yes"}}).WantStatus(http.StatusNotFound)
}

// Where passkeys do not work nobody is protected by one: whoever has an app
// besides loses its protection with the app's plug-in.
func TestWhatDoesNotWorkProtectsNobody(t *testing.T) {
	site := apptest.New(t, "public_url=http://127.0.0.1:8080")
	site.Activate(auth.TwoFactorPlugin)
	site.Activate(auth.PasskeysPlugin)
	ada, b := site.Person("ada@example.org"), site.Browser()
	b.SignIn(ada)
	b.EnableTwoFactor(ada)
	token, _ := secret.Parse(b.Cookie("twinlock"))
	inside, err := site.Live.Who(t.Context(), token.Hash(), site.Now())
	must(t, err)
	u := inside.User
	_, err = site.Store.AddPasskey(t.Context(), auth.Actor{User: u, Session: inside.Session}, store.NewPasskey{User: u.ID, Generation: u.Generation,
		Ceremony: store.CeremonyOf("asked", site.Now().Add(time.Minute)), Key: auth.PasskeyKey{Credential: []byte("key"), Public: []byte{1}},
		Handle: []byte("ada"), Domain: "id.example.org", Name: "Phone", Limit: 9}, site.Now())
	must(t, err)
	root := site.Browser()
	eli := site.Administrator("root@example.org")
	root.SignIn(eli)
	root.EnableTwoFactor(eli)
	page := root.Post("/admin/plugins/two-factor", map[string][]string{"active": {"no"}}).WantStatus(http.StatusOK)
	if !page.Says("2 people") || !page.Says(ada.Address) {
		t.Errorf("the page says %s", page.Text())
	}
}

// Passkeys that were made under another host name are told to whoever looks.
func TestAChangedHostNameIsTold(t *testing.T) {
	site := apptest.New(t)
	site.Activate(auth.PasskeysPlugin)
	for _, address := range []string{"ada@example.org", "bob@example.org"} {
		site.Person(address).AddPasskey()
	}
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	site.SetActivation(auth.Activation{Plugin: auth.PasskeysPlugin, Everyone: true})
	const warning = "2 passkeys were made for another host name than localhost"
	if page := root.Get("/admin").WantStatus(http.StatusOK); page.Says(warning) {
		t.Errorf("before: %s", page.Text())
	}
	wantCounted := func(people string) {
		t.Helper()
		if page := root.Get("/admin/plugins").WantStatus(http.StatusOK); !page.Says(people + " have a passkey that works here.") {
			t.Errorf("the page says %s", page.Text())
		}
	}
	wantCounted("2 people")
	db, err := sql.Open("sqlite", strings.TrimPrefix(site.Config.DatabaseURL.Reveal(), "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `UPDATE passkeys SET domain = 'old.example.org'`)
	must(t, err)
	if page := root.Get("/admin").WantStatus(http.StatusOK); !page.Says(warning) || !page.Says("ask their 2 owners") {
		t.Errorf("after: %s", page.Text())
	}
	wantCounted("0 people")
}
