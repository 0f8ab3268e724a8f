package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// screen is what stands on a narrow terminal after all that was written.
func screen(written string, width int) (shown []string) {
	line, wraps := "", true
	for written != "" {
		switch {
		case strings.HasPrefix(written, "\x1b[K"):
			written = written[3:] // whatever is written after \r is longer, or nothing
		case strings.HasPrefix(written, "\x1b[?7"):
			wraps = written[4] == 'h'
			written = written[5:]
		default:
			c := written[0]
			written = written[1:]
			switch {
			case c == '\n':
				shown, line = append(shown, line), ""
			case c == '\r':
				line = ""
			case len(line) < width:
				line += string(c)
			case wraps:
				shown, line = append(shown, line), string(c)
			}
		}
	}
	return append(shown, line)
}

// Lines that come faster than the progress is drawn neither hide it nor tear it
// apart, on a terminal that is too narrow for it, either.
func TestTheProgressStandsBelowWhateverIsWritten(t *testing.T) {
	var terminal bytes.Buffer
	m := &meter{to: &terminal}
	out := lines{&terminal, m}
	for i := range 3 {
		m.show("invitations", int64(i), 3)
		if _, err := io.Copy(out, struct{ io.Reader }{strings.NewReader(fmt.Sprintf("%d invited\n", i))}); err != nil {
			t.Fatal(err)
		}
	}
	got := screen(terminal.String(), 30)
	if want := []string{"0 invited", "1 invited", "2 invited"}; !slices.Equal(got[:3], want) || len(got) != 4 || !strings.HasPrefix(got[3], "[") {
		t.Errorf("on the terminal stands\n%s", strings.Join(got, "\n"))
	}
	m.wipe()
	fmt.Fprintln(out, "3 in all")
	if got, want := screen(terminal.String(), 30), []string{"0 invited", "1 invited", "2 invited", "3 in all", ""}; !slices.Equal(got, want) {
		t.Errorf("at the end stands\n%s", strings.Join(got, "\n"))
	}
}

func TestNoProgressGoesIntoAPipe(t *testing.T) {
	var pipe bytes.Buffer
	progress, wipe, above := progressOn(&pipe)
	progress("people", 1, 2)
	fmt.Fprintln(above(&pipe), "a line")
	wipe()
	if pipe.String() != "a line\n" {
		t.Errorf("it got %q", pipe.String())
	}
}
