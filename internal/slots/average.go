package slots

import (
	"sync"
	"time"
)

// average is what something took lately; zero before it was done once. It is safe
// for concurrent use.
type average struct {
	mu    sync.Mutex
	value time.Duration
}

// weight is how many times the newest goes into what is known.
const weight = 16

func (a *average) add(took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.value == 0 {
		a.value = took
	}
	a.value += (took - a.value) / weight
}

func (a *average) get() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.value
}
