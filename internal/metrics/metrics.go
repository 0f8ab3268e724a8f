// Package metrics counts what a monitoring program asks about, and writes it in
// the text that Prometheus reads (exposition format 0.0.4).
//
// What is counted is told apart by words that the program knows beforehand,
// never by what a visitor sent: no scrape holds a name, an address, a host or a
// token, and no flood makes it longer. Counting is one atomic addition.
package metrics

import (
	"sync/atomic"
	"time"
)

// Tally counts by words. It is safe for concurrent use; the zero Tally knows no
// word.
type Tally struct {
	words  []string
	counts map[string]*atomic.Int64
}

// NewTally counts by these words alone.
func NewTally(words ...string) Tally {
	t := Tally{words: words, counts: make(map[string]*atomic.Int64, len(words))}
	for _, w := range words {
		t.counts[w] = new(atomic.Int64)
	}
	return t
}

// Add counts one. A word that the Tally does not know is not counted.
func (t Tally) Add(word string) {
	if c, ok := t.counts[word]; ok {
		c.Add(1)
	}
}

// Count is how many of a word were counted.
func (t Tally) Count(word string) int64 {
	if c, ok := t.counts[word]; ok {
		return c.Load()
	}
	return 0
}

// Samples are the counts, each under its word as the label of this name.
func (t Tally) Samples(label string) []Sample {
	all := make([]Sample, len(t.words))
	for i, w := range t.words {
		all[i] = Sample{Labels: Labels{{label, w}}, Value: float64(t.counts[w].Load())}
	}
	return all
}

// bounds are what a Histogram tells apart: from an answer out of memory to one
// that waited for its turn to be hashed.
var bounds = [...]time.Duration{
	100 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 10 * time.Second,
}

// Histogram counts how long things took. Its zero value is ready, and it is safe
// for concurrent use.
type Histogram struct {
	counts [len(bounds) + 1]atomic.Int64 // of each span alone; the last is above all bounds
	nanos  atomic.Int64
}

// Observe counts one thing that took so long.
func (h *Histogram) Observe(took time.Duration) {
	at := 0
	for at < len(bounds) && took > bounds[at] {
		at++
	}
	h.counts[at].Add(1)
	h.nanos.Add(int64(took))
}
