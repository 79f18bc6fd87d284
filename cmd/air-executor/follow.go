package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// follower prints what the tasks of a job write while they run. It looks at
// running and new attempts only, however many have ended.
type follower struct {
	app     *app
	db      *db.DB
	printer *logPrinter
	job     string
	task    string // empty: all

	last    int64              // newest attempt seen
	open    map[int64]*taskLog // those that ran when last seen
	printed map[attemptKey]*taskLog
	over    bool
}

type attemptKey struct {
	task   string
	number int
}

// follow prints what there is, and then what is added until every job has ended.
func (c *logsCmd) follow(a *app, d *db.DB, p *logPrinter, jobs []string) error {
	if a.json() {
		p.piece = printPiece(a)
	}
	var all []*follower
	for _, name := range jobs {
		f, err := c.follower(a, d, p, name)
		if err != nil {
			return noJobButTask(a, d, jobs, err)
		}
		all = append(all, f)
	}
	defer func() {
		for _, f := range all {
			f.close()
		}
	}()
	return followAll(a, d, p, all)
}

func followAll(a *app, d *db.DB, p *logPrinter, all []*follower) error {
	changes := int64(-1)
	obstacles := &obstacles{app: a}
	for {
		now, err := d.Changes(a.ctx)
		if err != nil {
			return err
		}
		open := 0
		for _, f := range all {
			if err := f.tick(now != changes); err != nil {
				return err
			}
			if !f.over {
				open++
			}
		}
		changes = now
		if open == 0 {
			return p.end()
		}
		obstacles.look()
		if err := pause(a.ctx, 2*watchEvery); err != nil {
			return errors.Join(p.end(), err)
		}
	}
}

// follower prints the ends of the logs of a job that are there, and returns who
// goes on with them.
func (c *logsCmd) follower(a *app, d *db.DB, p *logPrinter, name string) (*follower, error) {
	f := &follower{app: a, db: d, printer: p, job: name, task: c.Task, open: map[int64]*taskLog{}, printed: map[attemptKey]*taskLog{}}
	// In this order: what starts after the first look is new to the next one, and
	// what ends after the second is still seen to end.
	var err error
	if f.last, err = d.LastStep(a.ctx); err != nil {
		return nil, err
	}
	running, err := d.RunningSteps(a.ctx, name)
	if err != nil {
		return nil, err
	}
	for _, s := range running {
		f.started(s)
	}
	logs, _, err := c.ofJob(a, d, name)
	if err != nil {
		return nil, err
	}
	return f, f.begin(logs, c.Tail)
}

func (f *follower) begin(logs []*taskLog, lines tailLines) error {
	found := map[*taskLog]bool{}
	for _, l := range logs {
		key := attemptKey{l.task, l.attempt}
		if known := f.printed[key]; known != nil {
			l = known
		}
		f.printed[key], found[l] = l, true
		if err := f.printer.begin(l, lines); err != nil {
			return err
		}
		if l.status.Ended() {
			l.close()
		}
	}
	for row, l := range f.open {
		if !found[l] { // another attempt has begun since
			delete(f.open, row)
		}
	}
	return nil
}

// started notes an attempt as it is now, if it is one to follow.
func (f *follower) started(s db.Step) {
	if f.task != "" && s.Task != f.task {
		return
	}
	key := attemptKey{s.Task, s.Number}
	l := f.printed[key]
	if l != nil && s.Status.Ended() && f.open[s.Row] == nil {
		return // all of it is printed
	}
	if l == nil {
		l = &taskLog{job: f.job, task: s.Task, attempt: s.Number, path: runner.LogPath(f.app.conf.BasePath, f.job, s.Task)}
		f.printed[key] = l
	}
	l.status, l.error = s.Status, s.Error
	f.open[s.Row] = l
}

// tick prints what is new. Whether a task has ended is read before its log, so
// that nothing is missed at its end.
func (f *follower) tick(changed bool) error {
	if f.over {
		return nil
	}
	moved := map[*taskLog]bool{}
	for _, l := range f.open {
		// The next attempt moves this one's log away. Whether it was that is known
		// when the database is read after.
		moved[l] = l.replaced()
		changed = changed || moved[l]
	}
	if changed {
		if err := f.look(); err != nil {
			return err
		}
	}
	// One that has ended before the next that has begun.
	for _, row := range slices.Sorted(maps.Keys(f.open)) {
		l := f.open[row]
		if err := f.printer.rest(l); err != nil {
			return err
		}
		if l.status.Ended() {
			l.close()
			delete(f.open, row)
		} else if moved[l] {
			l.close()
			f.printer.again(l, "was replaced")
			if err := f.printer.rest(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads what has started or ended.
func (f *follower) look() error {
	// The job first: once it has ended, the steps tell of all its tasks.
	over, err := f.ended()
	if err != nil {
		return err
	}
	f.over = over
	newest, err := f.db.LastStep(f.app.ctx)
	if err != nil {
		return err
	}
	if newest < f.last {
		f.last = 0 // attempts were removed, and new ones have their numbers
	}
	var open []int64
	for row := range f.open {
		open = append(open, row)
	}
	steps, err := f.db.Steps(f.app.ctx, f.job, f.last, open)
	for _, s := range steps {
		f.last = max(f.last, s.Row)
		f.started(s)
	}
	return err
}

func (f *follower) ended() (bool, error) {
	if f.task != "" {
		t, err := f.db.Task(f.app.ctx, f.job, f.task)
		return t.Status.Ended(), err
	}
	j, err := f.db.Job(f.app.ctx, f.job)
	return queue.Ended(j), err
}

func (f *follower) close() {
	for _, l := range f.open {
		l.close()
	}
}

// pause waits, or returns the reason why there is no time to.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// printPiece prints added output as JSON, a line for each piece.
func printPiece(a *app) func(*taskLog, []byte) error {
	return func(l *taskLog, b []byte) error {
		form := toLogJSON(l)
		form.Log = string(b)
		return writeLine(a.out, form)
	}
}
