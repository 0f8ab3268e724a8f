package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/twinlock/twinlock/internal/apptest"
)

var (
	metricNames = regexp.MustCompile(`\b(?:twinlock|process|go)_[a-z_]+`)
	matchers    = regexp.MustCompile(`\b([a-z]+)(?:!?=~?)"([a-z0-9_|]+)"`)
	anyMatcher  = regexp.MustCompile(`[=!]~?"[^$]`) // but for those that the dashboard fills in
)

// What the rules and the dashboard ask for must be in a scrape: a name that is
// gone would never alert anybody.
func TestTheRulesAndTheDashboardAskForWhatThereIs(t *testing.T) {
	text := scrape(t, apptest.New(t)).text
	asked := append(alertExpressions(t), dashboardExpressions(t)...)
	if len(asked) < 40 {
		t.Fatalf("only %d expressions were found", len(asked))
	}
	for _, e := range asked {
		names := metricNames.FindAllString(e, -1)
		if len(names) == 0 && !strings.HasPrefix(e, "up{") {
			t.Errorf("asks for nothing of ours: %s", e)
		}
		for _, name := range names {
			if !strings.Contains(text, "\n# TYPE "+strings.TrimSuffix(name, "_bucket")+" ") {
				t.Errorf("there is no %s, which is asked for: %s", name, e)
			}
		}
		found := matchers.FindAllStringSubmatch(e, -1)
		if all := anyMatcher.FindAllString(e, -1); len(all) != len(found) {
			t.Errorf("%d of %d matchers are understood: %s", len(found), len(all), e)
		}
		for _, m := range found {
			for value := range strings.SplitSeq(m[2], "|") {
				if has := m[1] + `="` + value + `"`; !strings.Contains(text, has) && has != `job="twinlock"` && has != `key="signing"` {
					t.Errorf("nothing has %s, which is asked for, or left out: %s", has, e)
				}
			}
		}
		if strings.Count(e, "(") != strings.Count(e, ")") || strings.Count(e, "{") != strings.Count(e, "}") {
			t.Errorf("not closed: %s", e)
		}
	}
}

// And the page that explains them names every metric, and none that is gone.
func TestThePageOnMonitoringNamesEveryMetric(t *testing.T) {
	page := read(t, "docs", "monitoring.md")
	s := scrape(t, apptest.New(t))
	for name := range s.families {
		if strings.HasPrefix(name, "twinlock_") && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("the page does not tell of %s", name)
		}
	}
	for _, name := range metricNames.FindAllString(page, -1) {
		if strings.HasPrefix(name, "twinlock_") && !strings.Contains(s.text, "# TYPE "+name+" ") {
			t.Errorf("the page tells of %s, which there is not", name)
		}
	}
}

// The page names every reason not to be ready, and none that is gone.
func TestThePageOnMonitoringNamesEveryReason(t *testing.T) {
	source := regexp.MustCompile(`unready = "([a-z]+)"`).FindAllStringSubmatch(read(t, "internal", "app", "ready.go"), -1)
	_, table, _ := strings.Cut(read(t, "docs", "monitoring.md"), "| Reason |")
	table, _, _ = strings.Cut(table, "\n\n")
	page := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(table, -1)
	if said, told := firsts(source), firsts(page); len(said) < 4 || !slices.Equal(said, told) {
		t.Errorf("the program says %v, the page tells of %v", said, told)
	}
}

// firsts are what an expression took out of each match, sorted.
func firsts(matches [][]string) (all []string) {
	for _, m := range matches {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return all
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	must(t, err)
	return string(text)
}

// alertExpressions are those of the rules, each of which must say how it is met.
func alertExpressions(t *testing.T) (all []string) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "packaging", "monitoring", "alerts.yml")))
	decoder.KnownFields(true)
	must(t, decoder.Decode(&rules))
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("the rule %+v says too little", r)
			}
			all = append(all, r.Expr)
		}
	}
	return all
}

func dashboardExpressions(t *testing.T) (all []string) {
	t.Helper()
	var dashboard struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal([]byte(read(t, "packaging", "monitoring", "dashboard.json")), &dashboard))
	seen := map[int]bool{}
	for _, p := range dashboard.Panels {
		if seen[p.ID] || p.Title == "" {
			t.Errorf("the panel %d (%s) is there twice, or has no title", p.ID, p.Title)
		}
		seen[p.ID] = true
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}
