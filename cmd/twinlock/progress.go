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
	return func(what string, done, total int64) {
			if now := time.Now(); now.Sub(last) >= 100*time.Millisecond || done == total {
				last = now
				fmt.Fprintf(file, "\r%s\x1b[K", bar(what, done, total))
			}
		}, func() {
			if !last.IsZero() {
				fmt.Fprint(file, "\r\x1b[K")
			}
		}
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
