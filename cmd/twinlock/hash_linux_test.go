package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// A server has passwords hashed in a process of its own, and goes on when that is
// killed.
func TestPasswordsAreHashedInAProcessOfTheirOwn(t *testing.T) {
	s := program.At(t, t.TempDir())
	s.Person("ada@example.org", "seven purple lanterns drift")
	s.Start()
	for range 2 {
		if status := logsIn(t, s, "seven purple lanterns drift"); status != http.StatusSeeOther {
			t.Fatalf("the login is answered %d", status)
		}
		hashes := processOf(t, s.Pid(), "hash-passwords")
		if err := syscall.Kill(hashes, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		program.Within(t, program.Patience, "the process is gone", func() bool { return syscall.Kill(hashes, 0) != nil })
	}
}

func logsIn(t *testing.T, s *program.Server, password string) (status int) {
	t.Helper()
	form := url.Values{"email": {"ada@example.org"}, "password": {password}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Local+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = strings.TrimPrefix(s.URL, "http://")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.URL)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// processOf is what a server started with this argument.
func processOf(t *testing.T, server int, argument string) int {
	t.Helper()
	for _, id := range child.Descendants(server) {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id)); strings.Contains(string(line), argument) {
			return id
		}
	}
	t.Fatalf("no process with the argument %s", argument)
	return 0
}
