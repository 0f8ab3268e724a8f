// Package packaging holds what turns the program into a service of a machine:
// units, a Debian package and its scripts. It has no code, only the tests.
package packaging

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
)

// run gives what a program prints.
func run(t *testing.T, folder string, env []string, program string, args ...string) string {
	t.Helper()
	out, err := try(folder, env, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

func try(folder string, env []string, program string, args ...string) (string, error) {
	c := exec.Command(program, args...)
	c.Dir = folder
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// built is the package, built from a copy of the tree, once for all tests.
var built = sync.OnceValues(func() (file string, err error) {
	if kept, err = os.MkdirTemp("", "twinlock-package-"); err != nil {
		return "", err
	}
	out, err := try(".", nil, "./package", kept)
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(out), nil
})

var kept string

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(kept)
	os.Exit(status)
}

func packageFile(t *testing.T) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// unpacked is the package as dpkg would put it, below a folder.
func unpacked(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	run(t, ".", nil, "dpkg-deb", "--extract", packageFile(t), root)
	return root
}

func TestThePackageIsTheSameByteForByte(t *testing.T) {
	tree := kit.Clone(t)
	again := filepath.Join(tree, strings.TrimSpace(run(t, tree, []string{"TZ=Asia/Tokyo", "LC_ALL=C.UTF-8"}, filepath.Join(tree, "packaging", "package"))))
	var raw [2][]byte
	for i, file := range []string{packageFile(t), again} {
		var err error
		if raw[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(raw[0], raw[1]) {
		t.Errorf("%s differs from the one built in another folder", filepath.Base(again))
	}
}

func TestThePackageHoldsWhatAServiceNeeds(t *testing.T) {
	out := run(t, ".", nil, "dpkg-deb", "--contents", packageFile(t))
	mode := map[string]string{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if fields[1] != "root/root" || strings.Contains(fields[0][8:9], "w") || strings.ContainsAny(fields[0], "sStT") {
			t.Errorf("whose, or how: %s", line)
		}
		mode[strings.TrimPrefix(fields[5], ".")] = fields[0]
	}
	for path, want := range map[string]string{
		"/usr/bin/twinlock": "-rwxr-xr-x", "/usr/lib/twinlock/backup": "-rwxr-xr-x", "/etc/twinlock/twinlock.toml": "-rw-r--r--",
		"/lib/systemd/system/twinlock.service": "-rw-r--r--", "/lib/systemd/system/twinlock-backup.service": "-rw-r--r--",
		"/lib/systemd/system/twinlock-backup.timer": "-rw-r--r--", "/usr/share/man/man8/twinlock.8.gz": "-rw-r--r--",
		"/usr/share/doc/twinlock/copyright": "-rw-r--r--", "/usr/share/doc/twinlock/changelog.gz": "-rw-r--r--",
		"/usr/share/doc/twinlock/install.md": "-rw-r--r--", "/usr/share/doc/twinlock/proxies/nginx.conf": "-rw-r--r--",
		"/usr/share/doc/twinlock/monitoring/alerts.yml": "-rw-r--r--", "/usr/share/doc/twinlock/monitoring/dashboard.json": "-rw-r--r--",
	} {
		if mode[path] != want {
			t.Errorf("%s is %q, want %q", path, mode[path], want)
		}
	}
}

func TestThePackageSaysWhatItIs(t *testing.T) {
	field := func(name string) string {
		return strings.TrimSpace(run(t, ".", nil, "dpkg-deb", "--field", packageFile(t), name))
	}
	for name, want := range map[string]string{
		"Package": `twinlock`, "Version": `\d+\.\d+\.\d+[~+.a-z0-9]*`, "Architecture": `amd64|arm64`, "Maintainer": `.+ <.+@.+>`,
		"Installed-Size": `[1-9]\d{3,}`, "Description": `(?s)self-hosted .+`,
	} {
		if got := field(name); !regexp.MustCompile(`^(` + want + `)$`).MatchString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, line := range strings.Split(field("Description"), "\n") {
		if len(line) > 80 {
			t.Errorf("too long for a terminal: %s", line)
		}
	}
	if base := filepath.Base(packageFile(t)); base != "twinlock_"+field("Version")+"_"+field("Architecture")+".deb" {
		t.Errorf("the file is called %s", base)
	}
	control := t.TempDir()
	run(t, ".", nil, "dpkg-deb", "--control", packageFile(t), control)
	if raw, _ := os.ReadFile(filepath.Join(control, "conffiles")); string(raw) != "/etc/twinlock/twinlock.toml\n" {
		t.Errorf("an upgrade keeps only: %q", raw)
	}
	run(t, unpacked(t), nil, "md5sum", "--check", "--quiet", filepath.Join(control, "md5sums"))
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		run(t, control, nil, "sh", "-n", script)
		raw, err := os.ReadFile(filepath.Join(control, script))
		if err != nil || !bytes.HasPrefix(raw, []byte("#!/bin/sh\nset -e\n")) {
			t.Errorf("%s goes on after a failure", script)
		}
	}
}

func TestTheProgramInThePackageRunsOnAnyMachine(t *testing.T) {
	root := unpacked(t)
	program := filepath.Join(root, "usr/bin/twinlock")
	binary, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if needed, _ := binary.ImportedLibraries(); len(needed) > 0 || slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("it needs %v", needed)
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(here)) {
		t.Errorf("it tells that it was built in %s", here)
	}
	if said := run(t, root, nil, program, "version"); !strings.HasPrefix(said, "twinlock v") && !strings.HasPrefix(said, "twinlock (devel)") {
		t.Errorf("version: %s", said)
	}
	settings := filepath.Join(root, "etc/twinlock/twinlock.toml")
	if said := run(t, root, nil, program, "config", "check", "--config", settings); said != "The settings are right.\n" {
		t.Errorf("config check: %s", said)
	}
	// What is only a comment in the settings is right too.
	shipped, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^#([a-z_]+ *=)`).ReplaceAll(shipped, []byte("$1"))
	if err := os.WriteFile(settings, all, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(t, root, nil, program, "config", "check", "--config", settings); bytes.Equal(all, shipped) || said != "The settings are right.\n" {
		t.Errorf("with everything that is offered: %s", said)
	}
}

func TestTheLicencesOfTheLibrariesComeAlong(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(unpacked(t), "usr/share/doc/twinlock/copyright"))
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(run(t, "..", nil, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./cmd/twinlock"))
	slices.Sort(modules)
	for _, path := range append(slices.Compact(modules), "Go itself") {
		_, after, found := bytes.Cut(raw, []byte("\n----- "+path))
		text, _, _ := bytes.Cut(after, []byte("\n----- "))
		if !found || len(text) < 500 {
			t.Errorf("%s: its licence is missing", path)
		}
	}
}

var units = []string{"systemd/twinlock.service", "systemd/twinlock-backup.service"}

func TestTheUnitsAreWellFormed(t *testing.T) {
	folder := t.TempDir()
	files := append(slices.Clone(units), "systemd/twinlock-backup.timer")
	for i, unit := range files {
		raw, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`=/usr/(bin/twinlock|lib/twinlock/backup)`).ReplaceAllString(string(raw), "=/bin/true")
		text = strings.ReplaceAll(text, "Documentation=man:twinlock(8)\n", "")
		files[i] = filepath.Join(folder, filepath.Base(unit))
		if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said := run(t, ".", nil, "systemd-analyze", append([]string{"verify"}, files...)...); said != "" {
		t.Errorf("%s", said)
	}
}

// The figure stands in the page about installing.
func TestTheUnitsAreHardened(t *testing.T) {
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	figure := regexp.MustCompile(`exposure level for .*: ([0-9.]+) `)
	version := run(t, ".", nil, "systemd-analyze", "--version")
	for _, unit := range units {
		said := run(t, ".", nil, "systemd-analyze", "security", "--offline=true", "--no-pager", unit)
		found := figure.FindStringSubmatch(said)
		if found == nil {
			t.Fatalf("%s: no figure in\n%s", unit, said)
		}
		if exposed, err := strconv.ParseFloat(found[1], 64); err != nil || exposed > 1.5 {
			t.Errorf("%s: exposed by %s\n%s", unit, found[1], said)
		}
		if strings.HasPrefix(version, "systemd 252 ") && !bytes.Contains(page, []byte("**"+found[1]+"**")) {
			t.Errorf("%s: measured %s, and the page says otherwise", unit, found[1])
		}
	}
}

// directive gives the values of a directive of a unit.
func directive(t *testing.T, unit, name string) (values []string) {
	t.Helper()
	raw, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

func TestTheUnitsNameFilesOfThePackage(t *testing.T) {
	root := unpacked(t)
	for _, unit := range units {
		for _, command := range append(directive(t, unit, "ExecStart"), directive(t, unit, "ExecStartPre")...) {
			program, _, _ := strings.Cut(command, " ")
			if info, err := os.Stat(filepath.Join(root, program)); err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("%s starts %s: %v", unit, program, err)
			}
		}
	}
}

// The newest stay, an older one goes only once a new one is whole, and nothing
// that is no backup of this kind is touched.
func TestTheBackupKeepsTheNewest(t *testing.T) {
	root := unpacked(t)
	folder, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	env := []string{"PATH=" + filepath.Join(root, "usr/bin") + ":/usr/bin:/bin", "TWINLOCK_DATA=" + data, "KEEP=3"}
	script := filepath.Join(root, "usr/lib/twinlock/backup")
	for _, name := range []string{"twinlock-2026-01-01T00-00-00Z.backup", "twinlock-2026-01-02T00-00-00Z.backup", "twinlock-2026-01-03T00-00-00Z.backup",
		"twinlock-monday.backup", "notes.txt", "twinlock-2025-01-01T00-00-00Z.backup.gpg"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := try(folder, append(env, "TWINLOCK_DATABASE_URL=postgres://nobody@127.0.0.1:1/none"), script, folder); err == nil {
		t.Errorf("a backup of no database succeeded: %s", out)
	}
	if left := names(t, folder); len(left) != 6 {
		t.Errorf("a backup that failed left %v", left)
	}
	cutOff, young := ".twinlock-2026-01-03T00-00-00Z.backup.half-123", ".twinlock-2026-01-04T00-00-00Z.backup.half-456"
	for _, name := range []string{cutOff, young} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-72 * time.Hour)
	if err := os.Chtimes(filepath.Join(folder, cutOff), old, old); err != nil {
		t.Fatal(err)
	}
	run(t, folder, env, script, folder)
	left := names(t, folder)
	if slices.Contains(left, cutOff) || !slices.Contains(left, young) {
		t.Errorf("of halves are left %v", left)
	}
	if err := os.Remove(filepath.Join(folder, young)); err != nil {
		t.Fatal(err)
	}
	left = names(t, folder)
	if len(left) != 6 || slices.Contains(left, "twinlock-2026-01-01T00-00-00Z.backup") || !slices.Contains(left, "twinlock-2026-01-02T00-00-00Z.backup") {
		t.Errorf("left are %v", left)
	}
	for _, keep := range []string{"0", "-1", "all", "1 2"} {
		if out, err := try(folder, append(env, "KEEP="+keep), script, folder); err == nil {
			t.Errorf("KEEP=%s is taken: %s", keep, out)
		}
	}
	if len(names(t, folder)) != 6 {
		t.Errorf("afterwards there are %v", names(t, folder))
	}
}

func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
