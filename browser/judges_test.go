package browser

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// openid-client is certified to hold servers to the standard.
func TestOpenIDClientTakesWhatItIsTold(t *testing.T) {
	for _, proof := range []string{"basic", "post"} {
		t.Run(proof, func(t *testing.T) {
			s := kit.Start(t)
			s.Person(ada, good, "--name", "Ada")
			port := kit.FreePort(t)
			here := "http://127.0.0.1:" + port
			id, secret := added(t, s, "Judge", here, here+"/signed-in")
			public, _ := added(t, s, "Page", here, here+"/page", "--public", "--rs256")
			kit.Node(t, here+"/", "judges/openid-client.mjs", s.URL, port, id, secret, public, proof)

			tab := s.Profile(t).Open(here + "/").See("Nobody yet").Press("Sign in")
			tab.At("/login").Fill("Email", ada).Fill("Password", good).Press("Login").Press("Allow")
			tab.See("Server: " + ada + ", PKCE, revoked and refused")
			tab.Open(here + "/page").See("Nobody yet").Press("Sign in").Press("Allow").See("Page: " + ada)
			tab.Back()
			tab.Open(here + "/sign-in").See("Server: " + ada).Press("Log out").See("Nobody yet")
			tab.Open("/account").At("/login")
		})
	}
}

// mod_auth_openidc is certified too, and signs people in to whatever stands
// behind an Apache.
func TestApacheSignsPeopleIn(t *testing.T) {
	s := withTwoFactor(t)
	s.Run("", "group", "add", "Staff")
	s.Run("", "group", "join", "Staff", ada)
	apache := s.Apache(t)
	key, _ := enabled(t, s, login(s.Profile(t), ada, good).At("/apps"))

	tab := s.Profile(t).Open(apache.URL+"/page?of=one").At("/login").Fill("Email", ada).Fill("Password", good).Press("Login")
	tab.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").Press("Allow")
	tab.See(`Here is "` + ada + `"`).See("You asked for /page?of=one")

	// What a visitor sends by these names never reaches the application.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, apache.URL+"/page", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tab.CookiesFor(apache.URL) {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for _, name := range []string{"Remote-User", "remote_user", "Remote_Email", "REMOTE_NAME", "Remote-Groups", "Remote_Groups", "OIDC_CLAIM_email", "OIDC_CLAIM_groups",
		"X-Forwarded-User", "X_Forwarded_User", "X-Forwarded_User", "X-Forwarded-Preferred-Username", "X-Remote-Groups", "X_Remote_User", "X-Webauth-User", "X_Webauth-Groups"} {
		r.Header[name] = []string{"eve@example.org", "Administrators"}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	told := apache.Reached()
	for name, want := range map[string]string{"Remote-User": ada, "Remote-Email": ada, "Remote-Name": "Ada", "Remote-Groups": "Staff"} {
		if got := told[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	for name, values := range told {
		if strings.Contains(strings.Join(values, " "), "eve@") {
			t.Errorf("%s: %q", name, values)
		}
	}

	tab.Open(apache.URL + "/.signed-in?logout=" + url.QueryEscape(apache.URL+"/")).At("/login")
	tab.Open("/account").At("/login")
	tab.Open(apache.URL+"/").At("/login").Fill("Email", ada).Fill("Password", good).Press("Login")
	tab.Fill("Login code", codeAt(t, key, 90*time.Second)).Press("Send code").See(`Here is "` + ada + `"`)
	s.Run("", "user", "end-sessions", ada)
	kit.Eventually(t, "Apache hears of the end", func() bool {
		tab.Open(apache.URL + "/")
		return strings.HasPrefix(tab.Address(), "/login")
	})
}

// added adds an application by command, and gives what it is told.
func added(t *testing.T, s *kit.Server, name, url, redirect string, flags ...string) (id, secret string) {
	t.Helper()
	var told struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	out := s.Run("", append([]string{"app", "add", name, "--url", url, "--redirect-uri", redirect, "--logout-uri", url + "/",
		"--allow-everyone", "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return told.ID, told.Secret
}
