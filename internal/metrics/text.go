package metrics

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// ContentType is what a Text is sent as.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Label is a name and the word that stands for it.
type Label struct{ Name, Value string }

// Labels tell the samples of one metric apart.
type Labels []Label

// Sample is one number.
type Sample struct {
	Labels Labels
	Value  float64
}

// Of is a sample without labels.
func Of[N int | int64 | float64](n N) Sample { return Sample{Value: float64(n)} }

// Seconds is a length of time as a sample.
func Seconds(d time.Duration) Sample { return Sample{Value: d.Seconds()} }

// With is the sample under one more label.
func (s Sample) With(name, value string) Sample {
	s.Labels = append(s.Labels[:len(s.Labels):len(s.Labels)], Label{name, value})
	return s
}

// Text is one scrape. Its zero value is empty and ready.
type Text struct{ text bytes.Buffer }

// Bytes is the text so far.
func (t *Text) Bytes() []byte { return t.text.Bytes() }

// Counter writes what only grows while the program runs. The name ends in _total.
func (t *Text) Counter(name, help string, samples ...Sample) {
	t.metric(name, help, "counter", samples)
}

// Gauge writes what is so now.
func (t *Text) Gauge(name, help string, samples ...Sample) { t.metric(name, help, "gauge", samples) }

func (t *Text) metric(name, help, kind string, samples []Sample) {
	t.head(name, help, kind)
	for _, s := range samples {
		t.sample(name, s)
	}
}

// Times writes how long things took, in seconds, a Histogram for each word of a
// label.
func (t *Text) Times(name, help, label string, words []string, of func(word string) *Histogram) {
	t.head(name, help, "histogram")
	for _, w := range words {
		h, labels, all := of(w), Labels{{label, w}}, int64(0)
		for i := range h.counts {
			all += h.counts[i].Load()
			within := math.Inf(1)
			if i < len(bounds) {
				within = bounds[i].Seconds()
			}
			t.sample(name+"_bucket", Sample{labels, float64(all)}.With("le", number(within)))
		}
		t.sample(name+"_sum", Sample{labels, time.Duration(h.nanos.Load()).Seconds()})
		t.sample(name+"_count", Sample{labels, float64(all)})
	}
}

func (t *Text) head(name, help, kind string) {
	t.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

func (t *Text) sample(name string, s Sample) {
	t.text.WriteString(name)
	for i, l := range s.Labels {
		t.text.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		t.text.WriteString(l.Name + `="` + escape.Replace(l.Value) + `"`)
	}
	if len(s.Labels) > 0 {
		t.text.WriteByte('}')
	}
	t.text.WriteString(" " + number(s.Value) + "\n")
}

// escape also joins words, which are easier to ask for without spaces.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, " ", "_")

func number(n float64) string {
	if math.IsInf(n, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}
