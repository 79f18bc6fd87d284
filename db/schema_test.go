package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/db/dbtest"
	"github.com/air-executor/air-executor/job"
)

func TestImpossibleRowsCannotBeStored(t *testing.T) {
	s := everything(t)
	raw := raw(s, "foreign_keys(1)")
	before := s.Dump()
	for name, statement := range map[string]string{
		"a job state of no kind":                `UPDATE job SET state = 'paused' WHERE name = 'ended'`,
		"a nameless job":                        `UPDATE job SET name = '' WHERE name = 'ended'`,
		"a job name that is too long":           `UPDATE job SET name = printf('%.101c', 'x') WHERE name = 'ended'`,
		"two jobs of a name":                    `UPDATE job SET name = 'j' WHERE name = 'ended'`,
		"a count below zero":                    `UPDATE job SET failed = -1 WHERE name = 'ended'`,
		"more blocked than pending tasks":       `UPDATE job SET blocked = 1 WHERE name = 'ended'`,
		"a ready task without a next one":       `UPDATE job SET pending = 1 WHERE name = 'ended'`,
		"a next task without a priority":        `UPDATE job SET next_priority = NULL WHERE name = 'j'`,
		"a running task in a completed job":     `UPDATE job SET state = 'completed' WHERE name = 'j'`,
		"no place for a running task":           `UPDATE job SET parallel = 0 WHERE name = 'ended'`,
		"fewer than no holds":                   `UPDATE job SET holds = -1 WHERE name = 'ended'`,
		"a task status of no kind":              `UPDATE task SET status = 'lost' WHERE name = 'ok'`,
		"a failed task without a reason":        `UPDATE task SET status = 'failed' WHERE name = 'ok'`,
		"a completed task with one":             `UPDATE task SET reason = 'exited' WHERE name = 'ok'`,
		"a reason of no kind":                   `UPDATE task SET status = 'failed', reason = 'bad luck' WHERE name = 'ok'`,
		"a running task that never started":     `UPDATE task SET status = 'running' WHERE name = 'next'`,
		"a running task that waits":             `UPDATE task SET blockers = 1 WHERE name = 'runs'`,
		"blockers below zero":                   `UPDATE task SET blockers = -1 WHERE name = 'ok'`,
		"a task without a command":              `UPDATE task SET command = '' WHERE name = 'ok'`,
		"two tasks of an id in a job":           `UPDATE task SET name = 'done' WHERE name = 'ok'`,
		"a task of no job":                      `UPDATE task SET job = 4711 WHERE name = 'ok'`,
		"a dismissed task that has not failed":  `UPDATE task SET dismissed_at = 1 WHERE name = 'ok'`,
		"fewer than no dismissed tasks":         `UPDATE job SET dismissed = -1 WHERE name = 'ended'`,
		"a task from no kind of file":           `UPDATE task SET from_file = 2 WHERE name = 'ok'`,
		"a time limit of nothing":               `UPDATE task SET timeout = 0 WHERE name = 'ok'`,
		"a time in words":                       `UPDATE task SET created_at = '2025-01-01' WHERE name = 'ok'`,
		"a number for a name":                   `UPDATE task SET name = x'00' WHERE name = 'ok'`,
		"a dependency on nothing":               `UPDATE dependency SET needs = NULL WHERE needs IS NOT NULL`,
		"a dependency on a task and a name":     `UPDATE dependency SET missing = 'x' WHERE needs IS NOT NULL`,
		"a dependency of no task":               `UPDATE dependency SET task = 4711 WHERE needs IS NOT NULL`,
		"a running attempt without a slot":      `UPDATE attempt SET slot = NULL WHERE status = 'running'`,
		"a slot of an attempt that has ended":   `UPDATE attempt SET slot = 1 WHERE status = 'completed'`,
		"a running attempt that has ended":      `UPDATE attempt SET ended_at = 1 WHERE status = 'running'`,
		"an attempt that ended at no time":      `UPDATE attempt SET ended_at = NULL WHERE status = 'completed'`,
		"a pending attempt":                     `UPDATE attempt SET status = 'pending', slot = NULL, ended_at = 1 WHERE status = 'running'`,
		"a short token":                         `UPDATE attempt SET token = 'abc'`,
		"attempt number zero":                   `UPDATE attempt SET number = 0 WHERE status = 'running'`,
		"two attempts of a number":              `INSERT INTO attempt (task, job, number, status, token, manager, host, boot_id, runner, pid, pid_start, started_at, ended_at) SELECT task, job, number, 'completed', token, manager, host, boot_id, runner, pid, pid_start, 1, 2 FROM attempt LIMIT 1`,
		"two environments of the same contents": `INSERT INTO environment (digest, content) SELECT digest, content FROM environment`,
		"two managers of an instance":           `INSERT INTO manager (instance, host, boot_id, pid, pid_start, started_at) VALUES ('i', 'h', 'b', 1, 1, 1), ('i', 'h', 'b', 2, 2, 2)`,
		"a way to stop of no kind":              `INSERT INTO manager VALUES (1, 'i', 'h', 'b', 1, 1, 'gently', 1, NULL)`,
	} {
		_, err := raw.Exec(statement)
		if err == nil {
			t.Errorf("%s was stored", name)
		} else if text := err.Error(); !strings.Contains(text, "constraint failed") && !strings.Contains(text, "cannot store") {
			t.Errorf("%s: %v, want that a constraint forbids it", name, err)
		}
	}
	s.Unchanged(before)
	s.Sound()
}

