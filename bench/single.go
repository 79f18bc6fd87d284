package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// contest is one build of air-executor with a manager of its own.
type contest struct {
	suffix string // of the names of its rows
	*base
}

// contest starts a manager for each build that is to be measured.
func (b *bench) contest(config ...string) ([]contest, error) {
	all := []contest{{"", &base{exe: b.ae}}}
	if b.base != "" {
		all = append(all, contest{", -base", &base{exe: b.base}})
	}
	for i, c := range all {
		s, err := b.newBaseOf(c.exe, config...)
		if err != nil {
			return nil, err
		}
		if err := s.ae("start"); err != nil {
			return nil, err
		}
		all[i].base = s
	}
	return all, nil
}

// latency measures one task after the other on an idle manager.
func latency(b *bench) (*table, error) {
	const samples = 60
	builds, err := b.contest("poll_interval: 5")
	if err != nil {
		return nil, err
	}
	t := &table{unit: "ms"}
	all := map[string][]float64{}
	for range b.rounds {
		for _, s := range builds {
			var round []float64
			for i := range samples {
				took, err := s.firstInstruction(i)
				if err != nil {
					return nil, err
				}
				round = append(round, took.Seconds()*1000)
			}
			t.add("median of "+strconv.Itoa(samples)+s.suffix, median(round))
			all[s.suffix] = append(all[s.suffix], round...)
		}
	}
	for _, s := range builds {
		a := slices.Sorted(slices.Values(all[s.suffix]))
		name := "99th percentile of all" + s.suffix
		t.add(name, a[len(a)*99/100])
		t.remark(name, "of %d; the command is a Go program, whose own start is part of the time", len(a))
		if err := s.stop(); err != nil {
			return nil, err
		}
	}
	return t, nil
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
	t := &table{unit: "ms", floor: "true", extra: "processor ms"}
	builds, err := b.contest()
	if err != nil {
		return nil, err
	}
	type program struct {
		name string
		args []string
	}
	all := []program{{"true", []string{"true"}}, {"empty program", []string{b.linked}}}
	for _, s := range builds {
		if err := s.ae("enqueue", "--quiet", "--job", "held", "--", "sleep", "1000"); err != nil {
			return nil, err
		}
		all = append(all, program{"enqueue" + s.suffix, []string{s.exe, "--base-path", s.path, "enqueue", "--quiet", "--job", "held", "--", "true"}})
	}
	for range b.rounds {
		for _, p := range all {
			var times, used []float64
			for range samples {
				before := usage()
				took, err := timed(func() error { return b.command(p.args[0], p.args[1:]...) })
				if err != nil {
					return nil, err
				}
				times, used = append(times, took.Seconds()*1000), append(used, (usage()-before).Seconds()*1000)
			}
			t.add(p.name, median(times))
			t.addExtra(p.name, median(used))
		}
	}
	t.remark("empty program", "in Go, linked with the same libraries")
	for _, s := range builds {
		if err := errors.Join(s.ae("cancel", "--job", "held"), s.stop()); err != nil {
			return nil, err
		}
	}
	return t, nil
}
