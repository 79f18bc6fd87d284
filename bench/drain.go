package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// contender runs a number of tasks that do nothing, some at a time, and returns
// how long that took. Queueing is not part of the time where it can be kept out.
type contender struct {
	name  string
	needs string // program that must be installed; empty: none
	run   func(b *bench, tasks, atOnce int) (time.Duration, error)
	few   int // measure with so few tasks at a time; 0: with all
}

// baseName is the contender that -base brings.
const baseName = "air-executor, -base"

var contenders = []contender{
	{"xargs", "xargs", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return timed(func() error { return b.shell("seq %d | xargs -P%d -n1 true", tasks, atOnce) })
	}, 0},
	{"air-executor", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(b.ae, tasks, atOnce)
	}, 0},
	{baseName, "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(b.base, tasks, atOnce)
	}, 0},
	{"air-executor, durability normal", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(b.ae, tasks, atOnce, "durability: normal")
	}, 0},
	{"air-executor, tasks_per_runner 1000", "", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return b.drainOurs(b.ae, tasks, atOnce, "tasks_per_runner: 1000")
	}, 0},
	{"GNU parallel", "parallel", func(b *bench, tasks, atOnce int) (time.Duration, error) {
		return timed(func() error { return b.shell("seq %d | parallel -n1 -j%d true {} 2>/dev/null", tasks, atOnce) })
	}, 0},
	{"tsp", "tsp", drainTsp, 0},
	{"nq", "nq", drainNq, 0},
	{"pueue", "pueued", drainPueue, 40},
}

// takesPart reports whether a contender can be measured.
func (c *contender) takesPart(b *bench, atOnce int) bool {
	return (c.needs == "" || installed(c.needs)) && (c.name != "nq" || atOnce == 1) && (c.name != baseName || b.base != "")
}

// compare measures every contender in every round.
func (b *bench) compare(tasks, atOnce int, unit string, figure func(time.Duration) float64) (*table, error) {
	t := &table{unit: unit, floor: "xargs", extra: "processor ms per task"}
	adoptOrphans(true)
	defer adoptOrphans(false)
	for range b.rounds {
		for _, c := range contenders {
			if !c.takesPart(b, atOnce) {
				continue
			}
			n := tasks
			if c.few > 0 {
				n = c.few * atOnce
			}
			before := usage()
			took, err := c.run(b, n, atOnce)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			collectOrphans()
			t.add(c.name, figure(took*time.Duration(tasks)/time.Duration(n)))
			// Of the daemon's whole life, and with queueing.
			t.addExtra(c.name, (usage()-before).Seconds()*1000/float64(n))
			if n < tasks {
				t.remark(c.name, "measured with %d tasks", n)
			}
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
func (b *bench) drainOurs(exe string, tasks, atOnce int, config ...string) (time.Duration, error) {
	s, err := b.newBaseOf(exe, append(config, fmt.Sprintf("max_concurrent_runners: %d", max(atOnce, 1)))...)
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

// drainPueue holds the queue of a daemon of its own until all are in it.
func drainPueue(b *bench, tasks, atOnce int) (time.Duration, error) {
	dir, err := b.folder()
	if err != nil {
		return 0, err
	}
	conf := filepath.Join(dir, "pueue.yml")
	text := fmt.Sprintf("shared:\n  pueue_directory: %[1]s\n  runtime_directory: %[1]s\n  use_unix_socket: true\n  unix_socket_path: %[1]s/socket\nclient: {}\ndaemon: {}\nprofiles: {}\n", dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return 0, err
	}
	p := "pueue -c " + conf
	if err := b.shell("pueued -c %[2]s -d >/dev/null 2>&1; until %[1]s status >/dev/null 2>&1; do sleep 0.1; done; %[1]s parallel %[3]d; %[1]s pause; for i in $(seq %[4]d); do %[1]s add -- true; done >/dev/null", p, conf, atOnce, tasks); err != nil {
		return 0, err
	}
	took, err := timed(func() error { return b.shell("%[1]s start; %[1]s wait --quiet", p) })
	if err != nil {
		return 0, err
	}
	return took, b.shell("%s shutdown", p)
}
