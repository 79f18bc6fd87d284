package main

// ofAging are safeguards of priorities that grow with time.
var ofAging = []mutant{
	{
		name: "a task that waits gains no priority",
		changes: []change{{"db/aging.go", `	ranked.Priority -= int(late)
`, ``}},
		test:  inConformance("ATaskOfLowPriorityRunsInTheEnd"),
		shows: "it runs after",
	},
	{
		name:    "what is shown is not what was asked for",
		changes: []change{{"db/spec.go", `t.priority + t.late`, `t.priority`}},
		test:    inConformance("WhatIsKeptOfATaskThatAges"),
		shows:   "priorities (-want +got)",
	},
	{
		name:    "a task that is changed loses its age",
		changes: []change{{"db/spec.go", "ranked := ` - late`", "ranked := ``"}},
		test:    inConformance("WhatIsKeptOfATaskThatAges"),
		shows:   "priorities (-want +got)",
	},
	{
		name:    "a clock that was set back changes the order of a job",
		changes: []change{{"db/aging.go", `r.Step = max(r.Step, now/r.Interval)`, `r.Step = now / r.Interval`}},
		test:    inConformance("AClockThatIsSetBackKeepsTheOrderOfAJob"),
		shows:   "pairs are out of order",
	},
	{
		name:    "tasks are ranked anew on the way that mixes them up",
		changes: []change{{"db/aging.go", `under.falls = under.to.Step >= is.Step`, `under.falls = under.to.Step < is.Step`}},
		test:    inConformance("TasksKeepTheirOrderWhileTheyAreRankedAnew"),
		shows:   "pairs are out of order",
	},
	{
		name:    "new tasks are ranked anew before the old ones",
		changes: []change{{"db/aging.go", `if r.falls || !more {`, `if true {`}},
		test:    inConformance("TasksKeepTheirOrderWhileTheyAreRankedAnew"),
		shows:   "FAIL",
	},
	{
		name:    "a ranking that was interrupted is not gone on with",
		changes: []change{{"db/aging.go", `if under == nil && is.Interval == interval {`, `if is.Interval == interval {`}},
		test:    inConformance("TasksKeepTheirOrderWhileTheyAreRankedAnew"),
		shows:   "is ranked in part",
	},
	{
		name: "a task that is moved keeps its age",
		changes: []change{{"db/aging.go", `	if r.Late == late {
		return nil
	}
	r.Priority`, `	if true {
		return nil
	}
	r.Priority`}},
		test:  inConformance("AMovedTaskIsAsOldAsThoseAmongWhichItIsMoved"),
		shows: "order (-want +got)",
	},
}
