package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// A move that is killed at any moment is finished by the next, and the new
// database serves as the old one did.
func TestAMoveThatIsKilledIsFinishedByTheNext(t *testing.T) {
	const many = 12_000
	file := filepath.Join(t.TempDir(), "large.backup")
	if err := os.WriteFile(file, large(t, many), 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOperator(t)
	o.does("restore", file)
	o.person(ada)
	o.does("group", "list") // what has to be finished after a restore is
	begun := time.Now()
	if said := o.does("migrate", "--to", storetest.PostgreSQL(t)); !strings.Contains(said, "nothing differs") {
		t.Errorf("%s", said)
	}
	whole := time.Since(begun)
	url, killed := storetest.PostgreSQL(t), 0
	for i := range 5 {
		c := o.command("migrate", "--to", url)
		kill(t, c, whole*time.Duration(i+1)/8)
		if c.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
			killed++
		}
	}
	if killed == 0 {
		t.Error("no move was killed: the moments are too late to show anything")
	}
	if last := o.run("", "migrate", "--to", url); last.status != done && !strings.Contains(last.errs, "name an empty one") {
		t.Errorf("the last one: %s", last.errs)
	}
	s := o.serves("--database-url", url)
	if n := len(o.people()); n != many+1 {
		t.Errorf("%d people, want %d", n, many+1)
	}
	if err := s.stops(); err != nil {
		t.Error(err)
	}
}

func TestAMoveIsRefusedWhereItWouldTear(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	url := storetest.PostgreSQL(t)
	s := o.serves()
	if why := o.fails(failed, "migrate", "--to", url); !strings.Contains(why, "stop it first") {
		t.Errorf("beside a server: %s", why)
	}
	if err := s.stops(); err != nil {
		t.Error(err)
	}
	if why := o.fails(failed, "migrate", "--to", "sqlite:elsewhere.db"); !strings.Contains(why, "PostgreSQL") {
		t.Errorf("to SQLite: %s", why)
	}
	o.env = append(o.env, config.MigrateTo+"="+url) // as the page says, for its password
	o.does("migrate")
	o.people() // no command takes it for a setting
	if why := o.fails(failed, "migrate"); !strings.Contains(why, "name an empty one") {
		t.Errorf("a second time: %s", why)
	}
	if why := o.fails(failed, "migrate", "--database-url", url, "--to", url); !strings.Contains(why, "on PostgreSQL already") {
		t.Errorf("from PostgreSQL: %s", why)
	}
}
