package main

import (
	"os"

	"github.com/twinlock/twinlock/internal/hashing"
)

// hashPasswords is what the server starts to have passwords hashed, and of no use
// to anybody else: it reads passwords in a server's own words, and says hashes.
type hashPasswords struct {
	WhenIdle bool `help:"take only what nobody else wants of the machine"`
}

func (h *hashPasswords) runAlone(s *surroundings) error {
	if h.WhenIdle {
		return hashing.ServeWhenIdle(s.in, s.out)
	}
	return hashing.Serve(s.in, s.out)
}

// hashingLine is the command line of it, which is as quick to read as serve.
type hashingLine struct {
	HashPasswords hashPasswords `cmd:"" hidden:""`
}

// hashCommand is how this very program is asked for it, also after another took
// its place on the disk; nil where the program cannot tell where it is.
func hashCommand() []string {
	const self = "/proc/self/exe" // Linux's own link to it (proc_pid_exe(5))
	if _, err := os.Stat(self); err == nil {
		return []string{self, "hash-passwords"}
	}
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{program, "hash-passwords"}
}
