package queue

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/air-executor/air-executor/db"
	"github.com/air-executor/air-executor/manager"
)

// CheckEvery is how often waiting functions check whether the database has changed.
const CheckEvery = 50 * time.Millisecond

// FollowOptions say how logs are followed.
type FollowOptions struct {
	LogQuery        // which logs; Failed does not apply
	Lines    int    // with how many lines of each to begin; negative: all
	Waiting  func() // called repeatedly while waiting; may be nil
}

// Follow passes the output of the jobs' tasks to a sink, and then new output until
// every job, or the one task, has ended. Errors: those of Logs and of the sink.
func (q *Queue) Follow(ctx context.Context, jobs []string, o FollowOptions, sink LogSink) error {
	var all []*Follower
	defer func() {
		for _, f := range all {
			f.Close()
		}
	}()
	for _, name := range jobs {
		f, err := q.followFromHere(ctx, name, o, sink)
		if f != nil {
			all = append(all, f)
		}
		if err != nil {
			return err
		}
	}
	for changes := int64(-1); ; {
		now, err := q.DB.Changes(ctx)
		if err != nil {
			return err
		}
		open := 0
		for _, f := range all {
			if err := f.Tick(ctx, now != changes); err != nil {
				return err
			}
			if !f.over {
				open++
			}
		}
		if changes = now; open == 0 {
			return nil
		}
		if o.Waiting != nil {
			o.Waiting()
		}
		if err := Pause(ctx, 2*CheckEvery); err != nil {
			return err
		}
	}
}

// Follower reads what the tasks of a job print while they run. It reads running and new
// attempts only, however many have ended. It must be used by one goroutine only.
type Follower struct {
	queue *Queue
	sink  LogSink
	job   string
	task  string // empty: all

	last int64          // newest attempt seen
	open map[int64]*Log // those that ran when last seen
	read map[attemptKey]*Log
	over bool
}

type attemptKey struct {
	task   string
	number int
}

// FollowNew returns a Follower of the attempts of a job after the row last (see
// db.LastStep). The caller calls Tick repeatedly, and Close at the end.
func (q *Queue) FollowNew(name string, last int64, sink LogSink) *Follower {
	return &Follower{queue: q, sink: sink, job: name, last: last, open: map[int64]*Log{}, read: map[attemptKey]*Log{}}
}

// followFromHere reads the ends of a job's existing logs, and returns a Follower that
// continues them.
func (q *Queue) followFromHere(ctx context.Context, name string, o FollowOptions, sink LogSink) (*Follower, error) {
	// In this order: attempts that start after the first look are new to the next one,
	// and the end of attempts that end after the second is still noticed.
	last, err := q.DB.LastStep(ctx)
	if err != nil {
		return nil, err
	}
	f := q.FollowNew(name, last, sink)
	f.task = o.Task
	running, err := q.DB.RunningSteps(ctx, name)
	if err != nil {
		return f, err
	}
	for _, s := range running {
		f.started(s)
	}
	logs, _, err := q.Logs(ctx, name, o.LogQuery)
	if err != nil {
		return f, err
	}
	return f, f.begin(logs, o.Lines)
}

func (f *Follower) begin(logs []*Log, lines int) error {
	found := map[*Log]bool{}
	for _, l := range logs {
		key := attemptKey{l.Task, l.Attempt}
		if known := f.read[key]; known != nil {
			l = known
		}
		f.read[key], found[l] = l, true
		if err := l.Begin(f.sink, lines); err != nil {
			return err
		}
		if l.Status.Ended() {
			l.Close()
			if err := ended(f.sink, l); err != nil {
				return err
			}
		}
	}
	for row, l := range f.open {
		if !found[l] { // another attempt has begun since
			delete(f.open, row)
		}
	}
	return nil
}

// started adds an attempt in its present state, if it is to be followed.
func (f *Follower) started(s db.Step) {
	if f.task != "" && s.Task != f.task {
		return
	}
	key := attemptKey{s.Task, s.Number}
	l := f.read[key]
	if l != nil && s.Status.Ended() && f.open[s.Row] == nil {
		return // all of it is read
	}
	if l == nil {
		l = f.queue.LogOf(f.job, s.Task)
		l.Attempt = s.Number
		if earlier := f.read[attemptKey{s.Task, s.Number - 1}]; earlier != nil {
			l.before = earlier.is
		}
		f.read[key] = l
	}
	l.Status, l.Error = s.Status, s.Error
	f.open[s.Row] = l
}

// Tick passes new output to the sink. changed says that the database has changed since
// the last call. The status of a task is read before its log, so that no output is
// missed at the end.
func (f *Follower) Tick(ctx context.Context, changed bool) error {
	if f.over {
		return nil
	}
	moved := map[*Log]bool{}
	for _, l := range f.open {
		// The next attempt moves this attempt's log away. Reading the database
		// afterwards shows whether it has.
		moved[l] = l.replaced()
		changed = changed || moved[l]
	}
	if changed {
		if err := f.look(ctx); err != nil {
			return err
		}
	}
	// Attempts that have ended before those that have begun.
	for _, row := range slices.Sorted(maps.Keys(f.open)) {
		l := f.open[row]
		if err := l.Rest(f.sink); err != nil {
			return err
		}
		if l.Status.Ended() {
			if err := l.settle(f.sink); err != nil {
				return err
			}
			l.Close()
			delete(f.open, row)
			if err := ended(f.sink, l); err != nil {
				return err
			}
		} else if moved[l] {
			l.Close()
			l.again(f.sink, "was replaced")
			if err := l.Rest(f.sink); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads which attempts have started or ended.
func (f *Follower) look(ctx context.Context) error {
	// The job first: once it has ended, the steps cover all its tasks.
	over, err := f.ended(ctx)
	if err != nil {
		return err
	}
	f.over = over
	newest, err := f.queue.DB.LastStep(ctx)
	if err != nil {
		return err
	}
	if newest < f.last {
		f.last = 0 // attempts were removed, and new ones may reuse their numbers
	}
	var open []int64
	for row := range f.open {
		open = append(open, row)
	}
	steps, err := f.queue.DB.Steps(ctx, f.job, f.last, open)
	for _, s := range steps {
		f.last = max(f.last, s.Row)
		f.started(s)
	}
	return err
}

func (f *Follower) ended(ctx context.Context) (bool, error) {
	if f.task != "" {
		t, err := f.queue.DB.Task(ctx, f.job, f.task)
		return t.Status.Ended(), err
	}
	j, err := f.queue.DB.Job(ctx, f.job)
	return Ended(j), err
}

// Close closes the logs that are open.
func (f *Follower) Close() {
	for _, l := range f.open {
		l.Close()
	}
}

// Pause waits this long, or returns the error of the context if that ends before.
func Pause(ctx context.Context, d time.Duration) error {
	return manager.Pause(ctx, d)
}
