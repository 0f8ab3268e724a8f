package child

import (
	"bytes"
	"strings"
	"sync"
)

// Output collects what a program prints. It is safe for concurrent use.
type Output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *Output) Write(words []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(words)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// After gives what follows the words that a line begins with, "" for no such line.
func (o *Output) After(begin string) string {
	for line := range strings.Lines(o.String()) {
		if rest, ok := strings.CutPrefix(line, begin); ok && strings.HasSuffix(rest, "\n") {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
