package main

// inDB is a test of the store.
func inDB(name string) test { return test{"./db", "", name} }

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

var mutants = []mutant{
	{
		name: "import takes what was running for pending without a word",
		changes: []change{{"cmd/air-executor/importtext.go", `	if c.Running != "" {
		return nil
	}
	ran, err`, `	if c.Running == "" {
		c.Running = string(queue.RunningAgain)
	}
	if c.Running != "" {
		return nil
	}
	ran, err`}},
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
		changes: []change{{"taskfile/kinds.go", `in == inLines && to.Status != job.Pending {`, `in == inLines && to.Status == "" {`}},
		test:    test{"./taskfile", "", "TestATaskThatHasRunCannotBeQueuedAgain"},
		shows:   "no error",
	},
	{
		name:    "a key that occurs twice is taken for its last value",
		changes: []change{{"taskfile/object.go", `if bytes.Equal(o.list[i].key, o.list[j].key) {`, `if i == j {`}},
		test:    test{"./taskfile", "", "TestEachMistakeIsOneSentenceInEveryForm"},
		shows:   "no error",
	},
	{
		name:    "an unknown key of a task to be queued is kept as one of another tool",
		changes: []change{{"taskfile/table.go", `		if !in.keepsUnknown() {`, `		if false {`}},
		test:    test{"./taskfile", "", "TestSpecReaderRefusesUnknownKeys"},
		shows:   "<nil>, want unknown key",
	},
	{
		name:    "a wrong configuration is taken for the defaults by a manager",
		changes: []change{{"cmd/air-executor/workspace.go", `Lenient:    !ws.strict,`, `Lenient:    true,`}},
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
		changes: []change{{"db/finish.go", `	if err := t.lockJobs(e.job); err != nil {
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
		shows:   "waited in vain",
	},
	{
		name:    "a held job gives its tasks",
		changes: []change{{"db/claim.go", "WHERE j.id = ?\n  AND j.holds = 0", "WHERE j.id = ?"}},
		test:    inDB("TestNothingOfAJobThatIsHeldIsClaimed"),
		shows:   "went on with",
	},
	{
		name:    "every attempt of a job takes its first place",
		changes: []change{{"db/claim.go", "if row.Busy == 0 {", "if row.Busy >= 0 {"}},
		test:    inDB("TestAJobRunsAsManyTasksAsItHasPlaces"),
		shows:   "UNIQUE constraint failed",
	},
	{
		name:    "a job waits while a task of it runs",
		changes: []change{{"db/giveback.go", "(completed + failed > 0 OR running > 1)", "completed + failed > 0"}},
		test:    inDB("TestATaskIsGivenBackBesideAnother"),
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
		changes: []change{{"runner/watch.go", `if w.cancelAsked(a, &seen) {`, `if w.cancelAsked(a, &seen) && false {`}},
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
		test:    inDB("TestATaskThatIsToBeCancelledIsNotGivenBack"),
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
		name:    "a manager that cannot serve waits until it has said so",
		changes: []change{{"cmd/air-executor/start.go", `a.hurried = true`, `a.hurried = false`}},
		test:    inFaults("TestAFullLogPipeHoldsUpNoEnd"),
		shows:   "goes on",
	},
	{
		name: "root gives away what it has not made",
		changes: []change{{"internal/basepath/open.go", `			if !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
`, `			if !errors.Is(err, fs.ErrNotExist) {
				if err == nil {
					Give(f)
				}
				return f, err
			}
`}},
		test:  test{"./internal/basepath", "", "TestWhatRootHasNotMadeIsNotGivenAway"},
		shows: "belongs to uid 65534",
	},
	{
		name:    "a base path is served in which no logs can be written",
		changes: []change{{"manager/open.go", `if err := runner.CheckJobs(base); err != nil {`, `if err := runner.CheckJobs(base); err == db.ErrCorrupt {`}},
		test:    inStories("jobs_folder"),
		shows:   "exit code is 0, not 1",
	},
	{
		name:    "SIGHUP stops a manager",
		changes: []change{{"cmd/air-executor/serve.go", `case syscall.SIGHUP:`, `case syscall.SIGUSR2:`}},
		test:    inCmd("TestWhatSignalsAskOfAManager"),
		shows:   "request 2 is",
	},
	{
		name: "a base path of another user is trusted",
		changes: []change{{"internal/basepath/basepath.go", `	return st.Uid, true
}`, `	return st.Uid, false
}`}},
		test:  test{"./internal/basepath", "", "TestABasePathOfAnotherUserIsRefusedWithoutPermission"},
		shows: "want an Untrusted",
	},
	{
		name: "the database of another user is trusted",
		changes: []change{{"db/sqlite/check.go", `		if err := basepath.CheckInfo(path, info); err != nil {
			return err
		}
`, `		_ = basepath.CheckInfo
`}},
		test:  inDB("TestWithoutPermissionTheDatabaseOfAnotherUserIsRefused"),
		shows: "a database that others may write to",
	},
	{
		name:    "the link to the program overwrites what is not ours",
		changes: []change{{"runner/program.go", `if info.Mode()&fs.ModeSymlink == 0 || !onlyLinks(folder) {`, `if info.Mode()&fs.ModeSymlink == 0 && !onlyLinks(base) && false {`}},
		test:    test{"./runner", "", "TestNoProgramIsOverwrittenByTheLink"},
		shows:   "LinkProgram says nothing",
	},
	{
		name:    "whatever is called reserve is overwritten",
		changes: []change{{"db/sqlite/reserve.go", `return string(head) == reserveHead, err`, `return true, err`}},
		test:    inDB("TestAFileOfTheUsersCalledReserveIsNotOverwritten"),
		shows:   "it holds",
	},
	{
		name:    "a reset takes what was cancelled",
		changes: []change{{"db/reset.go", `  AND (reason <> 'cancelled' OR ? = 1)`, `  AND (reason <> '' OR ? = 1)`}},
		test:    inDB("TestResetLeavesCancelledAndDismissedTasksAlone"),
		shows:   "FAIL",
	},
	{
		name:    "a failure that was dismissed counts",
		changes: []change{{"db/dismiss.go", `Failed: -n, Dismissed: n`, `Dismissed: n`}},
		test:    inDB("TestADismissedFailureDoesNotCount"),
		shows:   "FAIL",
	},
	{
		name:    "what others depend on can be removed",
		changes: []change{{"db/remove.go", `if !going[d.ID] && len(names) < most`, `if false && len(names) < most`}},
		test:    inDB("TestARemovedTaskIsGoneWithItsAttempts"),
		shows:   "FAIL",
	},
	{
		name: "what runs can be removed",
		changes: []change{
			{"db/remove.go", `	if is.Running > 0 {`, `	if is.Running < 0 {`},
			{"db/remove.go", `	case row.Status == job.Running:
		return`, `	case row.Status == "":
		return`},
		},
		test:  inDB("TestNothingThatRunsIsRemoved"),
		shows: "FAIL",
	},
	{
		name:    "an interrupted run leaves its pending tasks to the next manager",
		changes: []change{{"db/cancel.go", `if out.Pending, err = t.cancelPending(j.ID, "", "cancelled: the run was interrupted"); err != nil {`, `if err != nil {`}},
		test:    inDB("TestAnInterruptedRunLeavesNothingPending"),
		shows:   "FAIL",
	},
	{
		name: "a resumed job keeps the old definition of its tasks",
		changes: []change{{"db/resume.go", `		if s == nil || s.fixed() {
			continue
		}
		asked, err`, `		if s != nil {
			continue
		}
		asked, err`}},
		test:  inDB("TestAResumedJobRunsWhatTheFileSaysNow"),
		shows: "FAIL",
	},
	{
		name: "a request to stop during the start is forgotten",
		changes: []change{{"manager/dispatch.go", `		s.stop(ctx, <-s.requests.stops)
`, `		<-s.requests.stops
`}},
		test:  inFaults("TestToldToStopWhileItStarts/manager.locked/SIGTERM"),
		shows: "the manager goes on",
	},
	{
		name:    "a request to stop is not read from the database",
		changes: []change{{"manager/stop.go", `how != "" && how != r.heeded {`, `how != "" && how != r.heeded && false {`}},
		test:    inFaults("TestStopIsReadFromTheDatabase/leave"),
		shows:   "the manager goes on",
	},
	{
		name: "a wait that was killed lends its place for ever",
		changes: []change{{"manager/recover.go", `		out.Parked, out.Freed = r.freeParked(ctx)
`, ``}},
		test:  inFaults("TestAWaitThatIsKilledLendsNoPlace"),
		shows: "waited in vain until it is taken back",
	},
	{
		name:    "cancel says what was asked, and not what became of it",
		changes: []change{{"queue/cancel.go", `if b.Reason == job.Cancelled {`, `if b.Reason == job.Cancelled || true {`}},
		test:    test{"./cmd/air-executor", "", "TestScript/cancel_became"},
		shows:   "out and completed differ",
	},
	{
		name:    "the folder of a new write-ahead log is not flushed",
		changes: []change{{"db/sqlite/syncwal_linux.go", "if err := basepath.SyncFolder(filepath.Dir(wal)); err != nil {", `if _ = basepath.SyncFolder; filepath.Dir(wal) == "" {`}},
		test:    inFaults("TestWritingIsCutShort/cuts"),
		shows:   "BROKEN",
	},
	{
		name:    "remarks are not cleaned",
		changes: []change{{"cmd/air-executor/ui.go", `clean(args)...)`, `args...)`}},
		test:    inCmd("TestNoCommandRepeatsAControlSequence"),
		shows:   "repeats",
	},
	{
		name:    "a filter forgets the beginning of a sequence",
		changes: []change{{"cmd/air-executor/filter.go", `			f.held = append([]byte(nil), b...)`, `			f.held = nil`}},
		test:    inCmd("TestAControlCharacterMayCrossTheEndOfABlock"),
		shows:   "after 0 bytes",
	},
	{
		name:    "a follower stays at its place in a log that was cut",
		changes: []change{{"queue/log.go", `	if info.Size() < l.Offset {`, `	if false {`}},
		test:    inCmd("TestALogThatWasCutIsPrintedFromItsBeginning"),
		shows:   "printed",
	},
	{
		name:    "a base path that was there as an empty folder is left to version control",
		changes: []change{{"internal/basepath/basepath.go", `		if !ours(path) {`, `		if true {`}},
		test:    test{"./internal/basepath", "", "TestMakeKeepsAFolderThatWasThereOutOfVersionControl"},
		shows:   ".gitignore",
	},
	{
		name:    "a dismissed failure is listed among the failed",
		changes: []change{{"db/list.go", `		if s == job.Failed {`, `		if s == "" {`}},
		test:    inDB("TestTasksAreListedInParts"),
		shows:   "failures that count",
	},
	{
		name:    "a runner that dies during a look for lost attempts is forgotten",
		changes: []change{{"manager/dispatch/look.go", `	d.look.lost[id] = true`, `	_ = id`}},
		test:    test{"./manager/dispatch", "", "TestALookIsOlderThanWhatHappensMeanwhile"},
		shows:   "nobody looks for it",
	},
	{
		name:    "the mirror writes from a database that was replaced",
		changes: []change{{"manager/mirror.go", `if errors.Is(context.Cause(ctx), errStopped) {`, `if ctx.Err() != nil {`}},
		test:    test{"./manager", "", "TestTheMirrorWritesTheLastWordWhenItEnds"},
		shows:   "ended by a file was replaced",
	},
	{
		name:    "logs are read through any link",
		changes: []change{{"queue/log.go", `runner.ReadLog(l.base, l.Path)`, `os.Open(l.Path)`}},
		test:    inStories("linked"),
		shows:   "exit code is 0, not 1",
	},
	{
		name:    "a manager that was asked to stop claims until it sees that",
		changes: []change{{"db/claim.go", `err != nil || stops {`, `err != nil || stops && err != nil {`}},
		test:    inDB("TestAManagerThatWasAskedToStopClaimsNothing"),
		shows:   "claimed &",
	},
}
