// Package internal holds the rooms of the house. It has no code of its own,
// only the test that keeps the doors between them as they were drawn.
package internal

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/twinlock/twinlock"

const (
	mechanisms = "address keys metrics origin password picture recovery redirect secret slots throttle totp written"
	flows      = "setup login register passwordreset account apps admin oidc forwardauth"
	kits       = "apptest apptest/authority apptest/child apptest/program mail/mailtest passkey/passkeytest store/storetest ui/sample ui/uitest"
)

// doors say which rooms a room may import. Where several rooms share a line,
// none of them may import another.
var doors = []struct{ rooms, mayImport string }{
	{"auth", ""},
	{mechanisms, "auth"},
	{"passkey", "auth"}, // a mechanism, whose library speaks HTTP: nobody below web may know it
	{"config", "written auth"},
	{"i18n", "auth"},
	{"recipe", "auth origin"},
	{"store", mechanisms + " auth"},
	{"hashing", "password recovery auth"},
	{"session proof", "store hashing auth " + mechanisms},
	{"ui mail", "i18n auth"},
	{"web", "session proof store ui i18n auth passkey " + mechanisms},
	{"transfer", "store auth " + mechanisms},
	{flows, "web session proof store transfer ui i18n config recipe auth passkey " + mechanisms},
}

// wired knows every room but the developer's.
var wired = []string{"internal/app", "cmd/twinlock"}

// forDevelopers tells what helps to write and to test Twinlock. Nothing that is
// shipped imports it.
func forDevelopers(room string) bool {
	top, _, _ := strings.Cut(room, "/")
	return slices.Contains(rooms(kits), room) || room == "cmd/twinlock-dev" || top == "browser" || top == "bench" || top == "faults"
}

func rooms(names string) []string {
	all := strings.Fields(names)
	for i := range all {
		all[i] = "internal/" + all[i]
	}
	return all
}

// TestRoomsImportOnlyWhatTheirDoorsLeadTo holds the direction of imports. A
// room that is new fails it until it has a line above.
func TestRoomsImportOnlyWhatTheirDoorsLeadTo(t *testing.T) {
	house := list(t)
	mayImport := map[string][]string{}
	for _, door := range doors {
		for _, room := range rooms(door.rooms) {
			mayImport[room] = rooms(door.mayImport)
		}
	}
	for name, p := range house {
		room, ours := strings.CutPrefix(name, module+"/")
		if !ours || forDevelopers(room) || len(p.GoFiles) == 0 {
			continue
		}
		allowed, known := mayImport[room]
		if !known && !slices.Contains(wired, room) {
			t.Errorf("%s has no doors: say what it may import", room)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module+"/")
			switch {
			case ours && forDevelopers(other):
				t.Errorf("%s imports %s, which only tests may", room, other)
			case ours && known && !slices.Contains(allowed, other):
				t.Errorf("%s imports %s: no door leads there", room, other)
			}
		}
	}
}

// TestWhatRoomsDoNotKnow holds what the rules and the mechanisms are kept
// free of, however long the way.
func TestWhatRoomsDoNotKnow(t *testing.T) {
	house := list(t)
	for _, tt := range []struct {
		rooms, unknown string
	}{
		{"auth", "os net net/http database/sql crypto/rand math/rand math/rand/v2 log log/slog"},
		{mechanisms, "net/http html/template database/sql"},
		{"store session proof", "net/http html/template"},
		{"ui mail i18n config", "database/sql"},
	} {
		for _, room := range rooms(tt.rooms) {
			for _, unknown := range strings.Fields(tt.unknown) {
				if slices.Contains(house[module+"/"+room].Deps, unknown) {
					t.Errorf("%s knows %s", room, unknown)
				}
			}
		}
	}
	for _, d := range house[module+"/internal/auth"].Deps {
		if !house[d].Standard {
			t.Errorf("internal/auth imports %s, which is not of the standard library", d)
		}
	}
}

// TestOneRoomSpeaksToEachLibrary keeps what is hard to replace in one place.
func TestOneRoomSpeaksToEachLibrary(t *testing.T) {
	speaks := map[string]string{
		"database/sql":                          "internal/store",
		"modernc.org/sqlite":                    "internal/store",
		"github.com/jackc/pgx/v5/stdlib":        "internal/store",
		"github.com/pquerna/otp":                "internal/totp",
		"github.com/pquerna/otp/hotp":           "internal/totp",
		"rsc.io/qr":                             "internal/totp",
		"github.com/ccojocar/zxcvbn-go":         "internal/password",
		"github.com/nicksnyder/go-i18n/v2/i18n": "internal/i18n",
		"github.com/wneessen/go-mail":           "internal/mail",
		"github.com/alecthomas/kong":            "cmd/twinlock",

		"github.com/go-webauthn/webauthn/protocol":              "internal/passkey",
		"github.com/go-webauthn/webauthn/protocol/webauthncose": "internal/passkey",
		"github.com/go-webauthn/webauthn/webauthn":              "internal/passkey",

		"github.com/go-jose/go-jose/v4":     "internal/oidc",
		"github.com/go-jose/go-jose/v4/jwt": "internal/oidc",
	}
	for name, p := range list(t) {
		room, ours := strings.CutPrefix(name, module+"/")
		if !ours || forDevelopers(room) {
			continue
		}
		for _, imported := range p.Imports {
			if only, ok := speaks[imported]; ok && room != only {
				t.Errorf("%s imports %s, which is %s's to do", room, imported, only)
			}
		}
	}
}

func TestTheShippedProgramHoldsNothingOfTheDevelopers(t *testing.T) {
	house := list(t)
	shipped := house[module+"/cmd/twinlock"].Deps
	if !slices.Contains(shipped, module+"/internal/app") {
		t.Fatal("cmd/twinlock does not hold the application: was it looked at?")
	}
	for _, d := range shipped {
		room, ours := strings.CutPrefix(d, module+"/")
		switch {
		case ours && forDevelopers(room),
			d == "testing", strings.HasPrefix(d, "testing/"), d == "net/http/httptest",
			strings.HasPrefix(d, "github.com/chromedp/"):
			t.Errorf("cmd/twinlock holds %s", d)
		}
	}
}

// listed is what the go command tells of a package.
type listed struct {
	ImportPath             string
	Standard               bool
	GoFiles, Imports, Deps []string
}

// list asks the go command for every package of the module and all they need,
// without their tests.
func list(t *testing.T) map[string]listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-json=ImportPath,Standard,GoFiles,Imports,Deps", module+"/...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	house := map[string]listed{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		house[p.ImportPath] = p
	}
	lookAt(t, "..")
	return house
}

// lookAt opens every folder of the source, so that the go command, which knows
// only what a test itself opens, does not answer from its cache when a file
// has changed.
func lookAt(t *testing.T, source string) {
	t.Helper()
	for _, folder := range []string{"cmd", "internal"} {
		err := fs.WalkDir(os.DirFS(source), folder, func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
}
