package hashing

import (
	"os"
	"os/exec"
	"syscall"

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
