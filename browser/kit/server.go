// Package kit starts the real program and a real browser, and lets tests act
// as a person would: controls are found by role and exact accessible name, as
// a screen reader finds them.
package kit

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// patience is how long anything may take before a test fails.
const patience = program.Patience

// Server is the shipped program, built with a clock that tests turn, on a
// temporary folder, and who opens browsers on it.
type Server struct {
	*program.Server
	t testing.TB
}

// Start starts a server that ends with the test.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	return StartFrom(t, "", flags...)
}

// Data is a folder with what a server left when it stopped; "" is none.
type Data = program.Data

// StartFrom is Start on a copy of what another server left.
func StartFrom(t testing.TB, from Data, flags ...string) *Server {
	t.Helper()
	port := FreePort(t)
	return start(t, from, port, "http://localhost:"+port, flags)
}

func start(t testing.TB, from Data, port, url string, flags []string) *Server {
	t.Helper()
	s := &Server{program.Behind(t, t.TempDir(), port, url, flags...), t}
	s.Take(from)
	s.Start()
	return s
}

// FreePort is a port of this machine that nobody listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	return program.FreePort(t)
}

// Node starts a program of the tests' own in Node.js, waits until it answers at
// an address, and ends it with the test.
func Node(t testing.TB, address, script string, args ...string) {
	t.Helper()
	said := &child.Output{}
	c := exec.Command("node", append([]string{script}, args...)...)
	c.Stdout, c.Stderr = said, said
	if err := child.Start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
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
	program.Eventually(t, what, yes)
}

func eventually(t testing.TB, patience time.Duration, what string, yes func() bool) {
	t.Helper()
	program.Within(t, patience, what, yes)
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
