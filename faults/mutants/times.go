package main

// ofTimes are safeguards of tasks that wait for a time: to start later, or to be tried
// again.
var ofTimes = []mutant{
	{
		name:    "a failed attempt is counted twice",
		changes: []change{{"db/tryagain.go", `is.Tries++`, `is.Tries += 2`}},
		test:    inConformance("ATaskWhoseRetriesAreSpentHasFailed"),
		shows:   "there is no task to claim",
	},
	{
		name:    "a failed attempt is not counted",
		changes: []change{{"db/tryagain.go", `is.Tries++`, ``}},
		test:    inConformance("ATaskWhoseRetriesAreSpentHasFailed"),
		shows:   "want",
	},
	{
		name:    "a retry starts before its time",
		changes: []change{{"db/tryagain.go", `.Add(policy.Wait(max(is.Tries, 1), e.token))`, `.Add(policy.Wait(max(is.Tries, 1), e.token) / 2)`}},
		test:    inConformance("AFailedTaskIsTriedAgain"),
		shows:   "let go of 1, <nil>, want 0",
	},
	{
		name:    "a first delay beyond the usual longest one is cut",
		changes: []change{{"job/retry.go", `most = max(UsualRetryMaxDelay, first)`, `most = UsualRetryMaxDelay`}},
		test:    test{"./job", "", "TestDelaysGrowUpToTheLongest"},
		shows:   "beyond the usual longest",
	},
	{
		name:    "what was cancelled is tried again",
		changes: []change{{"db/tryagain.go", `!found || is.Cancelled`, `!found`}},
		test:    inConformance("ACancelledTaskIsNotTriedAgain"),
		shows:   "want",
	},
	{
		name:    "the shutdown of the machine is a failed attempt",
		changes: []change{{"db/tryagain.go", `outside := e.rebooted || r.Reason == job.Cancelled`, `outside := false`}},
		test:    inConformance("WhatEndsATaskFromOutsideIsNoFailedAttempt"),
		shows:   "want",
	},
	{
		name: "a cancel forgets the time that a task waited for",
		changes: []change{{"db/hold.go", `	if err := t.forgetHolds(jobID, task); err != nil {
		return 0, err
	}
	var blockers []int
`, `	var blockers []int
`}},
		test:  inConformance("WhatIsCancelledWaitsForNoTime"),
		shows: "a pending task's holds are the times and places that it waits for",
	},
	{
		name: "a job goes on being held when its retry has come",
		changes: []change{{"db/hold.go", `	if err := t.releaseJob(jobID, ofJob); err != nil {
		return 0, err
	}
	_, err = t.updateJob`, `	_, err = t.updateJob`}, {"db/hold.go", `		ofJob += h.HoldsJob
`, ``}, {"db/hold.go", `freed, ofJob := 0, 0`, `freed := 0`}},
		test:  inConformance("AFailedTaskIsTriedAgain"),
		shows: "a job's holds are its pause and the retries that it waits for",
	},
	{
		name:    "a job that waits for a time has ended",
		changes: []change{{"db/jobstate.go", `if !next && now.Pending > 0 {`, `if !next && now.Pending > 1<<30 {`}},
		test:    inConformance("ATaskThatIsToRunLaterWaitsForItsTime"),
		shows:   "working",
	},
	{
		name: "only the timer looks at the clock",
		changes: []change{{"manager/dispatch/look.go", `func (Tick) happen(d *Dispatcher) {
	d.letGo()
`, `func (Tick) happen(d *Dispatcher) {
`}},
		test:  test{"./manager/dispatch", "", "TestATickLetsGoOfWhatAClockThatWasSetMadeDue"},
		shows: "orders (-want +got)",
	},
}
