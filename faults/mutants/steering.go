package main

// ofSteering are safeguards of what people do to jobs and tasks: pauses, signals, and
// tasks that are to run again.
var ofSteering = []mutant{
	{
		name: "a claim passes over the pause of all jobs",
		changes: []change{{"db/claim.go", `
  AND j.running < j.parallel
  AND ` + "` + notPaused + `" + `
ORDER BY`, `
  AND j.running < j.parallel
ORDER BY`}},
		test:  inConformance("APauseOfAllJobsHoldsLaterOnesToo"),
		shows: "want nothing",
	},
	{
		name: "the claim inside Finish passes over the pause of all jobs",
		changes: []change{{"db/claim.go", `
WHERE j.id = ?
  AND j.holds = 0
  AND j.running < j.parallel
  AND ` + "` + notPaused", `
WHERE j.id = ?
  AND j.holds = 0
  AND j.running < j.parallel` + "`"}},
		test:  inConformance("ARunnerThatFinishesGetsNoTaskOfAPausedJob"),
		shows: "the same runner goes on",
	},
	{
		name: "a paused job is counted among those with a task to claim",
		changes: []change{{"db/claim.go", `
      AND ` + "`+notPaused+`" + `
      AND (`, `
      AND (`}},
		test:  inConformance("APauseOfAllJobsHoldsLaterOnesToo"),
		shows: "are claimable",
	},
	{
		name:    "a paused job has no hold",
		changes: []change{{"db/pause.go", `    holds = holds + 1,`, `    holds = holds,`}},
		test:    inConformance("ARunnerThatFinishesGetsNoTaskOfAPausedJob"),
		shows:   "the same runner goes on",
	},
	{
		name:    "the time limit of a frozen task runs on",
		changes: []change{{"runner/process/control.go", `		r.warnAt, r.endAt = time.Time{}, time.Time{}`, `		r.warnAt = time.Time{}`}},
		test:    inProcess("TestTheClockOfAFrozenTreeStandsStill"),
		shows:   "a frozen tree did not stay as it was",
	},
	{
		name:    "what depends on a completed task that is retried does not wait for it",
		changes: []change{{"db/retry.go", `SET blockers = blockers + (`, `SET blockers = blockers + 0 * (`}},
		test:    inConformance("WhatDependsOnARetriedTaskWaitsForIt"),
		shows:   "unfinished dependencies",
	},
	{
		name:    "a selection without tasks is taken for all",
		changes: []change{{"cmd/air-executor/dismiss.go", `if named && len(ids) == 0 {`, `if named && len(ids) < 0 {`}},
		test:    inStories("selections"),
		shows:   "0 failures dismissed",
	},
}
