package judges

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of the documentation anew")

var modules = slices.Concat(basicModules, dynamicModules, configModules, logoutModules, noticeModules)

// The modules of the public test plans are put to our provider and to the
// control. Both have to pass each, and a provider that is wrong in just this has
// to fail it.
func TestModulesOfThePublicPlans(t *testing.T) {
	twinlock, control := startTwinlock(t), startControl(t)
	results := map[string][]string{}
	for _, p := range []*provider{twinlock, control} {
		t.Run(p.name, func(t *testing.T) {
			for _, m := range modules {
				t.Run(m.public, func(t *testing.T) {
					t.Log(m.asks)
					found, notes := judged(p, m, nil)
					for _, fault := range found {
						t.Error(fault)
					}
					results[m.public] = append(results[m.public], result(found, notes))
				})
			}
		})
	}
	t.Run("a provider that is wrong", func(t *testing.T) {
		for _, m := range modules {
			t.Run(m.public, func(t *testing.T) {
				found, _ := judged(twinlock, m, m.spoil)
				if len(found) == 0 {
					t.Error("it passes")
				}
				t.Log(found)
			})
		}
	})
	whole := !slices.ContainsFunc(modules, func(m module) bool { return len(results[m.public]) != 2 })
	if whole && !t.Failed() { // with -run only some were asked
		holdTable(t, results)
	}
}

func result(found, notes []string) string {
	switch {
	case len(found) > 0:
		return "**fails**"
	case len(notes) > 0:
		return "passes: " + strings.Join(notes, ", ")
	}
	return "passes"
}

const (
	page   = "../../docs/applications.md"
	begins = "<!-- modules: written by the test that runs them -->\n"
	ends   = "<!-- modules end -->\n"
)

// holdTable holds the table of the documentation against what was just seen.
func holdTable(t *testing.T, results map[string][]string) {
	var table strings.Builder
	fmt.Fprintf(&table, "| Plan | Module | It asks | Twinlock | oidc-provider |\n|---|---|---|---|---|\n")
	for _, m := range modules {
		fmt.Fprintf(&table, "| %s | `%s` | %s | %s |\n", m.plan, m.public, m.asks, strings.Join(results[m.public], " | "))
	}
	before, rest, found := strings.Cut(read(t, page), begins)
	written, after, closed := strings.Cut(rest, ends)
	if !found || !closed {
		t.Fatal("the page has no place for the table")
	}
	if written == table.String() {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not what was seen; write it anew with -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begins+table.String()+ends+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What the documentation says of versions is what the tests run.
func TestTheDocumentationNamesTheVersionsThatJudge(t *testing.T) {
	text := read(t, page)
	var npm struct {
		Versions map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal([]byte(read(t, "../package.json")), &npm); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openid-client", "oidc-provider"} {
		if version := npm.Versions[name]; version == "" || !strings.Contains(text, version) || !strings.Contains(text, name) {
			t.Errorf("%s %s is not named", name, version)
		}
	}
	for _, module := range []string{"coreos/go-oidc/v3", "golang.org/x/oauth2"} {
		_, rest, _ := strings.Cut(read(t, "../../go.mod"), module+" v")
		version, _, _ := strings.Cut(rest, "\n")
		if version == "" || !strings.Contains(text, "| "+version+" |") {
			t.Errorf("%s %s is not named", module, version)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
