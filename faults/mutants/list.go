package main

import "slices"

// inDB is a test of the store.
func inDB(name string) test { return test{"./db", "", name} }

// inConformance is a test that every engine of the store must pass, with SQLite.
func inConformance(name string) test { return test{"./db", "", "TestConformance/" + name} }

// inStories is a story of the command line.
func inStories(name string) test { return test{"./cmd/air-executor", "", "TestScript/" + name} }

// inProcess is a test of what runs one command.
func inProcess(name string) test { return test{"./runner/process", "", name} }

// inFaults is a test of the whole program.
func inFaults(name string) test { return test{"./faults", "failpoints", name} }

// inCmd is a test of what commands print.
func inCmd(name string) test { return test{"./cmd/air-executor", "", name} }

var noGate = change{"db/sqlite/sqlite.go", `	if err := d.enter(ctx); err != nil {
		<-d.turn
		return nil, nil, err
	}
	leave := func() {
		_ = d.gate.Unlock()
`, `	_ = d.enter
	leave := func() {
`}

// mutants are all of them.
var mutants = slices.Concat(ofTheProtocol, ofTheSurroundings, ofSchedules, ofJobFiles, ofSteering, ofTimes, ofTidying, ofPools, ofEdits, ofAging, ofHooks, ofLinks, ofTheAPI, ofEvents, ofTheFeed, ofStatistics, ofWhatIsSent, ofTraces)

