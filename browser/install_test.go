package browser

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// signIn logs somebody in by hand, and gives the answer to the password.
func signIn(t *testing.T, c *http.Client, at, email, password string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/login",
		strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "id.example.org"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://id.example.org")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return answerTo(t, c, r)
}

func answerTo(t *testing.T, c *http.Client, r *http.Request) *http.Response {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(strings.NewReader(string(body)))
	return answer
}

// seen gives the page that lists somebody's sessions, and so where they come
// from.
func seen(t *testing.T, c *http.Client, at string, session *http.Cookie) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/account/sessions", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "id.example.org"
	r.AddCookie(session)
	answer := answerTo(t, c, r)
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%d: %s", answer.StatusCode, body)
	}
	return string(body)
}

// theSession is the cookie of a login that succeeded.
func theSession(t *testing.T, answer *http.Response) *http.Cookie {
	t.Helper()
	for _, c := range answer.Cookies() {
		if c.Name == "__Host-twinlock" {
			if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
				t.Errorf("the cookie is %s", c.Raw)
			}
			return c
		}
	}
	t.Fatalf("%d, and no __Host-twinlock among %v", answer.StatusCode, answer.Cookies())
	return nil
}

func eachWay(t *testing.T, ways []string, test func(t *testing.T, way string)) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) { t.Parallel(); test(t, way) })
	}
}

// What docs/install.md says is a domain with TLS: the login works there, with
// the cookie that stays on its host, and people come from where they are.
func TestADomainSetUpAsThePageSays(t *testing.T) {
	eachWay(t, kit.Ways, func(t *testing.T, way string) {
		i := kit.StartInstalled(t, way)
		i.Person(ada, good)
		c := i.Client("127.0.0.2")
		session := theSession(t, signIn(t, c, i.URL, ada, good, "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Host", "evil.example", "Forwarded", "for=203.0.113.7"))
		page := seen(t, c, i.URL, session)
		if !strings.Contains(page, "127.0.0.2") || strings.Contains(page, "203.0.113.7") {
			t.Errorf("somebody at 127.0.0.2 is seen as:\n%s", page)
		}
		if way == "itself" {
			return
		}
		answer, err := c.Get("http://id.example.org/login?next=%2Faccount")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if to := answer.Header.Get("Location"); answer.StatusCode/100 != 3 || to != "https://id.example.org/login?next=%2Faccount" {
			t.Errorf("plain http leads to %q by %d", to, answer.StatusCode)
		}
		answer, err = c.Get(i.URL + "/forward-auth/" + way)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("a stranger's question gets %d", answer.StatusCode)
		}
	})
}

// Whoever gets past the proxy says what they like and is not believed.
func TestOnlyTheProxyIsBelieved(t *testing.T) {
	i := kit.StartInstalled(t, "nginx", `["127.0.0.1"]`, `["127.0.0.9"]`)
	i.Person(ada, good)
	c := i.Client("127.0.0.2")
	session := theSession(t, signIn(t, c, "http://127.0.0.1:8080", ada, good, "X-Forwarded-For", "203.0.113.7"))
	if page := seen(t, c, "http://127.0.0.1:8080", session); !strings.Contains(page, "127.0.0.2") || strings.Contains(page, "203.0.113.7") {
		t.Errorf("somebody at 127.0.0.2 who says otherwise is seen as:\n%s", page)
	}
}

