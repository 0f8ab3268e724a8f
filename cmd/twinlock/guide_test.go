package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// reader is somebody who types what the guide says, in an empty folder.
type reader struct {
	*operator
	address string
	process *exec.Cmd // the server; nil while none runs
}

func newReader(t *testing.T) *reader {
	r := &reader{operator: newOperator(t), address: freeAddress(t)}
	if err := os.Symlink(binary, filepath.Join(r.folder, "twinlock")); err != nil {
		t.Fatal(err)
	}
	r.env = append(r.env, "PATH="+r.folder+string(filepath.ListSeparator)+os.Getenv("PATH"), "TWINLOCK_LISTEN="+r.address)
	t.Cleanup(r.stops)
	return r
}

// follows does what a line of the guide says.
func (r *reader) follows(line string) {
	r.t.Helper()
	const start = "twinlock serve --data ./data"
	switch {
	case line == "go build ./cmd/twinlock": // as it was built for all tests
	case strings.HasPrefix(line, "twinlock serve"):
		r.startsBy(line)
	case line == "systemctl stop twinlock":
		r.stops()
	case line == "systemctl start twinlock":
		r.startsBy(start)
	case line == "systemctl restart twinlock":
		r.stops()
		r.startsBy(start)
	default:
		c := exec.Command("bash", "-c", line)
		c.Dir, c.Env = r.folder, r.env
		if out, err := c.CombinedOutput(); err != nil {
			r.t.Fatalf("%s\n%v\n%s", line, err, out)
		}
	}
}

func (r *reader) startsBy(line string) {
	r.t.Helper()
	if r.process != nil {
		r.t.Fatalf("%s: a server runs already", line)
	}
	r.process = exec.Command("bash", "-c", "exec "+line)
	r.process.Dir, r.process.Env, r.process.Stdout, r.process.Stderr = r.folder, r.env, r.said, r.said
	if err := child.Start(r.process); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, line+": it answers", func() bool {
		answer, err := http.Get("http://" + r.address + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func (r *reader) stops() {
	if r.process == nil {
		return
	}
	_ = r.process.Process.Signal(syscall.SIGTERM)
	if err := r.process.Wait(); err != nil {
		r.t.Errorf("the server ended: %v\n%s", err, r.said)
	}
	r.process = nil
}

// blocks are the lines of a page's code blocks of one language.
func blocks(page, language string) (lines []string) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "```"+language:
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			lines = append(lines, line)
		}
	}
	return lines
}

// Whoever types the guide from top to bottom gets as far as its end.
func TestEveryCommandOfTheGuideWorks(t *testing.T) {
	page, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	r.writes("twinlock.toml", strings.Join(blocks(string(page), "toml"), "\n"))
	commands := blocks(string(page), "sh")
	for _, line := range commands {
		r.follows(line)
	}
	if len(commands) < 40 {
		t.Errorf("the guide has %d commands", len(commands))
	}
}
