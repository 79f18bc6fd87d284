package main

// ofLinks are safeguards of dependencies on tasks of other jobs.
var ofLinks = []mutant{
	{
		name:    "the end of a task does not reach other jobs",
		changes: []change{{"db/jobstate.go", `if now.Linked && !d.quiet() {`, `if false {`}},
		test:    inConformance("ATaskWaitsForOneOfAnotherJob"),
		shows:   "blockers are its unfinished dependencies",
	},
	{
		name:    "what is skipped does not reach other jobs",
		changes: []change{{"db/finish.go", `if d.Dismissed == 0 {`, `if true {`}},
		test:    inConformance("WhatIsSkippedReachesOtherJobs"),
		shows:   "what a link says follows from the task that it is on",
	},
	{
		name:    "a new task does not reach other jobs",
		changes: []change{{"db/add.go", `a.tied || a.unsettled`, `a.unsettled`}},
		test:    inConformance("ATaskOfAnotherJobMayComeLater"),
		shows:   "what a link says follows from the task that it is on",
	},
	{
		name:    "hooks are those of the last job that an end reaches",
		changes: []change{{"db/jobstate.go", `t.told = now.hooksRow // not those of another job`, ``}},
		test:    inConformance("AnEndInAnotherJobIsTold"),
		shows:   "after a failure (-want +got)",
	},
	{
		name:    "a job that waits for another one has ended",
		changes: []change{{"db/jobstate.go", `!next && now.Linked {`, `false {`}},
		test:    inConformance("AnEndInAnotherJobIsTold"),
		shows:   "job b goes on, and yet there is",
	},
	{
		name:    "a failure in another job lets go",
		changes: []change{{"db/link.go", `case l.Status == job.Completed, l.Condition == onAny && l.Status == job.Failed:`, `case l.Status.Ended():`}},
		test:    inConformance("AFailureInAnotherJobBlocks"),
		shows:   "what runs (-want +got)",
	},
	{
		name: "what was to run again in another job is not waited for",
		changes: []change{{"db/link.go", `f.anew = true
		case`, `case`}},
		test:  inConformance("ARetryInAnotherJobIsWaitedFor"),
		shows: "blockers are its unfinished dependencies",
	},
	{
		name:    "a cycle over several jobs is not seen",
		changes: []change{{"db/link.go", `a.tied = true`, `_ = a.tied`}},
		test:    inConformance("ACycleOverJobsIsRefused"),
		shows:   "the batch was taken",
	},
	{
		name:    "an edit does not reach other jobs",
		changes: []change{{"db/edit.go", `e.change.linked = len(e.related) > 0`, `e.change.linked = false`}},
		test:    inConformance("AnEditConnectsJobs"),
		shows:   "what a link says follows from the task that it is on",
	},
	{
		name:    "a job that another one needs is removed",
		changes: []change{{"db/link.go", `if !going[o.ID] {`, `if false {`}},
		test:    inConformance("WhatAnotherJobNeedsIsNotRemoved"),
		shows:   "remove the job",
	},
}
