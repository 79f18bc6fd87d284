package db

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/job"
)

// It is inside the package because it explains the very texts that the package
// prepares: all operations are carried out once, and then every statement that
// the connection keeps is looked at.

// listed is the plan of a list of tasks.
func listed(found ...string) []string {
	return shown("USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY", found)
}

// shown are the steps that find tasks, those that read what is shown of them, and the one
// that orders them.
func shown(order string, found []string) []string {
	return append(append([]string{"MATERIALIZE s"}, found...),
		"SCAN s",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH p USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SEARCH d USING PRIMARY KEY (task=?) LEFT-JOIN",
		"SEARCH n USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"CORRELATED SCALAR SUBQUERY 1", // of those that are held
		"SEARCH h USING PRIMARY KEY (task=?)",
		"CORRELATED SCALAR SUBQUERY 2", // the labels
		"SEARCH l USING PRIMARY KEY (job=? AND task=?)",
		order,
	)
}

// The statements that are on the way of every task, or that a manager makes
// again and again: a part that no other has, $ at its end, and the steps of the plan.
var hot = []struct {
	name, part string
	plan       []string
}{
	{"claim the best task of all", "ORDER BY j.next_priority DESC, j.next_task", []string{
		"SCAN j USING INDEX job_claimable", // in the order that is asked for, so it stops at the first
		"SCALAR SUBQUERY 4",
		"SEARCH setting USING PRIMARY KEY (key=?)", // once
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH e USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SCALAR SUBQUERY 1",
		"SCAN attempt USING INDEX attempt_slot", // what runs now
		"SCALAR SUBQUERY 2",
		"SCAN lane USING COVERING INDEX lane_next", // it stops at the first
		"CORRELATED SCALAR SUBQUERY 3",
		"SEARCH i USING INTEGER PRIMARY KEY (rowid=?)", // whether there is something to read
	}},
	{"claim the best task of a job", "WHERE j.id = ?\n  AND j.holds = 0", []string{
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SCALAR SUBQUERY 4",
		"SEARCH setting USING PRIMARY KEY (key=?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH e USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"SCALAR SUBQUERY 1",
		"SCAN attempt USING INDEX attempt_slot",
		"SCALAR SUBQUERY 2",
		"SCAN lane USING COVERING INDEX lane_next", // it stops at the first
		"CORRELATED SCALAR SUBQUERY 3",
		"SEARCH i USING INTEGER PRIMARY KEY (rowid=?)", // whether there is something to read
	}},
	{"find the lowest free place of a job", "SELECT min(free.slot)", []string{
		"CO-ROUTINE free",
		"COMPOUND QUERY",
		"LEFT-MOST SUBQUERY",
		"SCAN CONSTANT ROW",
		"UNION ALL",
		"SEARCH attempt USING COVERING INDEX attempt_slot (job=? AND slot>?)",
		"SEARCH free",
		"CORRELATED SCALAR SUBQUERY 3",
		"SEARCH a USING COVERING INDEX attempt_slot (job=? AND slot=?)",
	}},
	{"count the claimable jobs", ") AS claimable", []string{
		"CO-ROUTINE claimable",
		"SCAN job USING INDEX job_claimable",
		"SCALAR SUBQUERY 2",
		"SEARCH setting USING PRIMARY KEY (key=?)",
		"SCAN claimable",
		"SCALAR SUBQUERY 1",
		"SCAN lane USING COVERING INDEX lane_next",
	}},
	{"find who has a unique key", "AND unique_key = ?$", []string{
		"SEARCH task USING INDEX task_unique (job=? AND unique_key=?)",
	}},
	{"find the first of a job's ready tasks", "ORDER BY task.priority DESC, task.place, task.id", []string{
		"SEARCH job USING INTEGER PRIMARY KEY (rowid=?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH task USING COVERING INDEX task_ready (job=?)",
	}},
	{"find the first time that something waits for", "SELECT min(due) FROM hold", []string{
		"SEARCH hold USING COVERING INDEX hold_due",
	}},
	{"see whether a job waits for times and places only", "holds = blockers", []string{
		"SEARCH task USING INDEX task_held (job=?)",
	}},
	{"list what is due", "ORDER BY h.due", []string{
		"SEARCH h USING INDEX hold_due (due<?)",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"see whether a manager was asked to stop", "AND stop IS NOT NULL", []string{
		"SEARCH manager USING INDEX manager_instance (instance=?)",
	}},
	{"list the first tasks", "WHERE t.job = j.id\n      ORDER BY rank, t.id\n      LIMIT", listed(
		"SCAN j USING COVERING INDEX job_name", // job after job, until there are enough
		"SEARCH t USING COVERING INDEX task_job (job=?)",
	)},
	{"list the next tasks", "WHERE t.job = j.id\n        AND j.name >= ?", listed(
		"SEARCH j USING COVERING INDEX job_name (name>?)",
		"SEARCH t USING COVERING INDEX task_job (job=?)",
	)},
	{"list the first failed tasks", "AND (j.failed > 0 AND t.status = 'failed' AND t.dismissed_at IS NULL)", listed(
		"SCAN j USING INDEX job_name",
		"SEARCH t USING INDEX task_job_failures (job=?)",
	)},
	{"list the first running tasks", "AND (j.running > 0 AND", listed(
		"SCAN a USING INDEX attempt_slot", // what runs now
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"USE TEMP B-TREE FOR ORDER BY",
	)},
	{"list the first jobs", "FROM job\nORDER BY name\nLIMIT ? OFFSET", []string{
		"SCAN job USING INDEX job_name", // in the order that is asked for, so it stops when it has enough
		"CORRELATED SCALAR SUBQUERY 1",  // the labels
		"SEARCH l USING PRIMARY KEY (job=? AND task=?)",
	}},
	{"list the next jobs", "WHERE name > ?\nORDER BY name\nLIMIT ? OFFSET", []string{
		"SEARCH job USING INDEX job_name (name>?)",
		"CORRELATED SCALAR SUBQUERY 1", // the labels
		"SEARCH l USING PRIMARY KEY (job=? AND task=?)",
	}},
	{"look for dependents", "SELECT 1 FROM dependency WHERE needs = ?", []string{
		"SEARCH dependency USING COVERING INDEX dependency_needs (needs=?)", // most tasks have none
	}},
	{"see whether a dependent is of a conditional job", "SELECT j.conditional", []string{
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH d USING COVERING INDEX dependency_needs (needs=?)", // most tasks have none
	}},
	{"free the dependents of a task", "SET blockers = blockers - (", []string{
		"SEARCH task USING INTEGER PRIMARY KEY (rowid=?)",
		"LIST SUBQUERY 2",
		"SEARCH d USING COVERING INDEX dependency_needs (needs=?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH d USING COVERING INDEX dependency_needs (needs=? AND task=?)",
	}},
	{"list what runs", "a.pid_start, a.started_at, a.cancel_at", []string{
		"SCAN a USING INDEX attempt_slot",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"USE TEMP B-TREE FOR ORDER BY", // of the few that run
	}},
	{"find the task of a runner", "a.runner = ?", []string{
		"SCAN a USING INDEX attempt_slot",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH e USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH i USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find the parent by its token", "coalesce(t.root, t.id) AS root", []string{
		"SCAN a USING INDEX attempt_slot",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH j USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"see whether a token is one of ours", "AND a.token = ?\nLIMIT 1", []string{
		"SEARCH j USING COVERING INDEX job_name (name=?)",
		"SEARCH t USING COVERING INDEX task_name (job=? AND name=?)",
		"SEARCH a USING INDEX attempt_number (task=?)",
	}},
	{"look for unused environments", "AS unused", []string{
		"SEARCH e USING INTEGER PRIMARY KEY (rowid>?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH t USING COVERING INDEX task_environment (environment=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SCAN s", // there are a few schedules at most
	}},
	{"remove an unused environment", "DELETE FROM environment", []string{
		"SEARCH environment USING INTEGER PRIMARY KEY (rowid=?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH t USING COVERING INDEX task_environment (environment=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SCAN s",
		"SCAN schedule", // for the foreign keys
		"SEARCH task USING COVERING INDEX task_environment (environment=?)",
	}},
	{"list the schedules that fire next", "ORDER BY next_at", []string{
		"SEARCH schedule USING INDEX schedule_next (next_at>?)", // it stops when it has enough
	}},
	{"move a schedule on to its next time", "RETURNING last_job, last_task", []string{
		"SEARCH schedule USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"see whether the task before has ended", "AND t.status IN ('pending', 'running')$", []string{
		"SEARCH j USING COVERING INDEX job_name (name=?)",
		"SEARCH t USING INDEX task_name (job=? AND name=?)",
	}},
	{"find a job by its name", "SELECT id, name, added, state, defaults, first_place, last_place FROM job", []string{
		"SEARCH job USING INDEX job_name (name=?)",
	}},
	{"find a task by its id", "SELECT id, status FROM task", []string{
		"SEARCH task USING INDEX task_name (job=? AND name=?)",
	}},
	{"list the jobs by name", "FROM job\nORDER BY name$", []string{
		"SCAN job USING INDEX job_name",
		"CORRELATED SCALAR SUBQUERY 1", // the labels
		"SEARCH l USING PRIMARY KEY (job=? AND task=?)",
	}},
	{"look for a job's dependencies on what is not there", "SELECT 1\nFROM dependency d", []string{
		"SEARCH d USING COVERING INDEX dependency_missing (missing>?)", // there are few
		"SEARCH t USING COVERING INDEX task_job (job=? AND rowid=?)",
	}},
	{"look for dependencies on what is not there", "SELECT 1\nFROM dependency INDEXED", []string{
		"SEARCH dependency USING COVERING INDEX dependency_missing (missing>?)", // it stops at the first
	}},
	{"find what a batch depends on and is not there", "WHERE d.task BETWEEN", []string{
		"SEARCH d USING PRIMARY KEY (task>? AND task<?)", // those of the batch, and of no other
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"find who waited for a new task", "WHERE d.missing = ?", []string{
		"SEARCH d USING COVERING INDEX dependency_missing (missing=?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	{"number new tasks", ") AS next,", []string{
		"SCAN CONSTANT ROW",
		"SCALAR SUBQUERY 3",
		"CO-ROUTINE n",
		"COMPOUND QUERY",
		"LEFT-MOST SUBQUERY",
		"SEARCH task",
		"UNION ALL",
		"SEARCH mark USING PRIMARY KEY (name=?)",
		"SEARCH n",
		"SCALAR SUBQUERY 4",
		"SEARCH setting USING PRIMARY KEY (key=?)",
	}},
	{"rank the newest tasks", "FROM task\nORDER BY id DESC", []string{"SCAN task"}}, // it stops at the limit
	{"rank older tasks", "WHERE id < ?\nORDER BY id DESC", []string{"SEARCH task USING INTEGER PRIMARY KEY (rowid<?)"}},
	{"rank newer tasks", "FROM task\nWHERE id > ?\nORDER BY id", []string{"SEARCH task USING INTEGER PRIMARY KEY (rowid>?)"}},
	{"end an attempt", "SET status = ?,\n    slot = NULL", []string{"SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)"}},
	{"start a task", "attempts = attempts + 1", []string{"SEARCH task USING INTEGER PRIMARY KEY (rowid=?)"}},
	{"end a task", "completed_at = ?\nWHERE id = ?\n  AND status = 'running'", []string{"SEARCH task USING INTEGER PRIMARY KEY (rowid=?)"}},
}

func TestHotStatementsUseTheirIndex(t *testing.T) {
	d := exercised(t)
	for _, h := range slices.Concat(hot, hotOfPools, hotOfStatus, hotOfHooks, hotOfEvents, hotOfPages, hotOfReads, hotOfRollups) {
		var found []string
		for query := range only(t, d).Stmts {
			if strings.Contains(query+"$", h.part) {
				found = append(found, query)
			}
		}
		if len(found) != 1 {
			t.Errorf("%s: %d statements contain %q, want one", h.name, len(found), h.part)
			continue
		}
		if diff := cmp.Diff(h.plan, explain(t, d, found[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", h.name, diff)
		}
	}
}

func TestNoStatementReadsOrSortsMoreThanItMust(t *testing.T) {
	d := exercised(t)
	used := map[string]bool{}
	for query := range only(t, d).Stmts {
		if slices.ContainsFunc(slices.Concat(hot, hotOfPools, hotOfStatus, hotOfHooks, hotOfEvents, hotOfPages, hotOfReads, hotOfRollups), func(h struct {
			name, part string
			plan       []string
		}) bool {
			return strings.Contains(query+"$", h.part)
		}) {
			continue
		}
		for _, step := range explain(t, d, query) {
			if !strings.HasPrefix(step, "SCAN") && !strings.HasPrefix(step, "USE TEMP B-TREE") {
				continue
			}
			i := slices.IndexFunc(allowed, func(a struct{ part, why string }) bool { return strings.Contains(query, a.part) })
			if i < 0 {
				t.Errorf("%s\nin %s", step, query)
				continue
			}
			used[allowed[i].part] = true
		}
	}
	for _, a := range allowed {
		if !used[a.part] {
			t.Errorf("%q need not be allowed any more", a.part)
		}
	}
}

func TestEveryStatementOfThePackageIsExplained(t *testing.T) {
	d := opened(t)
	d.dialect = remarked
	exercise(t, d)
	var prepared strings.Builder
	for query := range only(t, d).Stmts {
		prepared.WriteString(query + "\x00")
	}
	sql := regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	for _, text := range texts(t) {
		text = d.ruleQuery(rule{query: text})
		if sql.MatchString(text) && !strings.Contains(prepared.String(), text) {
			t.Errorf("no operation of this test prepares %s", text)
		}
	}
}

// exercised returns a database on which every operation has been carried out.
func exercised(t *testing.T) *DB {
	t.Helper()
	d := opened(t)
	exercise(t, d)
	return d
}

// exercise carries out every operation on a new database.
func exercise(t *testing.T, d *DB) {
	t.Helper()
	ctx := context.Background()
	must := requires(t)
	enqueue := func(b Batch, tasks ...job.Spec) Added {
		t.Helper()
		b.Tasks = sequence(tasks)
		added, err := d.Enqueue(ctx, b)
		must(err)
		return added
	}
	claim := func(only string) *Assignment {
		t.Helper()
		a, err := d.Claim(ctx, Runner{}, 10, only)
		must(err)
		if a == nil {
			t.Fatal("nothing to claim")
		}
		return a
	}
	cmd := func(id string, needs ...string) job.Spec {
		return job.Spec{ID: id, Command: "true", Dependencies: needs, Env: []string{"A=1"}}
	}

	imported := []job.Task{{Spec: cmd("a", "c", "later"), Status: job.Pending, Parent: "b"}, {Spec: cmd("b"), Status: job.Pending}, {Spec: cmd("c"), Status: job.Completed}}
	must(d.Import(ctx, job.Job{UUID: "u", Name: "imported", State: job.StateWaiting}, sequence(imported)))
	enqueue(Batch{Job: "imported"}, cmd("later"), cmd("d", "c"))
	for _, tasks := range [][]job.Spec{{cmd("1", "x"), cmd("x", "1")}, {cmd("1", "nobody")}} {
		if _, err := d.Enqueue(ctx, Batch{Job: "bad", Tasks: sequence(tasks)}); err == nil {
			t.Fatal("a bad batch was taken")
		}
	}
	added := enqueue(Batch{Job: "j"}, cmd(""), cmd("b", "1"), cmd("c"))
	must(d.EachAdded(ctx, added, func(string) error { return nil }))

	_, err := only(t, d).ExecContext(ctx, "UPDATE job SET parallel = 2")
	must(err)
	a, second := claim("j"), claim("j")
	_, err = d.GiveBack(ctx, second)
	must(err)
	_, err = only(t, d).ExecContext(ctx, "UPDATE job SET parallel = 1")
	must(err)
	_, err = d.Assigned(ctx, 1, "boot", nil)
	must(err)
	_, err = d.AssignedTo(ctx, []Runner{{Lock: 1}})
	must(err)
	_, err = d.GiveBack(ctx, a)
	must(err)
	a = claim("")
	sub := Batch{Job: "j", Parent: a.Token, MaxSubtasks: 10, MaxDepth: 10}
	enqueue(sub, cmd("sub"))
	enqueue(sub, cmd("sub"))
	enqueue(Batch{Job: "j", Parent: "of another database", ParentJob: "j", ParentTask: "1"}, cmd("free"))
	done, err := d.Finish(ctx, a, job.Result{Status: job.Completed}, true)
	must(err)
	for a = done.Next; a != nil; a = done.Next {
		failed := job.Result{Status: job.Failed, Reason: job.Exited}
		done, err = d.Finish(ctx, a, failed, true)
		must(err)
		_, err = d.Recorded(ctx, a, failed)
		must(err)
	}
	_, err = d.Reset(ctx, "j", Which{})
	must(err)
	waits := claim("j")
	must(d.SetParked(ctx, waits.Token, true))
	must(d.SetStuck(ctx, waits.Token, "why"))
	_, err = d.Parked(ctx)
	must(err)
	_, err = d.FreeParked(ctx, func(string) (bool, error) { return false, nil })
	must(err)
	_, err = d.Cancel(ctx, "j", "")
	must(err)
	_, err = d.CancelRunning(ctx, "")
	must(err)
	active, err := d.Active(ctx)
	must(err)
	_, err = d.Lose(ctx, active[0], "gone")
	must(err)
	_, err = d.Become(ctx, active)
	must(err)
	_, err = d.Reset(ctx, "j", Which{Tasks: []string{"c"}})
	must(err)

	_, err = d.Interrupt(ctx, "j")
	must(err)
	_, err = d.Dismiss(ctx, "j", []string{"c"})
	must(err)
	_, err = d.Dismiss(ctx, "j", nil)
	must(err)
	_, err = d.Cancelled(ctx, "j")
	must(err)
	_, _, err = d.Failures(ctx, "j", 10)
	must(err)
	_, err = d.MayGoOn(ctx, "j")
	must(err)
	once := job.Spec{Command: "true", Unique: "k", UniqueFor: 1, Labels: []string{"team=search"}}
	enqueue(Batch{Job: "once"}, once)
	_, err = d.Cancel(ctx, "once", "")
	must(err)
	enqueue(Batch{Job: "once"}, once)
	enqueue(Batch{Job: "file", NewJob: true, FromFile: true, Labels: []string{"team=search"}}, cmd("a"), cmd("b"))
	batch := Batch{Job: "file", Labels: []string{"team=web"}, Tasks: sequence([]job.Spec{{ID: "b", Command: "true"}, cmd("c", "b")})}
	_, err = d.Resume(ctx, batch)
	must(err)
	removed, err := d.RemoveTasks(ctx, "file", []string{"c"})
	must(err)
	must(d.WhileGone(ctx, "file", removed, func([]Removed) error { return nil }))
	_, err = d.RemoveJobs(ctx, []string{"file"})
	must(err)

	exerciseHolds(t, d)
	exerciseEdits(t, d)
	exercisePools(t, d)
	exerciseEvents(t, d)
	exerciseRollups(t, d)

	must(d.RegisterManager(ctx, Instance{ID: "m", StartedAt: time.Now()}))
	must(d.AskToStop(ctx, "m", StopDrain))
	_, err = d.Claim(ctx, Runner{Manager: "m"}, 10, "")
	must(err)
	must(d.ManagerStopped(ctx, "m"))
	_, err = d.Manager(ctx)
	must(err)
	_, err = d.ManagerWith(ctx, "m")
	must(err)
	_, err = d.Claimable(ctx, 10, "")
	must(err)
	exercisePauses(t, d)
	_, err = d.Jobs(ctx)
	must(err)
	_, err = d.Job(ctx, "j")
	must(err)
	_, err = d.Tasks(ctx, "j")
	must(err)
	_, err = d.Task(ctx, "j", "b")
	must(err)
	_, err = d.Attempts(ctx, "j", "")
	must(err)
	_, err = d.JobNames(ctx, "j", 10)
	must(err)
	_, err = d.TaskIDs(ctx, "j", "a", 10)
	must(err)
	listed := func(Listed) error { return nil }
	for order := range orders {
		must(d.ListTasks(ctx, TasksQuery{Sort: order}, listed))
		place := TaskCursor{Rank: int64(0)}
		if order == ByJob || order == ByName {
			place.Rank = ""
		}
		must(d.ListTasks(ctx, TasksQuery{Sort: order, Limit: 2, After: &place}, listed))
		must(d.ListTasks(ctx, TasksQuery{Sort: order, Job: new("j"), Limit: 1}, listed))
		_, err = d.ListJobs(ctx, JobsQuery{Sort: order, Limit: 2})
		must(err)
		_, err = d.ListJobs(ctx, JobsQuery{Sort: order, Limit: 2, After: &JobCursor{}})
		must(err)
	}
	for _, status := range job.Statuses {
		must(d.ListTasks(ctx, TasksQuery{Statuses: []job.Status{status}, Limit: 3}, listed))
	}
	must(d.ListTasks(ctx, TasksQuery{Statuses: job.Statuses}, listed))
	labelled := []LabelFilter{{Key: "team"}, {Key: "team", Value: new("search")}}
	for i := range labelled {
		must(d.ListTasks(ctx, TasksQuery{Labels: labelled[i:], Limit: 3}, listed))
		_, err = d.ListJobs(ctx, JobsQuery{Labels: labelled[i:]})
		must(err)
	}
	for _, failed := range []bool{false, true} {
		_, err = d.ListJobs(ctx, JobsQuery{State: new(job.StateFailed), NamePrefix: new("j"), Failed: &failed})
		must(err)
	}
	_, err = d.Totals(ctx)
	must(err)
	must(d.ListTasks(ctx, TasksQuery{Limit: 2}, listed))
	must(d.ListTasks(ctx, TasksQuery{Job: new("j"), Task: new("b"), Limit: 1}, listed))
	_, err = d.Cancelled(ctx, "")
	must(err)
	_, _, err = d.EnvNames(ctx, "j", "b")
	must(err)
	_, err = d.RunningSteps(ctx, "j")
	must(err)
	_, err = d.Steps(ctx, "j", 0, []int64{1})
	must(err)
	_, err = d.LastStep(ctx)
	must(err)
	_, _, err = d.Started(ctx, 0)
	must(err)
	_, err = d.Changes(ctx)
	must(err)
	for _, q := range []HistoryQuery{{}, {Completed: true}, {Failed: true}, {Reason: job.Lost, Labels: []LabelFilter{{Key: "a", Value: new("b")}, {Key: "c"}}}} {
		must(d.Figures(ctx, q, func(Figure) {}))
		must(d.History(ctx, q, func(Ended) error { return nil }))
		_, err = d.HistoryJobs(ctx, q)
		must(err)
		q.Job = func(name string) bool { return name == "j" }
		must(d.History(ctx, q, func(Ended) error { return nil }))
	}
	_, err = d.Check(ctx)
	must(err)
	exercisePrune(t, d, cmd)
	_, err = only(t, d).ExecContext(ctx, "INSERT INTO environment (digest, content) VALUES (printf('%064d', 0), x'')")
	must(err)
	_, err = d.RemoveUnusedEnvironments(ctx, 100)
	must(err)
	exerciseSchedules(t, d)
	exercisePages(t, d)
	exerciseReads(t, d)
	must(d.Prepare(ctx))
	exerciseConditions(t, d)
	exerciseForemost(t, d)
	exerciseAging(t, d)
	exerciseHooks(t, d)
	exerciseLinks(t, d)
	exerciseOnce(t, d)
}
