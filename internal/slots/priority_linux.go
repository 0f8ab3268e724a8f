package slots

import "golang.org/x/sys/unix"

// lowestPriority is the nicest that Linux knows (setpriority(2)).
const lowestPriority = 19

// lowerPriority lets every other thread go first. Where it is not allowed,
// work is done all the same.
func lowerPriority() { _ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowestPriority) }
