// Package child starts programs that end with the tests that started them, and tells
// what such a program takes.
package child

import (
	"os/exec"
	"runtime"
	"sync"
)

// Start starts c. When this process ends, however it ends, Linux sends c a
// SIGINT; on other systems a killed test leaves c behind. Whoever starts c also
// waits for it. Safe for concurrent use.
func Start(c *exec.Cmd) error {
	endWithParent(c)
	done := make(chan error)
	starter() <- start{c, done}
	return <-done
}

type start struct {
	command *exec.Cmd
	done    chan error
}

// starter takes orders on one thread that lives as long as the process: the
// kernel takes the end of the thread that started a program for the end of its
// parent (prctl(2), PR_SET_PDEATHSIG), and Go ends threads when it likes.
var starter = sync.OnceValue(func() chan<- start {
	orders := make(chan start)
	go func() {
		runtime.LockOSThread()
		for order := range orders {
			order.done <- order.command.Start()
		}
	}()
	return orders
})
