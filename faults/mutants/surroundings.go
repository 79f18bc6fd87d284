package main

// ofTheSurroundings are safeguards of what surrounds them: files that are read, rights,
// logs, and what commands do and say.
var ofTheSurroundings = []mutant{
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
		test:  inConformance("TheStateOfAnImportedJobFollowsItsTasks"),
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
		name:    "a closed log pipe ends what writes to it",
		changes: []change{{"cmd/air-executor/sink.go", `signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)`, `_, _ = signal.Notify, syscall.SIGPIPE`}},
		test:    inFaults("TestClosedLogPipe"),
		shows:   "FAIL: TestClosedLogPipe/tasks_per_runner", // the manager dies, or the runner: what writes first
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
		changes: []change{{"cmd/air-executor/start.go", `ui.hurried = true`, `ui.hurried = false`}},
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
		name:    "what root is about to give away is refused",
		changes: []change{{"internal/basepath/patient.go", `time.Since(begun) < givenWithin && beingMade(path)`, `time.Since(begun) < givenWithin && false`}},
		test:    inFaults("TestPermissionWhileRootGives"),
		shows:   "permission denied",
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
		test:    inConformance("ResetLeavesCancelledAndDismissedTasksAlone"),
		shows:   "FAIL",
	},
	{
		name:    "a failure that was dismissed counts",
		changes: []change{{"db/dismiss.go", `Failed: -n, Dismissed: n`, `Dismissed: n`}},
		test:    inConformance("ADismissedFailureDoesNotCount"),
		shows:   "FAIL",
	},
	{
		name:    "what others depend on can be removed",
		changes: []change{{"db/remove.go", `if !going[d.ID] && len(names) < most`, `if false && len(names) < most`}},
		test:    inConformance("ARemovedTaskIsGoneWithItsAttempts"),
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
		test:  inConformance("NothingThatRunsIsRemoved"),
		shows: "FAIL",
	},
	{
		name:    "an interrupted run leaves its pending tasks to the next manager",
		changes: []change{{"db/cancel.go", `if out.Pending, err = t.cancelPending(j.ID, task, why); err != nil {`, "if why == \"cancelled: the run was interrupted\" {\n\t\t} else if out.Pending, err = t.cancelPending(j.ID, task, why); err != nil {"}},
		test:    inConformance("AnInterruptedRunLeavesNothingPending"),
		shows:   "FAIL",
	},
	{
		name: "a run that fails leaves its job to the next manager",
		changes: []change{{"queue/run.go", `	left, ours := r.abandon(ctx)
`, `	left, ours := db.Cancelling{}, true
`}},
		test:  test{"./queue", "", "TestARunThatFailsLeavesNothingThatStartsLater"},
		shows: "task c",
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
		test:  inConformance("AResumedJobRunsWhatTheFileSaysNow"),
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
		name:    "the next page of tasks begins with the last one again",
		changes: []change{{"db/list.go", `tie, after := "t.id", "t.id > ?"`, `tie, after := "t.id", "t.id >= ?"`}},
		test:    inConformance("TasksAreListedInPages"),
		shows:   "page after page",
	},
	{
		name:    "a dismissed failure is listed among the failed",
		changes: []change{{"db/list.go", `		if s == job.Failed {`, `		if s == "" {`}},
		test:    inConformance("TasksAreListedInParts"),
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
		test:    inConformance("AManagerThatWasAskedToStopClaimsNothing"),
		shows:   "claimed &",
	},
	{
		name:    "a page of the history leaves out what ended in the instant of the last one's end",
		changes: []change{{"db/historyquery.go", `		last, id = c.ended, c.id`, `		last = c.ended - 1`}},
		test:    inConformance("TheHistoryIsReadInPages"),
		shows:   "page after page",
	},
	{
		name:    "the history is silent on what was cancelled before it started",
		changes: []change{{"db/historyquery.go", `return []source{q.attempts(d, 0), q.unstarted(d, 0)}`, `return []source{q.attempts(d, 0)}`}},
		test:    inConformance("TheHistoryIsWhatHasEndedNewestFirst"),
		shows:   "two/never#0 failed",
	},
	{
		name:    "--grep looks at the beginning of a line before the rest is there",
		changes: []change{{"queue/loglines.go", `end := bytes.LastIndexByte(b, '\n') + 1`, `end := len(b)`}},
		test:    test{"./queue", "", "TestLinesAreGivenOnWhole"},
		shows:   "want",
	},
}
