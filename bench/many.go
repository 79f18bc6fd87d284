package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
)

// enqueueMany queues a file of a million tasks in one transaction.
func enqueueMany(b *bench) (*table, error) {
	t := &table{unit: "figure"}
	for _, n := range []int{100_000, 1_000_000} {
		file := filepath.Join(b.dir, "many.jsonl")
		if err := writeTasks(file, n); err != nil {
			return nil, err
		}
		for range min(b.rounds, 3) {
			s, err := b.newBase()
			if err != nil {
				return nil, err
			}
			begin := time.Now()
			peak, err := b.peak(b.ae, "--base-path", s.path, "enqueue", "--quiet", "--from-file", file)
			if err != nil {
				return nil, err
			}
			t.add(fmt.Sprintf("%d tasks, tasks per second", n), float64(n)/time.Since(begin).Seconds())
			t.add(fmt.Sprintf("%d tasks, peak memory, MiB", n), float64(peak)/(1<<20))
			if err := s.remove(); err != nil {
				return nil, err
			}
		}
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// depth compares what one claim and one enqueue cost in a full database with
// what they cost in one that is nearly empty, and times status of the full one.
func depth(b *bench) (*table, error) {
	t := &table{unit: "ms", floor: ""}
	small, err := b.filled(10, 100)
	if err != nil {
		return nil, err
	}
	full, err := b.filled(10_000, 100)
	if err != nil {
		return nil, err
	}
	for range b.rounds {
		for _, c := range []struct {
			name string
			base *base
		}{{"1,000 pending", small}, {"1,000,000 pending", full}} {
			claim, enqueue, err := c.base.costs()
			if err != nil {
				return nil, err
			}
			t.add("claim and finish, "+c.name, claim)
			t.add("enqueue, "+c.name, enqueue)
		}
		took, err := timed(func() error { return full.ae("status") })
		if err != nil {
			return nil, err
		}
		t.add("air-executor status, 10,000 jobs", took.Seconds()*1000)
	}
	for _, what := range []string{"claim and finish", "enqueue"} {
		few, many := t.median(what+", 1,000 pending"), t.median(what+", 1,000,000 pending")
		t.remark(what+", 1,000,000 pending", "%.2f × that with 1,000", many/few)
	}
	if err := small.remove(); err != nil {
		return nil, err
	}
	return t, full.remove()
}

func (t *table) median(name string) float64 {
	for _, r := range t.rows {
		if r.name == name {
			return median(r.figures)
		}
	}
	return 0
}

// filled makes a base path with so many jobs of so many pending tasks.
func (b *bench) filled(jobs, tasks int) (*base, error) {
	s, err := b.newBase()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, s.path, db.Options{Durability: "normal"})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for j := range jobs {
		if _, err := d.Enqueue(ctx, db.Batch{Job: fmt.Sprintf("job-%d", j), Tasks: noops(tasks)}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// noops yields n tasks that do nothing.
func noops(n int) iter.Seq2[job.Spec, error] {
	return func(yield func(job.Spec, error) bool) {
		for range n {
			if !yield(job.Spec{Command: "true"}, nil) {
				return
			}
		}
	}
}

// costs is the median time of a claim with its finish, and of an enqueue, ms.
func (s *base) costs() (claim, enqueue float64, err error) {
	const samples = 200
	ctx := context.Background()
	d, err := db.Open(ctx, s.path, db.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer d.Close()
	var claims, enqueues []float64
	zero := 0
	for i := range samples {
		took, err := timed(func() error {
			a, err := d.Claim(ctx, db.Runner{Lock: int64(i)}, 10, "")
			if err != nil || a == nil {
				return fmt.Errorf("claim %v: %w", a, err)
			}
			_, err = d.Finish(ctx, a, job.Result{Status: job.Completed, ExitCode: &zero}, false)
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		claims = append(claims, took.Seconds()*1000)
		took, err = timed(func() error {
			_, err := d.Enqueue(ctx, db.Batch{Job: fmt.Sprintf("job-%d", i%10), Tasks: noops(1)})
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		enqueues = append(enqueues, took.Seconds()*1000)
	}
	return median(claims), median(enqueues), nil
}

// drain runs many tasks and looks at the manager as it goes.
func drain(b *bench) (*table, error) {
	const jobs, each, steps = 10, 10_000, 10
	s, err := b.newBase("tasks_per_runner: 1000")
	if err != nil {
		return nil, err
	}
	for j := range jobs {
		if err := s.fill(fmt.Sprintf("job-%d", j), each); err != nil {
			return nil, err
		}
	}
	if err := s.ae("start"); err != nil {
		return nil, err
	}
	pid, err := s.managerPID()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, s.path, db.Options{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	t := &table{unit: "figure"}
	last, begin := 0, time.Now()
	for step := 1; step <= steps; step++ {
		done, err := waitFor(d, jobs*each*step/steps)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("tasks %d to %d", last+1, done)
		t.add(name+": µs per task", float64(time.Since(begin).Microseconds())/float64(done-last))
		last, begin = done, time.Now()
		rss, err := residentMiB(pid)
		if err != nil {
			return nil, err
		}
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			return nil, err
		}
		t.remark(name+": µs per task", "manager: %.1f MiB resident, %d file descriptors", rss, len(fds))
	}
	return t, s.stop()
}

// waitFor waits until so many tasks have completed, and returns how many have.
func waitFor(d *db.DB, want int) (int, error) {
	for {
		jobs, err := d.Jobs(context.Background())
		if err != nil {
			return 0, err
		}
		done := 0
		for _, j := range jobs {
			done += j.Tasks.Completed
		}
		if done >= want {
			return done, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}
