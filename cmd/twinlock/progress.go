package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/transfer"
)

// progressOn shows a progress in the last line of a terminal, which wipe takes
// away. Into a file or a pipe it shows nothing. above gives a writer whose lines
// stand above the progress; one that is no terminal as it is.
func progressOn(errs io.Writer) (progress transfer.Progress, wipe func(), above func(io.Writer) io.Writer) {
	m := &meter{to: errs}
	above = func(to io.Writer) io.Writer {
		if isTerminal(to) {
			return lines{to, m}
		}
		return to
	}
	if !isTerminal(errs) {
		return func(string, int64, int64) {}, m.wipe, above
	}
	return m.show, m.wipe, above
}

// meter is a progress in the last line of a terminal.
type meter struct {
	to   io.Writer
	last time.Time
	text string // "" where nothing is shown
}

func (m *meter) show(what string, done, total int64) {
	if now := time.Now(); m.text == "" || now.Sub(m.last) >= 100*time.Millisecond || done == total {
		m.last, m.text = now, bar(what, done, total)
		m.draw()
	}
}

// draw writes it without a break at the edge: what goes on in a second line is
// not taken away with the first.
func (m *meter) draw() {
	fmt.Fprintf(m.to, "\r\x1b[?7l%s\x1b[K\x1b[?7h", m.text)
}

func (m *meter) wipe() {
	if m.text != "" {
		m.text = ""
		fmt.Fprint(m.to, "\r\x1b[K")
	}
}

// lines go to a terminal above the meter. It is no *os.File: io.Copy would find
// the file's own ReadFrom and pass Write by.
type lines struct {
	to    io.Writer
	meter *meter
}

func (l lines) Write(p []byte) (int, error) {
	shown := l.meter.text
	l.meter.wipe()
	n, err := l.to.Write(p)
	if shown != "" && strings.HasSuffix(string(p), "\n") {
		l.meter.text = shown
		l.meter.draw()
	}
	return n, err
}

func isTerminal(stream io.Writer) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// bar is a progress as a line of text.
func bar(what string, done, total int64) string {
	const width = 24
	if total <= 0 {
		return fmt.Sprintf("%s: %d", what, done)
	}
	full := int(min(done, total) * width / total)
	return fmt.Sprintf("[%s%s] %3d %%  %s", strings.Repeat("#", full), strings.Repeat(".", width-full), min(done, total)*100/total, what)
}
