package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

// file is a path in the operator's folder.
func (o *operator) file(name string) string { return filepath.Join(o.folder, name) }

func (o *operator) keyFile() string { return filepath.Join(o.data(), "keys", "sealing.key") }

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// people gives the addresses of all accounts.
func (o *operator) people() (all []string) {
	o.t.Helper()
	var list []shownPerson
	o.reads(&list, "user", "list")
	for _, p := range list {
		all = append(all, p.Email)
	}
	return all
}

func (o *operator) wantPeople(want ...string) {
	o.t.Helper()
	if have := o.people(); strings.Join(have, " ") != strings.Join(want, " ") {
		o.t.Errorf("people %v, want %v", have, want)
	}
}

// newMachine is another operator with an empty folder, in the same test.
func (o *operator) newMachine() *operator {
	return &operator{t: o.t, folder: o.t.TempDir(), env: o.env, said: &child.Output{}}
}

func TestABackupIsRestoredOnANewMachine(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.here = false // its files are named from its own folder
		o.person(ada, "--admin")
		said := o.does("backup", "monday.backup")
		if !strings.Contains(said, "The sealing key is not in it") {
			t.Errorf("said %q", said)
		}
		info, err := os.Stat(o.file("monday.backup"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("the file: %v, %v", info, err)
		}
		there := o.newMachine()
		copyFile(t, o.keyFile(), there.keyFile())
		said = there.does("restore", o.file("monday.backup"))
		for _, want := range []string{"1 people (1 administrators, 0 with two-factor authentication)", "Everybody logs in anew", "Recovery codes"} {
			if !strings.Contains(said, want) {
				t.Errorf("the restore does not say %q:\n%s", want, said)
			}
		}
		there.wantPeople(ada)
		there.serves()
		there.person(bob)
		there.wantPeople(ada, bob)
	})
}

