package hashing

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// behind is the niceness of the process (setpriority(2)): whatever answers goes
// first, and yet hashes are not starved by what else the machine has to do, as
// they would be by the lowest priority.
const behind = 5

// apart keeps what a terminal sends to the server from the process, which ends
// after it.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// lowerPriority does so for all threads of a group of processes. Where it is not
// allowed, hashing is done all the same.
func lowerPriority(group int) { _ = unix.Setpriority(unix.PRIO_PGRP, group, behind) }

// wasKilled tells a process that somebody else ended, such as the system for want
// of memory.
func wasKilled(s *os.ProcessState) bool {
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// onlyWhenIdle gives the calling process only what nobody else wants of the
// machine (SCHED_IDLE of sched(7)): whoever else has something to do goes at once
// before it. It is for the beginning of a program: a process cannot go back.
func onlyWhenIdle() error {
	lowered := map[string]bool{}
	for news := true; news; { // a thread that was made meanwhile is as the one that made it
		news = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			if lowered[thread.Name()] {
				continue
			}
			if err := whenIdle(thread.Name()); err != nil {
				return err
			}
			lowered[thread.Name()], news = true, true
		}
	}
	return nil
}

func whenIdle(thread string) error {
	var id int
	if _, err := fmt.Sscan(thread, &id); err != nil {
		return err
	}
	// Not sched_setattr(2), which sandboxes refuse since they cannot read what it is for.
	var priority int32 // struct sched_param: there is one only
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(id), unix.SCHED_IDLE, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 && errno != unix.ESRCH { // that one has ended
		return errno
	}
	return nil
}
