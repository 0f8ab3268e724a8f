package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// binary is the shipped program, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(builtFor(m)) }

func builtFor(m *testing.M) int {
	folder, err := os.MkdirTemp("", "twinlock-commands-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	for _, pair := range os.Environ() { // nothing of this machine's settings
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TWINLOCK_") {
			_ = os.Unsetenv(name)
		}
	}
	syscall.Umask(0o077) // as main does
	binary = filepath.Join(folder, "twinlock")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	defer storetest.Stop()
	return m.Run()
}

const (
	ada   = "ada@example.org"
	bob   = "bob@example.org"
	known = "seven grey herons over Utrecht" // a password that the rules accept
)

// operator types commands in a folder of their own.
type operator struct {
	t      *testing.T
	folder string
	env    []string
	said   *child.Output // everything that was printed

	// here runs commands within the test's own program, which is ten times
	// quicker than to start another.
	here bool
}

func newOperator(t *testing.T) *operator {
	t.Parallel() // each operator has a folder of their own
	return &operator{t: t, folder: t.TempDir(), said: &child.Output{}, env: os.Environ()}
}

func (o *operator) data() string { return filepath.Join(o.folder, "data") }

// command is one command line, ready to run, on ./data.
func (o *operator) command(args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Dir, c.Env = o.folder, o.env
	return c
}

// result is what a command did.
type result struct {
	out, errs string
	status    int
}

