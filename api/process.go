package api

import (
	"time"

	"golang.org/x/sys/unix"
)

// processMetrics are about this process, with the names of the Prometheus client.
func processMetrics(e *exposition, started time.Time) {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
		e.one("process_cpu_seconds_total", "counter", "CPU time of the server.", cpu.Seconds())
	}
	e.one("process_start_time_seconds", "gauge", "When the server was started, Unix time.", float64(started.UnixMilli())/1000)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		e.one("process_max_fds", "gauge", "How many files may be open.", float64(limit.Cur))
	}
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) == nil {
		e.one("process_virtual_memory_max_bytes", "gauge", "How much address space the server may have.", float64(limit.Cur))
	}
	memoryMetrics(e)
}
