package db

import (
	"context"
	"testing"
	"time"

	"github.com/air-executor/air-executor/job"
)

// exerciseSchedules carries out what can be done with schedules.
func exerciseSchedules(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	now := time.Now().Truncate(time.Second)
	add := Schedule{Name: "s", Cron: "@daily", Overlap: "skip", Missed: "one", Spec: "{}", Env: []string{"S=1"}, NextAt: now}
	must(d.AddSchedule(ctx, add))
	fire := func(f Firing) {
		t.Helper()
		var err error
		f.Schedule, err = d.Schedule(ctx, "s")
		must(err)
		f.At, f.Next = now, now.Add(time.Hour)
		_, err = d.Fire(ctx, f)
		must(err)
	}
	tasks := sequence([]job.Spec{{ID: "s@1", Command: "true"}})
	fire(Firing{Batch: Batch{Job: "scheduled", Tasks: tasks}})
	fire(Firing{Batch: Batch{Job: "scheduled", Tasks: tasks}}) // it is skipped
	fire(Firing{ByHand: true, Batch: Batch{Job: "scheduled-1", Tasks: tasks, NewJob: true}})
	fire(Firing{Batch: Batch{Job: "scheduled-1", Tasks: tasks, NewJob: true}})
	_, err := d.Schedules(ctx)
	must(err)
	_, err = d.NextSchedules(ctx, 10)
	must(err)
	_, err = d.ScheduleNames(ctx, "s", 10)
	must(err)
	_, err = d.ChangeSchedule(ctx, "s", func(*Schedule) error { return nil })
	must(err)
	must(d.RemoveSchedule(ctx, "s"))
}
