package child

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// When a test process is killed, what it started ends too.
func TestAProgramEndsWithTheProcessThatStartedIt(t *testing.T) {
	const middle = "TWINLOCK_TEST_STARTS_A_PROGRAM"
	if os.Getenv(middle) != "" {
		sleeper := exec.Command("sleep", "600")
		if err := Start(sleeper); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(strconv.Itoa(sleeper.Process.Pid) + "\n")
		select {}
	}
	parent := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	parent.Env = append(os.Environ(), middle+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Start(parent); err != nil {
		t.Fatal(err)
	}
	line, _, err := bufio.NewReader(out).ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	if !goneWithin(pid, 10*time.Second) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		t.Error("the program outlived its parent")
	}
}

// Threads come and go in a Go program; what was started on one stays. Several
// are started, for the first thread of a process never ends.
func TestAProgramOutlivesTheThreadThatAskedForIt(t *testing.T) {
	var sleepers [4]*exec.Cmd
	started := make(chan error)
	for i := range sleepers {
		sleepers[i] = exec.Command("sleep", "600")
		go func() {
			runtime.LockOSThread() // and the thread ends with this goroutine
			started <- Start(sleepers[i])
		}()
	}
	for range sleepers {
		if err := <-started; err != nil {
			t.Fatal(err)
		}
	}
	for _, sleeper := range sleepers {
		t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
		if goneWithin(sleeper.Process.Pid, 100*time.Millisecond) {
			t.Error("the program ended with a thread")
		}
	}
}

// goneWithin asks until the process is gone, or a zombie that nobody waited for.
func goneWithin(pid int, patience time.Duration) bool {
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || isZombie(string(stat)) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// isZombie reads the state that follows the name in parentheses (proc(5)).
func isZombie(stat string) bool {
	for i := len(stat) - 1; i > 0; i-- {
		if stat[i] == ')' {
			return len(stat) > i+2 && stat[i+2] == 'Z'
		}
	}
	return false
}
