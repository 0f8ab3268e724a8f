// Package faults breaks the real program, and what it stands on, and looks at
// what is left. It has tests only: a short form of each runs with all others,
// and `make faults` runs the long one and prints one table of what it saw.
package faults

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/faults/kit"
	"github.com/twinlock/twinlock/internal/apptest/program"
	"github.com/twinlock/twinlock/internal/store/storetest"
)

var (
	long      = flag.Bool("long", false, "break everything as often as the figures in docs/reliability.md say, and print the table")
	tableFile = flag.String("table", "", "a file that the table is written to as well")

	// table is what every fault adds its row to.
	table kit.Table
)

func TestMain(m *testing.M) {
	flag.Parse()
	for _, pair := range os.Environ() { // nothing of this machine's settings
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TWINLOCK_") {
			_ = os.Unsetenv(name)
		}
	}
	status := m.Run()
	storetest.Stop()
	program.Quit()
	if *long && flag.Lookup("test.run").Value.String() == "" {
		status = max(status, runElsewhere())
	}
	if *long {
		status = max(status, writeTable())
	}
	os.Exit(status)
}

func writeTable() (status int) {
	err := table.Write(os.Stdout)
	if *tableFile != "" && err == nil {
		err = toFile(*tableFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func toFile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = table.Write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// often is how often a fault is tried: in the long form, and otherwise.
func often(inLong, inShort int) int {
	if *long {
		return inLong
	}
	return inShort
}
