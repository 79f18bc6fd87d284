package main

// ofEdits are safeguards of what changes tasks that are queued, and their order.
var ofEdits = []mutant{
	{
		name:    "a task that has started is changed",
		changes: []change{{"db/move.go", `		case r.Status != job.Pending:`, `		case r.Status != job.Pending && r.Status != job.Running:`}},
		test:    inConformance("AnEditIsWholeOrNotAtAll"),
		shows:   "a running task",
	},
	{
		name:    "an edit closes a cycle",
		changes: []change{{"db/edit.go", `		if cycle {`, `		if cycle && false {`}},
		test:    inConformance("AnEditIsWholeOrNotAtAll"),
		shows:   "a cycle",
	},
	{
		name:    "an edit depends on a task that does not exist",
		changes: []change{{"db/edit.go", `			return &Missing{Job: e.job.Name, Task: m, By: was.ID}`, `			continue`}},
		test:    inConformance("AnEditIsWholeOrNotAtAll"),
		shows:   "an unknown task",
	},
	{
		name:    "an edit takes a unique key from another task",
		changes: []change{{"db/edit.go", `by, err := e.holder(is.Unique)`, `by, err := e.holder("")`}},
		test:    inConformance("AnEditIsWholeOrNotAtAll"),
		shows:   "a key that is taken",
	},
	{
		name:    "an edited task that is ready now is still counted as blocked",
		changes: []change{{"db/edit.go", `		e.change.blocked--`, `		e.change.blocked -= 0`}},
		test:    inConformance("AnEditOfDependenciesCountsWhatIsReady"),
		shows:   "counters",
	},
	{
		name:    "an edited task waits for a time that was taken away",
		changes: []change{{"db/edit.go", `if err == nil && n > 0 {`, `if err == nil && n < 0 {`}},
		test:    inConformance("AnEditChangesWhenATaskStarts"),
		shows:   "should be",
	},
	{
		name:    "a task whose retries were taken away is tried again",
		changes: []change{{"db/edit.go", `tries := min(was.tries, is.Retries)`, `tries := 0 * was.tries`}},
		test:    inConformance("AnEditTakesRetriesAway"),
		shows:   "failed",
	},
	{
		name:    "an edit undoes that of somebody else",
		changes: []change{{"queue/edit.go", `			return ErrChangedMeanwhile`, `			_ = ErrChangedMeanwhile`}},
		test:    inStories("edit"),
		shows:   "exit code is 0, not 1",
	},
	{
		name:    "new tasks come before one that was moved to the end",
		changes: []change{{"db/move.go", `cmp.Or(task.Place, a.job.Last)`, `cmp.Or(task.Place, 0*a.job.Last)`}},
		test:    inConformance("AMovedTaskRunsLastButBeforeNewOnes"),
		shows:   "order",
	},
	{
		name:    "a move before another task does not make room",
		changes: []change{{"db/move.go", `makeRoom(down, slices.Backward(front), back[0].Place-n-1, -1)`, `makeRoom(down, slices.Backward(front), back[0].Place, -1)`}},
		test:    inConformance("TasksAreMovedBeforeAnother"),
		shows:   "order",
	},
	{
		name:    "the order by hand does not count between pools",
		changes: []change{{"db/lane.go", `err != nil || places.A != places.B {`, `err != nil {`}},
		test:    inConformance("TasksWithPoolsAreMovedToo"),
		shows:   "order",
	},
	{
		name:    "an imported job is not paused",
		changes: []change{{"db/import.go", `SET paused_at = ?, holds = holds + 1 WHERE`, `SET paused_at = ?, holds = holds WHERE`}},
		test:    inConformance("AJobComesOutOfTheStoreAsItWentIn"),
		shows:   "a paused job is held",
	},
	{
		name:    "a schedule's task does not get the defaults of its job",
		changes: []change{{"manager/firing.go", `, JobDefaults: taskfile.WithDefaults}`, `, JobDefaults: nil}`}},
		test:    inStories("job"),
		shows:   "tasks.5.retries is 0, not 3",
	},
}
