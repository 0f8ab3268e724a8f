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
// away. Into a file or a pipe it shows nothing.
func progressOn(errs io.Writer) (progress transfer.Progress, wipe func()) {
	file, ok := errs.(*os.File)
	if !ok || !isTerminal(file) {
		return func(string, int64, int64) {}, func() {}
	}
	var last time.Time
	shown := false
	return func(what string, done, total int64) {
			if now := time.Now(); now.Sub(last) >= 100*time.Millisecond || done == total {
				last, shown = now, true
				fmt.Fprintf(file, "\r%s\x1b[K", bar(what, done, total))
			}
		}, func() {
			if shown {
				shown = false
				fmt.Fprint(file, "\r\x1b[K")
			}
		}
}

// above gives a writer to a terminal that takes the progress away before it
// writes, so that lines stand above it; every other one as it is.
func above(to io.Writer, wipe func()) io.Writer {
	if file, ok := to.(*os.File); ok && isTerminal(file) {
		return wiped{file, wipe}
	}
	return to
}

// wiped is no *os.File: io.Copy would find the file's own ReadFrom and pass
// Write by.
type wiped struct {
	to   io.Writer
	wipe func()
}

func (w wiped) Write(p []byte) (int, error) {
	w.wipe()
	return w.to.Write(p)
}

func isTerminal(file *os.File) bool {
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
