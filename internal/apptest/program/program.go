// Package program runs the shipped program for tests as a process of its own,
// built with a clock that they turn.
package program

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// Patience is how long anything may take before a test fails.
const Patience = 40 * time.Second

// Server is the program on a folder. Its exported fields are set before it
// starts.
type Server struct {
	Program   string // another than is built of this source; "" is that one
	URL       string // as people type it
	Local     string // where it listens, with the scheme
	Data      string
	ClockFile string // what its clock is read from
	Flags     []string
	Environ   []string     // what it and its commands find in the environment besides the test's own
	Ask       *http.Client // asks whether it is ready

	t       testing.TB
	process *exec.Cmd
	ended   chan error
	said    *child.Output
}

// At is a server of a folder, at a free port, as localhost. It ends with the
// test, and has not started.
func At(t testing.TB, folder string, flags ...string) *Server {
	t.Helper()
	port := FreePort(t)
	return Behind(t, folder, port, "http://localhost:"+port, flags...)
}

// Behind is At for a port of 127.0.0.1 that people do not type.
func Behind(t testing.TB, folder, port, url string, flags ...string) *Server {
	t.Helper()
	s := New(t, folder, flags...)
	s.URL, s.Local = url, "http://127.0.0.1:"+port
	s.Flags = append([]string{"--listen", "127.0.0.1:" + port, "--public-url", url, "--data", s.Data}, flags...)
	return s
}

// New is a server whose flags, or the file that they name, say all. It ends with
// the test.
func New(t testing.TB, folder string, flags ...string) *Server {
	t.Helper()
	s := &Server{t: t, Data: filepath.Join(folder, "data"), ClockFile: filepath.Join(folder, "clock"), Ask: http.DefaultClient, Flags: flags}
	s.Clock("+0s")
	t.Cleanup(s.Stop)
	return s
}

// FreePort is a port of this machine that nobody listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// binary is where this process builds the program, when a test first needs it.
var binary = filepath.Join(os.TempDir(), fmt.Sprintf("twinlock-program-%d", os.Getpid()))

// Binary builds the program, once, and gives where it is.
var Binary = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "build", "-tags", "testclock", "-o", binary, "github.com/twinlock/twinlock/cmd/twinlock").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, err
})

// Quit removes what was built and kept. TestMain calls it.
func Quit() {
	_ = os.Remove(binary)
	for _, folder := range kept {
		_ = os.RemoveAll(folder)
	}
}

// Start starts the server and waits until it is ready.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.TryStart(); err != nil {
		s.t.Fatal(err)
	}
}

// TryStart is Start for a server that may end at once.
func (s *Server) TryStart() error {
	if err := s.Begin(); err != nil {
		return err
	}
	end := time.After(Patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !s.Ready() {
		select {
		case why := <-s.ended:
			s.ended <- why
			return fmt.Errorf("the server ended: %w\n%s", why, s.said)
		case <-end:
			return fmt.Errorf("the server is not ready after %s\n%s", Patience, s.said)
		case <-again.C:
		}
	}
	return nil
}

// Begin starts the server and does not wait.
func (s *Server) Begin() error {
	program := s.Program
	if program == "" {
		var err error
		if program, err = Binary(); err != nil {
			return err
		}
	}
	process := exec.Command(program, append([]string{"serve"}, s.Flags...)...)
	process.Env = s.environ()
	said, ended := &child.Output{}, make(chan error, 1)
	process.Stdout, process.Stderr = said, said
	process.WaitDelay = time.Second
	if err := child.Start(process); err != nil {
		return err
	}
	s.process, s.said, s.ended = process, said, ended
	go func() { ended <- process.Wait() }()
	return nil
}

func (s *Server) environ() []string {
	return append(append(os.Environ(), "TWINLOCK_TEST_CLOCK="+s.ClockFile), s.Environ...)
}

// Ready tells whether the server says that it is.
func (s *Server) Ready() bool {
	answer, err := s.Ask.Get(s.Local + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Stop ends the server as an operator does. Stopping twice does nothing.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(syscall.SIGTERM)
}

// Kill ends the server at once, by a signal that no program hears.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(syscall.SIGKILL)
}

func (s *Server) end(by syscall.Signal) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	s.Signal(by)
	_ = s.Ended()
}

