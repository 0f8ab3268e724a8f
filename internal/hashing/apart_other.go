//go:build !linux

package hashing

import (
	"os"
	"os/exec"
)

func apart(*exec.Cmd) {}

func lowerPriority(int) {}

func wasKilled(*os.ProcessState) bool { return false }

// onlyWhenIdle is for Linux: elsewhere a process stays as it is.
func onlyWhenIdle() error { return nil }
