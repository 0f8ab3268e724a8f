package program

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// documented are the addresses in the lines for HAProxy of the page on PostgreSQL:
// where people come in, and the two servers.
var documented = []string{":443 ssl crt /etc/haproxy/id.example.org.pem", "192.0.2.11:8080", "192.0.2.12:8080"}

// Balance runs HAProxy at an address, with the lines that the page on PostgreSQL
// has for it, in front of two servers. It says which address a request came from,
// and ends with the test.
func Balance(t testing.TB, page, at string, servers ...string) {
	t.Helper()
	settings := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := balancing(t, page, append([]string{at}, servers...))
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said child.Output
	c := exec.Command(haproxy(t), "-db", "-f", settings)
	c.Stdout, c.Stderr = &said, &said
	if err := child.Start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Logf("HAProxy said:\n%s", said.String())
		}
	})
	Eventually(t, "HAProxy answers", func() bool {
		answer, err := http.Get("http://" + at + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
}

// balancing is what the page says, with other addresses in it.
func balancing(t testing.TB, page string, addresses []string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, found := strings.Cut(string(text), "\n```\ndefaults\n")
	lines, _, _ = strings.Cut(lines, "```")
	for i, at := range documented {
		found = found && strings.Contains(lines, at)
		lines = strings.Replace(lines, at, addresses[i], 1)
	}
	if !found {
		t.Fatalf("%s has no lines for a balancer of two servers: %s", page, lines)
	}
	return "defaults\n" + lines
}

func haproxy(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("HAProxy is missing; tools/prepare installs it")
	return ""
}
