package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/job"
	"github.com/air-executor/air-executor/queue"
	"github.com/air-executor/air-executor/runner"
)

// watcher shows the progress of a job: a line for every task that ends and, on a
// terminal, a bar below. For a single command, it shows the output instead.
type watcher struct {
	ui     *ui
	ws     *workspace
	queue  *queue.Queue
	db     *db.DB
	job    string
	last   int64 // row of the newest attempt before it
	output bool  // print what the task writes, and nothing else
	quiet  bool  // print only what failed
	begin  time.Time

	seen    *queue.Progress
	screen  block
	printer logPrinter
	log     *queue.Log // of the command whose output is shown

	follow   *queue.Follower // prints what the tasks of a file write; nil: not wanted
	followed *logPrinter     // the sink of follow
}

// newWatcher makes one for a job of the queue. With output, it shows that.
func newWatcher(ui *ui, ws *workspace, q *queue.Queue, output bool) *watcher {
	return &watcher{
		ui: ui, ws: ws, queue: q, db: q.DB, output: output, quiet: ws.globals.Quiet, begin: time.Now(), screen: block{out: ui.out},
	}
}

// watch starts with the attempts of a job after the row last.
func (w *watcher) watch(name string, last int64) {
	w.job, w.last, w.seen = name, last, w.queue.Progress(name, last)
}

// look reads what is new and shows it.
func (w *watcher) look() (job.Job, error) {
	ctx := w.ws.ctx
	steps, changed, err := w.seen.Look(ctx)
	if err != nil {
		return w.seen.State, err
	}
	if changed {
		if err := w.showOutput(slices.ContainsFunc(steps, func(s queue.Step) bool { return s.Status.Ended() })); err != nil {
			return w.seen.State, err
		}
	}
	for _, s := range steps {
		w.tell(s)
	}
	if w.output {
		return w.seen.State, w.copyOutput()
	}
	if w.follow != nil {
		return w.seen.State, w.follow.Tick(ctx, false)
	}
	if w.live() {
		w.screen.draw(w.progress())
	}
	return w.seen.State, nil
}

func (w *watcher) live() bool {
	return !w.ui.json() && !w.quiet && w.follow == nil && canRedraw(w.ui.out)
}

// followOutput makes the watcher print what tasks write from now on between its lines.
func (w *watcher) followOutput() {
	p := &logPrinter{out: w.ui.out, note: w.ui.notef, titles: true}
	if isTerminal(w.ui.out) {
		p.filter = &filter{edits: true}
	}
	w.follow = w.queue.FollowNew(w.job, w.last, p)
	w.followed = p
}

// showOutput prints what tasks have written so far. If the next line is not theirs, it
// starts at the left.
func (w *watcher) showOutput(lineNext bool) error {
	if w.follow == nil {
		return nil
	}
	if err := w.follow.Tick(w.ws.ctx, true); err != nil || !lineNext {
		return err
	}
	p := w.followed
	err := p.end()
	if p.broken {
		w.ui.printf("\n")
	}
	p.last, p.broken = nil, false
	return err
}

// tell prints what has happened to a task.
func (w *watcher) tell(s queue.Step) {
	if w.output {
		if s.New {
			if w.log != nil {
				w.log.Close()
			}
			w.log = w.queue.LogOf(w.job, s.Task)
		}
		return
	}
	if w.ui.json() || w.quiet {
		return
	}
	if w.live() {
		w.screen.clear()
	}
	if s.New && !w.live() && w.follow == nil { // the heading of its output says so
		w.ui.printf("%s started\n", s.Task)
	}
	switch s.Status {
	case job.Completed:
		w.ui.printf("%s %s completed (%s)\n", w.paint(marks().done, green), s.Task, took(s.EndedAt.Sub(s.StartedAt)))
	case job.Failed:
		w.ui.printf("%s %s failed: %s (%s)\n", w.paint(marks().failed, red), s.Task, painted(oneLine(s.Error)), took(s.EndedAt.Sub(s.StartedAt)))
		if w.follow == nil {
			w.lastWords(s.Task)
		}
	}
}

