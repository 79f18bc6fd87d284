package main

// ofTidying are safeguards of what is deleted and compressed.
var ofTidying = []mutant{
	{
		name: "what a pending task needs is pruned",
		changes: []change{{"db/prunewrite.go", `
        AND (o.blockers > 0 OR o.status IN ('pending', 'running'))`, `
        AND o.id < 0`}},
		test:  inConformance("ATaskThatSomethingNeedsIsNotPruned"),
		shows: "j/bad",
	},
	{
		name: "a task is pruned whose subtask runs",
		changes: []change{
			{"db/prunewrite.go", `WHERE o.parent = t.id`, `WHERE o.parent = -t.id`},
			{"db/prunewrite.go", `WHERE o.root = t.id`, `WHERE o.root = -t.id`},
		},
		test:  inConformance("ATaskThatSomethingNeedsIsNotPruned"),
		shows: "j/parent",
	},
	{
		name: "a job is pruned that a task of another was queued by",
		changes: []change{
			{"db/prune.go", `		if !needed {`, `		if needed || !needed {`},
			{"db/prunewrite.go", `WHERE o.parent = t.id`, `WHERE o.parent = -t.id`},
			{"db/prunewrite.go", `WHERE o.root = t.id`, `WHERE o.root = -t.id`},
		},
		test:  inConformance("AJobThatAnotherNeedsIsNotPruned"),
		shows: "has pruned",
	},
	{
		name:    "a job is pruned into which a schedule queues",
		changes: []change{{"db/prune.go", `OR EXISTS (SELECT 1 FROM schedule s WHERE s.job = j.name) AS kept`, `OR 1 = 0 AS kept`}},
		test:    inConformance("WhatSomebodyCountsOnIsNotPruned"),
		shows:   "scheduled",
	},
	{
		name: "a task is pruned whose unique key still counts",
		changes: []change{
			{"db/prune.go", `OR t.unique_for > 0 AND t.created_at + t.unique_for > ?)`, `OR t.unique_for < 0 AND t.created_at + t.unique_for > ?)`},
			{"db/prunewrite.go", `(coalesce(t.unique_for, 0) <= 0 OR`, `(coalesce(t.unique_for, 0) <= 1 << 60 OR`},
		},
		test:  inConformance("WhatSomebodyCountsOnIsNotPruned"),
		shows: "keyed",
	},
	{
		name:    "a job is pruned that got a task meanwhile",
		changes: []change{{"db/prunewrite.go", ` || is.Updated != j.updated {`, ` {`}},
		test:    inConformance("AJobThatGotATaskWhileItWasPrunedStays"),
		shows:   "want that the job is left alone",
	},
	{
		name:    "a job becomes younger when tasks of it are pruned",
		changes: []change{{"db/prunewrite.go", "	_, err := p.t.exec(`UPDATE job SET updated_at = ? WHERE id = ?`, updated, id)\n	return err", "	return nil"}},
		test:    inConformance("ATaskThatSomethingNeedsIsNotPruned"),
		shows:   "the job became younger",
	},
	{
		name:    "tasks of a job file are pruned from a job that stays, and run again",
		changes: []change{{"db/prunewrite.go", ` && !row.FromFile {`, ` {`}},
		test:    inConformance("TasksOfAJobFileStayAsLongAsTheirJob"),
		shows:   "file/a",
	},
	{
		name:    "a task outlives, between two commits, what it waits for",
		changes: []change{{"db/prunewrite.go", `ORDER BY CASE`, `ORDER BY -CASE`}, {"db/prunewrite.go", `  AND o.blockers > 0`, `  AND o.blockers < 0`}},
		test:    inConformance("ABigJobIsPrunedInSmallCommits"),
		shows:   "blockers",
	},
	{
		name:    "the log of a running attempt is compressed",
		changes: []change{{"manager/tidy.go", `if still, err := over(l); !still || err != nil {`, `if still, err := over(l); !still && still || err != nil {`}},
		test:    test{"./manager", "", "TestALogWhoseTaskStartsAgainIsNotCompressed"},
		shows:   "the log of a running attempt was compressed",
	},
	{
		name:    "the log of a running attempt is deleted",
		changes: []change{{"manager/tidy.go", "if newest {\n			names", "if newest || !newest {\n			names"}},
		test:    test{"./manager", "", "TestOldestLogsAreDeletedButNoneOfWhatRuns"},
		shows:   "running attempt",
	},
}
