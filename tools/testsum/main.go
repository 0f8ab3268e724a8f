// Testsum reads what `go test -json` prints, shows a line for each package and
// whatever failed in full, and ends with how many tests passed, failed and were
// skipped. It fails where a test failed, a package did not build, or nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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
	out                     io.Writer
	output                  map[string]*strings.Builder // of each test, until it passes
}

func main() { os.Exit(sum(os.Stdin, os.Stdout)) }

// longestLine is the most that one line of output may hold.
const longestLine = 16 << 20

// sum reads to the end and gives the exit status.
func sum(in io.Reader, out io.Writer) int {
	t := tally{out: out, output: map[string]*strings.Builder{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // the go command's own words
			continue
		}
		t.take(e)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(out, "not everything could be read:", err)
		t.broken = true
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.broken || t.passed == 0 {
		return 1
	}
	return 0
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
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
	if e.Test == "" && e.Action == "skip" {
		return // a package without tests
	}
	if e.Test == "" {
		fmt.Fprintf(t.out, "%-5s %-60s %6.1fs\n", e.Action, e.Package, e.Elapsed)
		t.broken = t.broken || e.Action == "fail"
		if e.Action == "fail" && said != nil {
			fmt.Fprint(t.out, said)
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
		fmt.Fprintf(t.out, "--- %s\n", key)
		if said != nil {
			fmt.Fprint(t.out, said)
		}
	}
}
