package api

import (
	"os"
	"strconv"
	"strings"
)

// memoryMetrics are what only /proc tells.
func memoryMetrics(e *exposition) {
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		e.one("process_open_fds", "gauge", "Files that are open.", float64(len(files)-1)) // one is the folder
	}
	text, _ := os.ReadFile("/proc/self/statm")
	words := strings.Fields(string(text))
	if len(words) < 2 {
		return
	}
	page := float64(os.Getpagesize())
	virtual, _ := strconv.ParseFloat(words[0], 64)
	resident, _ := strconv.ParseFloat(words[1], 64)
	e.one("process_virtual_memory_bytes", "gauge", "Address space of the server.", virtual*page)
	e.one("process_resident_memory_bytes", "gauge", "Memory of the server.", resident*page)
}
