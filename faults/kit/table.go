package kit

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Row is one line of the table that a run prints at its end.
type Row struct {
	Fault   string // what was broken
	Engine  Engine
	Runs    int      // how often
	Held    string   // what went on to be true
	Figures []string // "lost 0", "start after a kill 80 ms, at most 300 ms"
	Took    time.Duration
}

// Table collects the rows of a run. It is safe for concurrent use.
type Table struct {
	mu   sync.Mutex
	rows []Row
}

// Add puts a row under the others, and into the log of the test; of a test that
// failed it says so.
func (b *Table) Add(t testing.TB, r Row) {
	t.Helper()
	if t.Failed() {
		r.Held = "NOT HELD: " + r.Held
	}
	b.Put(r)
	t.Logf("%s on %s, %d runs: %s; %s", r.Fault, r.Engine, r.Runs, r.Held, strings.Join(r.Figures, "; "))
}

// Put puts a row under the others.
func (b *Table) Put(r Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, r)
}

// Write writes the table in Markdown; nothing where there is no row.
func (b *Table) Write(w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rows) == 0 {
		return nil
	}
	text := "| Fault | Engine | Runs | Held | Figures | Seconds |\n|---|---|---|---|---|---|\n"
	for _, r := range b.rows {
		text += fmt.Sprintf("| %s | %s | %d | %s | %s | %.0f |\n", r.Fault, r.Engine, r.Runs, r.Held, strings.Join(r.Figures, "; "), r.Took.Seconds())
	}
	_, err := io.WriteString(w, text)
	return err
}

// TakeFrom puts the rows of a table that another process wrote into a file under the
// others; there must be one at least.
func (b *Table) TakeFrom(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 3 {
		return fmt.Errorf("%s has no row", file)
	}
	for _, line := range lines[2:] {
		r, err := readRow(line)
		if err != nil {
			return err
		}
		b.Put(r)
	}
	return nil
}

// readRow reads a line that Write wrote.
func readRow(line string) (r Row, err error) {
	cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
	if len(cells) != 6 {
		return r, fmt.Errorf("%d cells in %q", len(cells), line)
	}
	r = Row{Fault: cells[0], Engine: Engine(cells[1]), Held: cells[3], Figures: []string{cells[4]}}
	if r.Runs, err = strconv.Atoi(cells[2]); err != nil {
		return r, err
	}
	r.Took, err = time.ParseDuration(cells[5] + "s")
	return r, err
}

// Took collects how long something took, again and again. It is safe for
// concurrent use.
type Took struct {
	mu  sync.Mutex
	all []time.Duration
}

// Add adds one.
func (d *Took) Add(one time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

// Since adds the time since a moment.
func (d *Took) Since(begin time.Time) { d.Add(time.Since(begin)) }

// At is what a part of them, such as 0.5 for half, took at most; 0 where there
// are none.
func (d *Took) At(part float64) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) == 0 {
		return 0
	}
	slices.Sort(d.all)
	return d.all[min(int(part*float64(len(d.all))), len(d.all)-1)]
}

// String gives the median and the longest.
func (d *Took) String() string {
	return fmt.Sprintf("%d ms, at most %d ms", d.At(0.5).Milliseconds(), d.At(1).Milliseconds())
}
