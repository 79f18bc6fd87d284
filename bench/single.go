package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// latency measures one task after the other on an idle manager.
func latency(b *bench) (*table, error) {
	const samples = 60
	s, err := b.newBase("poll_interval: 5")
	if err != nil {
		return nil, err
	}
	if err := s.ae("start"); err != nil {
		return nil, err
	}
	t := &table{unit: "ms"}
	var all []float64
	for range b.rounds {
		var round []float64
		for i := range samples {
			took, err := s.firstInstruction(i)
			if err != nil {
				return nil, err
			}
			round = append(round, took.Seconds()*1000)
		}
		slices.Sort(round)
		t.add("median of "+strconv.Itoa(samples), median(round))
		all = append(all, round...)
	}
	slices.Sort(all)
	t.add("99th percentile of all", all[len(all)*99/100])
	t.remark("99th percentile of all", "of %d; the command is a Go program, whose own start is part of the time", len(all))
	return t, s.stop()
}

func (s *base) firstInstruction(i int) (time.Duration, error) {
	file := filepath.Join(s.path, fmt.Sprintf("stamp-%d", i))
	begin := time.Now()
	if err := s.ae("enqueue", "--quiet", "--job", "latency", "--", s.b.stamp, "stamp", file); err != nil {
		return 0, err
	}
	if err := s.ae("wait", "--quiet", "--job", "latency"); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Unix(0, ns).Sub(begin), os.Remove(file)
}

// enqueueOne measures whole processes. The tasks go into a job that is kept
// busy, so that none of them runs meanwhile.
func enqueueOne(b *bench) (*table, error) {
	const samples = 100
	t := &table{unit: "ms", floor: "empty program"}
	s, err := b.newBase()
	if err != nil {
		return nil, err
	}
	if err := s.ae("start"); err != nil {
		return nil, err
	}
	if err := s.ae("enqueue", "--quiet", "--job", "held", "--", "sleep", "1000"); err != nil {
		return nil, err
	}
	for range b.rounds {
		for _, c := range []struct {
			name string
			args []string
		}{
			{"true", []string{"true"}},
			{"empty program", []string{b.linked}},
			{"enqueue", []string{b.ae, "--base-path", s.path, "enqueue", "--quiet", "--job", "held", "--", "true"}},
		} {
			var times []float64
			for range samples {
				took, err := timed(func() error { _, err := b.command(c.args[0], c.args[1:]...); return err })
				if err != nil {
					return nil, err
				}
				times = append(times, took.Seconds()*1000)
			}
			t.add(c.name, median(times))
		}
	}
	t.remark("empty program", "in Go, linked with the same libraries")
	if err := s.ae("cancel", "--job", "held"); err != nil {
		return nil, err
	}
	return t, s.stop()
}

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
		before, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		time.Sleep(watch)
		after, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		rss, err := residentMiB(pid)
		if err != nil {
			return nil, err
		}
		t.add("resident memory, MiB", rss)
		t.add("% of a core", (after-before).Seconds()/watch.Seconds()*100)
	}
	return t, s.stop()
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

func residentMiB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", pid)
}
