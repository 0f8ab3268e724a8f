package browser

import (
	"encoding/json"
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
	apache := s.Apache(t)
	key, _ := enabled(t, s, login(s.Profile(t), ada, good).At("/apps"))

	tab := s.Profile(t).Open(apache.URL+"/?page=one").At("/login").Fill("Email", ada).Fill("Password", good).Press("Login")
	tab.Fill("Login code", codeAt(t, key, time.Minute)).Press("Send code").Press("Allow")
	tab.See("User " + ada).See("Name Ada, by pwd,otp,mfa").See("Asked for /?page=one")
	tab.Open(apache.URL + "/sign-in?logout=" + url.QueryEscape(apache.URL+"/open.html")).See("Open to everybody")
	tab.Open("/account").At("/login")
	tab.Open(apache.URL + "/").At("/login")

	tab.Fill("Email", ada).Fill("Password", good).Press("Login").Fill("Login code", codeAt(t, key, 90*time.Second)).Press("Send code")
	tab.See("User " + ada)
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
