package queue

import (
	"context"
	"slices"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/taskfile"
)

// CheckPools returns *db.NoRoom for an order with a task that no pool can hold as they are
// now: each firing would be refused.
func (q *Queue) CheckPools(ctx context.Context, o ScheduleOrder) error {
	pools, err := q.DB.Pools(ctx, false)
	if err != nil {
		return err
	}
	return roomFor(o.What, pools)
}

// roomFor returns *db.NoRoom for a task that no pool can hold.
func roomFor(what taskfile.Scheduled, pools []db.Pool) error {
	tasks, err := what.Tasks("", nil, nil)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		for _, text := range t.Pools {
			need, err := job.ParsePlaces(text)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(pools, func(p db.Pool) bool { return p.Name == need.Pool })
			if i < 0 {
				return &db.NoRoom{Task: t.ID, Need: need}
			}
			if has := pools[i].Capacity; has < need.Count {
				return &db.NoRoom{Task: t.ID, Need: need, Capacity: has, Known: true}
			}
		}
	}
	return nil
}
