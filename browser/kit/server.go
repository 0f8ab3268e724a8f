// Package kit starts the real program and a real browser, and lets tests act
// as a person would: controls are found by role and exact accessible name, as
// a screen reader finds them.
package kit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
)

// patience is how long anything may take before a test fails.
const patience = 40 * time.Second

// Server is the shipped program, built with a clock that tests turn, on a
// temporary folder.
type Server struct {
	URL  string
	Data string

	t       testing.TB
	local   string // where it listens
	ask     *http.Client
	flags   []string
	clock   string
	process *exec.Cmd
	said    *output
}

// output collects what the program prints.
type output struct {
	sync.Mutex
	lines []string
}

func (o *output) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		o.Lock()
		o.lines = append(o.lines, lines.Text())
		o.Unlock()
	}
}

func (o *output) Write(words []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	o.lines = append(o.lines, strings.TrimRight(string(words), "\n"))
	return len(words), nil
}

func (o *output) String() string {
	o.Lock()
	defer o.Unlock()
	return strings.Join(o.lines, "\n")
}

func (o *output) find(prefix string) string {
	o.Lock()
	defer o.Unlock()
	for _, line := range o.lines {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	return ""
}

// binary is where this process builds the program, when a test first needs it.
var binary = filepath.Join(os.TempDir(), fmt.Sprintf("twinlock-browser-%d", os.Getpid()))

var build = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "build", "-tags", "testclock", "-o", binary, "github.com/twinlock/twinlock/cmd/twinlock").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, err
})

// Start starts a server that ends with the test.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	return StartFrom(t, "", flags...)
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

func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("copy the data: %v\n%s", err, out)
	}
}

// StartFrom is Start on a copy of what another server left.
func StartFrom(t testing.TB, from Data, flags ...string) *Server {
	t.Helper()
	port := FreePort(t)
	return start(t, from, port, "http://localhost:"+port, flags)
}

