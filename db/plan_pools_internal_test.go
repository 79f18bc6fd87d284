package db

import (
	"context"
	"testing"

	"github.com/air-executor/air-executor/job"
)

// hotOfPools are the statements of pools that are on the way of the tasks that use
// them, and the one that is on the way of all.
var hotOfPools = []struct {
	name, part string
	plan       []string
}{
	{"see whether a task waits for places in pools", "SELECT 1 FROM lane LIMIT 1", []string{
		"SCAN lane USING COVERING INDEX lane_next", // it stops at the first
	}},
	{"find the best task of a job's next lane", "AND t.pools > ?\nORDER BY t.pools", []string{
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH t USING INDEX task_lane (job=? AND pools>?)", // in the order that is asked for
	}},
	{"find the best job of a lane", "ORDER BY l.next_priority DESC, l.next_task", []string{
		"SEARCH l USING COVERING INDEX lane_next (pools=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find a job in a lane", "WHERE l.pools = ?\n  AND l.job = ?", []string{
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH l USING PRIMARY KEY (job=? AND pools=?)",
	}},
	{"find the next lane", "ORDER BY pools LIMIT 1", []string{
		"SEARCH lane USING COVERING INDEX lane_next (pools>?)",
		"SCALAR SUBQUERY 1",
		"SEARCH setting USING PRIMARY KEY (key=?)",
	}},
	{"count the room of a pool", "SELECT capacity - (", []string{
		"SEARCH pool USING PRIMARY KEY (name=?)",
		"SCALAR SUBQUERY 1",
		"SEARCH pool_place USING PRIMARY KEY (pool=?)",
	}},
	{"count the claimable jobs of a lane", "AS free\nFROM lane l", []string{
		"SEARCH l USING COVERING INDEX lane_next (pools=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"count the tasks of a lane", "LIMIT ?) AS tasks", []string{
		"CO-ROUTINE tasks",
		"SEARCH task USING INDEX task_lane (job=? AND pools=?)",
		"SCAN tasks",
	}},
	{"see whether a job goes on by itself", "AND holds = blockers\nLIMIT 1", []string{
		"SEARCH task USING INDEX task_held (job=?)",
	}},
	{"free the places of an attempt", "DELETE FROM pool_place WHERE attempt = ?", []string{
		"SEARCH pool_place USING COVERING INDEX pool_place_attempt (attempt=?)",
	}},
}

// exercisePools carries out what has to do with pools and the settings of jobs.
func exercisePools(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	for _, name := range []string{"gpu", "license"} {
		_, _, err := d.SetPool(ctx, name, 2, false)
		must(err)
	}
	task := func(id string, pools ...string) job.Spec { return job.Spec{ID: id, Command: "true", Pools: pools} }
	tasks := []job.Spec{task("a", "gpu"), task("b", "gpu:2"), task("c", "gpu", "license"), task("d", "gpu")}
	settings := &JobChange{
		Parallel: new(3), Priority: new(1), RetryHolds: new(false),
		Defaults: func([]byte) ([]byte, error) { return []byte(`{"timeout":1}`), nil },
	}
	_, err := d.Enqueue(ctx, Batch{Job: "pooled", Tasks: sequence(tasks), Settings: settings})
	must(err)
	_, err = d.Claimable(ctx, 10, "")
	must(err)
	_, err = d.Claimable(ctx, 10, "pooled")
	must(err)
	a, err := d.Claim(ctx, Runner{Lock: 7, BootID: "boot"}, 10, "")
	must(err)
	_, err = d.AssignedTo(ctx, []Runner{{Lock: 7, BootID: "boot"}})
	must(err)
	b, err := d.Claim(ctx, Runner{}, 10, "pooled")
	must(err)
	_, err = d.Pools(ctx, true)
	must(err)
	_, err = d.GiveBack(ctx, b)
	must(err)
	_, err = d.Finish(ctx, a, job.Result{Status: job.Completed}, false)
	must(err)
	_, err = d.SetJob(ctx, "pooled", JobChange{Parallel: new(1)})
	must(err)
	_, err = d.JobSettings(ctx, "pooled")
	must(err)
	_, err = d.RemovePool(ctx, "gpu", true)
	must(err)
	_, err = d.Cancel(ctx, "pooled", "")
	must(err)
}
