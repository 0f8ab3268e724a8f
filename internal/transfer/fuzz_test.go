package transfer_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/keys"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/store/storetest"
	"github.com/twinlock/twinlock/internal/transfer"
)

// FuzzList: whatever a list holds, each line gives somebody who can be kept, or
// says what is wrong with it; nobody comes twice, and nobody gets what the list
// may not give.
func FuzzList(f *testing.F) {
	for _, list := range []string{
		"ada@example.org\nbob@example.org", "Ada Lovelace <ada@example.org>\n", "email,name,groups\nada@example.org,Ada,Staff;Büro\n", "ada@example.org\nADA@example.org\n",
		"email,password_hash,administrator\nada@example.org," + someHash + ",yes\n", `{"email":"ada@example.org","groups":["Staff"],"administrator":true}`,
		"\ufeffName,EMAIL\r\n\"Lovelace, Ada\",ada@example.org\r\n", "# none\n\n,,,\n", "{\n}\n{}{}\n[1]\n", "email\n\xff\n\x00@example.org\n", strings.Repeat("a", 20<<10) + "\nada@example.org",
		`{"email":"ada@example.org","name":"` + "\\u0000" + `","language":"de"}`, "<<>>@<>\n<a@b.c> x\n", "email,email\na@b.c,d@e.f\n",
	} {
		f.Add(list, true, true)
		f.Add(list, false, false)
	}
	f.Fuzz(func(t *testing.T, list string, imports, administrators bool) {
		r := transfer.NewReader(strings.NewReader(list), staff)
		r.Import, r.Administrators, r.Languages = imports, administrators, []string{"en", "de"}
		seen, before := map[string]bool{}, 0
		for {
			p, fault, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("%q: %v", list, err)
			}
			if fault != nil {
				if fault.Line <= before || fault.Why == "" || len(fault.Detail) > 1000 {
					t.Errorf("%q: %+v after line %d", list, fault, before)
				}
				before = fault.Line
				continue
			}
			if at, err := address.Parse(p.Address.Spelling); err != nil || at != p.Address || seen[p.Address.Canonical] {
				t.Errorf("%q: %+v is no address, or comes twice", list, p.Address)
			}
			hash := p.Hash.Reveal()
			if p.Line <= before || !utf8.ValidString(p.Name) || strings.ContainsFunc(p.Name, unicode.IsControl) || p.Administrator && !(imports && administrators) ||
				hash != "" && (!imports || !password.Readable(hash)) || p.MustUseTwoFactor && !imports || p.Language != "" && p.Language != "en" && p.Language != "de" {
				t.Errorf("%q: line %d gives %+v with hash %q", list, p.Line, p.NewUser, hash)
			}
			seen[p.Address.Canonical], before = true, p.Line
		}
	})
}

// spoiled are backups with something wrong in them, unpacked, and first of all one
// that is whole.
func spoiled(t testing.TB) (all []string) {
	t.Helper()
	database, ring := filepath.Join(t.TempDir(), "twinlock.db"), keys.New()
	storetest.WriteSQLite(t, database)
	s := storetest.Open(t, "sqlite:"+database, ring)
	storetest.Person(t, s, "ada@example.org")
	var file bytes.Buffer
	b := transfer.Backup{Made: now, Program: "v1", Ring: ring, Keys: true}
	if err := b.Write(t.Context(), s, &file, silent); err != nil {
		t.Fatal(err)
	}
	unpacked, err := gzip.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(raw)
	all = []string{whole, whole[:len(whole)/2]}
	for _, change := range [][2]string{
		{`"settings"`, `"users"`}, {`"rows":0`, `"rows":1`}, {`"rows":1`, `"rows":-1`}, {`"schema":`, `"schema":9`}, {`"twinlock_backup":1`, `"twinlock_backup":0`}, {`"twinlock_backup":1`, `"twinlock_backup":2`},
		{`"columns":[`, `"columns":[{"name":"id; DROP TABLE users","kind":"text"},`}, {`"columns":[`, `"columns":[],"x":[`}, {`"kind":"text"`, `"kind":"bytes"`}, {`"keys":"`, `"keys":"x`},
		{"}\n", "}\n\n"}, {"}\n", "}"}, {`"tables":[`, `"tables":[{"name":"sqlite_master","rows":0},`}, {`"made":"`, `"made":"x`}, {"ada@example.org", "eve@example.org"},
	} {
		changed := strings.Replace(whole, change[0], change[1], 1)
		if changed == whole {
			t.Fatalf("there is no %s in a backup", change[0])
		}
		all = append(all, changed)
	}
	return all
}

// A file that was changed is no backup, whatever was changed in it.
func TestABackupThatWasChangedIsNone(t *testing.T) {
	for i, lines := range spoiled(t) {
		opened, err := transfer.Open(packed(lines))
		if err == nil {
			var scratch *store.Scratch
			if scratch, err = opened.Check(t.Context(), filepath.Join(t.TempDir(), "scratch.db"), silent); err == nil {
				must(t, scratch.Close())
			}
		}
		if whole := i == 0; whole != (err == nil) {
			t.Errorf("%.200q: %v", lines, err)
		}
	}
}

// FuzzBackup: whatever a file holds, it is read to its end, or told from a backup;
// one with another checksum than its own is none.
func FuzzBackup(f *testing.F) {
	for _, lines := range spoiled(f) {
		f.Add(lines, true)
		f.Add(lines, false)
	}
	f.Add("", false)
	f.Fuzz(func(t *testing.T, lines string, anew bool) {
		if anew {
			lines = withSum(lines)
		}
		opened, err := transfer.Open(packed(lines))
		if err == nil {
			err = opened.ReadThrough()
		}
		if err == nil && sumOf(lines) != sumOf(withSum(lines)) {
			t.Errorf("a file that was changed is taken for a backup: %q", lines)
		}
	})
}

// withSum gives the lines with the checksum that they have now.
func withSum(lines string) string {
	lines = strings.TrimSuffix(lines, "\n")
	before := lines[:strings.LastIndex(lines, "\n")+1]
	sum := sha256.Sum256([]byte(before))
	last, _ := json.Marshal(map[string]any{"sha256": sum[:]})
	return before + string(last) + "\n"
}

// sumOf is the checksum that the last line tells.
func sumOf(lines string) string {
	lines = strings.TrimSuffix(lines, "\n")
	var last struct{ SHA256 []byte }
	_ = json.Unmarshal([]byte(lines[strings.LastIndex(lines, "\n")+1:]), &last)
	return string(last.SHA256)
}

func packed(lines string) io.Reader {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	_, _ = w.Write([]byte(lines))
	_ = w.Close()
	return &file
}
