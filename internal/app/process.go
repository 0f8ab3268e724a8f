package app

import (
	"bytes"
	"os"
	"runtime"
	rm "runtime/metrics"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinlock/twinlock/internal/metrics"
)

// begun is when the process began, near enough.
var begun = time.Now()

// process tells of the process, under the names that dashboards know from other
// programs.
func process(t *metrics.Text) {
	t.Gauge("go_goroutines", "Goroutines that there are.", metrics.Of(runtime.NumGoroutine()))
	samples := []rm.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	rm.Read(samples)
	t.Gauge("go_memstats_heap_alloc_bytes", "Memory of objects on the heap.", metrics.Of(float64(samples[0].Value.Uint64())))
	t.Gauge("go_memstats_sys_bytes", "Memory that the runtime has from the system.", metrics.Of(float64(samples[1].Value.Uint64())))
	t.Counter("go_gc_cycles_total", "Collections of garbage.", metrics.Of(float64(samples[2].Value.Uint64())))
	t.Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", metrics.Of(float64(begun.Unix())))
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		t.Counter("process_cpu_seconds_total", "Time that processors spent on it.",
			metrics.Seconds(time.Duration(used.Utime.Nano()+used.Stime.Nano())))
	}
	if resident, ok := residentBytes(); ok {
		t.Gauge("process_resident_memory_bytes", "Memory that it holds.", metrics.Of(resident))
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		t.Gauge("process_open_fds", "Files and connections that it has open.", metrics.Of(len(open)))
	}
}

// residentBytes reads proc_pid_statm(5), which only Linux has.
func residentBytes() (int64, bool) {
	statm, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}