func TestViewsAreForPeople(t *testing.T) {
	s := openAt(t, t.TempDir(), db.Options{Clock: ticking(time.Date(2025, 10, 2, 10, 30, 0, 7e6, time.UTC))})
	s.MustEnqueue("nightly", job.Spec{ID: "fetch", Command: "curl", Args: []string{"-O", "x"}})
	s.MustEnqueue("nightly", job.Spec{ID: "build", Command: "make", Dir: "/src", Timeout: 90 * time.Second, Dependencies: []string{"fetch"}, Priority: 2})
	p := s.MustClaim()
	if _, err := s.Enqueue(ctx, dbtest.Subtasks("nightly", p.Token, task("sub", "fetch", "build"))); err != nil {
		t.Fatal(err)
	}
	r := failure
	r.UserTime, r.SystemTime, r.MaxRSS = 1500*time.Millisecond, 250*time.Millisecond, 4096
	s.MustFinish(p, r)
	s.MustImport("old", aTask("waits", "missing"))
	s.MustImport("other", aCompleted("a"), aCompleted("b", "a"))
	if _, err := s.Dismiss(ctx, "nightly", []string{"fetch"}); err != nil {
		t.Fatal(err)
	}
	if err := s.RegisterManager(ctx, db.Instance{ID: "m", Host: "host", BootID: "boot", PID: 4711}); err != nil {
		t.Fatal(err)
	}
	if err := s.AskToStop(ctx, "m", db.StopDrain); err != nil {
		t.Fatal(err)
	}

	const at = "2025-10-02 10:30:N"
	for view, want := range map[string][][]any{
		"SELECT * FROM jobs ORDER BY name": {
			{"name", "state", "total", "pending", "blocked", "running", "completed", "failed", "dismissed", "priority", "parallel", "paused_at", "created_at", "updated_at"},
			{"nightly", "waiting", 3, 2, 2, 0, 0, 0, 1, 0, 1, nil, at, at},
			{"old", "waiting", 1, 1, 1, 0, 0, 0, 0, 0, 1, nil, "2025-01-02 03:04:05", "2025-01-02 03:04:06"},
			{"other", "completed", 2, 0, 0, 0, 2, 0, 0, 0, 1, nil, "2025-01-02 03:04:05", "2025-01-02 03:04:06"},
		},
		"SELECT * FROM tasks WHERE job <> 'other' ORDER BY job, id": {
			{"job", "id", "status", "reason", "command", "args", "blockers", "priority", "attempts", "exit_code", "signal", "error", "parent", "created_at", "started_at", "completed_at", "dismissed_at", "due", "retries", "tries", "pools", "waited", "seconds", "dir", "timeout", "log"},
			{"nightly", "build", "pending", nil, "make", "[]", 1, 2, 0, nil, nil, nil, nil, at, nil, nil, nil, nil, 0, 0, nil, nil, nil, "/src", 90.0, nil},
			{"nightly", "fetch", "failed", "exited", "curl", `["-O","x"]`, 0, 0, 1, 1, nil, "exit code 1", nil, at, at, at, at, nil, 0, 0, nil, 2.0, 2.0, nil, nil, "jobs/nightly/logs/fetch.log"},
			{"nightly", "sub", "pending", nil, "true", "[]", 2, 0, 0, nil, nil, nil, "fetch", at, nil, nil, nil, nil, 0, 0, nil, nil, nil, nil, nil, nil},
			{"old", "waits", "pending", nil, "true", "[]", 1, 0, 0, nil, nil, nil, nil, "2025-01-02 03:04:05", nil, nil, nil, nil, 0, 0, nil, nil, nil, nil, nil, nil},
		},
		"SELECT * FROM attempts": {
			{"job", "task", "attempt", "status", "reason", "exit_code", "signal", "error", "stuck", "command", "started_at", "completed_at", "seconds", "cpu_seconds", "max_rss", "pid"},
			{"nightly", "fetch", 1, "failed", "exited", 1, nil, "exit code 1", nil, "curl", at, at, 2.0, 1.75, 4096, 4242},
		},
		"SELECT * FROM dependencies ORDER BY job, task, needs": {
			{"job", "task", "needs", "status", "waits"},
			{"nightly", "build", "fetch", "failed", 1},
			{"nightly", "sub", "build", "pending", 1},
			{"nightly", "sub", "fetch", "failed", 1},
			{"old", "waits", "missing", "missing", 1},
			{"other", "b", "a", "completed", 0},
		},
		"SELECT * FROM waiting WHERE job = 'nightly' ORDER BY task, needs": {
			{"job", "task", "needs", "status"},
			{"nightly", "build", "fetch", "failed"},
			{"nightly", "sub", "build", "pending"},
			{"nightly", "sub", "fetch", "failed"},
		},
		"SELECT * FROM failed_today": { // on the second day of October
			{"job", "task", "attempt", "reason", "error", "completed_at", "command"},
		},
		"SELECT * FROM commands ORDER BY command": {
			{"command", "attempts", "failed", "seconds", "longest", "cpu_seconds"},
			{"curl", 1, 1, 2.0, 2.0, 1.75},
		},
		"SELECT * FROM managers": {
			{"pid", "host", "started_at", "stopped_at", "stop", "instance"},
			{4711, "host", at, nil, "drain", "m"},
		},
	} {
		if diff := cmp.Diff(want, s.rows(view)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", view, diff)
		}
	}
}

