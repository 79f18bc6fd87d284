package main

// The tests that notice.
func dbTest(name string) []string {
	return []string{"go", "test", "-count=1", "-run", "^" + name + "$", "./db"}
}

func chaos(args ...string) []string {
	return append([]string{"go", "run", "./faults/chaos", "-seed", "1"}, args...)
}

func powercut(args ...string) []string {
	return append([]string{"go", "run", "./faults/powercut"}, args...)
}

var noGate = change{"db/db.go", `	if err := d.gate.Lock(d.wait); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return d.stuck()
		}
		return err
	}
	defer d.gate.Unlock()
`, `	_, _ = lock.ErrHeld, d.stuck
`}

var mutants = []mutant{
	{
		name: "no fence: a result without its token counts",
		changes: []change{{"db/finish.go", `WHERE id = ?
  AND token = ?
  AND status = 'running'`, `WHERE id = ?
  AND ? <> ''
  AND status = 'running'`}},
		test:  dbTest("TestAResultWithAnotherTokenIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "no fence: the result of an attempt that is over counts",
		changes: []change{{"db/finish.go", `
  AND token = ?
  AND status = 'running'`, `
  AND token = ?`}},
		test:  dbTest("TestALateResultOfALostAttemptIsDiscarded"),
		shows: "want ErrFenced",
	},
	{
		name: "what a dead runner left behind is not ended",
		changes: []change{{"manager/recover.go", `	if err := m.killRest(a); err != nil {
		return err
	}
`, ``}},
		test:  chaos("-mood", "runners", "-time", "60s", "-round", "15s"),
		shows: "BROKEN I",
	},
	{
		name:    "what a command leaves behind is not ended",
		changes: []change{{"runner/process/process.go", "	e.sweep(p.Pid, grace)\n", "	_ = grace\n"}},
		test:    chaos("-mood", "runners", "-time", "60s", "-round", "15s"),
		shows:   "BROKEN I",
	},
	{
		name:    "durability full is not (synchronous=NORMAL)",
		changes: []change{{"db/db.go", `sync := "FULL"`, `sync := "NORMAL"`}},
		test:    powercut("-test", "cuts", "-cuts", "100"),
		shows:   "BROKEN",
	},
	{
		name:    "no write gate",
		changes: []change{noGate},
		test:    powercut("-test", "starvation"),
		shows:   "BROKEN",
	},
	{
		name:    "deferred transactions (seen where the gate is gone too)",
		changes: []change{noGate, {"db/dialect.go", `"BEGIN IMMEDIATE"`, `"BEGIN"`}},
		test:    dbTest("TestProcessesThatEnqueueAtOnceAllSucceed"),
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
		test:  chaos("-mood", "people", "-time", "60s", "-round", "15s"),
		shows: "BROKEN P5",
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
				time.Sleep(20 * time.Millisecond)
			}
`},
			{"manager/claim.go", `			r.Assign(c.tasks[i])
		}
`, `			_ = c.tasks[i] // it has it
		}
`},
			{"manager/claim.go", `	"context"
`, `	"context"
	"time"
`},
		},
		test:  chaos("-mood", "managers", "-time", "60s", "-round", "15s"),
		shows: "BROKEN I",
	},
	{
		name: "no lock while the database is built",
		changes: []change{{"db/migrate.go", `	if err := l.Lock(d.wait); err != nil {
		return err
	}
	defer l.Unlock()
`, ``}},
		test:  dbTest("TestProcessesThatOpenAFreshBasePathAtOnceAllSucceed"),
		shows: "FAIL",
	},
	{
		name:    "runners do not count who runs already",
		changes: []change{{"db/claim.go", `row == nil || row.Running >= max`, `row == nil`}},
		test:    dbTest("TestNoMoreAttemptsRunThanAllowed"),
		shows:   "FAIL",
	},
	{
		name: "a second runner of a job can be stored",
		changes: []change{{"migrations/sqlite/00001_init.sql",
			`CREATE UNIQUE INDEX attempt_slot`, `CREATE INDEX attempt_slot`}},
		test:  dbTest("TestASecondRunningAttemptOfAJobCannotBeStored"),
		shows: "FAIL",
	},
}