// Ended waits until a server has ended that was told to, and tells how it did.
func (s *Server) Ended() error {
	s.t.Helper()
	why := <-s.ended
	s.process = nil
	if s.t.Failed() {
		s.t.Logf("the server said:\n%s", s.said)
	}
	return why
}

// Memory is [child.Memory] of the server.
func (s *Server) Memory() (bytes int64) { return child.Memory(s.Pid()) }

// Pid is the number of the server's process.
func (s *Server) Pid() int { return s.process.Process.Pid }

// Signal sends the server a signal.
func (s *Server) Signal(signal syscall.Signal) { _ = s.process.Process.Signal(signal) }

// Restart stops the server and starts it again on the same data.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// RestartWith is Restart with further flags; the last one of a name counts.
func (s *Server) RestartWith(flags ...string) {
	s.t.Helper()
	s.Flags = append(s.Flags, flags...)
	s.Restart()
}

// Clock turns the server's clock: "+61m", "-1h", or an instant.
func (s *Server) Clock(spec string) {
	s.t.Helper()
	if err := writeWhole(s.ClockFile, spec); err != nil {
		s.t.Fatal(err)
	}
}

// writeWhole writes a file that is never read half.
func writeWhole(path, text string) error {
	whole := path + ".new"
	if err := os.WriteFile(whole, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(whole, path)
}

// SetupLink is the one-time link that the server printed.
func (s *Server) SetupLink() string {
	s.t.Helper()
	var link string
	Eventually(s.t, "the link to the set-up is printed", func() bool {
		link = s.said.After("Set up: ")
		return link != ""
	})
	return link
}

// Said tells whether the server has printed a line with these words since it
// started.
func (s *Server) Said(words string) bool { return strings.Contains(s.said.String(), words) }

// Printed is all that the server has printed since it started.
func (s *Server) Printed() string { return s.said.String() }

// Run runs a command on the same data and gives what it prints.
func (s *Server) Run(in string, args ...string) string {
	s.t.Helper()
	out, err := s.Try(in, args...)
	if err != nil {
		s.t.Fatalf("twinlock %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Try is Run for a command that may fail.
func (s *Server) Try(in string, args ...string) (string, error) {
	program, err := Binary()
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(program, append(args, "--data", s.Data)...)
	c.Env = s.environ()
	c.Stdin = strings.NewReader(in)
	out, err := c.CombinedOutput()
	return string(out), err
}

// Person makes an account with a password by command.
func (s *Server) Person(email, password string, more ...string) {
	s.t.Helper()
	s.Run(password, append([]string{"user", "add", email, "--password-stdin"}, more...)...)
}

// Traces tells where words stand in clear after the server has stopped: in
// what it printed, and in every file of its data but the letters, which are
// theirs to carry.
func (s *Server) Traces(words string) (places []string) {
	s.t.Helper()
	s.Stop()
	if s.Said(words) {
		places = append(places, "what the server printed")
	}
	err := filepath.WalkDir(s.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Base(filepath.Dir(path)) == "outbox" {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(words)) {
			places = append(places, path)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return places
}

// Data is a folder with what a server left when it stopped; "" is none.
type Data string

// Kept stops the server and keeps a copy of its data until the tests of the
// process end.
func (s *Server) Kept() Data {
	s.t.Helper()
	s.Stop()
	to, err := os.MkdirTemp("", "twinlock-kept-")
	if err != nil {
		s.t.Fatal(err)
	}
	kept = append(kept, to)
	copyFolder(s.t, s.Data, to)
	return Data(to)
}

// kept are the folders that Quit removes.
var kept []string

// Take puts a copy of what another server left under this one, which has none.
func (s *Server) Take(from Data) {
	s.t.Helper()
	if from == "" {
		return
	}
	if err := os.Mkdir(s.Data, 0o700); err != nil {
		s.t.Fatal(err)
	}
	copyFolder(s.t, string(from), s.Data)
}

func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("copy the data: %v\n%s", err, out)
	}
}

// Eventually asks again and again until yes, and fails the test after a while.
func Eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	Within(t, Patience, what, yes)
}

// Within is Eventually with a patience of the test's own.
func Within(t testing.TB, patience time.Duration, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-again.C:
		}
	}
}
