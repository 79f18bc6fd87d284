package main

// ofPools are safeguards of places: those of jobs, and those of pools.
var ofPools = []mutant{
	{
		name:    "a claim does not look whether a pool has room",
		changes: []change{{"db/lane.go", `		if room > 0 {`, `		if room >= 0 {`}},
		test:    inConformance("APoolIsNeverGivenTwice"),
		shows:   "was found free, but is not",
	},
	{
		name:    "the places of a pool are free before their attempt has ended",
		changes: []change{{"db/place.go", `		for _, n := range held.Numbers {`, `		for _, n := range held.Numbers[1:] {`}},
		test:    inConformance("APoolIsNeverGivenTwice"),
		shows:   "want \"b/1[{gpu [1]}]\"",
	},
	{
		name:    "the places of an attempt that has ended are not freed",
		changes: []change{{"db/finish.go", `	d := delta{Counts: job.Counts{Running: -1}, ended: e.attempt, task: e.task}`, `	d := delta{Counts: job.Counts{Running: -1}, task: e.task}`}},
		test:    inConformance("APoolIsNeverGivenTwice"),
		shows:   "want",
	},
	{
		name:    "an attempt that ends frees the places of all",
		changes: []change{{"db/lane.go", "`DELETE FROM pool_place WHERE attempt = ?`", "`DELETE FROM pool_place WHERE attempt >= ? - 1`"}},
		test:    inConformance("APoolIsNeverGivenTwice"),
		shows:   "a running task holds the places that it needs",
	},
	{
		name:    "the end of an attempt does not tell that places are free",
		changes: []change{{"db/lane.go", `	t.waited, err = t.anyLane()`, `	_, err = t.anyLane()`}},
		test:    inConformance("APoolIsNeverGivenTwice"),
		shows:   "finished:",
	},
	{
		name:    "a task with pools starts although its job has no place",
		changes: []change{{"db/jobstate.go", `d.ended, now.Running < now.Parallel)`, `d.ended, true)`}},
		test:    inConformance("AFullPoolHoldsUpNobodyElse"),
		shows:   "a lane has the best task that waits only for its places",
	},
	{
		name: "tasks of a held job start if they need pools",
		changes: []change{{"db/lane.go", `WHERE l.pools = ?
  AND j.holds = 0
  AND j.running < j.parallel
ORDER BY`, `WHERE l.pools = ?
  AND j.running < j.parallel
ORDER BY`}},
		test:  inConformance("TheJobIsAskedBeforeThePool"),
		shows: "want \"\"",
	},
	{
		name:    "tasks that need pools start although all jobs are paused",
		changes: []change{{"db/lane.go", "WHERE pools > ? AND `+notPaused+` ORDER", "WHERE pools > ? ORDER"}},
		test:    inConformance("TheJobIsAskedBeforeThePool"),
		shows:   "want \"\"",
	},
	{
		name:    "a task that no pool can hold is queued",
		changes: []change{{"db/place.go", `		case capacity < need.Count:`, `		case capacity < 0:`}},
		test:    inConformance("WhatNoPoolCanEverHoldIsRefused"),
		shows:   "gpu:3: <nil>",
	},
	{
		name:    "a pool is taken from tasks that wait for it",
		changes: []change{{"db/pool.go", `		if stranded > 0 && capacity < before && !force {`, `		if stranded > 0 && capacity < 0 && !force {`}},
		test:    inConformance("WhatNoPoolCanEverHoldIsRefused"),
		shows:   "made smaller: <nil>",
	},
	{
		name:    "two tasks of a job share a slot",
		changes: []change{{"db/claim.go", `	if row.Busy == 0 {`, `	if row.Busy >= 0 {`}},
		test:    inConformance("AJobRunsAsManyTasksAsItHasPlaces"),
		shows:   "UNIQUE constraint failed: attempt.job, attempt.slot",
	},
	{
		name:    "a task inherits the places of another",
		changes: []change{{"runner/environment.go", `strings.HasPrefix(kv, EnvPool)`, `kv == EnvPool`}},
		test:    test{"./runner", "", "TestWhatATaskGets"},
		shows:   "AIR_EXECUTOR_POOL_OTHER=3",
	},
	{
		name:    "a job that waits for a pool counts as ended",
		changes: []change{{"db/jobstate.go", `	if !next && now.Pending > 0 { //`, `	if !next && now.Pending < 0 { //`}},
		test:    inConformance("PoolsStaySoundWhateverHappens"),
		shows:   "a job's state follows from its tasks",
	},
}
