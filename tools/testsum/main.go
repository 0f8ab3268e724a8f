// Testsum reads what `go test -json` prints, shows a line for each package and
// whatever failed in full, and ends with how many tests passed, failed and were
// skipped. It fails where a test failed, a package did not build, or nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is one line of test2json (go doc cmd/test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// tally is what was counted.
type tally struct {
	passed, failed, skipped int
	broken                  bool
	output                  map[string]*strings.Builder // of each test, until it passes
}

func main() {
	t := tally{output: map[string]*strings.Builder{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text()) // the go command's own words
			continue
		}
		t.take(e)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.broken || t.passed == 0 {
		os.Exit(1)
	}
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "build-fail":
		t.broken = true
	case "output":
		if t.output[key] == nil {
			t.output[key] = &strings.Builder{}
		}
		t.output[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		t.end(e, key)
	}
}

func (t *tally) end(e event, key string) {
	said := t.output[key]
	delete(t.output, key)
	if e.Test == "" {
		fmt.Printf("%-5s %-60s %6.1fs\n", e.Action, e.Package, e.Elapsed)
		t.broken = t.broken || e.Action == "fail"
		if e.Action == "fail" && said != nil {
			fmt.Print(said)
		}
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
	case "fail":
		t.failed++
		fmt.Printf("--- %s\n", key)
		if said != nil {
			fmt.Print(said)
		}
	}
}
