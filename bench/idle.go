package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idle looks at a manager that has nothing to do.
func idle(b *bench) (*table, error) {
	const watch = 10 * time.Second
	s, err := b.newBase()
	if err != nil {
		return nil, err
	}
	if err := s.ae("start"); err != nil {
		return nil, err
	}
	if err := s.fill("job-0", 20); err != nil {
		return nil, err
	}
	if err := s.waitAll(1); err != nil {
		return nil, err
	}
	pid, err := s.managerPID()
	if err != nil {
		return nil, err
	}
	t := &table{unit: "figure"}
	for range b.rounds {
		pids := append([]int{pid}, children(pid)...) // the runners that wait for tasks
		before, err := sum(pids, cpuTime)
		if err != nil {
			return nil, err
		}
		time.Sleep(watch)
		after, err := sum(pids, cpuTime)
		if err != nil {
			return nil, err
		}
		resident, err := sum(pids, residentMiB)
		if err != nil {
			return nil, err
		}
		own, err := sum(pids, func(pid int) (float64, error) { return memoryMiB(pid, "RssAnon:") })
		if err != nil {
			return nil, err
		}
		t.add("resident memory, MiB", resident)
		t.add("own memory, MiB", own)
		t.add("% of a core", (after-before).Seconds()/watch.Seconds()*100)
		t.remark("resident memory, MiB", "manager and %d waiting; the pages of the program count for each", len(pids)-1)
	}
	t.remark("own memory, MiB", "without the pages of the program, which they share")
	return t, s.stop()
}

// sum adds up a figure of several processes.
func sum[T float64 | time.Duration](pids []int, figure func(pid int) (T, error)) (total T, err error) {
	for _, pid := range pids {
		n, err := figure(pid)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// children are the processes that a process has started.
func children(pid int) (out []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for word := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(word); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// managerPID finds the manager by its command line.
func (s *base) managerPID() (int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, d := range dirs {
		line, err := os.ReadFile(filepath.Join(d, "cmdline"))
		if err == nil && strings.Contains(string(line), "--foreground") && strings.Contains(string(line), s.path+"\x00") {
			return strconv.Atoi(filepath.Base(d))
		}
	}
	return 0, fmt.Errorf("no manager of %s", s.path)
}

// cpuTime is what a process has used of the processors (proc_pid_stat(5),
// fields 14 and 15, in ticks of 10 ms).
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(f[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

func residentMiB(pid int) (float64, error) { return memoryMiB(pid, "VmRSS:") }

// memoryMiB reads a line of proc_pid_status(5).
func memoryMiB(pid int, key string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s of process %d", key, pid)
}
