package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os/signal"
	"syscall"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
)

// store stores the tasks and prints their ids.
func store(ctx context.Context, ui *ui, ws *workspace, tasks iter.Seq2[job.Spec, error], o queue.EnqueueOptions) error {
	q, err := ws.openUpgraded(ws.ctx, false)
	if err != nil {
		return err
	}
	defer q.Close()
	added, err := q.Enqueue(ctx, ui.notingTimes(tasks), o)
	if err != nil {
		return explainEnqueue(explainMissing(ctx, ws, q.DB, err))
	}
	signal.Ignore(syscall.SIGPIPE) // which would end the command silently
	if err := printEnqueued(ctx, ui, ws, q, added); err != nil {
		// The task is stored, so a retry would enqueue it twice.
		return fail(exitError, fmt.Errorf("it is stored, but its id could not be printed: %w", err), "")
	}
	remarkDiffering(ui, added)
	if added.Count > 0 {
		ws.hintNoManager()
	}
	return nil
}

// notingTimes says of tasks that pass what is odd about the times at which they start.
func (ui *ui) notingTimes(tasks iter.Seq2[job.Spec, error]) iter.Seq2[job.Spec, error] {
	const most = 20
	return func(yield func(job.Spec, error) bool) {
		n := 0
		for s, err := range tasks {
			if err == nil && s.DueNote != "" {
				if n++; n <= most {
					ui.notef("%s", s.DueNote)
				}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// remarkDiffering reports how existing tasks differ from those that were to be stored.
func remarkDiffering(ui *ui, added db.Added) {
	const most = 20
	for i, d := range added.Differ {
		if i == most {
			ui.notef("… and %d more differences", len(added.Differ)-most)
			return
		}
		ui.notef("task %s of job %s exists already and was not changed: %s", oneLine(d.Task), added.Job, d.What)
	}
}

// printEnqueued prints the ids of the tasks.
func printEnqueued(ctx context.Context, ui *ui, ws *workspace, q *queue.Queue, added db.Added) error {
	if ws.globals.Quiet {
		return nil // the ids are not needed
	}
	out := bufio.NewWriter(ui.out)
	err := q.EachEnqueued(ctx, added, func(e queue.EnqueuedForm) error {
		if ui.json() {
			return writeLine(out, e)
		}
		_, err := fmt.Fprintln(out, e.Task)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
