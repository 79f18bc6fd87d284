package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbfill"
	"github.com/air-executor/air-executor/job"
)

// A year of use: so many jobs have ended, with so many tasks each.
const (
	yearJobs  = 10_000
	yearTasks = 200
)

// year compares what one claim, one enqueue and a status cost after a year of use with
// what they cost in a new base path. Then it prunes half of it while jobs run, and
// measures how long others wait.
func year(b *bench) (*table, error) {
	t := &table{unit: "figure"}
	fresh, err := b.newBase()
	if err != nil {
		return nil, err
	}
	old, err := b.newBase()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	begin := time.Now()
	if err := dbfill.Ended(context.Background(), old.path, yearJobs, yearTasks, now.AddDate(-1, 0, 0), now.Add(-time.Hour)); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "  filled in %v\n", time.Since(begin).Round(time.Second))
	for _, s := range []*base{fresh, old} {
		if err := s.waiting(); err != nil {
			return nil, err
		}
	}
	if err := b.compareYear(t, fresh, old); err != nil {
		return nil, err
	}
	if err := pruneBeside(t, old); err != nil {
		return nil, err
	}
	return t, old.remove()
}

// waiting queues what costs claims: as many tasks as it takes.
func (s *base) waiting() error {
	d, err := db.Open(context.Background(), s.path, db.Options{Durability: "normal"})
	if err != nil {
		return err
	}
	defer d.Close()
	for j := range 10 {
		if _, err := d.Enqueue(context.Background(), db.Batch{Job: fmt.Sprintf("job-%d", j), Tasks: noops(500)}); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compareYear(t *table, fresh, old *base) error {
	for range b.rounds {
		for _, c := range []struct {
			name string
			base *base
		}{{"new", fresh}, {"after a year", old}} {
			claim, enqueue, err := c.base.costs()
			if err != nil {
				return err
			}
			t.add("claim and finish, ms, "+c.name, claim)
			t.add("enqueue, ms, "+c.name, enqueue)
			for _, args := range [][]string{{"status", "--limit", "20"}, {"status", "job-1", "--limit", "20"}, {"status"}} {
				took, err := timed(func() error { return c.base.ae(args...) })
				if err != nil {
					return err
				}
				t.add(fmt.Sprintf("air-executor %v, ms, %s", args, c.name), took.Seconds()*1000)
			}
		}
	}
	for _, r := range slices.Clone(t.rows) {
		if name, ok := strings.CutSuffix(r.name, ", after a year"); ok {
			t.remark(r.name, "%.2f × that in a new one", t.median(r.name)/t.median(name+", new"))
		}
	}
	return nil
}

// pruneBeside prunes the older half while ten jobs run and somebody enqueues.
func pruneBeside(t *table, s *base) error {
	before, err := os.Stat(filepath.Join(s.path, db.FileName))
	if err != nil {
		return err
	}
	if err := s.ae("start"); err != nil {
		return err
	}
	alone, err := s.enqueueWhile(func() error { time.Sleep(5 * time.Second); return nil })
	if err != nil {
		return err
	}
	var took time.Duration
	beside, err := s.enqueueWhile(func() (err error) {
		took, err = timed(func() error { return s.ae("prune", "--older-than", "182d", "--yes") })
		return err
	})
	if err != nil {
		return err
	}
	if err := s.shrunk(t, before.Size()); err != nil {
		return err
	}
	if err := s.ae("stop", "--kill"); err != nil {
		return err
	}
	t.add("prune of half of the tasks, beside 10 running jobs, s", took.Seconds())
	t.add("enqueue meanwhile, ms, median", median(beside))
	t.add("enqueue meanwhile, ms, longest", slices.Max(beside))
	t.add("enqueue without it, ms, median", median(alone))
	t.add("enqueue without it, ms, longest", slices.Max(alone))
	return nil
}

// enqueueWhile measures one enqueue after the other while something is done, ms.
func (s *base) enqueueWhile(do func() error) (took []float64, err error) {
	ctx := context.Background()
	d, err := db.Open(ctx, s.path, db.Options{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var over atomic.Bool
	done := make(chan error, 1)
	go func() {
		err := do()
		over.Store(true)
		done <- err
	}()
	for i := 0; !over.Load(); i++ {
		one, err := timed(func() error {
			_, err := d.Enqueue(ctx, db.Batch{Job: fmt.Sprintf("beside-%d", i%10), Tasks: func(yield func(job.Spec, error) bool) {
				yield(job.Spec{Command: "sleep", Args: []string{"0.2"}}, nil)
			}})
			return err
		})
		if err != nil {
			return nil, err
		}
		took = append(took, one.Seconds()*1000)
		time.Sleep(20 * time.Millisecond)
	}
	return took, <-done
}

// shrunk waits until the file does not become smaller any more.
func (s *base) shrunk(t *table, before int64) error {
	file := filepath.Join(s.path, db.FileName)
	size := before
	for still := 0; still < 3; {
		time.Sleep(30 * time.Second) // the manager tidies up once a minute
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if still++; info.Size() < size {
			size, still = info.Size(), 0
		}
	}
	t.add("database before, MiB", float64(before)/(1<<20))
	t.add("database after, MiB", float64(size)/(1<<20))
	return nil
}