func (o *operator) run(in string, args ...string) result {
	o.t.Helper()
	var out, errs bytes.Buffer
	if o.here {
		status := run(o.t.Context(), append(args, "--data", o.data()), strings.NewReader(in), &out, &errs)
		fmt.Fprintf(o.said, "%s%s", out.String(), errs.String())
		return result{out.String(), errs.String(), status}
	}
	c := o.command(args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &out, &errs
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		o.t.Fatal(err)
	}
	fmt.Fprintf(o.said, "%s%s", out.String(), errs.String())
	return result{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// does runs a command that succeeds, and gives what it prints.
func (o *operator) does(args ...string) string {
	o.t.Helper()
	return o.types("", args...)
}

// types is does with something on standard input.
func (o *operator) types(in string, args ...string) string {
	o.t.Helper()
	r := o.run(in, args...)
	if r.status != done || r.errs != "" {
		o.t.Fatalf("twinlock %s: status %d\n%s%s", strings.Join(args, " "), r.status, r.out, r.errs)
	}
	return r.out
}

// fails runs a command that ends with a status and says why: in one line, on
// standard error, and nothing else anywhere.
func (o *operator) fails(status int, args ...string) string {
	o.t.Helper()
	return o.failsTyping("", status, args...)
}

func (o *operator) failsTyping(in string, status int, args ...string) string {
	o.t.Helper()
	r := o.run(in, args...)
	why, ended := strings.CutSuffix(r.errs, "\n")
	why, named := strings.CutPrefix(why, "twinlock: ")
	if r.status != status || r.out != "" || !ended || !named || strings.Contains(why, "\n") {
		o.t.Fatalf("twinlock %s: status %d, want %d and one line\nout: %s\nerrors: %q", strings.Join(args, " "), r.status, status, r.out, r.errs)
	}
	return why
}

// reads runs a command with --json and reads what it prints.
func (o *operator) reads(into any, args ...string) {
	o.t.Helper()
	out := o.does(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		o.t.Fatalf("twinlock %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// person makes an account with a password.
func (o *operator) person(email string, more ...string) {
	o.t.Helper()
	o.types(known+"\n", append([]string{"user", "add", email, "--password-stdin"}, more...)...)
}

// shows reads one person.
func (o *operator) shows(email string) (p shownPerson) {
	o.t.Helper()
	o.reads(&p, "user", "show", email)
	return p
}

// letters gives the letters to an address that were written so far.
func (o *operator) letters(to string) (letters []string) {
	paths, _ := filepath.Glob(filepath.Join(o.data(), "outbox", "*.eml"))
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil && strings.Contains(string(raw), to) {
			letters = append(letters, strings.ReplaceAll(string(raw), "=\r\n", ""))
		}
	}
	return letters
}

// letter waits for a letter to an address with certain words in it.
func (o *operator) letter(to, words string) {
	o.t.Helper()
	eventually(o.t, "a letter to "+to+" with "+words, func() bool {
		for _, l := range o.letters(to) {
			if strings.Contains(l, words) {
				return true
			}
		}
		return false
	})
}

// server is a server that an operator started.
type server struct {
	o       *operator
	url     string
	process *exec.Cmd
	said    *child.Output
	ended   chan error
}

// serves starts a server on ./data and waits until it has said where it is, and
// answers. It ends with the test.
func (o *operator) serves(args ...string) *server {
	o.t.Helper()
	s := o.starts(args...)
	eventually(o.t, "the server says where it is", func() bool {
		select {
		case err := <-s.ended:
			s.process = nil // so that nobody waits for its end again
			o.t.Fatalf("the server ended: %v\n%s", err, s.said)
		default:
		}
		return strings.Contains(s.said.String(), "Twinlock is at "+s.url+"\n") && s.answers()
	})
	return s
}

// starts is serves without the wait.
func (o *operator) starts(args ...string) *server {
	o.t.Helper()
	address := freeAddress(o.t)
	_, port, _ := net.SplitHostPort(address)
	s := &server{o: o, url: "http://localhost:" + port, said: &child.Output{}, ended: make(chan error, 1)}
	s.process = o.command(append([]string{"serve", "--listen", address}, args...)...)
	both := &tee{s.said, o.said}
	s.process.Stdout, s.process.Stderr = both, both
	if err := child.Start(s.process); err != nil {
		o.t.Fatal(err)
	}
	go func() { s.ended <- s.process.Wait() }()
	o.t.Cleanup(func() {
		if s.process != nil {
			_ = s.process.Process.Kill()
			<-s.ended
		}
	})
	return s
}

type tee struct{ one, other *child.Output }

func (t *tee) Write(p []byte) (int, error) {
	_, _ = t.one.Write(p)
	return t.other.Write(p)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// stops ends the server as a service manager does, and gives how it ended.
func (s *server) stops() error {
	s.o.t.Helper()
	return s.gets(syscall.SIGTERM)
}

// gets sends a signal and waits for the end.
func (s *server) gets(signal syscall.Signal) error {
	s.o.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.o.t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		s.process = nil
		return err
	case <-time.After(patience):
		s.o.t.Fatalf("the server does not end\n%s", s.said)
		return nil
	}
}

// answers tells whether a page is there.
func (s *server) answers() bool {
	answer, err := http.Get(s.url + "/readyz")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// setUp gives the link of the line that serve prints until the set-up is done;
// "" where it has not printed one.
func (s *server) setUp() string {
	for line := range strings.Lines(s.said.String()) {
		if link, ok := strings.CutPrefix(line, "Set up: "); ok {
			return strings.TrimSpace(link)
		}
	}
	return ""
}

// everyFile gives what is in every file of the data but the letters.
func (o *operator) everyFile(look func(path string, content []byte)) {
	o.t.Helper()
	err := filepath.WalkDir(o.data(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) == ".eml" {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// bothWays runs a test beside a running server and without one: an operator
// must not feel the difference.
func bothWays(t *testing.T, test func(t *testing.T, o *operator)) {
	t.Run("straight to the database", func(t *testing.T) {
		o := newOperator(t)
		o.here = true
		test(t, o)
	})
	t.Run("through the running server", func(t *testing.T) {
		o := newOperator(t)
		o.serves()
		o.here = true
		test(t, o)
	})
}

const patience = 30 * time.Second

// eventually asks again and again until yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	end := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !yes() {
		select {
		case <-end:
			t.Fatalf("waited in vain: %s", what)
		case <-again.C:
		}
	}
}

// typesAndReads is reads with something on standard input.
func (o *operator) typesAndReads(into any, in string, args ...string) {
	o.t.Helper()
	out := o.types(in, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		o.t.Fatalf("twinlock %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
}
