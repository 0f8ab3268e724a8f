package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// many runs commands all at once and waits for them.
func many(n int, run func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { run(i) })
	}
	all.Wait()
}

func TestCommandsAtOnceAllSucceed(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		many(10, func(i int) {
			if r := o.run("", "user", "add", fmt.Sprintf("person%d@example.org", i)); r.status != done {
				t.Errorf("status %d: %s", r.status, r.errs)
			}
		})
		var all []shownPerson
		if o.reads(&all, "user", "list"); len(all) != 10 {
			t.Errorf("%d of 10 people are there", len(all))
		}
	})
}

func TestAServerStartsAmongCommands(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	var s *server
	many(11, func(i int) {
		if i == 5 {
			s = o.starts()
			return
		}
		if r := o.run("", "user", "add", fmt.Sprintf("person%d@example.org", i)); r.status != done {
			t.Errorf("status %d: %s", r.status, r.errs)
		}
	})
	eventually(t, "the server answers", s.answers)
	var all []shownPerson
	if o.reads(&all, "user", "list"); len(all) != 11 {
		t.Errorf("%d of 11 people are there", len(all))
	}
}

func TestAServerStopsAmongCommands(t *testing.T) {
	o := newOperator(t)
	s := o.serves()
	many(9, func(i int) {
		if i == 4 {
			if err := s.stops(); err != nil {
				t.Errorf("the server ended: %v\n%s", err, s.said)
			}
			return
		}
		for j := range 3 {
			if r := o.run("", "user", "add", fmt.Sprintf("person%d-%d@example.org", i, j)); r.status != done {
				t.Errorf("status %d: %s", r.status, r.errs)
			}
		}
	})
	var all []shownPerson
	if o.reads(&all, "user", "list"); len(all) != 24 {
		t.Errorf("%d of 24 people are there", len(all))
	}
}

// What a server remembers of an account is out of date as soon as a command has
// changed it: both are one process.
func TestACommandGoesThroughTheRunningServer(t *testing.T) {
	o := newOperator(t)
	s := o.serves()
	if err := os.Rename(filepath.Join(o.data(), "control.sock"), filepath.Join(o.folder, "aside.sock")); err != nil {
		t.Fatal(err)
	}
	waiting := o.command("user", "list") // the folder is locked, and nobody answers
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- waiting.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("a command went past the server: %v", err)
	case <-time.After(time.Second):
	}
	if err := os.Rename(filepath.Join(o.folder, "aside.sock"), filepath.Join(o.data(), "control.sock")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("a command did not find the server that came: %v", err)
	}
	if err := s.stops(); err != nil {
		t.Error(err)
	}
}

func TestASocketOfAKilledServerIsNoObstacle(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	_ = o.serves().gets(syscall.SIGKILL)
	if _, err := os.Lstat(filepath.Join(o.data(), "control.sock")); err != nil {
		t.Fatalf("nothing was left behind: %v", err)
	}
	if p := o.shows(ada); p.Email != ada {
		t.Errorf("a command shows %+v", p)
	}
	s := o.serves()
	if p := o.shows(ada); p.Email != ada || !s.answers() {
		t.Errorf("the next server's command shows %+v", p)
	}
}

// pretends listens where a server would, and says what it says first.
func (o *operator) pretends(first string) {
	o.t.Helper()
	if err := os.MkdirAll(o.data(), 0o700); err != nil {
		o.t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(o.data(), "control.sock"))
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(first))
			defer c.Close()
		}
	}()
}

func TestAServerOfAnotherVersionIsNamed(t *testing.T) {
	for said, advice := range map[string]string{
		`{"Protocol":99,"Version":"v9.9.9"}`: "the running server, v9.9.9, is newer than this program",
		`{"Protocol":0,"Version":"v0.0.1"}`:  "the running server, v0.0.1, is older than this program",
	} {
		t.Run(advice, func(t *testing.T) {
			o := newOperator(t)
			o.pretends(said + "\n")
			if why := o.fails(failed, "user", "list"); !strings.HasPrefix(why, advice) {
				t.Error(why)
			}
		})
	}
}

func TestASecondServerOnTheSameDataIsRefused(t *testing.T) {
	o := newOperator(t)
	first := o.serves()
	begun := time.Now()
	why := o.fails(failed, "serve", "--listen", freeAddress(t))
	if !strings.Contains(why, "a server already runs on this data") || !strings.Contains(why, "--data") {
		t.Error(why)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it was refused after %s", took)
	}
	if !first.answers() {
		t.Error("the first server no longer answers")
	}
	o.does("user", "list")
}

func TestTheDataIsItsOwnersAlone(t *testing.T) {
	for name, prepare := range map[string]func(o *operator){
		"in a folder that the program makes": func(*operator) {},
		"in a folder that others may read": func(o *operator) {
			if err := os.MkdirAll(o.data(), 0o755); err != nil {
				o.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOperator(t)
			prepare(o)
			_, err := os.Stat(o.data())
			made := os.IsNotExist(err)
			o.serves()
			o.does("user", "add", ada)
			o.letter(ada, "invitation")
			err = filepath.Walk(o.data(), func(path string, info os.FileInfo, err error) error {
				if err == nil && info.Mode().Perm()&0o077 != 0 && (made || path != o.data()) {
					t.Errorf("%s has mode %o", path, info.Mode().Perm())
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(filepath.Join(o.data(), "control.sock")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the socket: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestAFolderMayLieDeep(t *testing.T) {
	o := newOperator(t)
	deep := filepath.Join(o.folder, strings.Repeat("a-long-name/", 12), "data")
	o.serves("--data", deep)
	o.does("user", "add", ada, "--data", deep)
	if _, err := os.Lstat(filepath.Join(deep, "control.sock")); err != nil {
		t.Error(err)
	}
}
