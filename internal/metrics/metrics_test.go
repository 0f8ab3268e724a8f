package metrics

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func TestPrometheusReadsWhatIsWritten(t *testing.T) {
	tally := NewTally("one", `two "and" \three`)
	var took Histogram
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			tally.Add("one")
			tally.Add("of a visitor's making")
			took.Observe(time.Millisecond)
			took.Observe(time.Minute)
		})
	}
	all.Wait()
	var text Text
	text.Counter("things_total", "How many.", tally.Samples("what")...)
	text.Gauge("now", "What is so.", Of(-1.5))
	text.Times("took_seconds", "How long.", "what", []string{"all"}, func(string) *Histogram { return &took })

	parser := expfmt.NewTextParser(model.LegacyValidation)
	read, err := parser.TextToMetricFamilies(strings.NewReader(string(text.Bytes())))
	if err != nil {
		t.Fatalf("%v\n%s", err, text.Bytes())
	}
	things := read["things_total"].GetMetric()
	if len(things) != 2 || things[0].GetCounter().GetValue() != 50 || things[1].GetLabel()[0].GetValue() != `two_"and"_\three` {
		t.Errorf("counted %v", things)
	}
	if now := read["now"].GetMetric()[0].GetGauge().GetValue(); now != -1.5 {
		t.Errorf("now is %v", now)
	}
	h := read["took_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 100 || h.GetSampleSum() != 50*60.001 {
		t.Errorf("took %v in %d", h.GetSampleSum(), h.GetSampleCount())
	}
	for _, b := range h.GetBucket() {
		want := uint64(0)
		switch {
		case b.GetUpperBound() > 60:
			want = 100
		case b.GetUpperBound() >= 0.001:
			want = 50
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("%d took up to %v s, want %d", b.GetCumulativeCount(), b.GetUpperBound(), want)
		}
	}
}
