package kit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/program"
)

func TestMain(m *testing.M) {
	status := m.Run()
	program.Quit()
	os.Exit(status)
}

// The kit brings up what it promises: a person with a phone signs in, the server
// and the database are killed, and what was done is there.
func TestASiteOutlivesItsServersAndItsDatabase(t *testing.T) {
	Each(t, func(t *testing.T, engine Engine) {
		t.Parallel()
		s := Start(t, engine, map[Engine]int{SQLite: 1, PostgreSQL: 2}[engine])
		s.Person("root@example.org", "--admin")
		s.Activate("two-factor")
		ada := s.Person("ada@example.org")
		browser := s.Browser(0, "127.0.0.2")
		s.SignIn(browser, ada)
		s.EnableTwoFactor(browser, ada)
		s.Servers[0].Kill()
		if page := browser.Get("/account"); page.Status != 0 {
			t.Errorf("a killed server answers %d", page.Status)
		}
		if s.Cluster != nil {
			s.Cluster.End(9)
			if err := s.Cluster.Start(); err != nil {
				t.Fatal(err)
			}
		}
		s.Servers[0].Start()
		browser.Get("/account").WantStatus(200)
		other := s.Browser(len(s.Servers)-1, "127.0.0.3")
		if page := s.SignIn(other, ada); page.Status != 200 || !page.HasButton("Log out") {
			t.Errorf("status %d: %s", page.Status, page.Text())
		}
		other.Get("/forgot-password").Form("Send reset link").Fill("Email", ada.Address).Press()
		other.Get(s.Link(ada.Address, "/forgot-password/new")).WantStatus(200)
	})
}

func TestTheTableHasALineForEachFault(t *testing.T) {
	var b Table
	b.Add(t, Row{Fault: "kill", Engine: SQLite, Runs: 3, Held: "all", Figures: []string{"lost 0", "twice 0"}, Took: 2 * time.Second})
	var out bytes.Buffer
	if err := b.Write(&out); err != nil || !strings.HasSuffix(out.String(), "\n| kill | SQLite | 3 | all | lost 0; twice 0 | 2 |\n") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestATableIsTakenOver(t *testing.T) {
	var written, taken Table
	written.Put(Row{Fault: "disk full", Engine: SQLite, Runs: 200, Held: "all", Figures: []string{"lost 0", "twice 0"}, Took: 2 * time.Second})
	written.Put(Row{Fault: "kill", Engine: PostgreSQL, Runs: 3, Held: "NOT HELD: all"})
	var before, after bytes.Buffer
	file := filepath.Join(t.TempDir(), "rows.md")
	if err := errors.Join(written.Write(&before), os.WriteFile(file, before.Bytes(), 0o600), taken.TakeFrom(file), taken.Write(&after)); err != nil {
		t.Fatal(err)
	}
	if after.String() != before.String() {
		t.Errorf("%s\nis taken for\n%s", &before, &after)
	}
	for _, text := range []string{"", "| Fault |\n|---|\n", "| Fault |\n|---|\n| kill | SQLite |\n", "| Fault |\n|---|\n| kill | SQLite | many | all | none | 2 |\n"} {
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), taken.TakeFrom(file)); err == nil {
			t.Errorf("%q is taken for a table", text)
		}
	}
}

func TestTheMedianAndTheLongest(t *testing.T) {
	var d Took
	if d.At(0.5) != 0 {
		t.Error(&d)
	}
	for _, ms := range []int{30, 10, 20} {
		d.Add(time.Duration(ms) * time.Millisecond)
	}
	if d.String() != "20 ms, at most 30 ms" {
		t.Error(&d)
	}
}