func start(t testing.TB, from Data, port, url string, flags []string) *Server {
	t.Helper()
	folder := t.TempDir()
	s := &Server{URL: url, local: "http://127.0.0.1:" + port, t: t, Data: filepath.Join(folder, "data"), clock: filepath.Join(folder, "clock"), ask: http.DefaultClient}
	s.flags = append([]string{"--listen", "127.0.0.1:" + port, "--public-url", url, "--data", s.Data}, flags...)
	if from != "" {
		if err := os.Mkdir(s.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		copyFolder(t, string(from), s.Data)
	}
	s.Clock("+0s")
	s.start()
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

func (s *Server) start() {
	s.t.Helper()
	program, err := build()
	if err != nil {
		s.t.Fatal(err)
	}
	s.process = exec.Command(program, append([]string{"serve"}, s.flags...)...)
	s.process.Env = append(os.Environ(), "TWINLOCK_TEST_CLOCK="+s.clock)
	s.said = &output{}
	for _, pipe := range []func() (io.ReadCloser, error){s.process.StdoutPipe, s.process.StderrPipe} {
		r, err := pipe()
		if err != nil {
			s.t.Fatal(err)
		}
		go s.said.read(r)
	}
	if err := child.Start(s.process); err != nil {
		s.t.Fatal(err)
	}
	Eventually(s.t, "the server is ready", func() bool {
		answer, err := s.ask.Get(s.local + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// Stop ends the server as an operator does.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
	s.process = nil
	if s.t.Failed() {
		s.said.Lock()
		defer s.said.Unlock()
		s.t.Logf("the server said:\n%s", strings.Join(s.said.lines, "\n"))
	}
}

// Traces tells where words stand in clear after the server has stopped: in
// what it printed, and in every file of its data but the letters, which are
// theirs to carry.
func (s *Server) Traces(words string) (places []string) {
	s.t.Helper()
	s.Stop()
	s.said.Lock()
	defer s.said.Unlock()
	if strings.Contains(strings.Join(s.said.lines, "\n"), words) {
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

// Restart stops the server and starts it again on the same data.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.start()
}

// RestartWith is Restart with further flags; the last one of a name counts.
func (s *Server) RestartWith(flags ...string) {
	s.t.Helper()
	s.flags = append(s.flags, flags...)
	s.Restart()
}

// Clock turns the server's clock: "+61m", "-1h", or an instant.
func (s *Server) Clock(spec string) {
	s.t.Helper()
	whole := s.clock + ".new"
	if err := os.WriteFile(whole, []byte(spec), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(whole, s.clock); err != nil { // never read half
		s.t.Fatal(err)
	}
}

// SetupLink is the one-time link that the server printed.
func (s *Server) SetupLink() string {
	s.t.Helper()
	var link string
	Eventually(s.t, "the link to the set-up is printed", func() bool {
		link = s.said.find("Set up: ")
		return link != ""
	})
	return link
}

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
	program, err := build()
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(program, append(args, "--data", s.Data)...)
	c.Env = append(os.Environ(), "TWINLOCK_TEST_CLOCK="+s.clock)
	c.Stdin = strings.NewReader(in)
	out, err := c.CombinedOutput()
	return string(out), err
}

// Person makes an account with a password by command.
func (s *Server) Person(email, password string, more ...string) {
	s.t.Helper()
	s.Run(password, append([]string{"user", "add", email, "--password-stdin"}, more...)...)
}

// Letters gives the letters to an address, oldest first, as they were written.
func (s *Server) Letters(to string) (letters []string) {
	paths, _ := filepath.Glob(filepath.Join(s.Data, "outbox", "*.eml"))
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(raw), to) {
			letters = append(letters, plainText(raw))
		}
	}
	return letters
}

// plainText undoes the quoting of a letter far enough to be searched.
func plainText(raw []byte) string {
	text := bytes.ReplaceAll(raw, []byte("=\r\n"), nil)
	text = bytes.ReplaceAll(text, []byte("=3D"), []byte("="))
	return string(text)
}

// Letter waits for a letter to an address that has all these words in it.
func (s *Server) Letter(to string, words ...string) (letter string) {
	s.t.Helper()
	Eventually(s.t, fmt.Sprintf("a letter to %s with %q", to, words), func() bool {
		for _, l := range s.Letters(to) {
			if hasAll(l, words) {
				letter = l
				return true
			}
		}
		return false
	})
	return letter
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

var link = regexp.MustCompile(`https?://[^\s"<>]+\?token=[A-Za-z0-9_-]{43}`)

// Link is the one link of a letter.
func (s *Server) Link(letter string) string {
	s.t.Helper()
	found := link.FindString(letter)
	if found == "" {
		s.t.Fatalf("no link in the letter:\n%s", letter)
	}
	return found
}

// Node starts a program of the tests' own in Node.js, waits until it answers at
// an address, and ends it with the test.
func Node(t testing.TB, address, script string, args ...string) {
	t.Helper()
	said := &output{}
	program := exec.Command("node", append([]string{script}, args...)...)
	program.Stdout, program.Stderr = said, said
	if err := child.Start(program); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", script, said)
		}
	})
	awaits(t, address)
}

// awaits waits until something answers at an address.
func awaits(t testing.TB, address string) {
	t.Helper()
	Eventually(t, address+" answers", func() bool {
		answer, err := http.Get(address)
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
}

// Eventually asks again and again until yes, and fails the test after a while.
func Eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	eventually(t, patience, what, yes)
}

func eventually(t testing.TB, patience time.Duration, what string, yes func() bool) {
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

// Code is what the authenticator of a key shows at a moment, by oathtool.
func Code(t testing.TB, key string, at time.Time) string {
	t.Helper()
	out, err := exec.Command("oathtool", "--totp", "--base32", "--now", at.UTC().Format("2006-01-02 15:04:05 UTC"),
		strings.ReplaceAll(key, " ", "")).CombinedOutput()
	if err != nil {
		t.Fatalf("oathtool: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// ReadQR reads the QR code of a picture, by zbarimg.
func ReadQR(t testing.TB, picture []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "qr.png")
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "--quiet", "--raw", path).Output() // it complains of a missing bus beside
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Said tells whether the server has printed a line with these words.
func (s *Server) Said(words string) bool {
	s.said.Lock()
	defer s.said.Unlock()
	for _, line := range s.said.lines {
		if strings.Contains(line, words) {
			return true
		}
	}
	return false
}