// lastWords prints the last lines of a failed task.
func (w *watcher) lastWords(task string) {
	const lines = 10
	var b lastBytes
	err := w.queue.LogOf(w.job, task).Tail(&logPrinter{out: &b}, lines)
	if err != nil || len(b) == 0 {
		return
	}
	for line := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if bytes.HasPrefix(line, []byte(runner.NoteMark)) {
			continue // that is the error, printed above
		}
		w.ui.printf("    %s\n", painted(visible(folded(line))))
	}
}

// lastBytes keeps the last bytes written to it.
type lastBytes []byte

// Write keeps b, and drops what came long before.
func (l *lastBytes) Write(b []byte) (int, error) {
	const most = 64 << 10
	*l = append(*l, b...)
	if over := len(*l) - most; over > 0 {
		*l = append((*l)[:0], (*l)[over:]...)
	}
	return len(b), nil
}

// folded returns what a terminal shows of a line that was overwritten several times.
func folded(line []byte) []byte {
	line = bytes.TrimRight(line, "\r")
	return line[bytes.LastIndexByte(line, '\r')+1:]
}

// copyOutput prints the command's new output.
func (w *watcher) copyOutput() error {
	if w.log == nil || w.ui.json() || w.quiet {
		return nil
	}
	if w.printer.out == nil {
		w.printer.out, w.printer.note = &withoutNotes{out: w.ui.out}, w.ui.notef
	}
	return w.log.Rest(&w.printer)
}

func (w *watcher) clear() {
	if w.live() && !w.output {
		w.screen.clear()
	}
}

// outcome returns how the job has ended, with its task if it is a single command.
func (w *watcher) outcome(j job.Job) (queue.Outcome, error) {
	o, err := w.queue.JobOutcome(w.ws.ctx, j, w.ui.json())
	if err != nil || !w.output {
		return o, err
	}
	tasks, err := w.firstTasks(2)
	if err == nil && len(tasks) == 1 { // else it has queued others into its job
		o.Task = &tasks[0]
	}
	return o, err
}

// firstTasks returns at most this many tasks of the job, oldest first.
func (w *watcher) firstTasks(most int) (tasks []job.Task, err error) {
	err = w.db.ListTasks(w.ws.ctx, db.TasksQuery{Job: &w.job, Limit: most}, func(l db.Listed) error {
		tasks = append(tasks, l.Task)
		return nil
	})
	return tasks, err
}

// finish says how the job has ended, and finally what has failed.
func (w *watcher) finish(j job.Job) error {
	w.clear()
	if w.output {
		return w.finishOutput(j)
	}
	if w.ui.json() {
		return nil
	}
	line := fmt.Sprintf("Job %s %s: %s completed", j.Name, j.State, plural(j.Tasks.Completed, "task"))
	if j.Tasks.Failed > 0 {
		line += fmt.Sprintf(", %d failed", j.Tasks.Failed)
	}
	if j.Tasks.Pending > 0 {
		line += fmt.Sprintf(", %d blocked", j.Tasks.Pending)
	}
	if !w.quiet || j.Tasks.Failed > 0 {
		w.ui.printf("%s (%s)\n", line, took(time.Since(w.begin)))
	}
	return w.failures(j)
}

// failures lists the tasks that have failed, and why.
func (w *watcher) failures(j job.Job) error {
	const most = 20
	if j.Tasks.Failed == 0 {
		return nil
	}
	tasks, more, err := w.db.Failures(w.ws.ctx, w.job, most)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		w.ui.printf("%s %s: %s\n", w.paint(marks().failed, red), t.ID, t.Error)
	}
	if more > 0 {
		w.ui.printf("%s and %d more\n", marks().more, more)
	}
	return nil
}

// finishOutput prints the rest of the output, and how the command failed.
func (w *watcher) finishOutput(j job.Job) error {
	const most = 20
	if w.log == nil {
		// It ended before its start was noticed.
		tasks, err := w.firstTasks(1)
		if err != nil {
			return err
		}
		w.log = w.queue.LogOf(w.job, tasks[0].ID)
	}
	if err := w.copyOutput(); err != nil {
		return err
	}
	if j.Tasks.Failed == 0 || w.ui.json() {
		return nil
	}
	tasks, _, err := w.db.Failures(w.ws.ctx, w.job, most)
	for _, t := range tasks {
		w.ui.notef("%s", t.Error)
	}
	return err
}
