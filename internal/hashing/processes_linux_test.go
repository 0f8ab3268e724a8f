package hashing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinlock/twinlock/internal/apptest/child"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/recovery"
)

func TestTheProcessKnowsNothingOfTheServersSurroundings(t *testing.T) {
	t.Setenv("TWINLOCK_DATABASE_URL", "postgres://secret")
	p := process(t, new(bytes.Buffer), hashes)
	if _, err := p.Hash(small, "x"); err != nil {
		t.Fatal(err)
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", awake(t, idle(p)).pid))
	if err != nil || bytes.Contains(environment, []byte("secret")) {
		t.Errorf("%q, %v", environment, err)
	}
}

func TestEveryThreadOfAnIdleProcessRunsWhenTheMachineIsIdle(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	if _, err := p.Hash(small, "x"); err != nil {
		t.Fatal(err)
	}
	for _, id := range threads(t, awake(t, idle(p))) {
		policy, err := unix.SchedGetAttr(id, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil || policy.Policy != unix.SCHED_IDLE {
			t.Errorf("thread %d has the policy %+v, %v", id, policy, err)
		}
	}
}

func TestWhatAHashFilledIsGivenBackAfterAPause(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	if _, err := p.Hash(password.Usual, "x"); err != nil {
		t.Fatal(err)
	}
	pid := awake(t, idle(p)).pid
	filled := child.Memory(pid)
	for end := time.Now().Add(10 * pause); filled-child.Memory(pid) < int64(password.Usual.MemoryKiB)<<10/2; {
		if time.Now().After(end) {
			t.Fatalf("of %d MiB it still holds %d", filled>>20, child.Memory(pid)>>20)
		}
		runtime.Gosched()
	}
}

// threads are those of a process.
func threads(t *testing.T, r *running) (ids []int) {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", r.pid))
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		var id int
		if _, err := fmt.Sscan(name.Name(), &id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestEveryThreadOfTheSecondProcessGoesAfterOthers(t *testing.T) {
	p := hurried(process(t, new(bytes.Buffer), hashes))
	if _, err := p.Hash(small, "x"); err != nil {
		t.Fatal(err)
	}
	for _, id := range threads(t, awake(t, p.behind)) {
		nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, id)
		if errors.Is(err, syscall.ESRCH) {
			continue
		}
		if nice = 20 - nice; err != nil || nice != behind { // the system call gives 20 less the niceness
			t.Errorf("thread %d has niceness %d, %v", id, nice, err)
		}
	}
}

// However many hashes are made one after another, few are in memory.
func TestRecoveryCodesTakeLittleMoreMemoryThanOneHash(t *testing.T) {
	p := process(t, new(bytes.Buffer), hashes)
	if _, err := p.HashCodes(password.Cost{MemoryKiB: 19 << 10, Passes: 1}, recovery.New(10)); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", awake(t, idle(p)).pid))
	if err != nil {
		t.Fatal(err)
	}
	_, most, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(most, &kib); err != nil || kib > 150<<10 {
		t.Errorf("it held %d MiB at most, %v", kib>>10, err)
	}
}