func TestABackupWithItsKeysNeedsNothingElse(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	if said := o.does("backup", "--with-keys", "all.backup"); !strings.Contains(said, "whoever has this file has everything") {
		t.Errorf("said %q", said)
	}
	there := o.newMachine()
	there.does("restore", o.file("all.backup"))
	there.wantPeople(ada)
	if info, err := os.Stat(there.keyFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
}

func TestARestoreThatCannotBeChangesNothing(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.does("backup", "some.backup")
	whole, err := os.ReadFile(o.file("some.backup"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.file("half.backup"), whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		prepare func(there *operator)
		file    string
		want    string
	}{
		"without the key":     {func(*operator) {}, "some.backup", "the key of this backup is missing: put the one that was kept with it at data/keys/sealing.key"},
		"with another key":    {func(there *operator) { there.does("user", "list") }, "some.backup", "is not the key of this backup"},
		"over accounts":       {func(there *operator) { copyFile(t, o.keyFile(), there.keyFile()); there.person(bob) }, "some.backup", "the database has accounts: 1 people, who would go; say so with --replace"},
		"beside a server":     {func(there *operator) { copyFile(t, o.keyFile(), there.keyFile()); there.serves() }, "some.backup", "a server runs on this data; stop it first"},
		"of half a file":      {func(there *operator) { copyFile(t, o.keyFile(), there.keyFile()) }, "half.backup", "it is damaged"},
		"of no file":          {func(*operator) {}, "no.backup", "no such file"},
		"of another's file":   {func(*operator) {}, "data/twinlock.db", "it is no backup of Twinlock"},
		"of a file elsewhere": {func(*operator) {}, "nowhere/some.backup", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			there := o.newMachine()
			there.t = t
			tt.prepare(there)
			people := there.stateOf()
			if why := there.fails(failed, "restore", o.file(tt.file)); !strings.Contains(why, tt.want) {
				t.Errorf("said %q, want %q", why, tt.want)
			}
			if now := there.stateOf(); now != people {
				t.Errorf("before: %s\nafter: %s", people, now)
			}
			if left, _ := filepath.Glob(filepath.Join(there.data(), "restoring*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// stateOf is the key and the people of a folder, where it has any.
func (o *operator) stateOf() string {
	key, err := os.ReadFile(o.keyFile())
	if err != nil {
		return "nothing"
	}
	return string(key) + strings.Join(o.people(), " ")
}

func TestARestoreOverAnotherInstallationKeepsItsKeyForOlderBackups(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.does("backup", "--with-keys", "all.backup")
	there := o.newMachine()
	there.person(bob)
	there.does("backup", "bobs.backup")
	before, err := os.ReadFile(there.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	said := there.does("restore", "--replace", o.file("all.backup"))
	there.wantPeople(ada)
	kept, _ := filepath.Glob(there.keyFile() + ".replaced-*")
	if len(kept) != 1 || !strings.Contains(said, filepath.Base(kept[0])) {
		t.Fatalf("kept %v, said %q", kept, said)
	}
	if now, _ := os.ReadFile(kept[0]); !bytes.Equal(now, before) {
		t.Error("what was kept is not the key that was there")
	}
}

func TestABackupGoesToStandardOutput(t *testing.T) {
	bothWays(t, func(t *testing.T, o *operator) {
		o.person(ada)
		r := o.run("", "backup", "--with-keys", "-")
		there := o.newMachine()
		if again := there.run(r.out, "restore", "-"); r.status != done || again.status != done {
			t.Fatalf("%d, %d: %s%s", r.status, again.status, r.errs, again.errs)
		}
		there.wantPeople(ada)
	})
}

func TestABackupThatCannotBeWrittenIsNoFile(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	if why := o.fails(failed, "backup", "nowhere/some.backup"); !strings.Contains(why, "no such file or directory") {
		t.Error(why)
	}
	if err := os.MkdirAll(o.file("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	o.run("", "backup", "folder")
	if all, _ := filepath.Glob(o.file(".*half*")); len(all) > 0 {
		t.Errorf("left behind: %v", all)
	}
}

// large is a backup with its keys and with many people.
func large(t *testing.T, people int) []byte {
	t.Helper()
	ring := keys.New()
	var text bytes.Buffer
	fmt.Fprintf(&text, `{"twinlock_backup":1,"made":"2026-11-23T12:00:12Z","program":"v1","schema":1,"fingerprint":%q,"keys":%q,"tables":[{"name":"users","rows":%d}]}`+"\n",
		ring.Fingerprint(), ring.Text(), people)
	text.WriteString(`{"table":"users","columns":[{"name":"id","kind":"text"},{"name":"address","kind":"text"},{"name":"canonical","kind":"text"},` +
		`{"name":"name","kind":"text"},{"name":"language","kind":"text"},{"name":"theme","kind":"text"},{"name":"state","kind":"text"},` +
		`{"name":"administrator","kind":"boolean"},{"name":"must_use_two_factor","kind":"boolean"},{"name":"two_factor_since","kind":"integer"},` +
		`{"name":"generation","kind":"integer"},{"name":"password_hash","kind":"text"},{"name":"password_changed_at","kind":"integer"},` +
		`{"name":"created_at","kind":"integer"},{"name":"last_login_at","kind":"integer"}]}` + "\n")
	for i := range people {
		fmt.Fprintf(&text, `["id%d","person%[1]d@example.org","person%[1]d@example.org","","","","active",false,false,0,1,"",0,1,0]`+"\n", i)
	}
	sum := sha256.Sum256(text.Bytes())
	fmt.Fprintf(&text, `{"sha256":%q}`+"\n", base64.StdEncoding.EncodeToString(sum[:]))
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	_, _ = packed.Write(text.Bytes())
	_ = packed.Close()
	return file.Bytes()
}

// kill ends a command after a while, as a loss of power would, and tells whether
// it was still at work.
func kill(t *testing.T, c *exec.Cmd, after time.Duration) (killed bool) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = c.Process.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	return c.Wait() != nil
}

// Keys and database cannot change in one step: whichever moment a restore is
// killed at, the folder is the old one or the new one, with its key.
func TestARestoreThatIsKilledLeavesTheOldStateOrTheNew(t *testing.T) {
	const many = 1_500
	file := filepath.Join(t.TempDir(), "large.backup")
	if err := os.WriteFile(file, large(t, many), 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOperator(t)
	o.person(ada)
	before := o.stateOf()
	begun := time.Now()
	o.newMachine().does("restore", file)
	whole := time.Since(begun)
	const moments = 6
	killed := 0
	for i := range moments {
		if kill(t, o.command("restore", "--replace", file), whole*time.Duration(i+1)/(moments-1)) {
			killed++
		}
		o.does("group", "list") // whatever has to be finished is
		if now := o.stateOf(); now == before {
			continue
		}
		if n := len(o.people()); n != many {
			t.Fatalf("neither old nor new: %d people", n)
		}
		break
	}
	if killed == 0 {
		t.Errorf("no restore was killed: the moments are too late to show anything")
	}
	o.does("restore", "--replace", file)
	if n := len(o.people()); n != many {
		t.Errorf("%d people after a restore that nobody killed", n)
	}
}

func TestABackupThatIsKilledLeavesNoHalfFile(t *testing.T) {
	o := newOperator(t)
	if err := os.WriteFile(o.file("large.backup"), large(t, 1_500), 0o600); err != nil {
		t.Fatal(err)
	}
	o.does("restore", "large.backup")
	begun := time.Now()
	o.does("backup", "whole.backup")
	whole := time.Since(begun)
	for i := range 6 {
		kill(t, o.command("backup", "killed.backup"), whole*time.Duration(i+1)/7)
		if _, err := os.Stat(o.file("killed.backup")); err == nil {
			there := o.newMachine()
			copyFile(t, o.keyFile(), there.keyFile())
			there.does("restore", o.file("killed.backup"))
		}
	}
}

func TestASQLiteBackupMovesIntoPostgreSQLWhichNoServerMayUse(t *testing.T) {
	o := newOperator(t)
	o.person(ada)
	o.does("backup", "--with-keys", "all.backup")
	url := storetest.PostgreSQL(t)
	there, elsewhere := o.newMachine(), o.newMachine()
	there.does("restore", "--database-url", url, o.file("all.backup"))
	copyFile(t, there.keyFile(), elsewhere.keyFile())
	s := elsewhere.serves("--database-url", url)
	why := there.fails(failed, "restore", "--replace", "--database-url", url, o.file("all.backup"))
	if !strings.Contains(why, "a server uses this database") {
		t.Errorf("beside a server on another machine: %s", why)
	}
	if err := s.stops(); err != nil {
		t.Error(err)
	}
	there.does("restore", "--replace", "--database-url", url, o.file("all.backup"))
	there.does("backup", "--database-url", url, "back.backup")
	home := o.newMachine()
	copyFile(t, there.keyFile(), home.keyFile())
	home.does("restore", there.file("back.backup"))
	home.wantPeople(ada)
}
