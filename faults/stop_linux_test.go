package faults

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// A server that stops while a password is being hashed lets whoever sent it in. The
// order goes to all of its processes, as systemd and a terminal send it.
func TestALoginThatIsBeingHashedAtTheStopIsAnswered(t *testing.T) {
	t.Parallel()
	began := time.Now()
	site := kit.Start(t, kit.SQLite, 1, "--hash-memory", "64", "--hash-passes", "16") // the most that is read again: a second
	ada, server := site.Person("ada@example.org"), site.Servers[0]
	var stops kit.Took
	runs := often(20, 2)
	for range runs {
		b, answer := site.Browser(0, "127.0.0.2"), make(chan *apptest.Page, 1)
		login := b.Get("/login").Form("Login").Fill("Email", ada.Address).Fill("Password", ada.Password)
		before := hashed(server)
		go func() { answer <- login.PressOnce() }()
		program.Eventually(t, "the password is being hashed", func() bool { return hashed(server) > before+hashBegan })
		if len(answer) > 0 {
			t.Fatal("it was answered before the stop: this shows nothing")
		}
		begun := time.Now()
		for _, id := range child.Descendants(server.Pid()) {
			must(t, syscall.Kill(id, syscall.SIGTERM))
		}
		if page := <-answer; page.Status != http.StatusSeeOther {
			t.Errorf("the login is answered with %d: %s", page.Status, page.Text())
		}
		if err := server.Ended(); err != nil {
			t.Errorf("the server ended: %v", err)
		}
		stops.Since(begun)
		server.Start()
		if !signedIn(b) {
			t.Error("a login that was acknowledged at the stop is gone")
		}
	}
	if longest := stops.At(1); longest > drains {
		t.Errorf("a server took %s to stop", longest)
	}
	table.Add(t, kit.Row{Fault: "stopped while a login is being hashed", Engine: kit.SQLite, Runs: runs, Took: time.Since(began),
		Held: "it is answered, and the session is there", Figures: []string{"a stop " + stops.String()}})
}

// hashBegan is more than the process that hashes needs to start, and a part of what
// a hash does.
const hashBegan = 150 * time.Millisecond

// hashed is the time that a server's processes that hash have spent.
func hashed(server *program.Server) (spent time.Duration) {
	for _, id := range child.Descendants(server.Pid()) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id))
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		_, after, _ := strings.Cut(string(stat), ") ") // what a program calls itself may hold anything (proc_pid_stat(5))
		fields := strings.Fields(after)
		if !strings.Contains(string(line), "hash-passwords") || len(fields) < 13 {
			continue
		}
		for _, ticks := range fields[11:13] { // utime and stime, in hundredths of a second
			n, _ := strconv.Atoi(ticks)
			spent += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return spent
}
