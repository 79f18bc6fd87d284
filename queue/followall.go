package queue

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/air-executor/air-executor/db"
)

// FollowAll gives a sink what the running tasks of all jobs have printed and print,
// and those that start later, until the context ends. Of the options it takes Lines
// and Waiting. Errors: those of the sink and of the context.
func (q *Queue) FollowAll(ctx context.Context, o FollowOptions, sink LogSink) error {
	all := map[string]*Follower{}
	defer func() {
		for _, f := range all {
			f.Close()
		}
	}()
	last, err := q.DB.LastStep(ctx)
	if err != nil {
		return err
	}
	active, err := q.DB.Active(ctx)
	if err != nil {
		return err
	}
	for _, a := range active {
		f := all[a.Job]
		if f == nil {
			f = q.FollowNew(a.Job, last, sink)
			all[a.Job] = f
		}
		if err := f.beginRunning(ctx, a.Task, o.Lines); err != nil {
			return err
		}
	}
	for changes := int64(-1); ; {
		now, err := q.DB.Changes(ctx)
		if err != nil {
			return err
		}
		if now != changes {
			if last, err = q.joined(ctx, all, last, sink); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			f := all[name]
			if err := f.Tick(ctx, now != changes); err != nil && !errors.Is(err, db.ErrNoJob) { // it was removed
				return err
			} else if f.over || err != nil {
				f.Close()
				delete(all, name)
			}
		}
		changes = now
		if o.Waiting != nil {
			o.Waiting()
		}
		if err := Pause(ctx, 2*CheckEvery); err != nil {
			return err
		}
	}
}

// joined adds the jobs of which an attempt has started after the row last, and returns
// the newest row.
func (q *Queue) joined(ctx context.Context, all map[string]*Follower, last int64, sink LogSink) (int64, error) {
	names, newest, err := q.DB.Started(ctx, last)
	if err != nil {
		return last, err
	}
	for _, name := range names {
		if all[name] == nil {
			all[name] = q.FollowNew(name, min(last, newest), sink)
		}
	}
	return newest, nil
}

// beginRunning reads the end of the log of a task that runs.
func (f *Follower) beginRunning(ctx context.Context, task string, lines int) error {
	running, err := f.queue.DB.RunningSteps(ctx, f.job)
	if errors.Is(err, db.ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range running {
		if s.Task != task || f.open[s.Row] != nil {
			continue
		}
		f.started(s)
		if err := f.open[s.Row].Begin(f.sink, lines); err != nil {
			return err
		}
	}
	return nil
}
