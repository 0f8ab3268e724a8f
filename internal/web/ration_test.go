package web

import (
	"testing"
	"time"
)

func TestWhatGotNoLineIsToldOnceItsMinuteIsOver(t *testing.T) {
	var lines ration
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	taken := 0
	for i := range 200 {
		if lines.takes(began.Add(time.Duration(i) * time.Millisecond)) {
			taken++
		}
	}
	if taken != linesOfStrangers {
		t.Errorf("%d lines in a minute", taken)
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{59 * time.Second, 0}, {time.Minute, 200 - linesOfStrangers}, {time.Minute, 0}, {time.Hour, 0}} {
		if got := lines.leftOut(began.Add(tt.after)); got != tt.want {
			t.Errorf("after %s: %d, want %d", tt.after, got, tt.want)
		}
	}
	if !lines.takes(began.Add(time.Minute)) {
		t.Error("the next minute has no line")
	}
}
