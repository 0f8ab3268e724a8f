package browser

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/browser/kit"
)

// The page of the README, typed in a fresh clone as it stands, in three windows.
// Other than there are only the four ports.
func TestTwoApplicationsInFiveMinutes(t *testing.T) {
	tree := kit.Clone(t)
	ports := map[string]string{}
	var pairs []string
	for _, port := range []string{"8080", "9001", "9002", "9003"} {
		ports[port] = kit.FreePort(t)
		pairs = append(pairs, port, ports[port])
	}
	elsewhere := strings.NewReplacer(pairs...)
	settings := filepath.Join(tree, "docs/two-applications/nginx.conf")
	raw, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte(elsewhere.Replace(string(raw))), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"GOFLAGS=-trimpath", "TWINLOCK_LISTEN=127.0.0.1:" + ports["8080"], "TWINLOCK_PUBLIC_URL=http://localhost:" + ports["8080"]}
	types := func(window string) *kit.Window {
		return kit.Type(t, tree, elsewhere.Replace(kit.BlockOf(t, "README.md", window)), env...)
	}

	home := "http://localhost:" + ports["8080"]
	tab := kit.Browse(t, home)
	tab.Open(types("(window 1)").Says(t, "Set up: "))
	tab.Fill("Name", "Ada").Fill("Email", ada).Fill("Password", good).Press("Finish").At("/apps")
	types("(window 2)").Says(t, "Notes is at ")
	types("(window 3)").Says(t, "Wiki is at ")
	kit.Eventually(t, "nginx answers", func() bool {
		connection, err := net.Dial("tcp", "127.0.0.1:"+ports["9003"])
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})

	tab.Open("/apps").Press("Notes").See("Nobody is signed in.")
	tab.Press("Sign in").See("see your email address").Press("Allow").See("Here is " + ada)
	tab.Open("/apps").Press("Wiki").See("Here is " + ada)
	if at := "http://wiki.localhost:" + ports["9003"] + "/"; tab.Address() != at {
		t.Errorf("at %s, want %s", tab.Address(), at)
	}
	tab.Open("/apps").Menu("Ada", "Log out").At("/login")
	tab.Open("http://wiki.localhost:" + ports["9003"] + "/").At("/login")
	tab.Fill("Email", ada).Fill("Password", good).Press("Login").See("Here is " + ada)
}
