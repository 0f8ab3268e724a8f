package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Clone is a fresh clone of the tree as it is now, in a folder of its own.
func Clone(t testing.TB) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "clone")
	git := func(args ...string) string {
		c := exec.Command("git", args...)
		c.Dir = ".."
		out, err := c.Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return string(out)
	}
	git("clone", "--quiet", "--shared", ".", to)
	for path := range strings.SplitSeq(git("ls-files", "-z", "-c", "-o", "--exclude-standard"), "\x00") {
		from := filepath.Join("..", path)
		info, err := os.Stat(from)
		if path == "" || os.IsNotExist(err) {
			continue
		}
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, path), raw, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// Window is a terminal in which somebody typed commands.
type Window struct{ said *child.Output }

// Type types commands in a folder, and ends what they started with the test.
func Type(t testing.TB, folder, commands string, env ...string) *Window {
	t.Helper()
	c := exec.Command("bash", "-e", "-c", commands)
	c.Dir, c.Env = folder, append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w := &Window{said: &child.Output{}}
	c.Stdout, c.Stderr = w.said, w.said
	c.WaitDelay = time.Second // what it started may hold them open
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s\nsaid:\n%s", commands, w.said)
		}
	})
	return w
}

// Says waits for a line that begins so, and gives the rest of it. A build before
// it may take its time.
func (w *Window) Says(t testing.TB, prefix string) (rest string) {
	t.Helper()
	eventually(t, 20*patience, "a line "+prefix, func() bool {
		rest = w.said.After(prefix)
		return rest != ""
	})
	return rest
}
