package main

import (
	"context"
	"os"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// begin stores the tasks of a new job, or changes those of a resumed one, and reports
// the changes. Then the watcher knows the name of the job, and where to begin.
func (c *runCmd) begin(ctx context.Context, q *queue.Queue, w *watcher, o *order) error {
	o.noteTimes(w.ui)
	begun, err := q.Begin(ctx, o.tasks, queue.BeginOptions{
		EnqueueOptions: queue.EnqueueOptions{
			Job: o.wanted, Caller: queue.CallerByEnv(os.Getenv), FromFile: !o.output,
			RetryHolds: o.retryHolds, Labels: o.labels, Settings: &o.settings,
		},
		Resume: c.Resume,
		Absent: func(name string) {
			w.ui.notef("there is no job %q to resume; all of it runs, as a new job", name)
		},
	})
	w.watch(begun.Job, begun.LastStep)
	for _, line := range differences(begun.Resumed, o.added) {
		w.ui.notef("%s", line)
	}
	return err
}

// toTheEnd runs the job and shows its progress. As long as no manager serves the base
// path, it uses a manager in this process.
func (w *watcher) toTheEnd(ctx context.Context, o *order) (queue.Outcome, error) {
	// If the reader of stdout goes away, stop as on Ctrl-C. SIGPIPE alone does not show
	// that, because the manager in this process writes to runners.
	surviveClosedPipe()
	own := w.queue.OwnManager(w.job, w.ws.ownManagerLog)
	obstacles := &obstacles{ui: w.ui, ws: w.ws, queue: w.queue, jobs: []string{w.job}, own: own, clear: w.clear}
	end, err := own.Run(ctx, queue.RunOptions{
		Caller: queue.CallerByEnv(os.Getenv),
		Look: func() (job.Job, error) {
			obstacles.look()
			j, err := w.look()
			if err == nil && nobodyReads(w.ui.unprinted) {
				err = w.ui.unprinted
			}
			return j, err
		},
		Over:    w.finish,
		Leaving: w.clear,
		NotCancelled: func(err error) {
			w.ui.notef("job %s could not be cancelled, and goes on when a manager runs: %v", w.job, err)
		},
		Untold: func(r db.Active, err error) { w.ui.notef("tell the runner of task %q: %v", r.Task, err) },
		Failed: func(err error) { w.ui.notef("manager: %v", err) },
	})
	if err != nil {
		return queue.Outcome{}, w.explainEnd(ctx, o, end, err)
	}
	if end.Hooks > 0 {
		w.ui.notef("waiting for a manager (air-executor start): %s", plural(end.Hooks, "hook"))
	}
	return w.outcome(end.Job)
}
