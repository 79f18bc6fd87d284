package main

// ofHooks are safeguards of commands that run when something has ended.
var ofHooks = []mutant{
	{
		name:    "the end of a task is recorded without its hooks",
		changes: []change{{"db/finish.go", `err = t.afterEnd(e, r)`, `err = nil`}},
		test:    inConformance("EachEndHasItsHooks"),
		shows:   `"on_failure j:a"`,
	},
	{
		name: "the end of a cancelled job is recorded without its hooks",
		changes: []change{{"db/hook.go", `func (t *tx) afterCancel() error {
	if t.ended == nil {`, `func (t *tx) afterCancel() error {
	if t.ended != nil {`}},
		test:  inConformance("EachEndHasItsHooks"),
		shows: `"on_end j"`,
	},
	{
		name: "a hook runs while a retry follows",
		changes: []change{{"db/finish.go", `		if again {
			ready, err = t.updateJob(`, `		if again {
			if err := t.tell(endedThing{of: "task", task: e.task, due: []dueHook{{"on_failure", []string{"true"}}}}); err != nil {
				return false, err
			}
			ready, err = t.updateJob(`}},
		test:  inConformance("AHookWaitsUntilNoRetryFollows"),
		shows: "a hook has run before the retry",
	},
	{
		name: "a cancel is an alarm",
		changes: []change{{"db/hook.go", `	case !cancelled:
`, `	default:
`}},
		test:  inConformance("EachEndHasItsHooks"),
		shows: `"on_failure j:a"`,
	},
	{
		name:    "the shutdown of the machine is no alarm",
		changes: []change{{"db/hook.go", `WHERE id = ? AND cancel_at IS NOT NULL`, `WHERE id = ?`}},
		test:    inConformance("EachEndHasItsHooks"),
		shows:   `"on_failure j:a"`,
	},
	{
		name:    "a hook has hooks",
		changes: []change{{"db/hook.go", `if is.Job == job.HooksJob {`, `if is.Job == "" {`}},
		test:    inConformance("TheHooksOfAllAreForThoseThatHaveNone"),
		shows:   "(-want +got)",
	},
	{
		name: "the job of hooks is locked when the other one is",
		changes: []change{{"db/hook.go", `if !t.telling {
		return errTell`, `if t.d == nil {
		return errTell`}},
		test:  inConformance("HooksKeepTheOrderOfLocks"),
		shows: "against the order",
	},
	{
		name:    "a hook of a new task has the name of an earlier one",
		changes: []change{{"db/hook.go", `"-" + sum[:min(8, len(sum))]`, `"-" + sum[:0]`}},
		test:    inConformance("WhatEndsAgainIsToldAgain"),
		shows:   "want two more",
	},
	{
		name:    "hooks wait behind what was queued before",
		changes: []change{{"db/hook.go", `hooksPriority = 1000`, `hooksPriority = 0`}},
		test:    inConformance("HooksDoNotWaitForEachOther"),
		shows:   "what runs",
	},
	{
		name:    "a hook that hangs holds up the others",
		changes: []change{{"db/hook.go", `hooksParallel = 4`, `hooksParallel = 1`}},
		test:    inConformance("HooksDoNotWaitForEachOther"),
		shows:   "there is no task to claim",
	},
	{
		name:    "what a task reads outlives it",
		changes: []change{{"db/remove.go", "	`DELETE FROM task_input WHERE task = ?`,\n", ""}},
		test:    inConformance("WhatAHookReadsGoesWithIt"),
		shows:   "FOREIGN KEY",
	},
}
