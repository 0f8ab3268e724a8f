package main

import (
	"strings"
	"testing"
)

func TestTheLastLineCounts(t *testing.T) {
	const (
		passed  = `{"Action":"output","Package":"a","Test":"T1","Output":"secret of a good test\n"}` + "\n" + `{"Action":"pass","Package":"a","Test":"T1"}` + "\n"
		failed  = `{"Action":"output","Package":"a","Test":"T2","Output":"what went wrong\n"}` + "\n" + `{"Action":"fail","Package":"a","Test":"T2"}` + "\n"
		skipped = `{"Action":"skip","Package":"a","Test":"T3"}` + "\n"
		good    = `{"Action":"pass","Package":"a","Elapsed":1.5}` + "\n"
		bad     = `{"Action":"fail","Package":"a","Elapsed":1.5}` + "\n"
		unbuilt = `{"ImportPath":"a","Action":"build-output","Output":"x.go:1: undefined\n"}` + "\n" + `{"ImportPath":"a","Action":"build-fail"}` + "\n"
	)
	for _, tt := range []struct {
		title, in, last string
		says            string
		status          int
	}{
		{"all is well", passed + good, "1 passed, 0 failed, 0 skipped", "pass  a", 0},
		{"a skipped test is counted", passed + skipped + good, "1 passed, 0 failed, 1 skipped", "", 0},
		{"a failure is shown", passed + failed + bad, "1 passed, 1 failed, 0 skipped", "what went wrong", 1},
		{"a package that does not build", passed + unbuilt, "1 passed, 0 failed, 0 skipped", "x.go:1: undefined", 1},
		{"a package that ends without a test's failure", passed + bad, "1 passed, 0 failed, 0 skipped", "fail  a", 1},
		{"words of the go command", passed + "go: no such tool\n", "1 passed, 0 failed, 0 skipped", "go: no such tool", 0},
		{"nothing ran", "", "0 passed, 0 failed, 0 skipped", "", 1},
		{"a line too long to read", passed + `{"Output":"` + strings.Repeat("x", longestLine), "1 passed, 0 failed, 0 skipped", "not everything", 1},
	} {
		t.Run(tt.title, func(t *testing.T) {
			var out strings.Builder
			if status := sum(strings.NewReader(tt.in), &out); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			said := strings.TrimRight(out.String(), "\n")
			if last := said[strings.LastIndex(said, "\n")+1:]; last != tt.last {
				t.Errorf("last line %q, want %q", last, tt.last)
			}
			if !strings.Contains(said, tt.says) || strings.Contains(said, "secret of a good test") {
				t.Errorf("said\n%s", said)
			}
		})
	}
}
