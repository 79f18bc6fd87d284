package main

// ofSchedules are safeguards of schedules and their firings.
var ofSchedules = []mutant{
	{
		name: "a firing is not tied to the next time that was read",
		changes: []change{{"db/fire.go", `
  AND next_at IS NOT DISTINCT FROM ?`, `
  AND (? IS NULL OR 1 = 1)`}},
		test:  inConformance("ATimeFiresOnce"),
		shows: "fired again",
	},
	{
		name: "two managers fire a time twice",
		changes: []change{{"db/fire.go", `
  AND next_at IS NOT DISTINCT FROM ?`, `
  AND (? IS NULL OR 1 = 1)`}},
		test:  test{"./manager", "", "TestTwoManagersFireATimeOnce"},
		shows: "fired 11-20T11:00+00:00 ",
	},
	{
		name: "a schedule fires as it was before it was changed",
		changes: []change{{"db/fire.go", `
  AND updated_at = ?`, `
  AND updated_at <= ?+9e15`}},
		test:  inConformance("AScheduleThatWasChangedOrPausedDoesNotFireAsItWas"),
		shows: "want ErrNotDue",
	},
	{
		name: "a firing and the next time are two commits",
		changes: []change{
			{"db/fire.go", `		failpoint.Hit("fire.after_next")
		if f.At`, `		_ = last
		return nil
	})
	failpoint.Hit("fire.after_next")
	if err != nil {
		return out, err
	}
	var last lastFired
	err = d.write(ctx, func(t *tx) error {
		if f.At`},
		},
		test:  inFaults("TestAScheduleFiresOnceWhereverTheManagerDies/fire.after_next/task"),
		shows: "waited in vain until it has fired",
	},
	{
		name:    "a run is added although the one before has not ended",
		changes: []change{{"db/fire.go", `if s.Overlap == "skip" && !f.ByHand`, `if s.Overlap == "none" && !f.ByHand`}},
		test:    inConformance("AFiringIsSkippedWhileTheOneBeforeHasNotEnded"),
		shows:   "fired {Job:nights",
	},
	{
		name:    "a time that comes twice in autumn fires twice",
		changes: []change{{"schedule/next.go", `	if l.everyHour() || !comesAgain(after) {`, `	if l != nil {`}},
		test:    test{"./manager", "", "TestSchedulesOverNightsOnWhichClocksChange"},
		shows:   "got 10-25T02:30+02:00 10-25T02:30+01:00",
	},
	{
		name:    "a time that is left out in spring does not fire",
		changes: []change{{"schedule/next.go", `!l.everyHour() && wall.Before`, `l == nil && wall.Before`}},
		test:    test{"./manager", "", "TestSchedulesOverNightsOnWhichClocksChange"},
		shows:   "got 03-30T02:30+02:00",
	},
	{
		name:    "a time fires that is too old",
		changes: []change{{"schedule/policy.go", `	if last.Before(oldest) {`, `	if last.IsZero() {`}},
		test:    test{"./schedule", "", "TestWhatBecomesOfTimesThatWereMissed"},
		shows:   "too old, one",
	},
	{
		name:    "the schedule of a file that is gone goes on",
		changes: []change{{"manager/schedulefolder.go", `s.PausedAt, s.FileGone = f.now(), true`, `s.UpdatedAt = f.now()`}},
		test:    test{"./manager", "", "TestTheFolderOfSchedules"},
		shows:   "paused",
	},
	{
		name:    "a schedule is stored that no pool can hold",
		changes: []change{{"queue/schedulepools.go", `	return roomFor(o.What, pools)`, `	return roomFor(taskfile.Scheduled{}, pools)`}},
		test:    inStories("schedule_refused"),
		shows:   "schedule_refused.txtar",
	},
	{
		name: "the tasks of a schedule do not get the retries of the configuration",
		changes: []change{{"manager/schedules.go", `	f.Batch.Defaults = s.retries
`, ``}},
		test:  test{"./manager", "", "TestTheTasksOfAScheduleHaveTheRetriesOfTheConfiguration"},
		shows: "0 retries",
	},
	{
		name: "submit leaves out what the file says of the job",
		changes: []change{{"cmd/air-executor/submit.go", `		RetryHolds: o.retryHolds, Settings: &o.settings,
`, ``}},
		test:  inStories("submit"),
		shows: "parallel",
	},
}
