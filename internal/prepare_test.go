package internal

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// prepares runs tools/prepare where only these programs are, and gives what it
// says and its exit status.
func prepares(t *testing.T, programs map[string]string, args ...string) (said string, status int) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"bash", "dirname", "uname", "env", "cat"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!"+filepath.Join(folder, "bash")+"\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(filepath.Join(folder, "bash"), append([]string{"../tools/prepare"}, args...)...)
	c.Env = []string{"PATH=" + folder}
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// What the tests need and a machine lacks is never passed over in silence.
func TestWhatAMachineLacksForTheTestsIsNamedWithWhereToGetIt(t *testing.T) {
	needed := []string{": the browser Chromium, https://", "  oathtool: ", "  zbar-tools: ", "  poppler-utils: ",
		"  openssl: ", "  caddy: ", "  npm: Node.js with npm, https://", "  gcc: "}
	root := "echo 0"
	for name, tt := range map[string]struct {
		programs map[string]string
		says     string
	}{
		"without apt":                         {nil, "own package manager, then run it again"},
		"with apt, and neither root nor sudo": {map[string]string{"apt-get": "exit 1", "id": "echo 1000"}, "Run as root: apt-get install "},
		"with apt that does not bring them":   {map[string]string{"apt-get": "exit 0", "id": root}, "apt-get did not bring them"},
		"with apt that asks nobody":           {map[string]string{"apt-get": `[ "$1" = update ] && exit 1; exit 0`, "id": root}, "apt-get update failed; trying with the lists that are there"},
	} {
		t.Run(name, func(t *testing.T) {
			said, status := prepares(t, tt.programs)
			if status == 0 || !strings.Contains(said, tt.says) {
				t.Errorf("status %d\n%s", status, said)
			}
			for _, line := range needed {
				if !strings.Contains(said, line) {
					t.Errorf("%q is not said:\n%s", line, said)
				}
			}
			if tt.programs["id"] == root && !strings.HasPrefix(said, "Installing for the tests: ") {
				t.Errorf("it does not say first what it installs:\n%s", said)
			}
		})
	}
}

// Only the long form of the tests in faults/ lets Patroni take over.
func TestTheLongFormNeedsPatroniToo(t *testing.T) {
	for _, form := range []string{"short", "long"} {
		said, _ := prepares(t, nil, form)
		for _, line := range []string{"  patroni: Patroni, which takes over for PostgreSQL, https://", "  etcd-server: etcd, where Patroni keeps who leads, https://"} {
			if strings.Contains(said, line) != (form == "long") {
				t.Errorf("%s: %q is in it: %v\n%s", form, line, strings.Contains(said, line), said)
			}
		}
	}
}