// ofTheProtocol are safeguards of tasks and their attempts.
var ofTheProtocol = []mutant{
	{
		name: "an end that has let go of a task counts again",
		changes: []change{{"db/conditions.go", `
  AND condition = 'any'
  AND met = 0
  AND missing_job IS NULL
RETURNING task`, `
  AND condition = 'any'
  AND missing_job IS NULL
RETURNING task`}},
		test:  inConformance("ASkippedTaskThatCouldNeverRunLetsGoOnce"),
		shows: "blockers",
	},
	{
		name: "a skipped task counts as a failure",
		changes: []change{{"db/conditions.go", `
  AND (n.status = 'pending' OR n.status = 'failed' AND n.reason <> 'skipped')
LIMIT 1`, `
  AND (n.status = 'pending' OR n.status = 'failed')
LIMIT 1`}},
		test:  inConformance("ASkippedTaskIsNoFailure"),
		shows: "want it skipped",
	},
	{
		name: "what can never run lets go of nothing",
		changes: []change{{"db/conditions.go", `    WHERE d.condition = 'success'
      AND d.missing_job IS NULL
      AND t.status = 'pending'` + "`", `    WHERE d.condition = 'never'
      AND d.missing_job IS NULL
      AND t.status = 'pending'` + "`"}},
		test:  inConformance("ATaskAfterAnyEndRunsAfterAFailure"),
		shows: "want [a b d]",
	},
	{
		name:    "a rerun has the tasks that other tasks have queued",
		changes: []change{{"db/rerun.go", " AND parent IS NULL`", "`"}},
		test:    inConformance("ARerunHasTheTasksOfTheOldJob"),
		shows:   "want 4",
	},
	{
		name: "a skipped task fails its job",
		changes: []change{{"db/conditions.go", `	d.Pending--
	d.Dismissed++
`, `	d.Pending--
	d.Failed++
`}},
		test:  inConformance("ASkippedTaskIsNoFailure"),
		shows: "job j",
	},
	{
		name: "no fence: a result without its token counts",
		changes: []change{{"db/finish.go", `WHERE id = ?
  AND token = ?
  AND status = 'running'`, `WHERE id = ?
  AND ? <> ''
  AND status = 'running'`}},
		test:  inConformance("AResultWithAnotherTokenIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "no fence: the result of an attempt that is over counts",
		changes: []change{{"db/finish.go", `
  AND token = ?
  AND status = 'running'`, `
  AND token = ?`}},
		test:  inConformance("ALateResultOfALostAttemptIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "what a dead runner left behind is not ended",
		changes: []change{{"manager/recover.go", `	if err := r.killRest(a); err != nil {
		return err
	}
`, ``}},
		test:  inFaults("TestEscapeTree/kill_-9_of_the_runner"),
		shows: "processes live when the result is there",
	},
	{
		name: "what a command leaves behind is not ended",
		changes: []change{
			{"runner/process/reap.go", "		case pid == 0:\n			return false\n", "		case pid == 0:\n			r.finish(nil)\n			return true\n"},
			{"runner/process/reap.go", "			flags = 0\n			r.tell()\n", "			r.finish(nil)\n			r.tell()\n			return\n"},
		},
		test:  inFaults("TestEscapeTree/kill_-9_of_the_command"),
		shows: "processes live when the result is there",
	},
	{
		name:    "the grace is over when the command has ended",
		changes: []change{{"runner/process/run.go", "if !now.Before(killAt) {", "if ended || !now.Before(killAt) {"}},
		test:    inProcess("TestEveryProcessHasTheWholeGraceAlsoWhenTheLeaderHasDied"),
		shows:   "want that it cleaned up",
	},
	{
		name: "orphans are collected when the command has ended",
		changes: []change{{"runner/process/reap.go", "syscall.Wait4(-1, &ws, flags",
			"syscall.Wait4(map[bool]int{true: -1, false: r.leader}[r.ended], &ws, flags"}},
		test:  inProcess("TestOrphansAreCollectedWhileTheCommandRuns"),
		shows: "never: no zombie is left",
	},
	{
		name:    "what may not be looked into is not looked for by its session",
		changes: []change{{"runner/process/marked_linux.go", "if found == denied && s.in(m) {", "if false && s.in(m) {"}},
		test:    inProcess("TestKillMarkedFindsByItsSessionWhatItMayNotLookIntoWithoutPermission"),
		shows:   "killed 0",
	},
	{
		name:    "the output of a command is the log itself",
		changes: []change{{"runner/process/process.go", "start(c, r.theirs)", "start(c, c.Output)"}},
		test:    inProcess("TestOutputSurvivesThatTheCommandOpensItByName"),
		shows:   "want \"1",
	},
	{
		name:    "the limit for the output is not exact",
		changes: []change{{"runner/process/drain.go", "most = int(min(int64(most), room))", "_ = room"}},
		test:    inProcess("TestTheSizeLimitIsExact"),
		shows:   "the file has",
	},
	{
		name:    "durability full is not (synchronous=NORMAL)",
		changes: []change{{"db/sqlite/sqlite.go", `sync := "FULL"`, `sync := "NORMAL"`}},
		test:    inFaults("TestWritingIsCutShort/cuts"),
		shows:   "BROKEN",
	},
	{
		name:    "no write gate",
		changes: []change{noGate},
		test:    inFaults("TestStarvation"),
		shows:   "BROKEN",
	},
	{
		name:    "deferred transactions (seen where the gate is gone too)",
		changes: []change{noGate, {"db/dialect.go", `"BEGIN IMMEDIATE"`, `"BEGIN"`}},
		test:    inDB("TestProcessesThatEnqueueAtOnceAllSucceed"),
		shows:   "busy",
	},
	{
		name: "rescue by timeout: who runs for a second is dead",
		changes: []change{
			{"manager/recover.go", `alive, err = r.db.Alive(a.Runner)`, `alive, err = time.Since(a.StartedAt) < time.Second, error(nil)`},
		},
		test:  inFaults("TestClockJumps/forward_a_year"),
		shows: "Reason:lost",
	},
	{
		name: "the command starts before its claim is committed",
		changes: []change{
			{"db/claim.go", `		for _, r := range runners {`, `		for i, r := range runners {`},
			{"db/claim.go", `			claimed = append(claimed, a)
`, `			claimed = append(claimed, a)
			if Early != nil {
				Early(i, a)
			}
`},
			{"db/claim.go", `// claimRow is a task`, `// Early is the mutation.
var Early func(i int, a *Assignment)

// claimRow is a task`},
			{"manager/claim.go", `		for runners := range c.asked {
`, `		for runners := range c.asked {
			db.Early = func(i int, a *db.Assignment) {
				runners[i].Assign(a)
				time.Sleep(100 * time.Millisecond)
			}
`},
			{"manager/dispatch.go", `		s.fleet.runners[o.Runner].Assign(s.tasks[o.Runner])
`, `		// it has it
`},
		},
		test:  inFaults("TestFailpointMatrix/claim.before_commit/kill"),
		shows: "I4: twice",
	},
	{
		name: "a result changes tasks before their job is locked",
		changes: []change{{"db/finish.go", `	if err := t.lockToEnd(e.job); err != nil {
		return false, err
	}
`, ``}},
		test:  inDB("TestAJobIsLockedBeforeItsTasks"),
		shows: "is not locked",
	},
	{
		name:    "a writer that waits for another process hears nothing of its context",
		changes: []change{{"db/sqlite/gate.go", `d.gate.Lock(ctx, d.wait)`, `d.gate.Lock(context.WithoutCancel(ctx), d.wait)`}},
		test:    inDB("TestAnEndedContextEndsEveryWait/for_a_writer_of_another_process"),
		shows:   "want that the context has ended",
	},
	{
		name: "no lock while the database is built",
		changes: []change{{"db/sqlite/migrate.go", `	if err := l.Lock(ctx, d.wait); err != nil {
		return err
	}
	defer l.Unlock()
`, ``}},
		test:  inDB("TestProcessesThatOpenAFreshBasePathAtOnceAllSucceed"),
		shows: "FAIL",
	},
	{
		name:    "runners do not count who runs already",
		changes: []change{{"db/claim.go", `row == nil || row.Running >= places`, `row == nil`}},
		test:    inConformance("NoMoreAttemptsRunThanAllowed"),
		shows:   "FAIL",
	},
	{
		name: "a second runner of a job can be stored",
		changes: []change{{"migrations/sqlite/00001_init.sql",
			`CREATE UNIQUE INDEX attempt_slot`, `CREATE INDEX attempt_slot`}},
		test:  inConformance("ASecondRunningAttemptOfAJobCannotBeStored"),
		shows: "FAIL",
	},
	{
		name:    "nothing refers to the runner's lock",
		changes: []change{{"runner/runner.go", `if w.lock, err = lock.Keep(`, `if _, err = lock.Keep(`}},
		test:    inFaults("TestGarbageIsCollectedAtEveryStep"),
		shows:   "waited in vain",
	},
	{
		name:    "a held job gives its tasks",
		changes: []change{{"db/claim.go", "WHERE j.id = ?\n  AND j.holds = 0", "WHERE j.id = ?"}},
		test:    inConformance("NothingOfAJobThatIsHeldIsClaimed"),
		shows:   "went on with",
	},
	{
		name:    "every attempt of a job takes its first place",
		changes: []change{{"db/claim.go", "if row.Busy == 0 {", "if row.Busy >= 0 {"}},
		test:    inConformance("AJobRunsAsManyTasksAsItHasPlaces"),
		shows:   "UNIQUE constraint failed",
	},
	{
		name:    "a job waits while a task of it runs",
		changes: []change{{"db/giveback.go", "(completed + failed > 0 OR running > 1)", "completed + failed > 0"}},
		test:    inConformance("ATaskIsGivenBackBesideAnother"),
		shows:   "CHECK constraint failed: job_working",
	},
	{
		name: "every command upgrades the database",
		changes: []change{
			{"db/sqlite/migrate.go", "d.schema == d.source.Newest || d.schema > 0 && !o.Upgrade {", "d.schema == d.source.Newest {"},
			{"db/sqlite/migrate.go", "case d.schema < d.source.Newest && o.Upgrade:", "case d.schema < d.source.Newest:"},
		},
		test:  inDB("TestAnOlderDatabaseIsUsedAsItIs"),
		shows: "it is version",
	},
	{
		name:    "a copy before an upgrade is written over a file",
		changes: []change{{"db/sqlite/copy.go", "err := os.Link(from, to)", "err := os.Rename(from, to)"}},
		test:    inDB("TestACopyIsNotWrittenOver"),
		shows:   "the file that was there",
	},
	{
		name: "an upgrade takes the database from a manager that serves",
		changes: []change{{"manager/upgrade.go", `	l, err := takeLock(ctx, conf.BasePath, job.NewUUID())
	if err != nil {
		return nil, err
	}
	defer l.Close()
`, `	_ = job.NewUUID
`}},
		test:  inFaults("TestNewCommandsBesideAnOldManager"),
		shows: "want exit code 5",
	},
	{
		name:    "a runner whose task is being cancelled claims the next one",
		changes: []change{{"db/finish.go", `asked || err != nil {`, `(asked && false) || err != nil {`}},
		test:    inFaults("TestCancelNeverEndsTheNextTask"),
		shows:   "took the next one",
	},
	{
		name:    "what cannot be seen is taken for ended",
		changes: []change{{"manager/recover.go", `if err := r.seen(a); err != nil {`, `if err := r.seen(a); err != nil && false {`}},
		test:    inFaults("TestCancelFromAnotherPIDNamespaceSettlesNothing"),
		shows:   "left after stop --kill",
	},
	{
		name:    "what another container's manager left is taken for ended",
		changes: []change{{"manager/recover.go", `if err := r.seen(a); err != nil {`, `if err := r.seen(a); err != nil && false {`}},
		test:    inFaults("TestManagerInAnotherContainerLosesNothing"),
		shows:   "a task whose command may run is",
	},
	{
		name: "process 1 of a container that lives is taken for ended",
		changes: []change{{"manager/namespace.go", `	if held {
		return &unseenError`, `	if held && false {
		return &unseenError`}},
		test:  inFaults("TestManagerBesideAContainerThatLives"),
		shows: "a task whose command may run is",
	},
	{
		name:    "a runner does not look whether its task was cancelled",
		changes: []change{{"runner/watch.go", `if s.cancelled(&seen, over) {`, `if s.cancelled(&seen, over) && false {`}},
		test:    inFaults("TestCancelNeedsNoSignal"),
		shows:   "waited in vain until j/a is failed",
	},
	{
		name:    "a task is claimed for a dead runner",
		changes: []change{{"manager/claim.go", `		return alive, err`, `		return true, err`}},
		test:    inFaults("TestATaskThatWasNeverStartedIsNotLost/claim.before_lock/killed"),
		shows:   "Reason:lost",
	},
	{
		name:    "a runner without a task keeps its lock while it ends",
		changes: []change{{"runner/runner.go", `func() { w.lock.Close() })`, `nil)`}},
		test:    inFaults("TestNoTaskIsClaimedForARunnerThatLeaves"),
		shows:   "Reason:lost",
	},
	{
		name:    "a runner that is told to end does not give its task back",
		changes: []change{{"runner/runner.go", `given, err := w.giveBack(a);`, `given, err := false, error(nil);`}},
		test:    inFaults("TestARunnerThatIsToldToEndGivesItsTaskBack"),
		shows:   "not completed",
	},
	{
		name:    "a task is given back although it was cancelled",
		changes: []change{{"db/giveback.go", `asked || err != nil {`, `(asked && false) || err != nil {`}},
		test:    inConformance("ATaskThatIsToBeCancelledIsNotGivenBack"),
		shows:   "want false",
	},
	{
		name:    "a claim whose commit fails is forgotten",
		changes: []change{{"manager/claim.go", `if errors.Is(out.err, db.ErrInDoubt) {`, `if false {`}},
		test:    inFaults("TestACommitInDoubtIsNotForgotten/claim.committed"),
		shows:   "waited in vain",
	},
	{
		name: "a result whose commit fails is not looked for",
		changes: []change{{"runner/runner.go", `		if doubt && errors.Is(err, db.ErrFenced) {
			done, err`, `		if false {
			done, err`}},
		test:  inFaults("TestACommitInDoubtIsNotForgotten/finish.committed"),
		shows: "Reason:lost",
	},
	{
		name:    "a runner that lives long goes without the garbage collector",
		changes: []change{{"runner/setup.go", `debug.SetGCPercent(100)`, `debug.SetGCPercent(-1)`}},
		test:    inFaults("TestTaskOfADay"),
		shows:   "the runner has grown from",
	},
	{
		name:    "a runner does not notice that its lock is lost",
		changes: []change{{"runner/watch.go", `	err := w.lock.Check()`, `	err := error(nil)`}},
		test:    inFaults("TestRunnerWithoutItsLockSaysSo"),
		shows:   "waited in vain until the log says so",
	},
}