// rows returns the names of the columns and what a query finds. Of instants of
// the ticking clock the seconds are left out, for how often a transaction looks
// at the clock is its own affair.
func (s *store) rows(query string) [][]any {
	s.T.Helper()
	rows, err := raw(s).Query(query)
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		s.T.Fatal(err)
	}
	head := make([]any, len(columns))
	for i, c := range columns {
		head[i] = c
	}
	out := [][]any{head}
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			s.T.Fatal(err)
		}
		for i, v := range values {
			switch v := v.(type) {
			case int64:
				values[i] = int(v)
			case string:
				if strings.HasPrefix(v, "2025-10-02 10:30:") {
					values[i] = v[:len("2025-10-02 10:30:")] + "N"
				}
			}
		}
		out = append(out, values)
	}
	if err := rows.Err(); err != nil {
		s.T.Fatal(err)
	}
	return out
}

// The view writes a log's path only where SQL can tell it.
func TestTheViewNamesTheLogsThatExist(t *testing.T) {
	s := open(t)
	ids := []string{"plain", "a/b:c%d", "with blank", "a.1", "a.b", ".hidden", "-flag", "Größe", "x@y,z=1+2_3-4", strings.Repeat("x", 59), strings.Repeat("/", 59), strings.Repeat("%", 59)}
	for _, id := range ids {
		s.MustEnqueue("j", task(id))
		s.MustFinish(s.MustClaim(), success)
	}
	for _, row := range s.rows("SELECT id, log FROM tasks")[1:] {
		if want := "jobs/j/logs/" + job.LogName(row[0].(string)); row[1] != nil && row[1] != want {
			t.Errorf("log of %q: %v, want %s", row[0], row[1], want)
		}
	}
	if n := len(s.rows("SELECT id FROM tasks WHERE log IS NOT NULL")) - 1; n != 3 {
		t.Errorf("%d logs are named", n)
	}
}

func TestTheViewOfTodaysFailuresHasThoseOfToday(t *testing.T) {
	s := open(t)
	const today = "SELECT date('now', 'localtime')"
	day := s.rows(today)
	s.MustEnqueue("j", task("today"), task("before"), task("completed"), task("runs"))
	s.MustFinish(s.MustClaim(), failure)
	s.MustFinish(s.MustClaim(), failure)
	s.MustFinish(s.MustClaim(), success)
	s.MustClaim()
	if _, err := raw(s).Exec("UPDATE attempt SET ended_at = ended_at - 86400000000 WHERE task = (SELECT id FROM task WHERE name = 'before')"); err != nil {
		t.Fatal(err)
	}
	got := s.rows("SELECT task, reason FROM failed_today")
	if !cmp.Equal(day, s.rows(today)) {
		t.Skip("it is midnight")
	}
	if want := [][]any{{"task", "reason"}, {"today", "exited"}}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
