package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/config"
)

var (
	slanted    = regexp.MustCompile(`\*[^*]+\*`)
	inCode     = regexp.MustCompile("`([^`]+)`")
	aNumber    = regexp.MustCompile(`\d+`)
	notNumbers = strings.NewReplacer("SHA-256", "", "Argon2id", "", "ES256", "", "RS256", "", "S256", "", "IPv6", "")
)

// The page of decisions says by default what the settings are by default. Its
// numbers are either those of the settings that their row names, or slanted:
// fixed, and no setting.
func TestThePageOfDecisionsSaysWhatTheSettingsAre(t *testing.T) {
	page, err := os.ReadFile("../docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for _, s := range config.Settings {
		defaults[s.Name] = s.Default
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if !strings.HasPrefix(line, "| ") || cells[0] == "Rule" {
			continue
		}
		if len(cells) != 4 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		var ofSettings []string
		for _, name := range inCode.FindAllStringSubmatch(cells[2], -1) {
			is, known := defaults[name[1]]
			if !known {
				t.Errorf("%s: there is no setting %s", cells[0], name[1])
			}
			named[name[1]] = true
			own := aNumber.FindAllString(is, -1)
			ofSettings = append(ofSettings, own...)
			for _, n := range own {
				if !slices.Contains(numbersOf(cells[1]), n) {
					t.Errorf("%s: %s is %s, and the row does not say so", cells[0], name[1], is)
				}
			}
		}
		for _, n := range numbersOf(cells[1]) {
			if !slices.Contains(ofSettings, n) {
				t.Errorf("%s: %s is no default of %s; what is fixed is slanted", cells[0], n, cells[2])
			}
		}
	}
	for _, s := range config.Settings {
		if aNumber.MatchString(s.Default) && s.Section != "Where it runs" && !named[s.Name] {
			t.Errorf("no row names %s, which is %s", s.Name, s.Default)
		}
	}
}

// numbersOf are the numbers of a cell that are not fixed.
func numbersOf(cell string) []string {
	return aNumber.FindAllString(notNumbers.Replace(slanted.ReplaceAllString(cell, "")), -1)
}

// The pages name events as the record does.
func TestEventsThatThePagesNameAreOfTheRecord(t *testing.T) {
	known, first := map[string]bool{}, map[string]bool{}
	for _, kind := range auth.EventKinds {
		known[string(kind)] = true
		before, _, _ := strings.Cut(string(kind), ".")
		first[before] = true
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range inCode.FindAllStringSubmatch(string(page), -1) {
			before, after, dotted := strings.Cut(code[1], ".")
			if !dotted || !first[before] || !isEventEnd.MatchString(after) {
				continue
			}
			found++
			if !known[code[1]] {
				t.Errorf("%s names the event %s, which there is not", filepath.Base(path), code[1])
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d events are named", found)
	}
}

var isEventEnd = regexp.MustCompile(`^[a-z][a-z_-]*$`)
