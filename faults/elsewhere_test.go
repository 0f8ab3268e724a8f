package faults

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/twinlock/twinlock/faults/kit"
)

// elsewhere are the faults whose tests stand in the room that they are about. Their
// short form runs there with all others; the long form of everything runs them too.
var elsewhere = []struct {
	row        kit.Row
	room, test string
	args       []string
}{
	{kit.Row{Fault: "all that can be used once is claimed at once, by 8 goroutines and on PostgreSQL by 2 processes", Engine: "both", Runs: 100,
		Held: "one gets it", Figures: []string{"codes, passkeys, links, logins, windows, tokens, tickets, letters, notices"}},
		"store", "^TestWhatCanBeUsedOnce", []string{"-claims", "100"}},
	{kit.Row{Fault: "one call to the database breaks off", Engine: "both", Runs: 1,
		Held: "a flow is refused, or complete", Figures: []string{"each call of every flow in turn; an administrator's changes on SQLite alone"}},
		"app", "^TestAFlowThatBreaksOff", nil},
}

// runElsewhere runs those, and adds their rows.
func runElsewhere() (status int) {
	for _, e := range elsewhere {
		began := time.Now()
		c := exec.Command("go", append([]string{"test", "-count=1", "-timeout", "1h", "-run", e.test, "../internal/" + e.room, "-args"}, e.args...)...)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			e.row.Held, status = "NOT HELD: "+e.row.Held, 1
		}
		e.row.Took = time.Since(began)
		table.Put(e.row)
	}
	return status
}
