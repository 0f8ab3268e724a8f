package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Memory is what a process, and all that it started, takes of the machine, in
// bytes: what several of them share counts once (Pss of proc_pid_smaps(5)).
func Memory(pid int) (bytes int64) {
	for _, pid := range Descendants(pid) {
		sizes, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)) // one that has ended has none
		if _, rest, ok := strings.Cut(string(sizes), "\nPss:"); ok {
			var kib int64
			_, _ = fmt.Sscan(rest, &kib)
			bytes += kib << 10
		}
	}
	return bytes
}

// Descendants are a process and all that it started, and they.
func Descendants(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				all = append(all, Descendants(id)...)
			}
		}
	}
	return all
}
