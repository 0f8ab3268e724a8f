package slots

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// niceness is that of the calling thread. The system call gives 20 less it.
func niceness(t *testing.T) int {
	t.Helper()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		t.Error(err)
	}
	return 20 - raw
}

func TestWorkRunsOnThreadsOfItsOwnWithTheLowestPriority(t *testing.T) {
	const slots = 2
	s := New(slots, 100, time.Minute)
	defer s.Close()
	var mu sync.Mutex
	threads := map[int]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := s.Do(t.Context(), func() {
				mu.Lock()
				defer mu.Unlock()
				threads[unix.Gettid()] = niceness(t)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(threads) > slots {
		t.Errorf("work ran on %d threads, want at most %d", len(threads), slots)
	}
	for thread, nice := range threads {
		if nice != 19 {
			t.Errorf("thread %d has niceness %d, want 19", thread, nice)
		}
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, ours := threads[unix.Gettid()]; ours {
		t.Error("work ran on the thread of its caller")
	}
}

// A lowered thread must end with its slot. Given back, it would carry somebody
// else's request at the lowest priority.
func TestThreadsOfClosedSlotsAreNotGivenBack(t *testing.T) {
	before := niceness(t)
	for range 20 {
		s := New(4, 4, time.Minute)
		s.Close()
	}
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range 40 {
		all.Go(func() {
			runtime.LockOSThread() // so that each takes a thread to itself
			defer runtime.UnlockOSThread()
			<-gate
			if after := niceness(t); after != before {
				t.Errorf("an ordinary thread has niceness %d, was %d", after, before)
			}
		})
	}
	close(gate)
	all.Wait()
}