// What the page says goes wrong without trusted_proxies does.
func TestWithoutTrustedProxiesEverybodyIsTheProxy(t *testing.T) {
	eachWay(t, []string{"caddy", "nginx"}, func(t *testing.T, way string) {
		for _, tt := range []struct {
			trusted, network string
			another          int // the answer to a neighbour after one visitor's twenty wrong passwords
		}{
			{"", "127.0.0.1", http.StatusTooManyRequests},
			{`trusted_proxies = ["127.0.0.1"]`, "127.0.0.2", http.StatusSeeOther},
		} {
			i := kit.StartInstalled(t, way, `trusted_proxies = ["127.0.0.1"]`, tt.trusted)
			i.Person(ada, good)
			c := i.Client("127.0.0.2")
			if page := seen(t, c, i.URL, theSession(t, signIn(t, c, i.URL, ada, good))); !strings.Contains(page, tt.network) {
				t.Errorf("with %q somebody is not seen at %s:\n%s", tt.trusted, tt.network, page)
			}
			for n := range 21 {
				signIn(t, c, i.URL, "nobody"+string(rune('a'+n))+"@example.org", "not the password")
			}
			if answer := signIn(t, i.Client("127.0.0.3"), i.URL, ada, good); answer.StatusCode != tt.another {
				t.Errorf("with %q a neighbour gets %d, want %d", tt.trusted, answer.StatusCode, tt.another)
			}
		}
	})
}

// The commands of the page, each as it stands, in their order. sudo only drops
// who it is to run as, and the files are where this test has them.
func TestTheCommandsOfThePageAboutInstalling(t *testing.T) {
	i := kit.StartInstalled(t, "nginx")
	i.Person(ada, good)
	tools, backups := t.TempDir(), t.TempDir()
	i.InstallIn(t, tools)
	tree := installedTree{t: t, i: i, path: tools, backups: backups}
	tried := 0
	var alias string
	for _, b := range kit.Blocks(t, "docs/install.md") {
		if b.Place == "people.csv" {
			tree.writes(b)
		}
		if b.Language != "sh" || b.Place != "" {
			continue
		}
		for line := range strings.Lines(b.Text) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "alias twinlock="):
				alias = line
			case strings.Contains(line, "start twinlock-backup"), strings.Contains(line, "enable --now twinlock-backup"):
				tree.backsUp()
			case line == "sudo systemctl stop twinlock":
				i.Stop()
			case line == "sudo systemctl start twinlock":
				i.Start()
			case strings.HasPrefix(line, "twinlock "), strings.HasPrefix(line, "sudo cat "):
				tree.runs(alias, line)
				tried++
			}
		}
	}
	if tried < 7 {
		t.Errorf("only %d commands were tried", tried)
	}
	if out := i.Run("", "user", "list"); !strings.Contains(out, ada) {
		t.Errorf("afterwards there are:\n%s", out)
	}
}

// writes puts a file of the page where commands are typed.
func (x installedTree) writes(b kit.Block) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.path, b.Place), []byte(b.Text), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

type installedTree struct {
	t             *testing.T
	i             *kit.Installed
	path, backups string
}

func (x installedTree) runs(alias, line string) {
	x.t.Helper()
	for from, to := range map[string]string{
		"/etc/twinlock/twinlock.toml": x.i.Settings, "/var/lib/twinlock-backups/twinlock-2026-11-23T00-12-00Z.backup": x.newest(), "/var/lib/twinlock/": x.i.Data + "/",
	} {
		alias, line = strings.ReplaceAll(alias, from, to), strings.ReplaceAll(line, from, to)
	}
	c := exec.Command("bash", "-c", "shopt -s expand_aliases\n"+alias+"\n"+line)
	c.Dir = x.path
	c.Env = []string{"PATH=" + x.path + ":/usr/bin:/bin"}
	if out, err := c.CombinedOutput(); err != nil {
		x.t.Errorf("%s: %v\n%s", line, err, out)
	}
}

// backsUp does what the unit does.
func (x installedTree) backsUp() {
	x.t.Helper()
	c := exec.Command(filepath.Join("..", "packaging", "backup"), x.backups)
	c.Env = []string{"PATH=" + x.path + ":/usr/bin:/bin", "TWINLOCK_CONFIG=" + x.i.Settings, "KEEP=14"}
	if out, err := c.CombinedOutput(); err != nil {
		x.t.Errorf("backup: %v\n%s", err, out)
	}
}

// newest is the newest backup, "" before the first.
func (x installedTree) newest() string {
	entries, err := os.ReadDir(x.backups)
	if err != nil {
		x.t.Fatal(err)
	}
	if len(entries) == 0 {
		return ""
	}
	return filepath.Join(x.backups, entries[len(entries)-1].Name())
}
