package main

// inDB is a test of the store.
func inDB(name string) test { return test{"./db", "", name} }

// inStories is a story of the command line.
func inStories(name string) test { return test{"./cmd/air-executor", "", "TestScript/" + name} }

// inFaults is a test of the whole program.
func inFaults(name string) test { return test{"./faults", "failpoints", name} }

var noGate = change{"db/db.go", `	if err := d.gate.Lock(d.wait); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return stuck(d.gate, d.wait)
		}
		return err
	}
	defer d.gate.Unlock()
`, `	_, _ = lock.ErrHeld, stuck
`}

var mutants = []mutant{
	{
		name: "import takes what was running for pending without a word",
		changes: []change{{"cmd/air-executor/importtasks.go", `	if c.Running != "" {
		return nil
	}
	d, err`, `	if c.Running == "" {
		c.Running = runAgain
	}
	if c.Running != "" {
		return nil
	}
	d, err`}},
		test:  inStories("import_running"),
		shows: "exit code is 0, not 2",
	},
	{
		name:    "import does not look whether the other program still works there",
		changes: []change{{"jobfolder/served.go", `if pid := livingPID(file); pid > 0 {`, `if pid := livingPID(file); pid < 0 {`}},
		test:    inStories("import_served"),
		shows:   "exit code is 0, not 5",
	},
	{
		name: "an imported job keeps the state that its file claims",
		changes: []change{{"db/import.go", `	if a.count == 0 {
		if state`, `	if a.count >= 0 {
		if state`}},
		test:  inDB("TestTheStateOfAnImportedJobFollowsItsTasks"),
		shows: "should be",
	},
	{
		name:    "the files of a job that nobody has imported are written over",
		changes: []change{{"jobfolder/write.go", `if theirs.UUID != j.UUID {`, `if theirs.UUID == j.Name {`}},
		test:    test{"./manager", "", "TestTheMirrorWritesOverNoOtherJob"},
		shows:   "waiting",
	},
	{
		name:    "what has run can be queued again from its file",
		changes: []change{{"job/specfile.go", `if err != nil || s == string(Pending) {`, `if err != nil || s != "" {`}},
		test:    test{"./job", "", "TestATaskThatHasRunCannotBeQueuedAgain"},
		shows:   "no error",
	},
	{
		name:    "a wrong configuration is taken for the defaults by a manager",
		changes: []change{{"cmd/air-executor/app.go", `Lenient:    !a.strict,`, `Lenient:    true,`}},
		test:    inStories("config_refused"),
		shows:   "exit code is 0, not 2",
	},
	{
		name: "no fence: a result without its token counts",
		changes: []change{{"db/finish.go", `WHERE id = ?
  AND token = ?
  AND status = 'running'`, `WHERE id = ?
  AND ? <> ''
  AND status = 'running'`}},
		test:  inDB("TestAResultWithAnotherTokenIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "no fence: the result of an attempt that is over counts",
		changes: []change{{"db/finish.go", `
  AND token = ?
  AND status = 'running'`, `
  AND token = ?`}},
		test:  inDB("TestALateResultOfALostAttemptIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "what a dead runner left behind is not ended",
		changes: []change{{"manager/recover.go", `	if err := m.killRest(a); err != nil {
		return err
	}
`, ``}},
		test:  inFaults("TestEscapeTree/kill_-9_of_the_runner"),
		shows: "processes live when the result is there",
	},
	{
		name:    "what a command leaves behind is not ended",
		changes: []change{{"runner/process/process.go", "	e.sweep(p.Pid, grace)\n", "	_ = grace\n"}},
		test:    inFaults("TestEscapeTree/kill_-9_of_the_command"),
		shows:   "processes live when the result is there",
	},
	{
		name:    "durability full is not (synchronous=NORMAL)",
		changes: []change{{"db/db.go", `sync := "FULL"`, `sync := "NORMAL"`}},
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
			{"manager/recover.go", `return m.prober.Held(a.Runner.Lock)`, `return time.Since(a.StartedAt) < time.Second, nil`},
			{"manager/recover.go", `	"fmt"
`, `	"fmt"
	"time"
`},
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
			{"manager/claim.go", `			r.Assign(task)
`, `			_ = task // it has it
`},
		},
		test:  inFaults("TestFailpointMatrix/claim.before_commit/kill"),
		shows: "I4: twice",
	},
	{
		name: "no lock while the database is built",
		changes: []change{{"db/migrate.go", `	if err := l.Lock(d.wait); err != nil {
		return err
	}
	defer l.Unlock()
`, ``}},
		test:  inDB("TestProcessesThatOpenAFreshBasePathAtOnceAllSucceed"),
		shows: "FAIL",
	},
	{
		name:    "runners do not count who runs already",
		changes: []change{{"db/claim.go", `row == nil || row.Running >= max`, `row == nil`}},
		test:    inDB("TestNoMoreAttemptsRunThanAllowed"),
		shows:   "FAIL",
	},
	{
		name: "a second runner of a job can be stored",
		changes: []change{{"migrations/sqlite/00001_init.sql",
			`CREATE UNIQUE INDEX attempt_slot`, `CREATE INDEX attempt_slot`}},
		test:  inDB("TestASecondRunningAttemptOfAJobCannotBeStored"),
		shows: "FAIL",
	},
	{
		name:    "nothing refers to the runner's lock",
		changes: []change{{"runner/runner.go", `if w.lock, err = lock.Keep(`, `if _, err = lock.Keep(`}},
		test:    inFaults("TestGarbageIsCollectedAtEveryStep"),
		shows:   "has given up its lock",
	},
	{
		name: "every command upgrades the database",
		changes: []change{
			{"db/migrate.go", "d.schema == migrations.Version || d.schema > 0 && !o.Upgrade {", "d.schema == migrations.Version {"},
			{"db/migrate.go", "case d.schema < migrations.Version && o.Upgrade:", "case d.schema < migrations.Version:"},
		},
		test:  inDB("TestAnOlderDatabaseIsUsedAsItIs"),
		shows: "it is version",
	},
	{
		name:    "a copy before an upgrade is written over a file",
		changes: []change{{"db/copy.go", "err := os.Link(from, to)", "err := os.Rename(from, to)"}},
		test:    inDB("TestACopyIsNotWrittenOver"),
		shows:   "the file that was there",
	},
	{
		name: "an upgrade takes the database from a manager that serves",
		changes: []change{{"manager/upgrade.go", `	if err := m.takeLock(conf.BasePath); err != nil {
		return nil, err
	}
	defer m.lock.Close()
`, `	_ = m
`}},
		test:  inFaults("TestNewCommandsBesideAnOldManager"),
		shows: "want exit code 5",
	},
	{
		name:    "a runner whose task is being cancelled claims the next one",
		changes: []change{{"db/finish.go", `asked || err != nil {`, `(asked && false) || err != nil {`}},
		test:    inFaults("TestCancelNeverEndsTheNextTask"),
		shows:   "Reason:cancelled",
	},
	{
		name:    "a runner does not look whether its task was cancelled",
		changes: []change{{"runner/watch.go", `if w.cancelAsked(a, &seen) {`, `if w.cancelAsked(a, &seen) && false {`}},
		test:    inFaults("TestCancelNeedsNoSignal"),
		shows:   "waited in vain until j/a is failed",
	},
	{
		name:    "a task is claimed for a dead runner",
		changes: []change{{"manager/claim.go", `		return held, err`, `		return true, err`}},
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
		test:    inDB("TestATaskThatIsToBeCancelledIsNotGivenBack"),
		shows:   "want false",
	},
	{
		name:    "a claim whose commit fails is forgotten",
		changes: []change{{"manager/claim.go", `if errors.Is(c.err, db.ErrInDoubt) {`, `if false {`}},
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
	{
		name:    "a closed log pipe ends what writes to it",
		changes: []change{{"cmd/air-executor/sink.go", `signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)`, `_, _ = signal.Notify, syscall.SIGPIPE`}},
		test:    inFaults("TestClosedLogPipe"),
		shows:   "waited in vain",
	},
	{
		name: "writing the log waits for its reader",
		changes: []change{{"cmd/air-executor/sink.go", `	default:
		s.dropped.Add(1)
`, ``}},
		test:  inFaults("TestLogThatNobodyReads"),
		shows: "waited in vain",
	},
	{
		name: "a request to stop during the start is forgotten",
		changes: []change{{"manager/manager.go", `		m.stop(ctx, <-m.stops)
`, `		<-m.stops
`}},
		test:  inFaults("TestToldToStopWhileItStarts/manager.locked/SIGTERM"),
		shows: "the manager goes on",
	},
	{
		name:    "a request to stop is not read from the database",
		changes: []change{{"manager/stop.go", `how != "" && how != m.heeded {`, `how != "" && how != m.heeded && false {`}},
		test:    inFaults("TestStopIsReadFromTheDatabase/leave"),
		shows:   "the manager goes on",
	},
	{
		name: "a wait that was killed lends its place for ever",
		changes: []change{{"manager/manager.go", `			m.endWaiting(ctx)
`, ``}},
		test:  inFaults("TestAWaitThatIsKilledLendsNoPlace"),
		shows: "waited in vain until it is taken back",
	},
	{
		name:    "cancel says what was asked, and not what became of it",
		changes: []change{{"cmd/air-executor/cancel.go", `if b.Reason == job.Cancelled {`, `if b.Reason == job.Cancelled || true {`}},
		test:    test{"./cmd/air-executor", "", "TestScript/cancel_became"},
		shows:   "out and completed differ",
	},
}
