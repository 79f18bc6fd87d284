package db

import (
	"cmp"
	"time"

	"github.com/air-executor/air-executor/job"
)

// The columns of a task that hold what a user asks for, except its id, environment and
// dependencies. All statements that read or write them are built from this list;
// specRow and appendSpec have the same order.
const (
	specColumns = `command, args, dir, priority, timeout, retries, retry, run_if, pools, hooks`
	specMarks   = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
	specOfT     = `t.command, t.args, t.dir, t.priority` + specRest
	specRest    = `, t.timeout, t.retries, t.retry, t.run_if, t.pools, t.hooks`
)

// askedOfT is specOfT, with the priority that was asked for. Claims need no priority.
func (d *DB) askedOfT() string {
	if d.agesNot() {
		return specOfT
	}
	return `t.command, t.args, t.dir, t.priority + t.late` + specRest
}

// specSet sets the columns to what is asked for.
func (d *DB) specSet() string {
	ranked := ` - late`
	if d.agesNot() {
		ranked = ``
	}
	return `
    command = ?,
    args = ?,
    dir = ?,
    priority = ?` + ranked + `,
    timeout = ?,
    retries = ?,
    retry = ?,
    run_if = ?,
    pools = ?,
    hooks = ?`
}

// agesNot reports whether the schema is from before there was aging.
func (d *DB) agesNot() bool { return d.Outdated() && d.schema < 3 }

// specRow holds the values of these columns.
type specRow struct {
	Command, Args string
	Dir           *string
	Priority      int
	Timeout       *int64
	Retries       int
	Retry         *string
	RunIf         job.RunIf `db:"run_if"`
	Pools, Hooks  *string
}

// into returns the scan destinations.
func (r *specRow) into() []any {
	return []any{&r.Command, &r.Args, &r.Dir, &r.Priority, &r.Timeout, &r.Retries, &r.Retry, &r.RunIf, &r.Pools, &r.Hooks}
}

// spec returns the task in the row.
func (r *specRow) spec(id string) (job.Spec, error) {
	args, err := decodeArgs(r.Args)
	if err != nil {
		return job.Spec{}, err
	}
	s := job.Spec{ID: id, Command: r.Command, Args: args, Dir: fromText(r.Dir), Priority: r.Priority, Retries: r.Retries}
	if r.Timeout != nil {
		s.Timeout = time.Duration(*r.Timeout) * time.Microsecond
	}
	if r.RunIf != job.RunOnSuccess {
		s.RunIf = r.RunIf
	}
	s.Pools = poolsOf(r.Pools)
	s.Hooks = hooksOf(r.Hooks)
	s.Retry, err = decodeRetry(r.Retry)
	return s, err
}

// appendSpec appends the values of a task for these columns.
func appendSpec(values []any, s *job.Spec) ([]any, error) {
	args, err := encodeArgs(s.Args)
	pools, unreadable := job.NormalPools(s.Pools)
	if unreadable != nil {
		return nil, unreadable
	}
	return append(values, s.Command, args, text(s.Dir), s.Priority, number(s.Timeout.Microseconds()),
		max(0, s.Retries), encodeRetry(s.Retry), cmp.Or(s.RunIf, job.RunOnSuccess), poolsText(pools), text(job.EncodeHooks(s.Hooks))), err
}
