package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// contender runs a number of tasks that do nothing, some at a time, and returns
// how long that took. Queueing is not part of the time where it can be kept out.
type contender struct {
	name  string
	needs string // program that must be installed; empty: none
	run   func(b *bench, tasks, atOnce int) (time.Duration, error)
}

var contenders = []contender{
	{"xargs", "xargs", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return timed(func() error { return b.shell("seq %d | xargs -P%d -n1 true", tasks, atOnce) })
	}},
	{"air-executor", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(tasks, atOnce)
	}},
	{"air-executor, durability normal", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(tasks, atOnce, "durability: normal")
	}},
	{"air-executor, tasks_per_runner 1000", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(tasks, atOnce, "tasks_per_runner: 1000")
	}},
	{"GNU parallel", "parallel", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return timed(func() error { return b.shell("seq %d | parallel -n1 -j%d true {} 2>/dev/null", tasks, atOnce) })
	}},
	{"tsp", "tsp", drainTsp},
	{"nq", "nq", drainNq},
	{"pueue", "pueue", drainPueue},
}

// compare measures every contender in every round.
func (b *bench) compare(tasks, atOnce int, unit string, figure func(time.Duration) float64) (*table, error) {
	t := &table{unit: unit, floor: "xargs"}
	for range b.rounds {
		for _, c := range contenders {
			if c.needs != "" && !installed(c.needs) || c.name == "nq" && atOnce > 1 {
				continue
			}
			took, err := c.run(b, tasks, atOnce)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			t.add(c.name, figure(took))
		}
	}
	for _, c := range contenders {
		if c.needs != "" && !installed(c.needs) {
			t.without(c.name, "not installed")
		}
	}
	return t, nil
}

func sequential(b *bench) (*table, error) {
	const tasks = 500
	return b.compare(tasks, 1, "ms per task", func(d time.Duration) float64 {
		return d.Seconds() * 1000 / tasks
	})
}

func parallel(b *bench) (*table, error) {
	const tasks = 2000
	return b.compare(tasks, 10, "tasks per second", func(d time.Duration) float64 {
		return tasks / d.Seconds()
	})
}

// drainOurs queues the tasks, in one job or in twenty, and then measures from
// the start of the manager's work to the end of the last job.
func (b *bench) drainOurs(tasks, atOnce int, config ...string) (time.Duration, error) {
	s, err := b.newBase(append(config, fmt.Sprintf("max_concurrent_runners: %d", max(atOnce, 1)))...)
	if err != nil {
		return 0, err
	}
	jobs := 1
	if atOnce > 1 {
		jobs = 20
	}
	for j := range jobs {
		if err := s.fill(fmt.Sprintf("job-%d", j), tasks/jobs); err != nil {
			return 0, err
		}
	}
	took, err := timed(func() error {
		if err := s.ae("start"); err != nil {
			return err
		}
		return s.waitAll(jobs)
	})
	if err != nil {
		return 0, err
	}
	return took, s.stop()
}

func (s *base) waitAll(jobs int) error {
	for j := range jobs {
		if err := s.ae("wait", "--quiet", "--job", fmt.Sprintf("job-%d", j)); err != nil {
			return err
		}
	}
	return nil
}

// drainTsp holds the queue with one task until all are in it; then they run.
func drainTsp(b *bench, tasks, atOnce int) (time.Duration, error) {
	dir, err := b.folder()
	if err != nil {
		return 0, err
	}
	socket := filepath.Join(dir, "tsp.socket")
	env := fmt.Sprintf("export TS_SOCKET=%s TS_MAXCONN=5000 TMPDIR=%s;", socket, dir)
	// It refuses more than about a thousand waiting tasks; so many are queued at once.
	const most = 900
	var total time.Duration
	for done := 0; done < tasks; done += most {
		n := min(most, tasks-done)
		err := b.shell("%s tsp -S 1; tsp -n sh -c 'while ! [ -e %s.go ]; do sleep 0.01; done' >/dev/null; for i in $(seq %d); do tsp true; done >/dev/null; tsp -S %d", env, socket, n, atOnce)
		if err != nil {
			return 0, err
		}
		took, err := timed(func() error {
			return b.shell("%s touch %s.go; while tsp | grep -qE ' (queued|running) '; do sleep 0.01; done", env, socket)
		})
		if err != nil {
			return 0, err
		}
		total += took
		if err := b.shell("%s tsp -K; rm -f %s.go", env, socket); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// drainNq queues and drains in one, for every task of nq is a process that
// waits for the one before.
func drainNq(b *bench, tasks, _ int) (time.Duration, error) {
	dir, err := b.folder()
	if err != nil {
		return 0, err
	}
	return timed(func() error {
		return b.shell("export NQDIR=%s; for i in $(seq %d); do nq -q true; done; nq -w", dir, tasks)
	})
}

func drainPueue(b *bench, tasks, atOnce int) (time.Duration, error) {
	if err := b.shell("pueue parallel %d; pueue pause; for i in $(seq %d); do pueue add -- true; done >/dev/null", atOnce, tasks); err != nil {
		return 0, err
	}
	return timed(func() error { return b.shell("pueue start; pueue wait --quiet; pueue clean >/dev/null") })
}
