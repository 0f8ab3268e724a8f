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

// FuzzBackup: what is no backup, or none any more, is told from one. A file that
// was changed is taken only where its checksum was made anew, and then holds what
// the columns say.
func FuzzBackup(f *testing.F) {
	database, ring := filepath.Join(f.TempDir(), "twinlock.db"), keys.New()
	storetest.WriteSQLite(f, database)
	s := storetest.Open(f, "sqlite:"+database, ring)
	storetest.Person(f, s, "ada@example.org")
	var file bytes.Buffer
	b := transfer.Backup{Made: now, Program: "v1", Ring: ring, Keys: true}
	if err := b.Write(f.Context(), s, &file, silent); err != nil {
		f.Fatal(err)
	}
	unpacked, err := gzip.NewReader(&file)
	if err != nil {
		f.Fatal(err)
	}
	whole, err := io.ReadAll(unpacked)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole), false)
	text := string(whole)
	for _, change := range [][2]string{
		{"settings", "users"}, {`"rows":0`, `"rows":1`}, {`"rows":0`, `"rows":-1`}, {`"schema":`, `"schema":9`}, {`"twinlock_backup":1`, `"twinlock_backup":0`}, {`"twinlock_backup":1`, `"twinlock_backup":2`},
		{`"columns":[`, `"columns":[{"name":"id; DROP TABLE users","kind":"text"},`}, {`"columns":[`, `"columns":[],"x":[`}, {`"kind":"text"`, `"kind":"bytes"`}, {`"keys":"`, `"keys":"x`}, {"}\n", "}\n\n"}, {"}\n", "}"},
		{`"tables":[`, `"tables":[{"name":"sqlite_master","rows":0},`}, {`"made":"`, `"made":"x`},
	} {
		f.Add(strings.Replace(text, change[0], change[1], 1), true)
		f.Add(strings.Replace(text, change[0], change[1], 1), false)
	}
	f.Add("", false)
	f.Add(text[:len(text)/2], true)
	f.Fuzz(func(t *testing.T, lines string, anew bool) {
		if anew {
			lines = withSum(lines)
		}
		opened, err := transfer.Open(packed(lines))
		if err != nil {
			return
		}
		scratch, err := opened.Check(t.Context(), filepath.Join(t.TempDir(), "scratch.db"), silent)
		if err != nil {
			return
		}
		must(t, scratch.Close())
		if !anew && lines != text && withSum(lines) != lines {
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

func packed(lines string) io.Reader {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	_, _ = w.Write([]byte(lines))
	_ = w.Close()
	return &file
}
