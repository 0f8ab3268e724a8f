// Command speed measures the shipped program against the least that could do
// its work: a bare net/http server that gives the same four headers, and a loop
// that does nothing but hash passwords. They run in turn on one machine, so that
// what is printed are ratios of one run; it draws them, too.
//
//	go run ./bench/speed [-rounds 5] [-seconds 5] [-only logins,beside] [-engine postgres] [-program ./twinlock]
//
// It builds the program, runs it on a fresh database, and needs wrk
// (Debian's package wrk).
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/bench/serving"
)

var (
	rounds  = flag.Int("rounds", 5, "how often each is measured, by turns")
	seconds = flag.Int("seconds", 5, "how long each measurement takes")
	program = flag.String("program", "", "the program that is measured, as go build -trimpath -ldflags=-s makes it; built from here where none is named")
	engine  = flag.String("engine", "sqlite", "sqlite, or postgres, of which one is started beside it")
	only    = flag.String("only", "", "of size, questions, strangers, one, logins, burst and beside those that are measured, with commas; all where none is named")
)

func main() {
	flag.Parse()
	if flag.Arg(0) == "bare" {
		bare(flag.Arg(1))
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is missing: apt install wrk")
	}
	b, err := begin()
	if err != nil {
		return err
	}
	defer b.end()
	fmt.Printf("%s, %d cores, the load beside it; %d rounds of %d s each, medians with the least and the most\n\n",
		runtime.Version(), runtime.NumCPU(), *rounds, *seconds)
	for _, m := range []struct {
		name    string
		measure func() error
	}{
		{"size", b.size}, {"questions", b.questions}, {"strangers", b.strangers}, {"one", b.oneClient}, {"logins", b.logins}, {"burst", b.burst}, {"beside", b.questionsBesideLogins},
	} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		if err := m.measure(); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// byTurns measures several things, round by round, and gives the figures of each.
func byTurns(measures ...func() (float64, error)) ([]serving.Figures, error) {
	figures := make([]serving.Figures, len(measures))
	for range *rounds {
		for i, measure := range measures {
			value, err := measure()
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], value)
		}
	}
	return figures, nil
}

// compare says how one stands to the other, and what is wanted; the bar is full
// where they are equal.
func compare(what, unit string, ones, others serving.Figures, wanted string) {
	ratio := ones.Median() / cmp.Or(others.Median(), 1)
	fmt.Printf("%s\n  ours  %s %s\n  bare  %s %s\n  ratio %.2f, wanted %s\n  %s\n\n", what, ones, unit, others, unit, ratio, wanted, bar(ratio))
}

func bar(ratio float64) string {
	const full = 40
	filled := min(int(ratio*full+0.5), 2*full)
	line := []rune(strings.Repeat("█", filled) + strings.Repeat("·", max(full-filled, 0)))
	if len(line) > full {
		line = slices.Insert(line, full, '|')
	}
	return string(line)
}

func single(what, unit string, f serving.Figures, wanted string) {
	fmt.Printf("%s\n  %s %s, wanted %s\n\n", what, f, unit, wanted)
}
