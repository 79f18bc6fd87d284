package db

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/air-executor/air-executor/job"
)

// AttemptKey names an attempt, also when its job was removed.
type AttemptKey struct {
	Task   int64 // key of the task
	Number int   // from 1
}

// EndedAttempt is an attempt that has ended, with what a span says of it. What its
// command was given is left out, except for how many arguments that were.
type EndedAttempt struct {
	AttemptKey
	Job       string
	Task      string // id
	Command   string
	Arguments int
	Host      string
	Token     string
	Before    string   // token of the attempt before; empty: there is none
	Env       []string // only the variables that were asked for
	QueuedAt  time.Time
	StartedAt time.Time
	EndedAt   time.Time
	Result    job.Result // without error and times
}

// EndedAttempts reads attempts by their keys, and of the environments of their tasks the
// variables with these names. One that has not ended, or was removed, is left out.
func (d *DB) EndedAttempts(ctx context.Context, keys []AttemptKey, variables ...string) ([]EndedAttempt, error) {
	var out []EndedAttempt
	err := d.read(ctx, func(t *tx) error {
		out = out[:0]
		envs := map[int64][]string{}
		for _, k := range keys {
			var r endedAttemptRow
			found, err := t.get(&r, selectEndedAttempt, k.Task, k.Number)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			one, err := r.attempt(k)
			if err == nil && r.Environment != nil {
				one.Env, err = t.variablesOf(*r.Environment, variables, envs)
			}
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

const selectEndedAttempt = `
SELECT a.token, a.status, a.reason, a.exit_code, a.signal, a.host, a.started_at, a.ended_at, p.token AS before,
       t.name AS task_name, t.command, t.args, t.environment, t.created_at, j.name AS job_name
FROM attempt a
JOIN task t ON t.id = a.task
JOIN job j ON j.id = t.job
LEFT JOIN attempt p ON p.task = a.task AND p.number = a.number - 1
WHERE a.task = ?
  AND a.number = ?
  AND a.ended_at IS NOT NULL`

// endedAttemptRow is what selectEndedAttempt finds.
type endedAttemptRow struct {
	Token          string
	Status         job.Status
	Reason, Signal *string
	ExitCode       *int `db:"exit_code"`
	Host           string
	StartedAt      int64 `db:"started_at"`
	EndedAt        int64 `db:"ended_at"`
	Before         *string
	TaskName       string `db:"task_name"`
	JobName        string `db:"job_name"`
	Command, Args  string
	Environment    *int64
	CreatedAt      int64 `db:"created_at"`
}

func (r *endedAttemptRow) attempt(k AttemptKey) (EndedAttempt, error) {
	args, err := decodeArgs(r.Args)
	return EndedAttempt{
		AttemptKey: k, Job: r.JobName, Task: r.TaskName, Command: r.Command, Arguments: len(args), Host: r.Host,
		Token: r.Token, Before: fromText(r.Before),
		QueuedAt: time.UnixMicro(r.CreatedAt).UTC(), StartedAt: time.UnixMicro(r.StartedAt).UTC(), EndedAt: time.UnixMicro(r.EndedAt).UTC(),
		Result: job.Result{Status: r.Status, Reason: job.Reason(fromText(r.Reason)), ExitCode: r.ExitCode, Signal: fromText(r.Signal)},
	}, err
}

// variablesOf returns some variables of an environment, unless they were read before.
func (t *tx) variablesOf(environment int64, names []string, read map[int64][]string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if some, ok := read[environment]; ok {
		return some, nil
	}
	env, err := t.environmentOf(environment, map[int64][]string{})
	if err != nil {
		return nil, err
	}
	var some []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains(names, name) {
			some = append(some, kv)
		}
	}
	read[environment] = some
	return some, nil
}
